"""Collect the files of a draft that must be public: the image or its tiles, a thumbnail, an index."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from ..errors import HostingError
from ..interface import in_terms
from ..outputs.exports import notes_of
from ..schema.placement import THUMBNAIL, URL
from ..sources.drawing import thumbnail, whole_picture
from ..wtml import export_wtml

if TYPE_CHECKING:
    from ..draft import ImageDraft
    from ..sources.local import LocalImage

INDEX = "index_rel.wtml"
PROPERTIES = "properties"
NO_TILE = -1
THUMB = "thumb.jpg"

_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".fits": "application/fits",
    ".fit": "application/fits",
    ".fts": "application/fits",
    ".wtml": "application/x-wtml",
}


class HostedFile(NamedTuple):
    """One file to upload.

    Attributes
    ----------
    key : str
        Its path below the target, with ``/`` between folders; not percent-encoded.
    source : str or bytes
        Its bytes, or the path of the file that holds them.
    about : os.stat_result or None
        Status of that file.
    level : int
        Level of the tile; `NO_TILE` for the thumbnail and the index.
    """

    key: str
    source: str | bytes
    about: os.stat_result | None = None
    level: int = NO_TILE

    @property
    def content_type(self) -> str:
        """Return the media type to serve the file as."""
        if os.path.basename(self.key) == PROPERTIES:
            return "text/plain"
        return _TYPES.get(os.path.splitext(self.key)[1].lower(), "application/octet-stream")

    @property
    def cache_control(self) -> str:
        """Return how long caches may keep the file: tiles for a day, the index only after asking again."""
        return "no-cache" if self.key.endswith(".wtml") else "public, max-age=86400"

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return self.about.st_size if self.about else len(self.source)

    @property
    def is_picture(self) -> bool:
        """Return whether browsers load the file to draw it: not the index, nor the description of a HiPS."""
        return not self.key.endswith((INDEX, PROPERTIES)) or os.path.basename(self.key) not in (INDEX, PROPERTIES)

    @property
    def version(self) -> str:
        """Return what changes when the file on disk is written or replaced; "" if it is not on disk."""
        about = self.about
        return f"{about.st_size}:{about.st_mtime_ns}:{about.st_ctime_ns}:{about.st_ino}" if about else ""

    def read(self) -> bytes:
        """Return the bytes."""
        if isinstance(self.source, bytes):
            return self.source
        with open(self.source, "rb") as file:
            return file.read()


def md5_of(data: bytes) -> str:
    """Return the MD5 checksum in hex, which object stores report as ETag."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class Collection:
    """The files of one draft, in the order in which they must appear on the web.

    The tile of the whole image, the thumbnail and the index come last, so that an interrupted upload never looks
    complete.

    Parameters
    ----------
    draft : ImageDraft
        A draft whose files are on this machine's disk.

    Raises
    ------
    HostingError
        If the draft has no local files, or they cannot be drawn as a thumbnail.
    """

    def __init__(self, draft: ImageDraft):
        if draft.local is None:
            raise HostingError(
                f"{draft.name!r} has no files on this machine, so there is nothing to upload. "
                + in_terms(
                    "Make the draft from a file or a tile folder (ImageDraft.from_image, from_fits, from_wtml)",
                    "Give its picture, its FITS file or its folder of tiles",
                )
            )
        self.local: LocalImage = draft.local
        self._name = draft.name
        self.template = self.local.template
        if not self.local.where(self.local.top).is_file():
            raise HostingError(
                f"There is no file {self.local.where(self.local.top)}: the image cannot be uploaded without it"
            )
        self.thumbnail = self._thumbnail(draft)
        values = dict(draft.values) | {URL: self.template, THUMBNAIL: THUMB}
        self.index = HostedFile(INDEX, export_wtml(values, draft.name, notes_of(draft)).encode("utf-8"))
        if not self.local.tiled and unquote(self.template) in (THUMB, INDEX):
            raise HostingError(
                f"The image's file may not be called {self.template}: rename it, then make the draft again"
            )

    def _thumbnail(self, draft: ImageDraft) -> HostedFile:
        own = self.local.root / THUMB
        named = str(draft.values.get(THUMBNAIL) or "")
        if self.local.tiled and own.is_file() and Path(named).name in ("", THUMB):
            return HostedFile(THUMB, str(own), own.stat())
        stream = io.BytesIO()
        try:
            # The top file of a HiPS is its description.
            drawn = replace(self.local, template=self.local.coarsest) if self.local.hips else self.local
            thumbnail(whole_picture(drawn)).save(stream, "jpeg", quality=88)
        except (OSError, ValueError) as error:
            raise HostingError(f"No thumbnail can be made of {self.local.where(self.local.top)}: {error}") from None
        return HostedFile(THUMB, stream.getvalue())

    def files(self) -> Iterator[HostedFile]:
        """Yield every file once, the one that makes the image visible last but two, then thumbnail and index."""
        top = self.top
        if self.local.tiled:
            for entry in self.local.entries():
                file = HostedFile(unquote(entry.relative), entry.path, entry.about, entry.level)
                if file.key != top:
                    yield file
        path = self.local.where(self.local.top)
        yield HostedFile(top, str(path), path.stat(), self.local.level(self.local.top))
        yield self.thumbnail
        yield self.index

    @property
    def top(self) -> str:
        """Return the key of the single file, or of the tile that shows the whole image."""
        return unquote(self.local.top)

    @property
    def folder_name(self) -> str:
        """Return a name for a folder of these files: the image's, and a checksum, since images can have the same name."""
        return f"{slug_of(self._name)}-{md5_of(self.local.where(self.local.top).read_bytes())[:8]}"


def slug_of(name: str) -> str:
    """Return a name for a folder that every service and every browser writes in the same way."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80].lower() or "image"
