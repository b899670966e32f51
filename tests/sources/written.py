"""FITS headers as cameras, pipelines and people write them, each beside the same in the plain form of the standard.

The plain form is what astropy reads without doubt; the written one goes to the product. Seeded, so each run makes the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy import units
from astropy.coordinates import FK4, FK5, ICRS, BarycentricMeanEcliptic, FK4NoETerms, Galactic, SkyCoord, Supergalactic
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS

SIZE = (400, 300)
"""Width and height in pixels."""

PROJECTIONS: dict[str, dict[str, float]] = {
    name: {} for name in "TAN STG SIN ARC ZEA AIR CAR MER CEA SFL PAR MOL AIT TSC CSC QSC HPX PCO CYP".split()
} | {
    "ZPN": {"PV2_1": 1.0, "PV2_3": 0.02}, "AZP": {"PV2_1": 2.0, "PV2_2": 0.0}, "SZP": {"PV2_1": 2.0, "PV2_2": 180.0, "PV2_3": 60.0},
    "SIN ": {"PV2_1": 0.05, "PV2_2": -0.02}, "AIR ": {"PV2_1": 45.0}, "CEA ": {"PV2_1": 0.75}, "CYP ": {"PV2_1": 1.0, "PV2_2": 0.9},
    "COP": {"PV2_1": 45.0, "PV2_2": 25.0}, "COE": {"PV2_1": 45.0, "PV2_2": 20.0}, "COD": {"PV2_1": 45.0, "PV2_2": 25.0},
    "COO": {"PV2_1": 45.0, "PV2_2": 25.0}, "BON": {"PV2_1": 45.0},
}  # fmt: skip
CONIC = ("COP", "COE", "COD", "COO", "BON")
FRAMES: dict[str, tuple[str, str, dict[str, Any], Any]] = {
    "ICRS": ("RA--", "DEC-", {"RADESYS": "ICRS"}, ICRS()),
    "none": ("RA--", "DEC-", {}, ICRS()),
    "FK5": ("RA--", "DEC-", {"RADESYS": "FK5", "EQUINOX": 2000.0}, FK5()),
    "FK5 1975": ("RA--", "DEC-", {"RADESYS": "FK5", "EQUINOX": 1975.0}, FK5(equinox=Time(1975.0, format="jyear"))),
    "FK4": ("RA--", "DEC-", {"RADESYS": "FK4", "EQUINOX": 1950.0}, FK4(equinox=Time(1950.0, format="byear"))),
    "FK4-NO-E": ("RA--", "DEC-", {"RADESYS": "FK4-NO-E", "EQUINOX": 1950.0}, FK4NoETerms(equinox=Time(1950.0, format="byear"))),
    "GAL": ("GLON", "GLAT", {}, Galactic()),
    "ECL": ("ELON", "ELAT", {}, BarycentricMeanEcliptic()),
    "SGAL": ("SLON", "SLAT", {}, Supergalactic()),
}  # fmt: skip
UNITS = {
    "deg": ("deg", "Degrees", "DEG", "degree", "deg ", ""), "arcsec": ("arcsec", "ARCSEC", "arcseconds"),
    "arcmin": ("arcmin", "arcminutes"), "rad": ("rad", "Radians", "RAD"),
}  # fmt: skip
SPELLED = {
    "ICRS": ("ICRS", "icrs", "ICRS    "), "FK5": ("FK5", "fk5", "J2000", "FK5 J2000"), "FK4": ("FK4", "fk4", "B1950"),
    "FK4-NO-E": ("FK4-NO-E", "fk4-no-e"),
}  # fmt: skip
NOISE = (
    {"XPIXELSZ": 6.0, "YPIXELSZ": 6.0}, {"CNPIX1": 0, "CNPIX2": 0}, {"PPO3": 177000.0}, {"TELESCOP": "a 10 inch, f/4"},
    {"DATE-OBS": "last night"}, {"MJD-OBS": "unknown"}, {"PLTSCALE": 67.2}, {"OBJECT": "M 51"}, {"VELREF": 257}, {"BLANK": 0},
    {"WCSNAME": "local"}, {"LTV1": 5.0}, {"INSTRUME": "D'Or"}, {"CTYPE3": "RGB"}, {"CTYPE3": "FREQ", "CRVAL3": 1e9, "CDELT3": 1e6},
    {"CROTA1": 0.0},
)  # fmt: skip


@dataclass
class Written:
    """One header in both forms."""

    plain: fits.Header
    frame: Any
    cards: dict[str, Any]  # number, text, or (text,) that stands there without quotes
    how: list[str] = field(default_factory=list)

    @property
    def header(self) -> fits.Header:
        """The header as it is written."""
        lines = []
        for name, value in self.cards.items():
            quoted = value.replace("'", "''") if isinstance(value, str) else ""
            lines.append(
                f"{name:8}= " + (value[0] if isinstance(value, tuple) else f"'{quoted:8}'" if quoted else str(value))
            )
        return fits.Header.fromstring("\n".join(lines), sep="\n")

    def truth(self, pixels: np.ndarray) -> np.ndarray:
        """Unit vectors, ICRS, of pixels as FITS counts them."""
        wcs = WCS(self.plain)
        world = wcs.all_pix2world(pixels, 1)
        place = SkyCoord(world[:, wcs.wcs.lng], world[:, wcs.wcs.lat], unit="deg", frame=self.frame).icrs
        return np.array(place.cartesian.xyz.to_value(units.one)).T


def written(rng: np.random.Generator, ways: int = 1) -> list[Written]:
    """One header drawn at random (projection, frame, matrix, distortion), written in several ways that mean the same."""
    name = str(rng.choice(list(PROJECTIONS)))
    if rng.random() < 0.5:
        name = "TAN"
    code, pv = name.strip(), dict(PROJECTIONS[name])
    # Frames that have to be turned into ICRS take most of the time.
    frame = str(rng.choice(list(FRAMES), p=[0.3, 0.25, 0.2, *[0.25 / 6] * 6]))
    lon, lat, about, sky = FRAMES[frame]
    scale = 10 ** rng.uniform(-4, -2)
    dec = (
        rng.uniform(30, 60)
        if code in CONIC
        else rng.uniform(-5, 5)
        if code not in ("TAN", "STG", "SIN", "ARC", "ZEA")
        else rng.uniform(-89, 89)
    )
    ra = rng.uniform(0, 360)
    plain: dict[str, Any] = {"CTYPE1": f"{lon}-{code}", "CTYPE2": f"{lat}-{code}", "CRVAL1": ra, "CRVAL2": dec}
    plain |= {"CRPIX1": rng.uniform(-50, 450), "CRPIX2": rng.uniform(-50, 350)}
    turn, parity = math.radians(rng.uniform(-180, 180)), rng.choice([1, 1, 1, -1])
    cos, sin, skew = math.cos(turn), math.sin(turn), rng.choice([1.0, 1.0, 1.001])
    form = str(rng.choice(["CD", "PC", "CROTA", "CDELT"]))
    if form == "CD":
        plain |= {
            "CD1_1": -scale * cos * parity,
            "CD1_2": scale * sin * skew,
            "CD2_1": scale * sin * parity,
            "CD2_2": scale * cos * skew,
        }
    else:
        plain |= {"CDELT1": -scale * parity, "CDELT2": scale * skew}
        if form == "PC":
            plain |= {"PC1_1": cos, "PC1_2": -sin * parity, "PC2_1": sin * parity, "PC2_2": cos}
        elif form == "CROTA":
            plain["CROTA2"] = math.degrees(turn)
    how = [name, frame, form]
    if code == "TAN" and (kind := rng.choice(["", "", "SIP", "TPV"])):
        _distort(rng, plain, str(kind), scale, how)
    plain |= pv | about
    found = []
    for _ in range(ways):
        cards, way = dict(plain), list(how)
        _write(rng, cards, plain, frame, way)
        found.append(Written(fits.Header(plain), sky, cards, way))
    return found


def _distort(rng: np.random.Generator, plain: dict[str, Any], kind: str, scale: float, how: list[str]) -> None:
    how.append(kind)
    if kind == "SIP":
        plain["CTYPE1"], plain["CTYPE2"] = plain["CTYPE1"] + "-SIP", plain["CTYPE2"] + "-SIP"
        plain |= {"A_ORDER": 2, "B_ORDER": 3, "A_2_0": rng.normal(0, 2e-6), "A_1_1": rng.normal(0, 2e-6)}
        plain |= {"B_0_2": rng.normal(0, 2e-6), "B_3_0": rng.normal(0, 4e-9)}
    else:
        plain["CTYPE1"], plain["CTYPE2"] = (plain[f"CTYPE{axis}"][:5] + "TPV" for axis in (1, 2))
        plain |= {
            "PV1_1": 1.0,
            "PV2_1": 1.0,
            "PV1_4": rng.normal(0, 2e-6) / scale,
            "PV2_5": rng.normal(0, 2e-6) / scale,
        }


def _write(rng: np.random.Generator, cards: dict[str, Any], plain: dict[str, Any], frame: str, how: list[str]) -> None:
    """Write the plain cards in another way that means the same, in several respects at once."""
    if "CDELT1" in plain and "CROTA2" not in plain and rng.random() < 0.3:
        cards |= {"CROTA1": 0.0, "CROTA2": 0.0}
    if "TPV" in how and rng.random() < 0.5:  # SCAMP before 2012
        cards["CTYPE1"], cards["CTYPE2"] = (cards[f"CTYPE{axis}"][:5] + "TAN" for axis in (1, 2))
        cards.setdefault("PV1_7", 0.0)
        how.append("SCAMP")
    elif "TPV" in how and rng.random() < 0.5:
        del cards["PV1_1"], cards["PV2_1"]  # which are 1 without
    if "SIP" in how and rng.random() < 0.5:  # PTF and ZTF
        cards |= {"PV1_0": 0.01, "PV1_1": 1.1, "PV1_7": 0.3, "PV2_1": 0.9, "PV2_10": 0.1}
        how.append("PV beside SIP")
    if "SIP" not in how and rng.random() < 0.15:
        cards |= {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-4, "B_0_2": 1e-4}
        how.append("SIP left over")
    if "RADESYS" in cards and rng.random() < 0.5:
        spelled = str(rng.choice(SPELLED[cards["RADESYS"]]))
        if "1975" not in frame or not spelled.endswith("2000"):
            cards["RADESYS"] = spelled
        if rng.random() < 0.3:
            cards["RADECSYS"] = cards.pop("RADESYS")
        how.append(f"RADESYS {spelled}")
    if "EQUINOX" in cards and rng.random() < 0.5:
        year = cards.pop("EQUINOX")
        cards[str(rng.choice(["EQUINOX", "EPOCH"]))] = str(
            rng.choice([f"{year}", f"{'B' if 'FK4' in frame else 'J'}{year}"])
        )
    elif frame in ("ICRS", "none") and rng.random() < 0.3:
        cards["EQUINOX"] = 0.0
    if rng.random() < 0.5:
        _units(rng, cards, how)
    for noise in rng.choice(np.array(NOISE, dtype=object), rng.integers(0, 4), replace=False):
        cards |= {
            name: value
            for name, value in noise.items()
            if name not in cards and not (name == "CROTA1" and "CROTA2" in cards)
        }
    if rng.random() < 0.15:
        _as_alternate(cards, how)
    _spell_numbers(rng, cards)


def _spell_numbers(rng: np.random.Generator, cards: dict[str, Any]) -> None:
    for card, value in list(cards.items()):
        if isinstance(value, float) and not any(card in noise for noise in NOISE):
            power = f"{value:.15E}"
            cards[card] = [float(value), (power.replace("E", "D"),), (power.replace("E", "d"),), str(value)][
                rng.integers(4)
            ]


def _units(rng: np.random.Generator, cards: dict[str, Any], how: list[str]) -> None:
    for axis in (1, 2):
        unit = str(rng.choice(list(UNITS)))
        factor = float((1 * units.deg).to_value(unit))
        for name in (f"CRVAL{axis}", f"CDELT{axis}", f"CD{axis}_1", f"CD{axis}_2"):
            if name in cards:
                cards[name] *= factor
        cards[f"CUNIT{axis}"] = str(rng.choice(UNITS[unit]))
        how.append(f"CUNIT{axis} {cards[f'CUNIT{axis}']}")


def _as_alternate(cards: dict[str, Any], how: list[str]) -> None:
    """Move the WCS to the letter B, behind a primary one that is of the Sun or of none of the sky."""
    if any(name.startswith(("A_", "B_")) or name in ("RADECSYS", "EPOCH") for name in cards):
        return
    wcs = {
        name: cards.pop(name)
        for name in list(cards)
        if name[:2] in ("CT", "CR", "CD", "PC", "PV", "CU") or name in ("RADESYS", "EQUINOX")
    }
    cards |= {f"{name}B": value for name, value in wcs.items() if name not in ("CTYPE3", "CRVAL3", "CDELT3")}
    solar = {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CRVAL1": 0.0, "CRVAL2": 0.0, "CDELT1": 1e-3, "CDELT2": 1e-3}
    cards |= solar if len(cards) % 2 else {"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}
    how.append("alternate")
