"""Verify that files can be loaded from their public address, as the page of a stranger's browser would load them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from .. import runtime
from ..api.web import MOST_BYTES, WebProber
from ..checks.address import is_private_address
from ..publishing.probes import Target, faults_of, kind_of
from .collect import HostedFile

SAMPLE = 3
"""Tiles of each level that are picked at random, beside the first and the last."""
THREADS = 16


@dataclass
class Sample:
    """The first, the last and randomly chosen other files of one level, sampled in a single pass."""

    first: HostedFile | None = None
    last: HostedFile | None = None
    others: list[HostedFile] = field(default_factory=list)
    seen: int = 0

    def add(self, file: HostedFile) -> None:
        """Add one more file; each has the same chance to be sampled (reservoir sampling)."""
        self.first, self.last, self.seen = self.first or file, file, self.seen + 1
        if len(self.others) < SAMPLE:
            self.others.append(file)
        elif (at := int(random.random() * self.seen)) < SAMPLE:
            self.others[at] = file

    def __iter__(self) -> Iterator[HostedFile]:
        picked = [each for each in (self.first, self.last, *self.others) if each is not None]
        return iter({file.key: file for file in picked}.values())


class Sampler:
    """The files to verify: a sample of each level, and the thumbnail."""

    def __init__(self) -> None:
        self._levels: defaultdict[int, Sample] = defaultdict(Sample)

    def add(self, file: HostedFile) -> None:
        """Add one more file; those that no browser draws are left out."""
        if file.is_picture:
            self._levels[file.level].add(file)

    def files(self) -> list[HostedFile]:
        """Return the files, in the order of levels."""
        return [file for level in sorted(self._levels) for file in self._levels[level]]


def verify(files: Iterable[tuple[HostedFile, str]]) -> tuple[int, dict[str, list[str]]]:
    """Load files from their public addresses, with the origin of WWT's site, without cookies.

    Parameters
    ----------
    files : iterable of (HostedFile, str)
        Each file with its address.

    Returns
    -------
    count : int
        How many were loaded.
    faults : dict
        Fault, as a predicate → the addresses with that fault; empty if every file arrived complete, with the right
        type, for pages of any site.
    """
    wanted = list(files)
    with WebProber() as web, runtime.new_pool(THREADS, "verify") as pool:

        def load(given: tuple[HostedFile, str]) -> list[str]:
            file, url = given
            answer = web.probe(url, lambda content: False, private=is_private_address(url))
            expected = file.read()[:MOST_BYTES]
            target = Target("", file.key, url, fits=kind_of(expected) == "FITS")
            faults = list(faults_of(target, answer))
            if not faults and answer.content[: len(expected)] != expected:
                faults = [
                    "does not have the bytes that were uploaded: another file, or an old copy in a cache, is served. "
                    "Wait until caches have expired, or use a new folder"
                ]
            return faults

        found: dict[str, list[str]] = {}
        for (_, url), faults in zip(wanted, pool.map(load, wanted), strict=True):
            for fault in faults:
                found.setdefault(fault, []).append(url)
        return len(wanted), found


def url_of(public_url: str, key: str) -> str:
    """Return the address of a file below the public address of its folder."""
    return f"{public_url.rstrip('/')}/{quote(key)}"
