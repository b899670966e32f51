"""Files that a page may read from the kernel's disk: those that were registered under a name."""

from __future__ import annotations

from collections.abc import Callable

Reader = Callable[[str], bytes]
"""Reads one file by its path inside the root. Raises OSError if it does not exist or may not be read, and SourceError, with a
message for the user, if it should exist but can't be read."""


class FileRegistry:
    """Files of one preview, each root under a name of its own."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}

    def add(self, name: str, read: Reader) -> None:
        """Let the page read files with `read`, as ``name/…``; the name contains no slash."""
        self._readers[name] = read

    def remove(self, name: str) -> None:
        """Remove a root, if there is one of this name."""
        self._readers.pop(name, None)

    def read(self, path: str) -> bytes | None:
        """Return the bytes at ``name/…``; None for a hole in a pyramid and for anything that may not be read.

        Raises
        ------
        SourceError
            If the file should exist but can't be read; the message is for the user.
        """
        name, _, rest = path.partition("/")
        read = self._readers.get(name)
        try:
            return read(rest) if read is not None else None
        except OSError:
            return None
