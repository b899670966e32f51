"""Every FITS file and header that installed packages bring for their own tests: placed as astropy has it, or refused for a reason."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from sources.headers import corners, sky
from sources.test_oracle import apart, as_wwt_draws, reported

from constellations_widgets.errors import SourceError
from constellations_widgets.sources.cards import parse_cards
from constellations_widgets.sources.fits import read_fits
from constellations_widgets.sources.hdus import chosen_image, open_fits

PACKAGES = ("astropy", "reproject", "toasty", "pyavm", "pywwt", "wwt_data_formats")
FK5_IS_ICRS = 7e-6  # degrees, by which the two differ and which are taken for the same
REASONS = {
    "no place": r"no celestial WCS",
    "no image": r"holds no image that can be read",
    "a cube": r"is a cube of",
    "too far from a plane": r"off by up to|more of the sky|gives some pixels no place",
    "no place of its own": r"the header of HDU 1 \(D2IMARR\) has no position on the sky, and that of the file",
    "of the Sun": r"is in H[PG]LN coordinates",
    "not the sky first": r"its first two axes are (FREQ|VELO|WAVE), RA",
    "no CRPIX": r"CRPIX1 and CRPIX2 are missing",
    "no CRVAL": r"CRVAL1 and CRVAL2 are missing",
    "a unit of speed": r"CUNIT2 is 'M/S', which is not degrees",
    "packed": r"is packed with compress",
    "no text of cards": r"is not a FITS header",
    "no FITS": r"is not a FITS file",
}


def samples() -> list[Path]:
    folders = [Path(importlib.util.find_spec(name).submodule_search_locations[0]) for name in PACKAGES]
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path.name.endswith(".hdr") or ".fits" in path.name)


SAMPLES = samples()


def header_of(path: Path) -> tuple[fits.Header, tuple[int, int], fits.HDUList | None]:
    """The header that the product reads, width and height, and the file."""
    if path.suffix == ".hdr":
        cards = parse_cards(path.read_bytes().decode("latin-1"), path.name)
        return cards, (int(cards.get("NAXIS1", 100)), int(cards.get("NAXIS2", 100))), None
    hdus = open_fits(path)
    chosen = chosen_image(hdus, path.name)
    return chosen.hdu.header, chosen.plane_shape[::-1], hdus


def as_astropy_reads(header: fits.Header, hdus: fits.HDUList | None, key: str) -> WCS:
    """The header read as a whole, or its two axes of the sky where there are more."""
    try:
        wcs = WCS(header, fobj=hdus, key=key)
        return wcs if wcs.naxis == 2 else wcs.celestial
    except ValueError:  # a distortion and more than two axes
        return WCS(header, fobj=hdus, naxis=2)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", SAMPLES, ids=["/".join(path.parts[-4:]) for path in SAMPLES])
def test_a_sample_is_placed_within_the_reported_error_or_refused_for_what_is_so(path):
    try:
        if path.suffix == ".hdr":
            header, size, _ = header_of(path)
            reading = read_fits(header, shape=size[::-1], tolerance=20)
        else:
            reading = read_fits(path, tolerance=20)
    except SourceError as error:
        assert any(re.search(reason, str(error)) for reason in REASONS.values()), str(error)
        return
    header, size, hdus = header_of(path)
    drawn, scale = as_wwt_draws(dict(reading.values), corners(size))
    key = re.search("by its alternate WCS '(.)'", " ".join(reading.remarks))
    wcs = as_astropy_reads(header, hdus, key[1] if key else " ")
    truth = np.array(sky(wcs, corners(size)).cartesian.xyz.value).T
    error = float(apart(drawn, truth).max() / scale)
    allowed = reported(reading) * 1.01 + 0.02 + (FK5_IS_ICRS / scale if wcs.wcs.radesys == "FK5" else 0.0)
    assert error <= allowed, (error, reading.remarks)


def test_there_are_samples():
    assert len(SAMPLES) > 100
