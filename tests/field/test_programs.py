"""FITS files with the cards that cameras, solvers and archives write: placed as astropy has them, or refused for the true reason."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from sources.headers import corners
from sources.test_oracle import apart, as_wwt_draws

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError

SIZE = (80, 60)
SOLVED = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 202.47, "CRVAL2": 47.19, "CRPIX1": 30.5, "CRPIX2": 22.25,
}  # fmt: skip
CD = {"CD1_1": -4e-4, "CD1_2": 1e-4, "CD2_1": 1e-4, "CD2_2": 4e-4}
STEPS = {"CDELT1": -4e-4, "CDELT2": 4e-4}
SIP = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-5, "B_0_2": 1e-5}
TPV = {"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_1": 1.0, "PV2_1": 1.0, "PV1_4": 1e-5, "PV2_4": 1e-5}
MONO, COLOR = (60, 80), (3, 60, 80)

# Program or archive → shape and type of its pixels, its cards, and the mode of the picture that is drawn.
PLACED: dict[str, tuple[tuple[int, ...], str, dict[str, Any], str]] = {
    "N.I.N.A., solved": (MONO, "u2", SOLVED | CD | STEPS | {"CROTA2": 14.036, "ROWORDER": "TOP-DOWN"}, "LA"),
    "SharpCap": (MONO, "u2", SOLVED | CD | {"BAYERPAT": "RGGB", "ROWORDER": "TOP-DOWN", "XBAYROFF": 0}, "LA"),
    "ASIAIR": (MONO, "u2", SOLVED | CD | SIP | {"CREATOR": "ZWO ASIAIR Plus", "AP_ORDER": 2, "BP_ORDER": 2}, "LA"),
    "Seestar": (COLOR, "u2", SOLVED | CD | SIP | {"CREATOR": "ZWO Seestar S50", "FOCALLEN": 250}, "RGB"),
    "Siril": (
        COLOR,
        "f4",
        SOLVED | STEPS | {"PC1_1": 0.99, "PC1_2": -0.14, "PC2_1": 0.14, "PC2_2": 0.99, "CTYPE3": "RGB", "PLTSOLVD": True},
        "RGB",
    ),
    "astrometry.net": (COLOR, "u1", SOLVED | CD | SIP | {"WCSAXES": 2, "IMAGEW": 80, "IMAGEH": 60, "LATPOLE": 0.0}, "RGB"),
    "Astrometrica": (
        MONO, "i2", SOLVED | {"CDELT1": -4e-4, "CDELT2": -4e-4, "CROTA1": 180.2, "CROTA2": 180.2, "RADECSYS": "FK5"}, "LA",
    ),
    "MaxIm with PinPoint": (
        MONO,
        "u2",
        SOLVED | {"CD1_1": -4e-4, "CD1_2": 1e-4, "CD2_1": -1e-4, "CD2_2": -4e-4, "PA": 194.0, "EPOCH": 2000.0, "TR1_0": 40.0},
        "LA",
    ),
    "MaxIm in color": (COLOR, "u2", SOLVED | CD | {"COLORTYP": "RGB", "HISTORY": "Convert Color"}, "RGB"),
    "DS9, RGB cube": (COLOR, "f4", SOLVED | CD | {"WCSAXES": 3, "CTYPE3": "RGB", "CRPIX3": 1, "CRVAL3": 1, "CDELT3": 1}, "RGB"),
    "hips2fits": (COLOR, "u1", SOLVED | STEPS | {"WCSAXES": 2, "CPYRIGH": "CNRS/Unistra"}, "RGB"),
    "ESO": (
        MONO,
        "f4",
        SOLVED | STEPS | {"PC001001": 1.0, "PC001002": 0.0, "PC002001": 0.0, "PC002002": 1.0, "HIERARCH ESO TEL AIRM": 1.1},
        "LA",
    ),
    "VISTA": (MONO, "f4", SOLVED | CD | {"CTYPE1": "RA---ZPN", "CTYPE2": "DEC--ZPN", "PV2_1": 1.0, "PV2_3": 42.0}, "LA"),
    "ZTF": (MONO, "f4", SOLVED | CD | TPV | {"RADESYS": "ICRS"}, "LA"),
    "Pan-STARRS": (
        MONO,
        "f4",
        SOLVED
        | {"CDELT1": 6.94e-5, "CDELT2": 6.94e-5, "PC001001": -1.0, "PC001002": 0.0, "PC002001": 0.0, "PC002002": 1.0}
        | {"BSOFTEN": 1.0},
        "LA",
    ),
    "DECam": (MONO, "f4", SOLVED | CD | TPV | {"CRPIX1": 3000.5}, "LA"),
    "LSST": (
        MONO,
        "f4",
        SOLVED | CD | SIP
        | {"LTV1": -100.0, "CTYPE1A": "LINEAR", "CTYPE2A": "LINEAR", "CRVAL1A": 100, "CRVAL2A": 200, "CUNIT1A": "PIXEL"},
        "LA",
    ),
    "JWST": (
        MONO,
        "f4",
        SOLVED
        | {"CDELT1": 8.5e-6, "CDELT2": 8.5e-6, "PC1_1": -0.9, "PC1_2": 0.43, "PC2_1": 0.43, "PC2_2": 0.9, "BUNIT": "MJy/sr"},
        "LA",
    ),
    "Euclid": (MONO, "f4", SOLVED | CD | {"RADESYS": "ICRS", "INHERIT": True, "EXTNAME": "VIS"}, "LA"),
}  # fmt: skip


@pytest.mark.parametrize("extension", [False, True])
@pytest.mark.parametrize(("shape", "kind", "cards", "mode"), PLACED.values(), ids=PLACED.keys())
def test_a_file_is_placed_as_astropy_has_it(tmp_path, shape, kind, cards, mode, extension):
    header = fits.Header(list(cards.items()))
    pixels = np.random.default_rng(1).normal(120, 9, shape).astype(kind)
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(pixels, header)] if extension else [fits.PrimaryHDU(pixels, header)]
    path = tmp_path / "m51.fits"
    fits.HDUList(hdus).writeto(path)
    draft = ImageDraft.from_fits(path, autosave=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ra, dec = np.radians(WCS(header, naxis=2).all_pix2world(corners(SIZE), 1)).T
    truth = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)]).T
    drawn, scale = as_wwt_draws(dict(draft.values), corners(SIZE))
    assert apart(drawn, truth).max() / scale < 0.1
    with Image.open(draft.local.where(draft.local.template)) as picture:
        assert (picture.size, picture.mode) == (SIZE, mode)
    assert not [problem for problem in draft.problems if problem.code == "CXW909"]


@pytest.mark.parametrize(
    ("shape", "cards", "words"),
    [
        (
            MONO,
            {"RA": 202.47, "DEC": 47.19, "FOCALLEN": 530.0, "SWCREATE": "N.I.N.A."},
            r"no celestial WCS.*solve=True\)",
        ),
        (COLOR, {"ORIGIN": "DWARFLAB", "RA": 202.4, "DEC": 47.2}, r"no celestial WCS.*solve=True\)"),
        (COLOR, SOLVED | CD | {"BANDS": "grz", "BAND0": "g", "SURVEY": "ls-dr9"}, "BANDS is 'grz'"),
        ((4, 60, 80), SOLVED | CD | {"BANDS": "griz"}, "is a cube of 4 × 60 × 80"),
        (COLOR, SOLVED | CD | {"CTYPE3": "LINEAR", "CD3_3": 1.0, "WCSDIM": 3}, "CTYPE3 is 'LINEAR'"),
        (MONO, SOLVED | CD | {"CTYPE1": "RA---TNX", "CTYPE2": "DEC--TNX", "WAT1_001": "wtype=tnx"}, "WAT keywords"),
    ],
)
def test_a_file_without_a_place_or_of_another_cube_is_refused(tmp_path: Path, shape, cards, words):
    fits.PrimaryHDU(np.ones(shape, "f4"), fits.Header(list(cards.items()))).writeto(tmp_path / "m51.fits")
    with pytest.raises(SourceError, match=words):
        ImageDraft.from_fits(tmp_path / "m51.fits", autosave=False)
