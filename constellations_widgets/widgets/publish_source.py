"""A draft of whatever `cxw.publish` is given: everything that `ImageDraft` takes."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..draft import ImageDraft
from ..errors import SourceError
from ..interface import in_terms
from ..sources.picture import read_picture

NOT_PLACED = "Not placed"
"""Beginning of the remark of an image without a placement."""

_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
_FITS = (".fits", ".fit", ".fts", ".new")  # solve-field of astrometry.net writes .new
_COMPRESSED = (".gz", ".fz", ".bz2", ".xz", ".z")


def draft_of(source: Any, **options: Any) -> ImageDraft:
    """Return a draft of a file, a folder, a web address, WTML text, or an object of `wwt_data_formats`.

    `options` are those of `ImageDraft`.

    Raises
    ------
    SourceError
        If no draft can be made of it.
    """
    if hasattr(source, "to_xml"):
        return ImageDraft.from_imageset(source, **options)
    if isinstance(source, str) and (source.lstrip().startswith("<") or source.startswith(("http://", "https://"))):
        return ImageDraft.from_wtml(source, **options)
    try:
        path = Path(source).expanduser()
        is_folder, exists = path.is_dir(), path.exists()
    except TypeError:
        raise SourceError(
            f"No draft can be made of a {type(source).__name__}: give a file, WTML, or an ImageDraft"
        ) from None
    except (OSError, RuntimeError) as error:  # a name that no file can have, or "~name" of a user without a home
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{str(source)[:200]!r} can't be read: {reason}") from None
    if is_folder:
        return _of_folder(path, **options)
    if not exists:
        raise SourceError(f"There is no file {path.name!r} in {path.parent.resolve()}{_did_you_mean(path)}")
    return _reader(path)(path, **options)


def _reader(path: Path) -> Callable[..., ImageDraft]:
    kinds = [suffix.lower() for suffix in path.suffixes] or [""]
    kind = kinds[-2] if len(kinds) > 1 and kinds[-1] in _COMPRESSED else kinds[-1]
    if kind in (".wtml", ".xml", ".wwtl"):
        return ImageDraft.from_wtml
    if kind in (*_FITS, *_COMPRESSED):
        return ImageDraft.from_fits
    if kind in _PICTURES:
        return _of_picture
    if kind == ".json":
        return ImageDraft.load
    if kind == ".xisf":
        raise SourceError(f"{path.name} is an XISF file: save it as FITS, or as JPEG or TIFF, in PixInsight")
    if kind in (".wcs", ".head", ".xmp"):
        raise SourceError(
            f"{path.name} describes where a picture is and holds none: "
            + in_terms(
                f"give both, with cxw.publish(cxw.ImageDraft.from_image(picture, wcs={path.name!r}))",
                "tile the picture with --center and --width",
            )
        )
    raise SourceError(f"No draft can be made of {path.name}: give a WTML, FITS, JPEG, PNG or TIFF file")


def _of_picture(path: Path, **options: Any) -> ImageDraft:
    """Return a draft of a picture; without a placement if the file has no reliable one."""
    try:
        return ImageDraft.from_image(path, **options)
    except SourceError as error:
        reason = str(error).partition(": give")[0].rstrip(".")
    reading = read_picture(path, center=(0.0, 0.0), width=1.0)
    unknown = ("wwt.center_x", "wwt.center_y", "wwt.base_degrees_per_tile")
    values = {path: value for path, value in reading.values.items() if path not in unknown}
    return ImageDraft(dataclasses.replace(reading, values=values, remarks=(f"{NOT_PLACED}: {reason}",)), **options)


def _of_folder(folder: Path, **options: Any) -> ImageDraft:
    if not (folder / "index_rel.wtml").exists():
        found = sorted(each for each in folder.iterdir() if each.suffix.lower() in (*_PICTURES, *_FITS, ".wtml"))
        if found:
            example = in_terms(f"cxw.publish({str(found[0])!r})", f"give {found[0]}")
            raise SourceError(
                f"There is no index_rel.wtml in {folder.resolve()}. {len(found)} image file{'s' * (len(found) > 1)} found: {example}"
            )
    return ImageDraft.from_wtml(folder, **options)


def _did_you_mean(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ", and no such folder" if not path.parent.is_dir() else ""
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    return f". Did you mean {' or '.join(map(repr, close))}?" if close else ""
