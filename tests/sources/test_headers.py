"""FITS headers as they are written: placed right, or refused by the name of the keyword that is wrong."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import FK4, FK5, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from sources.headers import corners
from sources.test_oracle import apart, as_wwt_draws

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.sources.fits import read_fits

SIZE = (80, 60)
PLAIN: dict[str, Any] = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 20.0, "CRPIX1": 40.5, "CRPIX2": 30.5,
    "CD1_1": -0.001, "CD1_2": 0.0002, "CD2_1": 0.0002, "CD2_2": 0.001,
}  # fmt: skip
STEPS: dict[str, Any] = {"CD1_1": None, "CD1_2": None, "CD2_1": None, "CD2_2": None, "CDELT1": -0.001, "CDELT2": 0.001}


def header(**cards: Any) -> fits.Header:
    """The plain header with other cards: None takes one away, a tuple stands there as it is."""
    lines = []
    for name, value in (PLAIN | cards).items():
        if value is not None:
            text = value[0] if isinstance(value, tuple) else f"'{value:8}'" if isinstance(value, str) else value
            lines.append(f"{name:8}= {text}".replace("= True", "=                    T"))
    return fits.Header.fromstring("\n".join(lines), sep="\n")


def read(given: fits.Header, tolerance: float = 1.0) -> Any:
    return read_fits(given, shape=SIZE[::-1], tolerance=tolerance)


def off(values: Any, plain: dict[str, Any] = PLAIN) -> float:
    """Pixels between where the image is drawn and where astropy has the plain header, ICRS."""
    world = WCS(fits.Header({name: value for name, value in plain.items() if value is not None})).all_pix2world(
        corners(SIZE), 1
    )
    lon, lat = np.radians(world).T
    truth = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]).T
    drawn, scale = as_wwt_draws(dict(values), corners(SIZE))
    return float(apart(drawn, truth).max() / scale)


# -- the same in other words

THE_SAME: dict[str, dict[str, Any]] = {
    "D exponents": {"CRVAL1": ("0.15D+03",), "CRPIX1": ("4.05D1",), "CD1_1": ("-1.0D-03",), "CD2_2": ("0.1d-2",)},
    "text numbers": {"CRVAL1": "150.0", "CRVAL2": " 20 ", "CRPIX1": "4.05D1", "CD1_2": "2e-4"},
    "CUNIT Degrees": {"CUNIT1": "Degrees", "CUNIT2": "DEG"},
    "CUNIT blank": {"CUNIT1": "", "CUNIT2": "degree"},
    "CUNIT arcsec": {"CUNIT2": "ARCSEC", "CRVAL2": 72000.0, "CD2_1": 0.72, "CD2_2": 3.6},
    "RADESYS j2000": {"RADESYS": "j2000.0", "EQUINOX": "J2000.0"},
    "RADECSYS": {"RADECSYS": "fk5", "EPOCH": "2000"},
    **{f"RADESYS {name}": {"RADESYS": name} for name in ("ICRF3", "ICRS J2000", "J2000/FK5", "FK5 (J2000.0)")},
    "RADESYS ICRS, an equinox that is not used": {"RADESYS": "ICRS    ", "EQUINOX": "none"},
    "EQUINOX in text": {"EQUINOX": " J2000 "},
    "a camera's pixels": {"XPIXELSZ": 6.0, "YPIXELSZ": 6.0, "CNPIX1": 0, "CNPIX2": 0, "PPO1": 0.0, "PPO3": 0.0},
    "unfinished plate": {"XPIXELSZ": 25.0, "YPIXELSZ": 25.0, "PPO3": 1e5, "PPO6": 1e5, "PLTRAH": 14, "AMDX1": 0.0, "AMDY1": 0.0},
    "dates that are none": {"DATE-OBS": "31/12/99 25:00", "MJD-OBS": "unknown", "OBSGEO-X": "far"},
    "a third axis": {"NAXIS": 3, "NAXIS3": 3, "CTYPE3": "RGB"},
    "two more axes": {"WCSAXES": 4, "CTYPE3": "FREQ", "CRVAL3": 1e9, "CD3_3": 1e6, "CTYPE4": "STOKES", "CUNIT3": "GHz!"},
    "CD beside 1": {"CDELT1": 1.0, "CDELT2": 1.0, "CROTA2": 0.0},
    "CD beside PC of 1": {"PC1_1": 1.0, "PC2_2": 1.0},
    "both matrices": {"CDELT1": -0.001, "CDELT2": 0.001, "PC1_1": 1.0, "PC1_2": -0.2, "PC2_1": 0.2, "PC2_2": 1.0},
    "old matrix": STEPS | {"CD001001": -0.001, "CD001002": 0.0002, "CD002001": 0.0002, "CD002002": 0.001, "CDELT1": None, "CDELT2": None},
    "CROTA beside the same PC": STEPS | {"PC1_1": 1.0, "PC1_2": -0.2, "PC2_1": 0.2, "PC2_2": 1.0, "CROTA2": -11.3},
    "CROTA beside a PC without its diagonal": STEPS | {"PC1_2": -0.2, "PC2_1": 0.2, "CROTA2": -11.3},
    "the size that a solver saw": {"NAXIS": 2, "NAXIS1": 80, "NAXIS2": 60, "IMAGEW": 80, "IMAGEH": 60},
    "old rotation": STEPS | {"PC001001": 1.0, "PC001002": -0.2, "PC002001": 0.2, "PC002002": 1.0},
    "old rotation of AIPS and CASA": STEPS | {"PC01_01": 1.0, "PC01_02": -0.2, "PC02_01": 0.2, "PC02_02": 1.0, "PC03_03": 1.0},
    "old matrix of two digits": STEPS | {"CD01_01": -0.001, "CD01_02": 0.0002, "CD02_01": 0.0002, "CD02_02": 0.001, "CDELT1": None, "CDELT2": None},
    "a name without its end": {"OBJECT": ("'M 51, &\nCONTINUE  'a galaxy'",), "OBSERVER": ("'nobody",)},
    "RA beyond a turn": {"CRVAL1": -210.0},
    "RA beyond two turns": {"CRVAL1": 870.0},
    "lower-case CTYPE": {"CTYPE1": "ra---tan", "CTYPE2": "dec--tan"},
    "short CTYPE": {"CTYPE1": "RA-TAN", "CTYPE2": "DEC-TAN"},
    "a value twice": {"CRVAL1": ("150.0\nCRVAL1  = 150.0",)},
    "PV of a linear SCAMP": {"PV1_0": 0.0, "PV1_1": 1.0, "PV1_2": 0.0, "PV2_0": 0.0, "PV2_1": 1.0, "PV2_2": 0.0},
    "PV that is 0": {"PV2_1": 0.0},
    "an alternate beside it": {"CTYPE1A": "LINEAR", "CTYPE2A": "LINEAR", "CRVAL1A": "x"},
    "rows from the top": {"ROWORDER": "TOP-DOWN"},
}  # fmt: skip


@pytest.mark.parametrize("cards", THE_SAME.values(), ids=THE_SAME.keys())
def test_what_is_only_written_in_another_way_is_placed_right_and_nothing_has_to_be_said(cards):
    reading = read(header(**cards))
    assert off(reading.values) < 1e-3
    assert reading.remarks == ()


# -- placed, and said how

SAID: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "EQUINOX 0": ({"EQUINOX": 0.0}, {}, "EQUINOX is 0"),
    "EPOCH 0 in text": ({"EPOCH": "0.0"}, {}, "EPOCH is 0"),
    "RADESYS unknown": ({"RADESYS": "unknown"}, {}, "RADESYS is 'unknown': taken as missing"),
    "SIP left over": ({"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 5e-4}, {}, "CTYPE does not ask for them with -SIP"),
    "-SIP without coefficients": ({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}, {}, "the header has no coefficients"),
    "CDELT that differs": ({"CDELT1": -0.01, "CDELT2": 0.01}, {}, "CDELT and its CD matrix differ"),
    "CROTA that differs": ({"CROTA2": 45.0}, {}, "CROTA and its CD matrix differ"),
    "TPV beside SIP": (
        {"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-3}, {}, "TPV is used",
    ),
    "CROTA beside another PC": (
        STEPS | {"CDELT1": -1e-3, "PC1_1": 1.0, "PC1_2": -0.2, "PC2_1": 0.2, "PC2_2": 1.0, "CROTA2": 30.0}, {}, "CROTA and its PC matrix differ",
    ),
    "CROTA beside a PC of 1": (
        STEPS | {"PC1_1": 1.0, "PC1_2": 0.0, "PC2_1": 0.0, "PC2_2": 1.0, "CROTA2": 30.0}, STEPS, "CROTA and its PC matrix differ",
    ),
    "the size of another picture": ({"NAXIS": 2, "NAXIS1": 80, "NAXIS2": 60, "IMAGEW": 160, "IMAGEH": 120}, {}, "names two sizes"),
    "two CROTA": (STEPS | {"CROTA1": 9.0, "CROTA2": 5.0}, STEPS | {"CROTA2": 5.0}, "CROTA1 is 9 and CROTA2 is 5"),
    "two notations": (
        STEPS | {"PC1_1": 1.0, "PC1_2": -0.2, "PC2_1": 0.2, "PC2_2": 1.0, "PC001002": 0.0}, {}, "PC001002 is 0 and PC1_2 is -0.2: the latter",
    ),
    "LONPOLE 999": ({"LONPOLE": 999.0}, {}, "LONPOLE is 999, which is out of range"),
    "PV of a TAN": ({"PV2_1": 3.0}, {}, "TAN has no PV parameters"),
    "of the Sun, and of the sky in A": (
        {f"{name}A": value for name, value in PLAIN.items()}
        | {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CRVAL1": 0.0, "CRVAL2": 0.0, "CUNIT1": "arcsec", "PV2_1A": 0.0},
        {},
        "placed by its alternate WCS 'A'",
    ),
    "mirrored": ({"CD1_1": 0.001, "CD2_1": 0.0002, "CD1_2": -0.0002}, {"CD1_1": 0.001, "CD1_2": -0.0002}, "the image is mirrored"),
    "mirrored, rows from the top": (
        {"CD1_1": 0.001, "CD2_1": 0.0002, "CD1_2": -0.0002, "ROWORDER": "TOP-DOWN"},
        {"CD1_1": 0.001, "CD1_2": -0.0002},
        "ROWORDER is TOP-DOWN",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("cards", "plain", "words"), SAID.values(), ids=SAID.keys())
def test_what_had_to_be_assumed_is_said(cards, plain, words):
    reading = read(header(**cards))
    assert off(reading.values, PLAIN | plain) < 1e-3
    assert any(words in remark for remark in reading.remarks), reading.remarks


@pytest.mark.parametrize(("name", "year", "minutes"), [("EPOCH", 2023.45, "19.7"), ("EQUINOX", 1875.0, "105")])
def test_an_equinox_that_is_rather_a_date_is_used_as_the_standard_has_it_and_said_with_what_it_changes(
    name, year, minutes
):
    reading = read(header(**{name: year}))
    place = SkyCoord(
        150.0, 20.0, unit="deg", frame=FK5(equinox=f"J{year}") if year > 1984 else FK4(equinox=f"B{year}")
    ).icrs
    found = SkyCoord(reading.values["wwt.center_x"], reading.values["wwt.center_y"], unit="deg")
    assert place.separation(found).deg < 1e-6
    assert f"{name} is {year:g}: " in reading.remarks[0] and f"up to {minutes} minutes of arc" in reading.remarks[0]


def test_what_has_no_pixel_scale_of_pc_is_taken_as_the_standard_has_it():
    pc = {"PC1_1": -0.001, "PC1_2": 0.0, "PC2_1": 0.0, "PC2_2": 0.001}
    reading = read(header(**STEPS | pc | {"CDELT1": None, "CDELT2": None}))
    assert off(reading.values, PLAIN | STEPS) < 1e-3
    assert "no CDELT1 and no CDELT2, which are 1" in reading.remarks[0]


@pytest.mark.parametrize(("order", "said"), [("TOP-DOWN", 1), ("BOTTOM-UP", 0), (None, 0)])
def test_pixinsight_may_count_the_rows_of_a_file_from_the_other_end(order, said):
    given = header(ROWORDER=order, PV1_1=0.0, PV1_2=90.0, LONPOLE=180.0)
    given["COMMENT"] = "Astrometric solution by PixInsight 1.8.9-3"
    reading = read(given)
    assert off(reading.values) < 1e-3
    assert (
        sum("its WCS is of PixInsight, which counts rows from the bottom" in each for each in reading.remarks) == said
    )


# -- refused by the name of what is wrong

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    **{
        f"{name} {text}": ({name: value}, rf"{name} is .*, which is not a number|{name} is not finite")
        for name in ("CRVAL1", "CRPIX2", "CD1_1", "LONPOLE", "PV1_1")
        for text, value in {
            "decimal comma": ("150,0",), "comma in text": "150,0", "sexagesimal": "10:00:00", "hours": "10 00 00", "NaN": ("NaN",),
            "Inf": ("-Inf",), "too large": ("1E999",), "boolean": True, "complex": ("(1.0, 2.0)",), "text": "far away",
            "hexadecimal": ("0x10",), "NaN in text": "nan",
        }.items()
    },
    "CRVAL1 without a value": ({"CRVAL1": ("",)}, "CRVAL1 has no value"),
    "CD1_2 without a value": ({"CD1_2": ("",)}, "CD1_2 has no value"),
    "PC001002 without a value": (STEPS | {"PC001001": 1.0, "PC001002": ("",)}, "PC001002 has no value"),
    "CRPIX1 twice": ({"CRPIX1": ("40.5\nCRPIX1  = 41.5",)}, "CRPIX1 stands there 2 times with different values"),
    "no CRVAL": ({"CRVAL1": None, "CRVAL2": None}, "CRVAL1 and CRVAL2 are missing"),
    "no CRVAL2": ({"CRVAL2": None}, "CRVAL2 is missing"),
    "no CRPIX": ({"CRPIX1": None, "CRPIX2": None}, r"not the pixel that is there \(CRPIX1 and CRPIX2 are missing\)"),
    "no CRPIX2": ({"CRPIX2": None}, r"\(CRPIX2 is missing\)"),
    "CRPIX1 without a value": ({"CRPIX1": ("",)}, "CRPIX1 has no value"),
    "RA twice": ({"CTYPE2": "RA---TAN"}, r"no celestial WCS\) \(CTYPE is RA---TAN, RA---TAN"),
    "axes of two systems": ({"CTYPE2": "GLAT-TAN"}, r"no celestial WCS\) \(CTYPE is RA---TAN, GLAT-TAN"),
    "a table": ({"CTYPE1": "RA---TAB", "CTYPE2": "DEC--TAB"}, "coordinates in a table can't be read"),
    "one element of CD": ({"CD1_2": None, "CD2_1": None, "CD2_2": None}, "singular .CD1_2, CD2_1 and CD2_2 are missing"),
    "CDELT 0": (STEPS | {"CDELT2": 0.0}, "CDELT2 is 0, so its pixels have no size"),
    "pixels of no size": (STEPS | {"CDELT1": -1e-30, "CDELT2": 1e-30}, "1e-30 degrees wide, too small for any image"),
    "a little beyond the pole": ({"CRVAL2": 90.0000001}, "CRVAL2 is 90.0000001 degrees, beyond the pole"),
    "J2000 of FK4": ({"RADESYS": "FK4 J2000"}, "RADESYS is 'FK4 J2000', which contradicts itself"),
    "A_ORDER": (
        {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 10, "B_ORDER": 2, "A_2_0": 1e-5},
        "A_ORDER is 10, where a whole number from 0 to 9",
    ),
    "of Mars": ({"CTYPE1": "MALN-CAR", "CTYPE2": "MALT-CAR"}, r"can't be turned into RA and Dec\. The Sun and the planets"),
    "no scale": (STEPS | {"CDELT1": None, "CDELT2": None}, "CDELT1 and CDELT2 are missing"),
    "half a scale": (STEPS | {"CDELT1": None}, "CDELT1 is missing"),
    "singular": ({"CD1_1": 0.0, "CD1_2": 0.0}, "singular"),
    "Dec beyond the pole": ({"CRVAL2": 95.0}, "CRVAL2 is 95 degrees, beyond the pole"),
    "Dec beyond the pole, axes exchanged": (
        {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": -91.0}, "CRVAL1 is -91 degrees, beyond the pole",
    ),
    "GAPPT": ({"RADESYS": "gappt"}, "RADESYS is GAPPT"),
    "RADESYS": ({"RADESYS": "GCRS"}, "RADESYS is 'GCRS'"),
    "RADECSYS": ({"RADECSYS": "B2000.5"}, "RADECSYS is 'B2000.5'"),
    "two equinoxes": ({"RADESYS": "J2000", "EQUINOX": 1950.0}, "RADESYS is 'J2000' and EQUINOX is 1950.0"),
    "EQUINOX in words": ({"EQUINOX": "of date"}, "EQUINOX is 'of date'"),
    "EQUINOX of an observer": ({"EPOCH": 56000.5}, "EPOCH is 56000.5, which is not the year"),
    "CUNIT": ({"CUNIT1": "furlong"}, "CUNIT1 is 'furlong'"),
    "CUNIT in hours": ({"CUNIT1": "hourangle"}, "CUNIT1 is 'hourangle'"),
    "TNX": ({"CTYPE1": "RA---TNX", "CTYPE2": "DEC--TNX", "WAT1_001": "wtype=tnx"}, "CTYPE1 is 'RA---TNX': .*IRAF"),
    "ZPX": ({"CTYPE1": "RA---ZPX", "CTYPE2": "DEC--ZPX"}, "CTYPE1 is 'RA---ZPX': .*IRAF"),
    "a distortion of nobody": ({"CTYPE1": "RA---TAN-TPD", "CTYPE2": "DEC--TAN-TPD"}, "CTYPE1 is 'RA---TAN-TPD': the distortion TPD"),
    "no projection": ({"CTYPE1": "RA", "CTYPE2": "DEC"}, "CTYPE1 is 'RA', which does not name a FITS projection"),
    "a projection of nobody": ({"CTYPE1": "RA---FOO", "CTYPE2": "DEC--FOO"}, "CTYPE1 is 'RA---FOO', which does not name a FITS projection"),
    "two projections": ({"CTYPE2": "DEC--SIN"}, "CTYPE1 and CTYPE2 name two projections, TAN and SIN"),
    "CTYPE2 alone": ({"CTYPE1": None}, r"no celestial WCS\) \(CTYPE is DEC--TAN"),
    "-SIP without B_ORDER": (
        {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "A_2_0": 1e-5}, "B_ORDER is missing",
    ),
    "SIP in text": (
        {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2, "A_2_0": "1,5"}, "A_2_0 is '1,5'",
    ),
    "CD and PC": (
        {"CDELT1": -0.001, "CDELT2": 0.001, "PC1_1": 0.0, "PC1_2": 1.0, "PC2_1": 1.0, "PC2_2": 0.0},
        "both CDi_j and PCi_j, and they contradict",
    ),
    "CROTA1 alone": (STEPS | {"CROTA1": 30.0}, "CROTA1 is 30, and CROTA2, which counts, is missing"),
    "axes that depend on a third": ({"CTYPE3": "FREQ", "CD1_3": 1e-5}, r"depend on axis 3 \(CD1_3\)"),
    "axes that depend on one without a name": (STEPS | {"PC1_3": 0.1, "PC1_1": 1.0}, r"depend on axis 3 \(PC1_3\)"),
    "frequency first": ({"CTYPE1": "FREQ", "CTYPE2": "RA---TAN", "CTYPE3": "DEC--TAN"}, "its first two axes are FREQ, RA---TAN"),
    "as seen from the Sun": ({"CTYPE1": "HLON-TAN", "CTYPE2": "HLAT-TAN"}, "is in helioecliptic coordinates, which can't be turned"),
    "of the Earth": ({"CTYPE1": "TLON-CAR", "CTYPE2": "TLAT-CAR"}, "is in terrestrial coordinates, which can't be turned"),
    "a scale of 1 and nothing else": (
        STEPS | {"CDELT1": 1.0, "CDELT2": 1.0}, "makes each pixel 1 degree wide and high: programs write that where the scale is unknown",
    ),
    "of the Sun": ({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"}, "is in HPLN coordinates"),
    "tables of distortion": ({"CPDIS1": "LOOKUP", "CPDIS2": "LOOKUP"}, "give the file or its HDUList"),
}  # fmt: skip


@pytest.mark.parametrize(("cards", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_can_not_be_understood_is_refused_by_its_name(cards, words):
    with pytest.raises(SourceError, match=words) as caught:
        read(header(**cards))
    assert "can't be read as a FITS image" not in str(caught.value)  # the file is sound


def test_a_wcs_whose_reference_system_astropy_does_not_know_is_read_too():
    wcs = WCS(fits.Header(PLAIN | {"RADESYS": "J2000"}))
    assert off(read_fits(wcs, shape=SIZE[::-1]).values) < 1e-3
    for name in ("crval", "crpix"):
        broken = WCS(fits.Header(PLAIN))
        setattr(broken.wcs, name, (math.nan, 1.0))
        with pytest.raises(SourceError, match=rf"wcs\.{name} is not finite"):
            read_fits(broken, shape=SIZE[::-1])
    with pytest.raises(SourceError, match="RADESYS is 'GCRS'"):
        read_fits(WCS(fits.Header(PLAIN | {"RADESYS": "GCRS"})), shape=SIZE[::-1])


# -- the advice in the messages works


def test_the_corrections_that_are_named_correct_it():
    wrong = header(CRVAL1=("150,0",))
    with pytest.raises(SourceError) as caught:
        read(wrong)
    call = re.search(r"header\['CRVAL1'\] = 1\.5", str(caught.value))
    assert call
    exec(call[0].replace("1.5", "150.0"), {"header": wrong})
    assert off(read(wrong).values) < 1e-3

    left_over = header(A_ORDER=2, B_ORDER=2, A_2_0=5e-4, B_0_2=-3e-4)
    [said] = read(left_over).remarks
    for call in re.findall(r"header\['CTYPE.'\] = '[^']+'", said):
        exec(call, {"header": left_over})
    distorted = read(left_over)
    assert "SIP distortion" in distorted.remarks[0]
    sip = PLAIN | {
        "CTYPE1": "RA---TAN-SIP",
        "CTYPE2": "DEC--TAN-SIP",
        "A_ORDER": 2,
        "B_ORDER": 2,
        "A_2_0": 5e-4,
        "B_0_2": -3e-4,
    }
    assert off(distorted.values, sip) < 0.6 < off(read(header()).values, sip)


@pytest.mark.parametrize(
    ("extension", "shape"),
    [
        (fits.PrimaryHDU, (4, 60, 80)),
        (fits.PrimaryHDU, (4, 1, 3, 60, 80)),
        (fits.ImageHDU, (2, 1, 60, 80)),
        (fits.CompImageHDU, (5, 60, 80)),
    ],
)
def test_the_call_that_takes_a_plane_of_a_cube_works_and_keeps_the_distortion(tmp_path, extension, shape):
    cards = header(
        A_ORDER=2, B_ORDER=2, A_2_0=5e-4, B_0_2=-3e-4, CTYPE1="RA---TAN-SIP", CTYPE2="DEC--TAN-SIP", CTYPE3="RGB"
    )
    hdu = extension(np.arange(math.prod(shape), dtype="int16").reshape(shape), cards)
    first = [] if extension is fits.PrimaryHDU else [fits.PrimaryHDU()]
    fits.HDUList([*first, hdu]).writeto(tmp_path / "cube.fits")
    with pytest.raises(SourceError, match="is a cube of") as caught:
        ImageDraft.from_fits(tmp_path / "cube.fits", autosave=False)
    found = re.search(r"With (hdu = hdus\[\d\]) .* that is (from_fits\(.*\))$", str(caught.value))
    with fits.open(tmp_path / "cube.fits") as hdus:
        names = {"hdus": hdus, "fits": fits, "from_fits": lambda given: ImageDraft.from_fits(given, autosave=False)}
        exec(found[1], names)
        draft = eval(found[2], names)
    assert draft.local.size == SIZE
    assert any("SIP distortion" in problem.message for problem in draft.problems)


def test_a_reference_pixel_that_no_program_has_set_is_doubted_until_the_placement_is_changed(tmp_path):
    path = tmp_path / "m51.fits"
    fits.PrimaryHDU(np.ones(SIZE[::-1], "f4"), header(CRPIX1=0.0, CRPIX2=0.0)).writeto(path)
    Image.new("RGB", SIZE).save(tmp_path / "m51.png")
    beside = {"wcs": WCS(header(CRPIX1=0.0, CRPIX2=0.0))}
    for draft in (
        ImageDraft.from_fits(path, autosave=False),
        ImageDraft.from_image(tmp_path / "m51.png", **beside, autosave=False),
    ):
        assert (draft.wwt.offset_x, draft.wwt.offset_y) == (-0.5, -0.5)  # as the standard has it
        [warning] = [problem for problem in draft.problems if "reference pixel (CRPIX) at 0, 0" in problem.message]
        assert (warning.code, warning.severity) == ("CXW909", "warning")
        draft.wwt.offset_x = 40.0
        assert "CXW909" not in {problem.code for problem in draft.problems}
    for crpix in ((0.0, 30.5), (0.5, 0.5)):
        assert read_fits(header(CRPIX1=crpix[0], CRPIX2=crpix[1]), shape=SIZE[::-1]).doubts == ()


def test_another_image_of_the_file_is_chosen_by_its_number_or_name(tmp_path):
    path = tmp_path / "chips.fits"
    table = fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])])
    chips = [
        fits.ImageHDU(np.full((60, 80), number, "int16") + np.arange(80), header(CRVAL1=150.0 + number), name=name)
        for number, name in enumerate(["SCI", "ERR", "DQ"])
    ]
    fits.HDUList([fits.PrimaryHDU(), table, *chips]).writeto(path)
    first = ImageDraft.from_fits(path, autosave=False)
    [said] = [problem.message for problem in first.problems if "left out" in problem.message]
    assert said.startswith("HDU 2 (SCI) is used") and "HDU 3 (ERR), HDU 4 (DQ)" in said
    call = re.search(r"from_fits\(.*\)$", said)[0]
    second = eval(
        call, {"from_fits": lambda *given, **options: ImageDraft.from_fits(*given, autosave=False, **options)}
    )
    assert (first.wwt.center_x, second.wwt.center_x) == (150.0, 151.0)
    assert second.local.hdu == 3 and first.local.hdu is None
    assert first.local.where(first.local.template) != second.local.where(second.local.template)
    named = ImageDraft.from_fits(path, hdu="DQ", autosave=False)
    assert (named.wwt.center_x, named.local.hdu) == (152.0, 4)
    assert not [problem for problem in named.problems if "left out" in problem.message]
    for wrong, words in (
        (9, "has no HDU 9"),
        ("XX", "has no HDU 'XX'"),
        (1, "no image in HDU 1"),
        (("SCI", 2), r"has no HDU \('SCI', 2\)"),
        (("SCI",), "hdu= is"),
        (("SCI", True), "hdu= is"),
        ((1, "SCI"), "hdu= is"),
        (True, "hdu= is"),
        (1.5, "hdu= is"),
    ):
        with pytest.raises(SourceError, match=words):
            read_fits(path, hdu=wrong)


@pytest.mark.parametrize("extension", [fits.ImageHDU, fits.CompImageHDU])
def test_an_image_is_chosen_by_its_name_and_version_as_in_astropy(tmp_path, extension):
    path = tmp_path / "chips.fits"
    names = [("SCI", 1), ("ERR", 1), ("SCI", 2), ("ERR", 2)]
    chips = [
        extension(
            np.full((60, 80), number, "int16") + np.arange(80, dtype="int16"), header(CRVAL1=150.0 + number), name=name
        )
        for number, (name, _) in enumerate(names)
    ]
    for chip, (_, version) in zip(chips, names, strict=True):
        chip.ver = version
    fits.HDUList([fits.PrimaryHDU(), *chips]).writeto(path)
    with fits.open(path) as hdus:
        for name, version in names:
            draft = ImageDraft.from_fits(path, hdu=(name.lower(), version), autosave=False)
            assert draft.local.hdu == hdus.index_of((name, version))
            assert draft.wwt.center_x == hdus[name, version].header["CRVAL1"]
        assert read_fits(hdus, hdu=("ERR", 2)).values["wwt.center_x"] == 153.0


def test_the_pixels_of_the_chosen_image_are_shown(tmp_path):
    from constellations_widgets.sources.fits_pixels import pixels_of, shape_of
    from constellations_widgets.sources.local import LocalImage

    path = tmp_path / "chips.fits"
    chips = [fits.ImageHDU(np.full(shape, 7.0 + shape[0]), header()) for shape in ((60, 80), (30, 40))]
    fits.HDUList([fits.PrimaryHDU(), *chips]).writeto(path)
    local = ImageDraft.from_fits(path, hdu=2, autosave=False).local
    assert LocalImage.from_json(local.to_json()) == local
    assert shape_of(local.pixels, local.hdu).size == (40, 30) and shape_of(local.pixels).size == (80, 60)
    assert pixels_of(local.pixels, local.hdu).quantiles[0] == 37.0


# -- beside a picture

ASTAP = """PLTSOLVD=T
CRPIX1= 4.0500000000000000E+001
CRPIX2= 3.0500000000000000E+001
CRVAL1= 1.5000000000000000E+002
CRVAL2= 2.0000000000000000E+001
CDELT1=-1.0198039027185569E-003
CDELT2= 1.0198039027185569E-003
CROTA1= 1.1309932474020213E+001
CROTA2= 1.1309932474020213E+001
CD1_1=-1.0000000000000000E-003
CD1_2= 2.0000000000000000E-004
CD2_1= 2.0000000000000000E-004
CD2_2= 1.0000000000000000E-003
CMDLINE=astap -f m51.jpg -r 30
WARNING=none
"""
FULL = header(BITPIX=8, NAXIS=2, NAXIS1=80, NAXIS2=60)
FULL.insert(0, ("SIMPLE", True, "conforms to FITS standard"))
SIDECARS = {
    "totextfile": FULL.tostring(sep="\n", endcard=True, padding=False),
    "with CRLF": FULL.tostring(sep="\r\n", endcard=True, padding=False) + "\r\n",
    "padded lines": FULL.tostring(sep="\n", padding=True),
    "no line breaks": FULL.tostring(endcard=True, padding=False),
    "no line breaks, no END": FULL.tostring(endcard=False, padding=False),
    "a header of FITS": FULL.tostring(),
    "behind END": FULL.tostring(sep="\n", padding=False) + "\nCRVAL1  = 9.0",
    "D exponents": FULL.tostring(sep="\n", padding=False).replace("150.0", "1.5D2"),
    "ASTAP": ASTAP,
    "ASTAP with notes": ASTAP.replace("T\n", "T     // solved\n", 1).replace("E+002\n", "E+002 // degrees\n"),
}


@pytest.mark.parametrize("text", SIDECARS.values(), ids=SIDECARS.keys())
def test_a_text_of_cards_beside_a_picture_places_it_however_it_is_broken_into_lines(tmp_path, text):
    Image.new("RGB", SIZE).save(tmp_path / "m51.jpg")
    (tmp_path / "m51.wcs").write_bytes(text.encode())
    draft = ImageDraft.from_image(tmp_path / "m51.jpg", wcs=tmp_path / "m51.wcs", autosave=False)
    assert off(draft.values) < 1e-3


def test_a_plate_that_was_not_solved_is_told_so(tmp_path):
    Image.new("RGB", SIZE).save(tmp_path / "m51.jpg")
    (tmp_path / "m51.ini").write_text("PLTSOLVD=F\nERROR=No solution found!\n")
    with pytest.raises(SourceError, match="the plate was not solved"):
        ImageDraft.from_image(tmp_path / "m51.jpg", wcs=tmp_path / "m51.ini", autosave=False)


def test_nothing_of_astropys_own_is_printed(recwarn, capfd, caplog, tmp_path):
    for name, cards in THE_SAME.items():
        path = Path(tmp_path / f"{len(name)}.fits")
        content = header(**cards)
        content.remove("NAXIS", ignore_missing=True)
        content.remove("NAXIS3", ignore_missing=True)
        with_pixels = fits.PrimaryHDU(np.zeros((60, 80)), content)
        with_pixels.writeto(path, output_verify="ignore", overwrite=True)
        recwarn.clear()
        caplog.clear()
        capfd.readouterr()
        ImageDraft.from_fits(path, autosave=False)
        assert [str(each.message) for each in recwarn] == [] and caplog.records == []
        assert capfd.readouterr() == ("", "")


def test_a_matrix_of_zeros_is_refused():
    """astropy reads it as if it were absent: pixels 1 degree wide."""
    with pytest.raises(SourceError, match="CD matrix is 0 throughout"):
        read(header(CD1_1=0.0, CD1_2=0.0, CD2_1=("0.0D+00",), CD2_2=0))


@pytest.mark.parametrize("text", ["'M\t31'", "'M\x0031'", "'Jos\xe9'", "31\t/ number"], ids=repr)
def test_characters_that_no_header_may_hold_spoil_no_placement(tmp_path, text):
    path = _with_card(tmp_path, "OBJECT", text)
    assert off(ImageDraft.from_fits(path, autosave=False).values) < 1e-3


@pytest.mark.parametrize(
    ("name", "text"),
    [("BSCALE", "NaN"), ("BZERO", "'32768'"), ("BLANK", "n/a"), ("BSCALE", "1,0"), ("PCOUNT", "nan"), ("EXTEND", "X")],
)
def test_a_keyword_without_which_no_pixels_can_be_read_is_named(tmp_path, name, text):
    words = f"{name} is '{text.partition('/')[0].strip(chr(39))}', which is not a number: correct it"
    with pytest.raises(SourceError, match=re.escape(words)):
        ImageDraft.from_fits(_with_card(tmp_path, name, text), autosave=False)


def _with_card(folder: Path, name: str, text: str) -> Path:
    """Write a FITS file with a card as no library would write it."""
    path = folder / "odd.fits"
    hdu = fits.PrimaryHDU(np.arange(4800, dtype=np.float32).reshape(60, 80), header())
    hdu.header["MARK"] = 1
    hdu.writeto(path)
    content = path.read_bytes()
    at = content.index(b"MARK    =")
    path.write_bytes(content[:at] + f"{name:8}= {text}".ljust(80).encode("latin-1") + content[at + 80 :])
    return path
