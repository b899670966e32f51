"""What a page may read of this machine's disk: what was registered under a name, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

Reader = Callable[[str], bytes]
"""The bytes of one file, by its path inside the root. Raises an OSError for what there is not, or may not be read; a SourceError
for what ought to be there, with words for the user."""


class ServedFiles:
    """The files that one preview shows to its page, each root under a name of its own."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}

    def add(self, name: str, read: Reader) -> None:
        """Let the page read what `read` finds, as ``name/…``; the name holds no slash."""
        self._readers[name] = read

    def remove(self, name: str) -> None:
        """End that; a name that is not there is no error."""
        self._readers.pop(name, None)

    def read(self, path: str) -> bytes | None:
        """The bytes at ``name/…``; None for a hole in a pyramid and for anything that is not to be read.

        Raises
        ------
        SourceError
            What ought to be there and can't be read; the message is for the user.
        """
        name, _, rest = path.partition("/")
        read = self._readers.get(name)
        try:
            return read(rest) if read is not None else None
        except OSError:
            return None
