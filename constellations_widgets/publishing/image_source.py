"""Identify what a draft was read from, so that the journal can tell that a file was published before, whatever its address."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ..sources.paths import file_path
from .attempts import Attempt

if TYPE_CHECKING:
    from ..draft import ImageDraft

_WEB = ("http://", "https://")
_DESCRIPTIONS = (".wtml", ".xml", ".wwtl")
_WHOLE = 1 << 20  # larger files are sampled: a survey of ten thousand pictures must not read all their bytes
_SAMPLES, _SAMPLE = 16, 1 << 14


@dataclass(frozen=True)
class ImageSource:
    """Source of an image.

    Attributes
    ----------
    origin : str
        Resolved path or web address. If a file holds several images, their number or HDU is part of it. User name, password
        and query of an address are left out: they can hold a secret.
    digest : str
        Digest of the image's content, "" if it can't be read. Of a file over 1 MiB, 16 blocks of 16 KiB and the size count; of
        an image in WTML its element and its coarsest tile.
    """

    origin: str
    digest: str = ""

    @classmethod
    def of(cls, draft: ImageDraft) -> ImageSource | None:
        """Return the source of a draft; None if the draft was made from neither a file nor a web address."""
        if not draft.origin or draft.origin.startswith("values:"):
            return None
        hdu = f"[{draft.local.hdu}]" if draft.local and draft.local.hdu is not None else ""
        return cls(_storable(draft.origin) + hdu, _digest(draft, hdu))

    @classmethod
    def of_file(cls, path: Path | str) -> ImageSource:
        """Return the source at a path that holds one image, or at a web address."""
        if str(path).startswith(_WEB):
            return cls(_storable(str(path)))
        file = file_path(path, "file").resolve()
        return cls(_storable(str(file)), _digest_of([file]))

    @property
    def noun(self) -> str:
        """What the source is, in words: "file", or "image" if it is only part of a file or has a web address."""
        return "image" if self.origin.startswith(_WEB) or "#" in self.origin or self.origin.endswith("]") else "file"


@dataclass(frozen=True)
class EarlierPublication:
    """Attempt to publish an image of the same source.

    Attributes
    ----------
    attempt : Attempt
        Published, or perhaps successful: its state is "published", "sending" or "unclear".
    source : ImageSource
        The source, as it is now.
    before : ImageSource
        The source, as it was then.
    """

    attempt: Attempt
    source: ImageSource
    before: ImageSource

    @property
    def name(self) -> str:
        """Title and id of the image."""
        title = f"“{self.attempt.note}”" if self.attempt.note else "an image without a title"
        return f"{title} ({self.attempt.image_id})" if self.attempt.image_id else title

    @property
    def head(self) -> str:
        """Beginning of the sentence, up to the name."""
        when, noun = f"{self.attempt.planned:%Y-%m-%d %H:%M} UTC", self.source.noun
        if self.attempt.state == "published":
            return f"You published this {noun} on {when} as"
        if self.attempt.state == "sending":
            return f"This {noun} is being published right now, by another window or program, as"
        return f"You may have published this {noun} on {when} (the outcome is unclear) as"

    @property
    def tail(self) -> str:
        """End of the sentence, from the name on, with what differs."""
        end = f", under the handle {self.attempt.handle!r}."
        if self.before.origin != self.source.origin:
            end += f" It was {self.before.origin} then."
        elif self.before.digest and self.source.digest and self.before.digest != self.source.digest:
            end += f" The {self.source.noun} has changed since."
        return end

    def __str__(self) -> str:
        return f"{self.head} {self.name}{self.tail}"


def _storable(origin: str) -> str:
    """Return an origin as the journal stores it: without secrets, and as text that SQLite takes."""
    if origin.startswith(_WEB):
        url = urlsplit(origin)
        query = f"sha256={hashlib.sha256(url.query.encode('utf-8', 'replace')).hexdigest()[:16]}" if url.query else ""
        origin = urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2], query=query))
    return origin.encode("utf-8", "backslashreplace").decode()  # names of files need not be UTF-8


def _digest(draft: ImageDraft, hdu: str) -> str:
    local = draft.local
    files: Iterable[Path] = ()
    if draft.fingerprint:  # the image in a file of several
        files = [local.where(local.coarsest)] if local else []
    elif not draft.origin.startswith(_WEB):
        files = [Path(draft.origin)]
    elif local:
        files = [local.where(local.top)]
    return _digest_of(files, f"{draft.fingerprint}{hdu}", complete=bool(draft.fingerprint))


def _digest_of(files: Iterable[Path], description: str = "", *, complete: bool = False) -> str:
    """Return a digest of a description and of files; "" if none can be read, unless the description is `complete`."""
    content, found = hashlib.sha256(description.encode()), complete
    if not complete:  # a file that describes images, and may describe several, is not the image
        files = [file for file in files if file.suffix.lower() not in _DESCRIPTIONS]
    for file in files:
        try:
            content.update(_sample(file))
            found = True
        except (OSError, ValueError):
            continue
    return content.hexdigest() if found else ""


def _sample(path: Path) -> bytes:
    """Return a digest of a file: of all bytes of a small one, of its size and some blocks of a large one."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        content = hashlib.sha256(b"%d:" % size)
        if size <= _WHOLE:
            content.update(file.read(_WHOLE))
        else:
            for number in range(_SAMPLES):
                file.seek((size - _SAMPLE) * number // (_SAMPLES - 1))
                content.update(file.read(_SAMPLE))
    return content.digest()
