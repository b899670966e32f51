"""Host a single picture, with its thumbnail, in an Images API."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from ..errors import ApiError, HostingError
from ..text import stem_of
from .collect import THUMB, Collection, HostedFile
from .progress import HostingProgress, Meter

if TYPE_CHECKING:
    from ..api import ImagesClient
    from .upload import OnProgress


def is_images_client(target: Any) -> TypeGuard[ImagesClient]:
    """Return whether a target is a client of an Images API, without loading its module."""
    return hasattr(target, "upload") and hasattr(target, "base_url")


def put_in_library(
    collection: Collection, images: ImagesClient, tell: OnProgress, cancel: threading.Event
) -> tuple[dict[str, str], int, int]:
    """Upload picture and thumbnail unless the library has the same bytes under the same name.

    Returns
    -------
    addresses : dict
        Key of each file → its public address, as the server names it.
    sent, kept : int

    Raises
    ------
    HostingError
        For a tile tree, or if the server refuses or names no address.
    """
    if collection.local.tiled:
        raise HostingError(
            "An Images API holds single pictures, not tile trees: choose a folder or a bucket as the target"
        )
    tell(HostingProgress("listing"))
    picture, thumb = [file for file in collection.files() if not file.key.endswith(".wtml")]
    stem = stem_of(picture.key)
    wanted = {picture.key: picture, f"{stem}-{THUMB}": thumb}
    meter = Meter(len(wanted), sum(file.size for file in wanted.values()))
    addresses: dict[str, str] = {}
    sent = 0
    try:
        there = images.list()
        for name, file in wanted.items():
            data = file.read()
            same = (each for each in there if each.name == name and each.url and images.open(each) == data)
            image = next(same, None)
            tell(meter.add(file.size, sent=image is None))
            if image is None:
                image, sent = _upload(images, name, file, data, cancel), sent + 1
                if not image.url:  # the response to an upload may leave it out, where the list has it
                    image = next((each for each in images.list() if each.id == image.id), image)
            if not image.url:
                raise HostingError(
                    f"The Images API {images.base_url} did not say at which address {name!r} can be loaded, so it cannot be "
                    "used for publishing. Choose another target"
                )
            addresses[file.key] = image.url
    except ApiError as error:
        raise HostingError(f"The upload to {images.base_url} stopped: {error}") from None
    return addresses, sent, len(wanted) - sent


def _upload(images: ImagesClient, name: str, file: HostedFile, data: bytes, cancel: threading.Event) -> Any:
    if isinstance(file.source, str):
        return images.upload(Path(file.source), name=name, stop=cancel)
    with tempfile.TemporaryDirectory(prefix="cxw-") as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        return images.upload(path, name=name, stop=cancel)
