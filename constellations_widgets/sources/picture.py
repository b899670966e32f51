"""JPEG and PNG files: placed by the AVM (Astronomy Visualization Metadata) in them, or by a WCS that is given."""

from __future__ import annotations

import html
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import SourceError
from .local import LocalImage
from .placing import place_untiled
from .reading import Reading

if TYPE_CHECKING:
    from astropy.wcs import WCS

ASPECT = 0.01
"""Aspect ratios that differ by more than this fraction belong to different crops."""
_EXIF_ORIENTATION = 0x0112


def read_picture(path: str | Path, wcs: WCS | None = None) -> Reading:
    """A picture file with its place on the sky.

    Parameters
    ----------
    path : str or Path
        A JPEG or PNG file.
    wcs : astropy.wcs.WCS, optional
        Where it is, for pixels counted from the lower left corner; instead of AVM.

    Raises
    ------
    SourceError
        When the file is no picture, or nothing trustworthy says where it belongs.
    """
    if wcs is not None and not hasattr(wcs, "has_celestial"):
        raise SourceError(
            f"wcs= takes an astropy.wcs.WCS, not a {type(wcs).__name__}: make one with astropy.wcs.WCS(header)"
        )
    path = Path(os.path.expanduser(path))  # Path's own fails at ~nobody
    size, kind = _look_at(path)
    described: dict[str, Any] = {}
    remarks: tuple[str, ...] = ()
    if wcs is None:
        avm = _avm_of(path)
        described = _description_of(avm)
        with warnings.catch_warnings(record=True) as assumptions:
            warnings.simplefilter("always")
            wcs = _wcs_of(avm, size, path.name)
        remarks = tuple(f"its AVM is incomplete: {assumption.message}" for assumption in assumptions)
    name = str(described.get("note") or path.stem)
    values = {
        "note": name,
        **place_untiled(wcs, path.name),
        **described,
        "wwt.file_type": ".jpg" if kind == "jpeg" else ".png",
    }
    return Reading(values, name, str(path.resolve()), LocalImage(path.parent, quote(path.name), size), remarks)


def _look_at(path: Path) -> tuple[tuple[int, int], str]:
    """Size and kind of a picture that WWT can draw, looked through to its end."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            size, kind = image.size, (image.format or "").lower()
            if kind not in ("jpeg", "png"):
                raise SourceError(
                    f"{path.name} is a {kind.upper() or 'picture of unknown kind'}: WWT draws JPEG and PNG, convert it first"
                )
            if image.getexif().get(_EXIF_ORIENTATION, 1) != 1:
                raise SourceError(
                    f"{path.name} is turned or mirrored by its EXIF orientation, so its pixels are not where they are seen: save it upright"
                )
            image.draft("L", (1, 1))  # quick: a JPEG is decoded at an eighth of its size
            image.load()
    except SourceError:
        raise
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the name") from None
    except Image.DecompressionBombError:
        raise SourceError(
            f"{path.name} has more pixels than WWT can draw at once: make tiles of it first (toasty), and use from_wtml"
        ) from None
    except Exception as error:  # Pillow has many ways to fail at a broken file
        raise SourceError(f"{path.name} is no picture that can be read ({error or type(error).__name__})") from None
    return size, kind


def _avm_of(path: Path) -> Any:
    try:
        from pyavm import AVM
        from pyavm.exceptions import NoXMPPacketFound
    except ImportError:
        raise SourceError('Reading AVM needs pyavm: pip install "constellations_widgets[sources]"') from None
    try:
        return AVM.from_image(str(path))
    except NoXMPPacketFound:
        raise SourceError(
            f"{path.name} holds no AVM that says where it is on the sky: give its place with wcs="
        ) from None
    except Exception as error:  # pyavm raises whatever its XML parser does
        raise SourceError(f"The AVM in {path.name} can't be read ({error}): give its place with wcs=") from None


def _wcs_of(avm: Any, size: tuple[int, int], what: str) -> WCS:
    declared = avm.Spatial.ReferenceDimension
    if not declared or not avm.Spatial.ReferenceValue or not avm.Spatial.ReferencePixel:
        raise SourceError(f"The AVM in {what} does not say where it is on the sky: give its place with wcs=")
    try:
        width, height = (float(length) for length in declared)
        ratio = (width / height) / (size[0] / size[1])
        if abs(ratio - 1) > ASPECT:
            raise SourceError(
                f"The AVM in {what} belongs to another crop of it: it describes {width:g} × {height:g} pixels, "
                f"the file has {size[0]} × {size[1]}. Its place can't be told from that: give it with wcs="
            )
        return avm.to_wcs(target_shape=size)
    except SourceError:
        raise
    except Exception as error:  # whatever was written there
        raise SourceError(
            f"The AVM in {what} is incomplete or contradicts itself ({error}): give its place with wcs="
        ) from None


def _description_of(avm: Any) -> dict[str, Any]:
    """Note and credits; the license is never guessed."""
    found = {"note": avm.Title or avm.Headline or "", "permissions.credits": html.escape(avm.Credit or "", quote=False)}
    return {path: text.strip() for path, text in found.items() if text.strip()}
