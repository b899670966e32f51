"""The images of the library, searched and sorted in the kernel; the page gets a window of them at a time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from ...schema.records import LibraryImage

SHOWN_NAME = 300
"""Characters of a name in the grid; an opened image has all of them."""

ORDERS = {"name": False, "name-down": True}
"""Orders by name, and whether they are descending. Any other order is the server's."""


class LibraryRows:
    """The images of the library. Any thread may use it."""

    def __init__(self) -> None:
        self._images: dict[str, LibraryImage] = {}
        self._keys: dict[str, str] = {}
        self._found: dict[tuple[str, str], list[str]] = {}
        self._changed: dict[str, LibraryImage | None] = {}  # since `begin_list`; None is a removal
        self._lock = threading.Lock()
        self.revision = 0
        """Grows with every change."""

    def __len__(self) -> int:
        return len(self._images)

    def get(self, id: str) -> LibraryImage | None:
        """Return an image, or None if it is not in the library."""
        return self._images.get(id)

    def begin_list(self) -> None:
        """Note the changes from now on: a list that is requested now may lack them."""
        with self._lock:
            self._changed = {}

    def set_all(self, images: Iterable[LibraryImage]) -> None:
        """Replace all images by those of a list, but for the changes since `begin_list`."""
        with self._lock:
            listed: dict[str, LibraryImage | None] = {image.id: image for image in images}
            listed |= self._changed
            self._replace({id: image for id, image in listed.items() if image is not None})

    def put(self, image: LibraryImage) -> None:
        """Add an image, or replace it in its place."""
        with self._lock:
            self._changed[image.id] = image
            self._replace(self._images | {image.id: image})

    def remove(self, id: str) -> None:
        """Remove an image."""
        with self._lock:
            self._changed[id] = None
            self._replace({other: image for other, image in self._images.items() if other != id})

    def window(self, start: int, end: int, search: str, order: str) -> tuple[list[LibraryImage], int]:
        """Return the images from `start` to before `end` of those whose names contain all words of `search`, and their number."""
        with self._lock:
            found = self._found.get((search, order))
            if found is None:
                found = self._find(search, order)
                if len(self._found) > 8:
                    self._found.clear()
                self._found[search, order] = found
            return [self._images[id] for id in found[max(start, 0) : end]], len(found)

    def index(self, id: str, search: str, order: str) -> int | None:
        """Return the number of an image in the list of `window`, or None if it is not in it."""
        self.window(0, 0, search, order)
        with self._lock:
            found = self._found.get((search, order), [])
            return found.index(id) if id in found else None

    def _replace(self, images: dict[str, LibraryImage]) -> None:
        self._images = images
        self._found.clear()
        self._keys.clear()
        self.revision += 1

    def _find(self, search: str, order: str) -> list[str]:
        words = search.casefold().split()
        names = {id: image.name.casefold() for id, image in self._images.items()} if words else self._images
        found = [id for id in names if all(word in names[id] for word in words)]
        if order not in ORDERS:
            return found
        if not self._keys:
            self._keys = {id: _key(image.name) for id, image in self._images.items()}
        return sorted(found, key=self._keys.__getitem__, reverse=ORDERS[order])


def _key(name: str) -> str:
    """Return a key that sorts names without regard to case, and 9 before 10."""
    return re.sub(r"\d+", lambda digits: digits[0].lstrip("0").zfill(12), name.casefold())
