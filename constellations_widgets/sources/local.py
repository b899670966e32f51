"""An image on this machine's disk: a tile tree or a single file, and nothing else in its folder."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import unquote

from ..errors import SourceError
from ..schema.tiles import HIPS_EXTENSIONS, is_hips
from ..state import user_path

# What WWT's engine substitutes for a placeholder. A number has only one spelling: "007" names no tile.
_NUMBER = "(?:0|[1-9][0-9]{0,9})"
_PLACEHOLDERS = {
    "0": _NUMBER,
    "1": _NUMBER,
    "2": _NUMBER,
    "3": _NUMBER,
    "L": _NUMBER,
    "X": _NUMBER,
    "Y": _NUMBER,
    "Q": "[0-9]{0,31}",  # the root tile has no name
    "S": "[0-9]",
}
_PLACEHOLDER = re.compile(r"\{([0-9A-Z](?::[0-3])?)\}")
_PROPERTIES = "properties"  # required file of a HiPS: without it the engine draws nothing
_HIPS_END = f"(?:{'|'.join(map(re.escape, HIPS_EXTENSIONS))})"
_FITS = re.compile(r"\.(fits?|fts)(\.(gz|fz))?$", re.IGNORECASE)
_LOOKED_AT = 8  # most names visited per expected file before a listing is abandoned
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


_decoded = functools.partial(unquote, errors="surrogateescape")  # names of files need not be UTF-8


class LinkOutError(PermissionError):
    """A symbolic link in an image's folder that leads out of it."""


class Entry(NamedTuple):
    """A file of an image on disk: the path that `LocalImage.read` takes, its place, its status, the level of its tile."""

    relative: str
    path: str
    about: os.stat_result
    level: int


@dataclass(frozen=True)
class LocalImage:
    """The files of one image, with guarded access.

    Parameters
    ----------
    root : Path
        The folder that holds the image.
    template : str
        Relative URL inside `root`: ``{1}/{3}/{3}_{2}.png`` (level, x, y) of a tile tree, or ``image.png`` of one file.
    size : (int, int) or None
        Width and height in pixels of the whole image, where known.
    pixels : Path or None
        The FITS file in gray that the image is a picture of, where it is one.
    cuts : (float, float) or None
        Values of FITS pixels to be drawn darkest and brightest, where they were chosen.
    hdu : int or None
        Number of the HDU of the FITS file, where it is not the first image with a place on the sky.

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
    hdu: int | None = None
    _allowed: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", user_path(self.root).absolute())
        object.__setattr__(self, "_allowed", _pattern(self.template))

    @classmethod
    def from_json(cls, saved: Any) -> LocalImage:
        """Return the image that `to_json` described.

        Raises
        ------
        TypeError, ValueError, KeyError, SourceError
            If the data does not describe an image.
        """
        size, pixels, cuts = (saved.get(name) for name in ("size", "pixels", "cuts"))
        return cls(
            Path(saved["root"]),
            saved["template"],
            size and (int(size[0]), int(size[1])),
            pixels and Path(pixels),
            cuts and (float(cuts[0]), float(cuts[1])),
            None if saved.get("hdu") is None else int(saved["hdu"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the image as plain data, for a file."""
        pixels = self.pixels and str(self.pixels)
        return {
            "root": str(self.root),
            "template": self.template,
            "size": self.size,
            "pixels": pixels,
            "cuts": self.cuts,
            "hdu": self.hdu,
        }

    @property
    def tiled(self) -> bool:
        """Whether this is a tree of tiles rather than one file."""
        return _PLACEHOLDER.search(self.template) is not None

    @property
    def hips(self) -> bool:
        """Whether this is a HiPS, whose addresses in `template` have no extension."""
        return is_hips(self.template)

    @property
    def top(self) -> str:
        """The one file, or the file that a tree needs to be drawn at all: usually the tile of the whole image."""
        if self.hips:
            return _hips_root(self.template) + _PROPERTIES
        if "{Q}" in self.template and self.where(nameless := _filled(self.template, {"Q": ""})).is_file():
            return nameless
        return _filled(self.template, {})

    @property
    def second_root(self) -> str:
        """The tile right of `top` if a pyramid is two tiles wide at its root; "" if `template` has no x of its own."""
        right = _filled(self.template, {"2": "1", "X": "1"})
        return right if right != self.top and not self.hips else ""

    def tile(self, level: int, x: int, y: int) -> str:
        """Return the path that `read` takes for a tile of a tree whose template has level, x and y."""
        numbers = {"1": level, "2": x, "3": y, "L": level, "X": x, "Y": y}
        return _filled(self.template, {name: str(number) for name, number in numbers.items()})

    @property
    def coarsest(self) -> str:
        """The one file, or a tile of the coarsest level."""
        if not self.hips:
            return self.top
        for first in (_filled(self.template, {"0": str(order)}) for order in range(14)):
            folder = self.where(first).parent
            tiles = sorted(
                (path for path in folder.glob("*") if path.suffix in HIPS_EXTENSIONS and path.is_file()), key=_by_number
            )
            if tiles:
                return f"{first.rpartition('/')[0]}/{tiles[0].name}"
        return self.top

    @property
    def fits(self) -> bool:
        """Whether the files are FITS."""
        return _FITS.search(self.coarsest if self.hips else self.template) is not None

    def level(self, relative: str) -> int:
        """Return the level of the tile at `relative`, 0 for a single file; see `read` for the path."""
        return _level(self._allowed.fullmatch(relative), self._level_name)

    def where(self, relative: str) -> Path:
        """Return the path on disk of what `read` reads, unchecked."""
        return self.root / _decoded(relative)

    def guarded(self, relative: str) -> Path:
        """Return the file at `where` with links resolved; only files that the image names may be read for a page.

        Raises
        ------
        PermissionError
            As for `read`.
        """
        about = self.hips and relative == _hips_root(self.template) + _PROPERTIES
        if not isinstance(relative, str) or not (about or self._allowed.fullmatch(relative)):
            raise PermissionError(f"{relative!r} is not a file of this image ({self.template})")
        file = self.where(relative).resolve()
        if not file.is_relative_to(self.root.resolve()):
            raise LinkOutError(f"{relative!r} leads out of the image's folder")
        return file

    def open(self, relative: str) -> BinaryIO:
        """Open one tile, or the one file. Parameters and errors as for `read`."""
        # The flags: a link that replaced the file after it was resolved is not followed; opening a pipe does not wait.
        stream = os.fdopen(os.open(self.guarded(relative), os.O_RDONLY | _NOFOLLOW), "rb")
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            stream.close()
            raise FileNotFoundError(f"{relative!r} is not a file")
        return stream

    def read(self, relative: str) -> bytes:
        """Return the bytes of one tile, or of the one file.

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
        with self.open(relative) as stream:
            return stream.read()

    def listing(self, most_files: int, most_bytes: int) -> dict[str, os.stat_result] | None:
        """Return the image's files, if there are few of them.

        Parameters
        ----------
        most_files, most_bytes : int
            Limits on the number of files and their total size in bytes.

        Returns
        -------
        dict or None
            For each file the path that `read` takes → the result of `os.lstat`; without symbolic links, in no order.
            None if there are more.
        """
        found: dict[str, os.stat_result] = {}
        patience, size = _LOOKED_AT * most_files, 0
        for seen, (path, about) in enumerate(self._files()):
            if seen > patience:
                return None
            named = self._named(path) if about is not None else None
            if named is None or about is None:
                continue
            found[named[0]] = about
            size += about.st_size
            if len(found) > most_files or size > most_bytes:
                return None
        return found

    def entries(self) -> Iterator[Entry]:
        """Yield every file of the image, in no order; symbolic links are left out."""
        for path, about in self._files():
            if about is not None and (named := self._named(path)) is not None:
                yield Entry(named[0], path, about, named[1])

    def _files(self) -> Iterator[tuple[str, os.stat_result | None]]:
        """Yield every name that may be one of the image's files; see `_walk`. Without its description a HiPS is not drawn."""
        root = str(self.root).rstrip(os.sep)
        if self.hips:
            yield from self._walk(root, [_decoded(part) for part in self.top.split("/")])
        yield from self._walk(root, self._segments())

    def _segments(self) -> list[str | re.Pattern[str]]:
        """Return for each folder level its name, or the pattern of names if it holds placeholders."""
        marked = "".join(
            _decoded(piece) if at % 2 == 0 else "\0" for at, piece in enumerate(_PLACEHOLDER.split(self.template))
        )
        parts = marked.split("/")
        return [
            re.compile("[0-9]{0,31}".join(map(re.escape, part.split("\0"))) + self._end(at == len(parts)), re.ASCII)
            if "\0" in part
            else part
            for at, part in enumerate(parts, 1)
        ]

    def _end(self, last: bool) -> str:
        """Return the pattern of what follows the template in a file name."""
        return _HIPS_END if last and self.hips else ""

    def _walk(self, folder: str, segments: list[str | re.Pattern[str]]) -> Iterator[tuple[str, os.stat_result | None]]:
        """Yield every visited path: with its status if it is a regular file where one is expected, else with None."""
        segment, *deeper = segments
        names: list[str] = []
        if isinstance(segment, str):
            names = [segment]
        else:
            with contextlib.suppress(OSError):
                names = os.listdir(folder)
        for name in names:
            path = f"{folder}{os.sep}{name}"
            about = None
            if isinstance(segment, str) or segment.fullmatch(name):
                try:
                    about = os.lstat(path)
                except OSError:  # it may have been removed since the listing
                    about = None
            if about is not None and deeper and stat.S_ISDIR(about.st_mode):
                yield from self._walk(path, deeper)
            yield path, about if about is not None and not deeper and stat.S_ISREG(about.st_mode) else None

    @functools.cached_property
    def _on_disk(self) -> re.Pattern[str]:
        """Pattern of all file names below `root` that `template` can name."""
        return re.compile(_regular(self.template, _decoded), re.ASCII)

    def _named(self, path: str) -> tuple[str, int] | None:
        """Return the path that `read` takes for a file, and its level; None if the template can't name it."""
        below = path[self._root_length :]
        if os.sep != "/":
            below = below.replace(os.sep, "/")
        if self._is_hips and below == _decoded(self.top):
            return self.top, 0
        numbers = self._on_disk.fullmatch(below)
        if not numbers:
            return None
        level = _level(numbers, self._level_name)
        if self._is_plain:
            return below, level
        relative = _PLACEHOLDER.sub(lambda found: numbers[f"p{found[1][0]}"], self.template)
        return relative + os.path.splitext(path)[1] if self._is_hips else relative, level

    @functools.cached_property
    def _level_name(self) -> str:
        """Name of the group that holds a tile's level, in both patterns; "" for a single file."""
        return next((name for name in ("pQ", "p1", "p0", "pL") if name in self._allowed.groupindex), "")

    @functools.cached_property
    def _is_plain(self) -> bool:
        """Whether paths below `root` are spelled as `template` spells them, without an escaped character."""
        return _decoded(self.template) == self.template

    @functools.cached_property
    def _root_length(self) -> int:
        return len(str(self.root).rstrip(os.sep)) + 1

    @functools.cached_property
    def _is_hips(self) -> bool:
        return self.hips


def _level(numbers: re.Match[str] | None, name: str) -> int:
    """Return the level in the numbers of a tile's path, 0 without one; `name` is that of its group."""
    if numbers is None or not name:
        return 0
    return len(numbers[name]) if name == "pQ" else int(numbers[name])


def _pattern(template: str) -> re.Pattern[str]:
    """Return a pattern of all paths that `template` can name, as URLs write them."""
    literal = _decoded(_PLACEHOLDER.sub("0", template))
    if not {name[0] for name in _PLACEHOLDER.findall(template)} <= _PLACEHOLDERS.keys() or re.search(
        r"[{}]", _PLACEHOLDER.sub("", template)
    ):
        raise SourceError(
            f"{template!r} has a placeholder that WWT does not know; it knows {{1}} {{2}} {{3}}, {{L}} {{X}} {{Y}} and {{Q}}"
        )
    if not literal or re.search(r"[\\:\x00]", literal) or any(part in ("", ".", "..") for part in literal.split("/")):
        raise SourceError(f"{template!r} is not a relative path inside the image's folder")
    return re.compile(_regular(template, str), re.ASCII)


def _regular(template: str, decode: Callable[[str], str]) -> str:
    """Return a regular expression of what `template` can name; equal placeholders stand for the same number."""
    pieces: list[str] = []
    seen: set[str] = set()
    for at, piece in enumerate(_PLACEHOLDER.split(template)):
        name = piece[:1]  # the engine writes the same server for {S} and {S:0}
        if at % 2 == 0:
            pieces.append(re.escape(decode(piece)))
        elif name in seen:
            pieces.append(f"(?P=p{name})")
        else:
            pieces.append(f"(?P<p{name}>{_PLACEHOLDERS[name]})")
            seen.add(name)
    return "".join(pieces) + (_HIPS_END if is_hips(template) else "")


def _filled(template: str, numbers: dict[str, str]) -> str:
    """Return the path of the tile with these numbers; 0 for all others."""
    return _PLACEHOLDER.sub(lambda found: numbers.get(found[1][0], "0"), template)


def _hips_root(template: str) -> str:
    """Return the folder above the orders of a HiPS, with its slash; "" if there is none."""
    return template[: template.lower().find("norder")]


def _by_number(path: Path) -> tuple[int, str]:
    return int("".join(re.findall(r"[0-9]+", path.stem)) or 0), path.suffix
