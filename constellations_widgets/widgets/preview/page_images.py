"""The images of a stand-alone page with their files: as they are, reduced to a size, or loaded from their public addresses."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ...checks.address import is_private_host
from ...errors import ConstellationsError, SourceError
from ...schema.fields import fields
from ...schema.placement import URL, is_tan, shown, text
from ...schema.tiles import PLACEHOLDERS, SERVER
from ...sources.large_picture import factor_of, size_of, smaller_picture
from ...sources.local import Entry, LocalImage
from ...text import about
from ..protocol.preview import Drawing, FitsPixels, PlacingStatus
from .drawing import PRIVATE, Reduced, draw, image_address
from .image_files import PIXELS, ImageFiles
from .snapping import IDLE

if TYPE_CHECKING:
    from ...draft import ImageDraft
    from ...publishing.published import PublishedImage

MOST_BYTES = 64 << 20
"""Size of the images' files up to which a page holds them as they are."""

Above = Literal["reduce", "link"]

# What a responder in a page can't do: see PlacementEditor.
_PLACING: PlacingStatus = {
    "refusal": "This page has no kernel: the image can be viewed here, and not changed.",
    "locked": True,
    "undo": "",
    "redo": "",
    "size": None,
    "pixel": None,
    "mirrored": None,
    "snap": IDLE,
}


@dataclass
class PageImage:
    """An image of the page, and the files of it that the page holds."""

    draft: ImageDraft | PublishedImage
    number: int
    values: dict[str, Any]
    files: ImageFiles | None = None
    entries: list[Entry] = field(default_factory=list)
    """Tiles on disk; empty for a single file."""
    factor: int = 1
    """By which a single picture is reduced."""
    single: bytes = b""
    pixels: bytes = b""

    @property
    def local(self) -> LocalImage | None:
        """The image's files on disk; None if the page holds none of them."""
        return self.draft.local if self.files is not None else None

    @property
    def size(self) -> int:
        """Size of the files that the page holds, in bytes."""
        return sum(entry.about.st_size for entry in self.entries) + len(self.single) + len(self.pixels)

    @property
    def deepest(self) -> int:
        """Deepest level of the tiles; 0 without any."""
        return max((entry.level for entry in self.entries), default=0)

    def reduce(self) -> bool:
        """Drop the deepest level of tiles, or halve the resolution of a picture; return whether that was possible."""
        if self.entries:
            if (self.deepest <= 1 and is_tan(self.values)) or self.deepest == 0:
                return False
            self.entries = [entry for entry in self.entries if entry.level < self.deepest]
            if is_tan(self.values):
                self.values["wwt.tile_levels"] = self.deepest
            return True
        if self.pixels and self.single:  # the picture is enough
            self.pixels = b""
            return True
        local = self.local
        if local is None or not self.single or min(size_of(local)) < 4 * self.factor:
            return False
        self.factor *= 2
        self.single = _smaller(local, self.factor)
        return True

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of each file, as the page requests them."""
        if self.files is not None:
            for entry in self.entries:
                yield f"image{self.number}/{entry.relative}", self.files.read(entry.relative)
        if self.single:
            yield f"image{self.number}/{self._single_name}", self.single
        if self.pixels:
            yield f"image{self.number}/{PIXELS}", self.pixels

    @property
    def _single_name(self) -> str:
        """Name of a single file in the page, which does not disclose the name on disk; the engine needs its suffix."""
        return "picture" + re.sub(r"[^.\w]", "", Path(self.draft.local.template).suffix if self.draft.local else "")

    def drawing(self) -> Drawing:
        """Return how the page draws the image.

        Raises
        ------
        ConstellationsError
            If values are missing or can't be drawn.
        """
        local = self.local
        own = f"{PRIVATE}/image{self.number}/"
        address: tuple[str, str | None]
        address = image_address(None, self.values.get(URL))
        size = self.draft.local.size if self.draft.local is not None else None
        picture = pixels = None
        if local is not None and self.files is not None:
            address = own + (local.template if local.tiled else self._single_name), None
            if self.factor > 1:
                picture = Reduced(address[0], self.factor, size_of(local))
            pixels = self.files.reduced_pixels(own + PIXELS) if self.pixels else None
        drawing, _ = draw(
            self.values,
            address,
            self.number + 1,
            size=size,
            picture=picture,
            pixels=pixels,
            only_pixels=not self.single and not self.entries,
        )
        if drawing["waiting"]:
            reasons = "; ".join(about(title, why) for title, why in drawing["waiting"])
            raise ConstellationsError(f"“{self.draft.name}” can't be shown in a page: {reasons}.")
        return drawing

    def state(self) -> Mapping[str, Any]:
        """Return the state of a preview of the image: see `PreviewState`. Errors are those of `drawing`."""
        drawing = self.drawing()
        files = None
        if self.local is not None:
            key = hashlib.sha256(json.dumps([self.number, drawing["wtml"]]).encode()).hexdigest()[:32]
            files = {"key": key, "whole": False, "fault": None, "note": ""}
        return {"revision": 1, **drawing, "files": files, "placing": _PLACING}

    def stretch(self) -> FitsPixels | None:
        """Return how the pixels of a FITS file are shown at first; None without any."""
        fits = self.files is not None and self.local is not None and (self.pixels or self.local.fits)
        return {**self.files.stretch(), "note": ""} if fits and self.files is not None else None

    def sources(self) -> list[str]:
        """Return the origins from which the page loads the image; none if it holds the files."""
        if self.files is not None:
            return []
        template = text(self.values, URL)
        servers = {SERVER.sub(str(number), template) for number in range(4)}
        parts = [urlsplit(PLACEHOLDERS.sub("0", address)) for address in sorted(servers)]
        return [f"{part.scheme}://{part.netloc}" for part in parts if re.fullmatch(r"[\w.\-:\[\]]+", part.netloc)]


def page_image(draft: ImageDraft | PublishedImage, number: int) -> PageImage:
    """Return the image of a draft with all of its files."""
    local, values = draft.local, dict(draft.values)
    if local is None:
        _require_public(draft)
        return PageImage(draft, number, values)
    files = ImageFiles(local)
    if fault := files.state(fresh=True)["fault"]:
        raise SourceError(fault)
    image = PageImage(draft, number, values, files)
    if local.tiled:
        image.entries = sorted(local.entries(), key=lambda entry: (entry.level, entry.relative))
        return image
    try:
        if files.picture:
            image.factor = factor_of(size_of(local))
            image.single = _smaller(local, image.factor)
        if files.fits is not None:
            image.pixels = files.read_pixels(PIXELS)
    except OSError as error:
        raise SourceError(f"The image of “{draft.name}” can't be read: {error.strerror or error}") from None
    return image


def _smaller(local: LocalImage, factor: int) -> bytes:
    return smaller_picture(local, factor) if factor > 1 else local.read(local.template)


def fit(images: Sequence[PageImage], max_bytes: int, above: Above) -> None:
    """Reduce the images, or have them loaded from their addresses, until their files have `max_bytes` together."""
    left = list(images)
    while sum(image.size for image in images) > max_bytes:
        if not left:
            raise SourceError(
                f"The smallest version of the images has {sum(image.size for image in images):,} bytes, more than max_bytes={max_bytes:,}."
            )
        largest = max(left, key=lambda image: image.size)
        if above == "link":
            _require_public(largest.draft)
            largest.files, largest.entries, largest.single, largest.pixels = None, [], b"", b""
            left.remove(largest)
        elif not largest.reduce():
            left.remove(largest)


def _require_public(draft: ImageDraft | PublishedImage) -> None:
    """Raise a SourceError if the image has no address from which everybody can load it."""
    address, reason = image_address(None, draft.values.get(URL))
    host = urlsplit(PLACEHOLDERS.sub("0", text(draft.values, URL))).hostname or "" if address else ""
    if not address or is_private_host(host):
        why = reason or (f"{shown(host)} can be reached only from your network" if address else "is missing")
        raise SourceError(f"“{draft.name}” can't be loaded from the web. {about(fields()[URL].title, why)}.")
