"""Read WWT's layer files (.wwtl): a table of files in XML, followed by the uncompressed files.

The table is not trusted: a name is never used as a path, and an offset outside the file is rejected.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError

from ..errors import SourceError
from ..schema.placement import URL, shown
from .drawing import as_png, store
from .imagesets import reading_of
from .local import LocalImage
from .reading import ParsedImage

_HEADER_LIMIT = 4 << 20  # largest table in bytes
_FILES_LIMIT = 10_000
_XML_LIMIT = 16 << 20
_PICTURE_LIMIT = 512 << 20
_KINDS = {
    ".png": ".png",
    ".jpg": ".jpg",
    ".jpeg": ".jpg",
    ".fits": ".fits",
    ".fit": ".fits",
    ".tif": ".tif",
    ".tiff": ".tif",
}


def is_archive(start: bytes) -> bool:
    """Return whether a file that starts with these bytes is an archive."""
    return b"<FileCabinet" in start


def read_archive(path: Path, length: int) -> list[ParsedImage]:
    """Read every image layer of a layer file; the pictures are copied to the user's state directory.

    Raises
    ------
    SourceError
        If the file is broken or malicious, or holds no image layer.
    OSError
        If the file can't be read.
    """
    with path.open("rb") as file:
        table = _table(file, length, path)
        listed = [name for name in table if name.lower().endswith(".wwtxml") and "\\" not in name]
        if not listed:
            raise SourceError(f"{path} has no .wwtxml that names its layers: save it again in WWT")
        root = _parsed(_content(file, table[listed[0]], _XML_LIMIT, path), f"{listed[0]} of {path.name}")
        layers = [(layer, layer.find("ImageSet")) for layer in root.iter("Layer")]
        images = [(layer, imageset) for layer, imageset in layers if imageset is not None]
        if not images:
            raise SourceError(f"{path} holds no image layer: a WWTL file of tables or orbits makes no draft")
        return [_reading(file, table, root, *image, number, path) for number, image in enumerate(images)]


def _table(file: BinaryIO, length: int, path: Path) -> dict[str, tuple[int, int]]:
    """Return the name of each file → its offset in the archive, and its length."""
    file.seek(0)
    declared = re.search(rb'HeaderSize="0x([0-9A-Fa-f]{1,8})"', file.read(256))
    size = int(declared[1], 16) if declared else 0
    if not 0 < size <= min(length, _HEADER_LIMIT):
        raise SourceError(f"{path} declares a table of files that it can't hold: the file is broken")
    file.seek(0)
    found: dict[str, tuple[int, int]] = {}
    for entry in _parsed(file.read(size), f"The table of files of {path.name}").iter("File"):
        name = entry.get("Name", "")
        start, bytes_ = (_whole_number(entry.get(each)) for each in ("Offset", "Size"))
        if not name or re.search(r"[\x00:]|^[\\/]|(^|[\\/])\.\.?([\\/]|$)", name):
            raise SourceError(f"{path} holds a file called {shown(name)}, which leads out of the archive: refused")
        if start is None or bytes_ is None or size + start + bytes_ > length:
            raise SourceError(
                f"{path} lists {shown(name)} beyond the end of the archive: the file is cut off or broken"
            )
        if name in found or len(found) >= _FILES_LIMIT:
            raise SourceError(f"{path} names {shown(name)} twice, or more than {_FILES_LIMIT} files: refused")
        found[name] = (size + start, bytes_)
    return found


def _parsed(content: bytes, what: str) -> Element:
    """Return the root of an XML file of the archive."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(content, forbid_dtd=True)
        return root
    except DefusedXmlException:
        raise SourceError(
            f"{what} declares XML entities or a document type, which no layer file needs: refused"
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise SourceError(f"{what} is not XML ({error}): save it again in WWT") from None


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch("[0-9]{1,15}", text, re.ASCII) else None


def _content(file: BinaryIO, place: tuple[int, int], limit: int, path: Path) -> bytes:
    start, length = place
    if length > limit:
        raise SourceError(
            f"{path} holds a file of {length >> 20} MB where at most {limit >> 20} MB make sense: refused"
        )
    file.seek(start)
    return file.read(length)


def _reading(
    file: BinaryIO,
    table: dict[str, tuple[int, int]],
    root: Element,
    layer: Element,
    imageset: Element,
    number: int,
    path: Path,
) -> ParsedImage:
    origin = f"{path.resolve()}#{number}"
    reading = reading_of(imageset, origin)
    extension = layer.get("Extension", "")
    inside = f"{layer.get('Id', '')}{extension}"  # usually in a folder named after the container
    place = table.get(f"{root.get('ID', '')}\\{inside}") or table.get(inside)
    kind = _KINDS.get(extension.lower())
    if place is None or kind is None:
        remark = (
            f"the archive holds no picture of this layer that WWT draws ({shown(inside)}): the preview can't show it"
        )
        return dataclasses.replace(reading, remarks=(*reading.remarks, remark))
    picture = _copy(
        file, place, f"{hashlib.sha256(origin.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}{kind}", path
    )
    remark = f"taken out of the archive as {picture}: this file is what to upload, and its address is the image URL"
    values = dict(reading.values) | {URL: "", "wwt.file_type": picture.suffix}
    local = LocalImage(picture.parent, quote(os.fsencode(picture.name)))
    return dataclasses.replace(reading, values=values, local=local, remarks=(*reading.remarks, remark))


def _copy(file: BinaryIO, place: tuple[int, int], name: str, path: Path) -> Path:
    """Copy a picture of the archive to a file of its own, under our name; a TIFF becomes a PNG."""
    target = store(_content(file, place, _PICTURE_LIMIT, path), path.name, name)
    if target.suffix != ".tif":
        return target
    try:
        return as_png(target, path.name)
    except SourceError:
        raise
    except Exception as error:  # Pillow raises many kinds of errors for broken files  # noqa: BLE001
        raise SourceError(f"The picture in {path.name} can't be read ({error or type(error).__name__})") from None
    finally:
        target.unlink()
