"""Progress of an upload."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class HostingProgress:
    """Progress of an upload.

    Attributes
    ----------
    stage : {"listing", "uploading", "verifying", "done"}
        Current stage.
    files, total_files : int
        Files that are in place, and all files.
    bytes, total_bytes : int
        The same in bytes.
    rate : float
        Bytes uploaded per second so far; 0 before the first file.

    Examples
    --------
    >>> cxw.host(draft, box, on_progress=lambda it: print(f"{it.files} of {it.total_files} files"))
    """

    stage: str
    files: int = 0
    total_files: int = 0
    bytes: int = 0
    total_bytes: int = 0
    rate: float = 0.0

    @property
    def left(self) -> float | None:
        """Return the seconds that remain at this rate; None before it is known."""
        return (self.total_bytes - self.bytes) / self.rate if self.rate > 0 else None

    def __str__(self) -> str:
        if self.stage != "uploading":
            return {"listing": "Comparing with what is there", "verifying": "Verifying the public address"}.get(
                self.stage, "Done"
            )
        left = f", {self.left:.0f} s left" if self.left is not None else ""
        return f"{self.files} of {self.total_files} files, {self.rate / 1e6:.1f} MB/s{left}"


class Meter:
    """Counter of the files and bytes of an upload."""

    def __init__(self, files: int, size: int):
        self.total_files, self._total_size = files, size
        self._files = self._bytes = self._sent = 0
        self._began = time.monotonic()

    def add(self, size: int, *, sent: bool) -> HostingProgress:
        """Count one file; `sent` tells whether it had to be uploaded."""
        self._files += 1
        self._bytes += size
        self._sent += size if sent else 0
        taken = max(time.monotonic() - self._began, 1e-3)
        return HostingProgress(
            "uploading", self._files, self.total_files, self._bytes, self._total_size, self._sent / taken
        )

    def all_there(self) -> HostingProgress:
        """Return the progress of an upload with nothing to send."""
        files, size = self.total_files, self._total_size
        return HostingProgress("uploading", files, files, size, size)
