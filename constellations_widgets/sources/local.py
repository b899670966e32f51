"""An image on this machine's disk: a tile tree or a single file, and nothing beside it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..errors import SourceError

# What WWT's engine writes in the place of a placeholder. A number has one spelling only: "007" names no tile.
_NUMBER = "(?:0|[1-9][0-9]{0,9})"
_PLACEHOLDERS = {
    "0": _NUMBER,
    "1": _NUMBER,
    "2": _NUMBER,
    "3": _NUMBER,
    "L": _NUMBER,
    "X": _NUMBER,
    "Y": _NUMBER,
    "Q": "[0-9]{1,31}",
    "S": "[0-9]",
}
_PLACEHOLDER = re.compile(r"\{([0-9A-Z])\}")
_FITS = re.compile(r"\.(fits?|fts)(\.(gz|fz))?$", re.IGNORECASE)
_LOOKED_AT = 8  # names in the folders for each file that may be found, before a listing is given up
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class LocalImage:
    """The files of one image, and a guard in front of them.

    Parameters
    ----------
    root : Path
        The folder that holds the image.
    template : str
        Relative URL inside `root`: ``{1}/{3}/{3}_{2}.png`` (level, x, y) of a tile tree, or ``image.png`` of one file.
    size : (int, int) or None
        Width and height in pixels of the whole image, where known.
    pixels : Path or None
        The FITS file that the image is a picture of, where it is one.
    cuts : (float, float) or None
        Values of FITS pixels to be drawn darkest and brightest, where somebody chose them.

    Raises
    ------
    SourceError
        If `template` could name a file outside `root`, or has a placeholder that WWT does not know.
    """

    root: Path
    template: str
    size: tuple[int, int] | None = None
    pixels: Path | None = None
    cuts: tuple[float, float] | None = None
    _allowed: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root).expanduser().absolute())
        object.__setattr__(self, "_allowed", _pattern(self.template))

    @classmethod
    def from_json(cls, saved: Any) -> LocalImage:
        """What `to_json` made; raises a TypeError, ValueError, KeyError or SourceError if it is none."""
        size, pixels, cuts = (saved.get(name) for name in ("size", "pixels", "cuts"))
        return cls(
            Path(saved["root"]),
            saved["template"],
            size and (int(size[0]), int(size[1])),
            pixels and Path(pixels),
            cuts and (float(cuts[0]), float(cuts[1])),
        )

    def to_json(self) -> dict[str, Any]:
        """The image as plain data, for a file."""
        pixels = self.pixels and str(self.pixels)
        return {
            "root": str(self.root),
            "template": self.template,
            "size": self.size,
            "pixels": pixels,
            "cuts": self.cuts,
        }

    @property
    def tiled(self) -> bool:
        """Whether this is a tree of tiles rather than one file."""
        return _PLACEHOLDER.search(self.template) is not None

    @property
    def top(self) -> str:
        """The one file, or the tile that shows all of the image; without it nothing can be drawn."""
        return _PLACEHOLDER.sub("0", self.template)

    @property
    def fits(self) -> bool:
        """Whether the files are FITS."""
        return _FITS.search(self.template) is not None

    def where(self, relative: str) -> Path:
        """The place on disk of what `read` reads."""
        return self.root / unquote(relative)

    def read(self, relative: str) -> bytes:
        """The bytes of one tile, or of the one file.

        Parameters
        ----------
        relative : str
            A path that `template` can name, written exactly as WWT's engine fills it in: ``2/1/1_3.png``.

        Raises
        ------
        FileNotFoundError
            There is no such file: a hole in the pyramid.
        PermissionError
            `relative` is anything else: another name, a path with ``..``, an absolute one, another spelling,
            a symbolic link that leads out of `root`; or the system refuses to read the file.
        """
        if not isinstance(relative, str) or not self._allowed.fullmatch(relative):
            raise PermissionError(f"{relative!r} is no file of this image ({self.template})")
        file = self.where(relative).resolve()
        if not file.is_relative_to(self.root.resolve()):
            raise PermissionError(f"{relative!r} leads out of the image's folder")
        # A link that took the file's place after it was resolved is not followed; opening a pipe does not wait.
        with open(os.open(file, os.O_RDONLY | _NOFOLLOW), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise FileNotFoundError(f"{relative!r} is not a file")
            return stream.read()

    def listing(self, most_files: int, most_bytes: int) -> dict[str, os.stat_result] | None:
        """The image's files, if there are few of them.

        Parameters
        ----------
        most_files, most_bytes : int
            What is still few, in number and in sum.

        Returns
        -------
        dict or None
            For each file the path that `read` takes → what `os.lstat` says of it; no symbolic links, and no order.
            None if there are more.
        """
        found: dict[str, os.stat_result] = {}
        patience, size = _LOOKED_AT * most_files, 0
        for seen, (path, about) in enumerate(self._walk(self.root, self._segments())):
            if seen > patience:
                return None
            relative = self._named(path) if about is not None else None
            if relative is None or about is None:
                continue
            found[relative] = about
            size += about.st_size
            if len(found) > most_files or size > most_bytes:
                return None
        return found

    def _segments(self) -> list[str | re.Pattern[str]]:
        """For each level of folders its name, or what names there may be where that holds placeholders."""
        marked = "".join(
            unquote(piece) if at % 2 == 0 else "\0" for at, piece in enumerate(_PLACEHOLDER.split(self.template))
        )
        return [
            re.compile("[0-9]{1,31}".join(map(re.escape, part.split("\0"))), re.ASCII) if "\0" in part else part
            for part in marked.split("/")
        ]

    def _walk(
        self, folder: Path, segments: list[str | re.Pattern[str]]
    ) -> Iterator[tuple[Path, os.stat_result | None]]:
        """Every name that is looked at: with its status if it is a regular file where one is to be, else with None."""
        segment, *deeper = segments
        try:
            names = [segment] if isinstance(segment, str) else os.scandir(folder)
        except OSError:
            return
        for entry in names:
            path = folder / (entry if isinstance(entry, str) else entry.name)
            about = None
            if isinstance(segment, str) or segment.fullmatch(path.name):
                try:
                    about = path.lstat()
                except OSError:
                    pass  # it was there a moment ago
            if about is not None and deeper and stat.S_ISDIR(about.st_mode):
                yield from self._walk(path, deeper)
            yield path, about if about is not None and not deeper and stat.S_ISREG(about.st_mode) else None

    def _named(self, path: Path) -> str | None:
        """What `read` calls the file at `path`; None if the template can't name it."""
        numbers = re.compile(_regular(self.template, unquote), re.ASCII).fullmatch(
            path.relative_to(self.root).as_posix()
        )
        relative = numbers and _PLACEHOLDER.sub(lambda found: numbers[f"p{found[1]}"], self.template)
        return relative if relative and self._allowed.fullmatch(relative) else None


def _pattern(template: str) -> re.Pattern[str]:
    """Matches all paths that `template` can name, as URLs write them."""
    literal = unquote(_PLACEHOLDER.sub("0", template))
    if not set(_PLACEHOLDER.findall(template)) <= _PLACEHOLDERS.keys() or re.search(
        r"[{}]", _PLACEHOLDER.sub("", template)
    ):
        raise SourceError(
            f"{template!r} has a placeholder that WWT does not know; it knows {{1}} {{2}} {{3}}, {{L}} {{X}} {{Y}} and {{Q}}"
        )
    if not literal or re.search(r"[\\:\x00]", literal) or any(part in ("", ".", "..") for part in literal.split("/")):
        raise SourceError(f"{template!r} is not a relative path inside the image's folder")
    return re.compile(_regular(template, str), re.ASCII)


def _regular(template: str, decode: Callable[[str], str]) -> str:
    """A regular expression of what `template` can name; the same placeholder stands for the same number everywhere."""
    pieces: list[str] = []
    seen: set[str] = set()
    for at, piece in enumerate(_PLACEHOLDER.split(template)):
        if at % 2 == 0:
            pieces.append(re.escape(decode(piece)))
        elif piece in seen:
            pieces.append(f"(?P=p{piece})")
        else:
            pieces.append(f"(?P<p{piece}>{_PLACEHOLDERS[piece]})")
            seen.add(piece)
    return "".join(pieces)
