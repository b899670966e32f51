"""An image on this machine's disk: a tile tree or a single file, and nothing beside it."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
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

    Raises
    ------
    SourceError
        If `template` could name a file outside `root`, or has a placeholder that WWT does not know.
    """

    root: Path
    template: str
    size: tuple[int, int] | None = None
    _allowed: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root).expanduser().absolute())
        object.__setattr__(self, "_allowed", _pattern(self.template))

    @property
    def tiled(self) -> bool:
        """Whether this is a tree of tiles rather than one file."""
        return _PLACEHOLDER.search(self.template) is not None

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
        file = (self.root / unquote(relative)).resolve()
        if not file.is_relative_to(self.root.resolve()):
            raise PermissionError(f"{relative!r} leads out of the image's folder")
        # A link that took the file's place after it was resolved is not followed; opening a pipe does not wait.
        with open(os.open(file, os.O_RDONLY | _NOFOLLOW), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise FileNotFoundError(f"{relative!r} is not a file")
            return stream.read()


def _pattern(template: str) -> re.Pattern[str]:
    """Matches all paths that `template` can name; the same placeholder stands for the same number everywhere."""
    pieces, seen, end = [], set(), 0
    for found in _PLACEHOLDER.finditer(template):
        name = found[1]
        if name not in _PLACEHOLDERS:
            break
        pieces.append(re.escape(template[end : found.start()]))
        pieces.append(f"(?P=p{name})" if name in seen else f"(?P<p{name}>{_PLACEHOLDERS[name]})")
        seen.add(name)
        end = found.end()
    rest = template[end:]
    literal = unquote(_PLACEHOLDER.sub("0", template))
    if re.search(r"[{}]", rest):
        raise SourceError(
            f"{template!r} has a placeholder that WWT does not know; it knows {{1}} {{2}} {{3}}, {{L}} {{X}} {{Y}} and {{Q}}"
        )
    if not literal or re.search(r"[\\:\x00]", literal) or any(part in ("", ".", "..") for part in literal.split("/")):
        raise SourceError(f"{template!r} is not a relative path inside the image's folder")
    return re.compile("".join(pieces) + re.escape(rest), re.ASCII)
