"""JPEG and PNG files: placed by the AVM (Astronomy Visualization Metadata) in them, or by a WCS that is given."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from .local import LocalImage
from .placing import place_untiled
from .reading import Reading

if TYPE_CHECKING:
    from astropy.wcs import WCS

ASPECT = 0.01
"""Aspect ratios that differ by more than this fraction belong to different crops."""


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
    from PIL import Image

    path = Path(path).expanduser()
    try:
        with Image.open(path) as image:
            size, kind = image.size, (image.format or "").lower()
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the name") from None
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise SourceError(f"{path.name} is no picture that can be read ({error})") from None
    if kind not in ("jpeg", "png"):
        raise SourceError(f"{path.name} is a {kind.upper() or 'picture of unknown kind'}: WWT draws JPEG and PNG, convert it first")
    described: dict[str, Any] = {}
    if wcs is None:
        avm = _avm_of(path)
        wcs, described = _wcs_of(avm, size, path.name), _description_of(avm)
    name = str(described.get("note") or path.stem)
    values = {"note": name, **place_untiled(wcs, path.name), **described, "wwt.file_type": ".jpg" if kind == "jpeg" else ".png"}
    return Reading(values, name, str(path), LocalImage(path.parent, path.name))


def _avm_of(path: Path) -> Any:
    try:
        import pyavm
    except ImportError:
        raise SourceError('Reading AVM needs pyavm: pip install "constellations_widgets[sources]"') from None
    try:
        return pyavm.AVM.from_image(str(path))
    except pyavm.NoXMPPacketFound:
        raise SourceError(f"{path.name} holds no AVM that says where it is on the sky: give its place with wcs=") from None
    except Exception as error:  # pyavm raises whatever its XML parser does
        raise SourceError(f"The AVM in {path.name} can't be read ({error}): give its place with wcs=") from None


def _wcs_of(avm: Any, size: tuple[int, int], what: str) -> WCS:
    spatial = avm.Spatial
    declared = spatial.ReferenceDimension
    if not declared or not spatial.ReferenceValue or not spatial.ReferencePixel:
        raise SourceError(f"The AVM in {what} does not say where it is on the sky: give its place with wcs=")
    ratio = (declared[0] / declared[1]) / (size[0] / size[1])
    if abs(ratio - 1) > ASPECT:
        raise SourceError(
            f"The AVM in {what} belongs to another crop of it: it describes {declared[0]:g} × {declared[1]:g} pixels, "
            f"the file has {size[0]} × {size[1]}. Its place can't be told from that: give it with wcs="
        )
    return avm.to_wcs(target_shape=size)


def _description_of(avm: Any) -> dict[str, Any]:
    """Note and credits; the license is never guessed."""
    found = {"note": avm.Title or avm.Headline or "", "permissions.credits": html.escape(avm.Credit or "", quote=False)}
    return {path: text.strip() for path, text in found.items() if text.strip()}
