"""WTML, WWT's own description of images: each imageset in it becomes a reading."""

from __future__ import annotations

import html
import math
import re
import stat
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin
from xml.etree.ElementTree import Element, ParseError

from ..errors import SourceError
from ..schema.placement import PLACEHOLDERS, shown
from .local import LocalImage
from .reading import Reading

SIZE_LIMIT = 64 * 1024 * 1024  # bytes of a WTML file; real ones stay far below


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]


# Path in a draft, attribute in WTML, how to read it, and what WWT takes where it is left out (wwt_data_formats/imageset.py).
_ATTRIBUTES: tuple[tuple[str, str, Any, Any], ...] = (
    ("wwt.center_x", "CenterX", float, 0.0),
    ("wwt.center_y", "CenterY", float, 0.0),
    ("wwt.rotation", "Rotation", float, 0.0),
    ("wwt.base_degrees_per_tile", "BaseDegreesPerTile", float, 0.0),
    ("wwt.offset_x", "OffsetX", float, 0.0),
    ("wwt.offset_y", "OffsetY", float, 0.0),
    ("wwt.bottoms_up", "BottomsUp", _boolean, False),
    ("wwt.projection", "Projection", str, "SkyImage"),
    ("wwt.tile_levels", "TileLevels", int, 0),
    ("wwt.width_factor", "WidthFactor", int, 2),
    ("wwt.file_type", "FileType", str, ".png"),
    ("wwt.quad_tree_map", "QuadTreeMap", str, ""),
)

# What an imageset may say that Constellations has no field for, with the value that says nothing.
_NOT_KEPT = {
    "BandPass": ("Visible", ""),
    "DataSetType": ("Sky",),
    "BaseTileLevel": ("0", ""),
    "ElevationModel": ("False", "false", "0", ""),
    "PixelCutLow": ("0", "", "0.0"),
    "PixelCutHigh": ("0", "", "0.0"),
    "ReferenceFrame": ("", "Sky"),
}


def read_wtml(source: str | Path) -> list[Reading]:
    """Every imageset of a WTML file or text, in order.

    Parameters
    ----------
    source : str or Path
        A file, or the XML itself (a text that begins with ``<``).

    Raises
    ------
    SourceError
        When there is no such file, it is no WTML, or it holds no imageset.
    """
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith("<"):
        return _readings(_parse(source.lstrip("\ufeff \t\r\n"), "The WTML text"), "The WTML text", None)
    if re.match(r"https?:/", str(source)):
        raise SourceError(f"{source} is a web address: download the WTML and give its file name or its text")
    if not str(source).strip() or "\n" in str(source):
        raise SourceError(
            f"{shown(str(source))} is neither WTML nor the name of a file: give a WTML file, such as the index_rel.wtml of toasty"
        )
    path = Path(source)
    try:
        path = path.expanduser()
        path = path / "index_rel.wtml" if path.is_dir() else path
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise SourceError(f"{path} is not a file: give a WTML file, such as the index_rel.wtml that toasty writes")
        if about.st_size > SIZE_LIMIT:
            raise SourceError(f"{path} is larger than {SIZE_LIMIT >> 20} MB: this is not a WTML file")
        content = path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"There is no file {path} (looked in {path.parent.resolve()}): check the name") from None
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name; "~nobody"
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SourceError(f"{shown(str(path), 200)} can't be read: {reason}") from None
    return _readings(_parse(content, str(path)), str(path), path.resolve())


def read_imageset(imageset: Any) -> Reading:
    """A `wwt_data_formats` ImageSet, or a Place or Folder that holds exactly one.

    Raises
    ------
    SourceError
        When it is none of these, or holds no imageset or several.
    """
    if not hasattr(imageset, "to_xml"):
        raise SourceError(
            f"A {type(imageset).__name__} is no imageset: give a wwt_data_formats ImageSet, Place or Folder"
        )
    found = _readings(imageset.to_xml(), f"this {type(imageset).__name__}", None)
    if len(found) > 1:
        raise SourceError(f"This {type(imageset).__name__} holds {len(found)} imagesets: give one of them")
    return found[0]


def _readings(root: Element, what: str, path: Path | None) -> list[Reading]:
    found = [element for element in root.iter() if element.tag == "ImageSet"]
    if not found:
        raise SourceError(f"{what} holds no imageset: a WTML of an image has an <ImageSet> element")
    origins = (
        [f"{path}#{number}" if len(found) > 1 else str(path) for number in range(len(found))]
        if path
        else [""] * len(found)
    )
    return [_reading(element, origin, path) for element, origin in zip(found, origins, strict=True)]


def _parse(content: str | bytes, what: str) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if len(content) > SIZE_LIMIT:
        raise SourceError(f"{what} is larger than {SIZE_LIMIT >> 20} MB: this is not WTML")
    if not content.strip():
        raise SourceError(f"{what} is empty: give a WTML file, such as the index_rel.wtml that toasty writes")
    try:
        return fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise SourceError(f"{what} declares XML entities or a document type, which no WTML needs: refused") from None
    except (ParseError, ValueError, LookupError) as error:
        raise SourceError(
            f"{what} is not XML ({error}): give a WTML file, such as the index_rel.wtml that toasty writes"
        ) from None


def _reading(element: Element, origin: str, path: Path | None) -> Reading:
    values: dict[str, Any] = {}
    for field, attribute, read, default in _ATTRIBUTES:
        text = element.get(attribute)
        try:
            values[field] = default if text is None else read(text)
        except (ValueError, KeyError):
            values[field] = text  # kept as it stands: the checks name the field
    name, description = (element.get("Name") or "").strip(), _child(element, "Description")
    url = (element.get("Url") or "").strip()
    values["storage.legacy_url_template"] = url
    values["wwt.thumbnail_url"] = _child(element, "ThumbnailUrl")
    values["note"] = (
        f"{name}: {description}" if name and description and name not in description else description or name
    )
    values["permissions.credits"] = credits_of(_child(element, "Credits"), _child(element, "CreditsUrl"))
    remarks = [
        f"{attribute}={shown(element.get(attribute))} of the WTML is not kept: Constellations has no place for it"
        for attribute, silent in _NOT_KEPT.items()
        if element.get(attribute, silent[0]) not in silent
    ]
    local = None
    if path and url and not re.match(r"[A-Za-z][\w+.-]*:|//|/|\\", url):
        try:
            local = LocalImage(path.parent, url.replace("\\", "/"), cuts=_cuts(element))
            first = path.parent / unquote(PLACEHOLDERS.sub("0", local.template))
            if not first.exists():
                remarks.append(f"no file of the image lies at {first}: the preview can't show it")
        except (SourceError, OSError) as error:
            remarks.append(f"the preview can't show the image's files: {str(error)[:300]}")
    return Reading(values, name or "image", origin, local, tuple(remarks))


def _cuts(element: Element) -> tuple[float, float] | None:
    """The values of FITS pixels that are to be drawn darkest and brightest, if they are given."""
    try:
        low, high = (float(element.get(attribute, "nan")) for attribute in ("PixelCutLow", "PixelCutHigh"))
    except ValueError:
        return None
    return (low, high) if -math.inf < low < high < math.inf else None


def _child(element: Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def credits_of(text: str, link: str = "") -> str:
    """Credits as HTML. Plain text is escaped rather than lost, and a separate link is put around it."""
    if not re.search(r"</?(?:a|b|br|em|i|strong)\b[^<>]*>", text, re.IGNORECASE):
        linked = re.match(r"https?://", link)
        text = html.escape(html.unescape(text), quote=False) if "<" in text or linked else text
    if re.match(r"https?://", link) and not re.search(r"<a\b", text, re.IGNORECASE):
        text = f'<a href="{html.escape(link)}">{text or html.escape(link, quote=False)}</a>'
    return text


def based_at(base: str, url: str) -> str:
    """`url` as an absolute address under `base`; placeholders such as {1} stay as they are."""
    return urljoin(base if base.endswith("/") else base + "/", url)
