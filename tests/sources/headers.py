"""FITS headers of all forms, and how far two of them are apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

SIZE = (400, 300)
"""Width and height in pixels of the image."""

SIP = {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 2e-6, "B_0_2": -1e-6, "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}


def header(
    ra=10.0, dec=20.0, scale=0.001, turn=0.0, parity=1, crpix=(50.0, 60.0), form="CD", kind="TAN", **cards: Any
) -> fits.Header:
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    found = fits.Header()
    found["CTYPE1"], found["CTYPE2"] = f"RA---{kind}", f"DEC--{kind}"
    found["CRVAL1"], found["CRVAL2"], found["CRPIX1"], found["CRPIX2"] = ra, dec, *crpix
    if form == "CD":
        found["CD1_1"], found["CD1_2"], found["CD2_1"], found["CD2_2"] = (
            scale * number for number in (-cos * parity, sin, sin * parity, cos)
        )
    else:
        found["CDELT1"], found["CDELT2"] = -scale * parity, scale
        if form == "PC":
            found["PC1_1"], found["PC1_2"], found["PC2_1"], found["PC2_2"] = cos, -sin * parity, sin * parity, cos
        else:
            found["CROTA2"] = turn * parity
    found["RADESYS"] = "ICRS"
    found.update(cards)
    return found


def corners(size: tuple[int, int] = SIZE) -> np.ndarray:
    """Places all over the image, as FITS counts them."""
    x, y = np.meshgrid(np.linspace(0.5, size[0] + 0.5, 5), np.linspace(0.5, size[1] + 0.5, 5))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def beside(one: WCS, other: WCS, size: tuple[int, int] = SIZE) -> float:
    """By how many pixels two WCS differ at most, over the image."""
    frames = [sky(each, corners(size)) for each in (one, other)]
    scale = math.sqrt(abs(np.linalg.det(other.pixel_scale_matrix)))
    return float(frames[0].separation(frames[1]).deg.max() / scale)


def sky(wcs: WCS, pixels: np.ndarray) -> SkyCoord:
    """Of pixels as FITS counts them; astropy has no frame for two kinds of axes."""
    frame = {"ELON": "barycentricmeanecliptic", "SLON": "supergalactic"}.get(wcs.wcs.ctype[0][:4])
    if frame is None:
        return wcs.pixel_to_world(*(pixels.T - 1)).icrs
    return SkyCoord(*wcs.all_pix2world(pixels, 1).T, unit="deg", frame=frame).icrs
