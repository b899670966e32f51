"""Probe an image's addresses before it is published, and describe what others will see there."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..api.web import ASTRAY, PRIVATE, SLOW, UNREACHABLE, ProbeResult, WebProber
from ..checks.address import is_private_address
from ..schema.placement import THUMBNAIL, URL, is_sky_image, text
from ..schema.tiles import has_tiles, hips_extension, root_tile
from ..text import clipped

if TYPE_CHECKING:
    from ..draft import ImageDraft
    from ..schema.images import ImageSubmission, ImageWwt

THREADS = 16
THUMBNAIL_SIZE = (96, 45)
_SHOWN = 200  # characters of an address in a message

_FITS = "FITS"
_STARTS = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WebP"),
    (re.compile(rb"....ftyp(avif|avis|mif1)", re.DOTALL), "AVIF"),
    (re.compile(rb"BM....\0\0\0\0", re.DOTALL), "BMP"),
    (re.compile(rb"SIMPLE  ="), _FITS),
)
_LONGEST_START = 16
# Content types that do not identify the format; clients then sniff the bytes.
_OPEN_TYPES = {"", "application/octet-stream", "binary/octet-stream", "application/fits"}

_NOT_PUBLIC = (401, 403, 407)
_FAULTS = {
    SLOW: "could not be checked ({}). Open it in a browser",
    UNREACHABLE: "can't be reached from here ({}). Upload it, or fix the address",
    PRIVATE: "leads into a private network ({}) and was not asked: others will not see it. Give its public address",
    ASTRAY: "leads nowhere ({}). Give the address that it should lead to",
}


@dataclass(frozen=True)
class Target:
    """Resource that has to be on the web for an image to be seen.

    Attributes
    ----------
    field : str
        Path of the field that its address comes from.
    what : str
        Its name, with which a message begins.
    url : str
        The address.
    fits : bool
        Whether it has to be a FITS file; otherwise a picture.
    size : tuple of int, optional
        Required width and height in pixels.
    placed : tuple of int, optional
        Width and height in pixels of the image whose pixels the placement counts.
    """

    field: str
    what: str
    url: str
    fits: bool = False
    size: tuple[int, int] | None = None
    placed: tuple[int, int] | None = None


def targets(submission: ImageSubmission, placed: tuple[int, int] | None = None) -> list[Target]:
    """Return what to probe for an image: its first tile or the image itself, and its thumbnail; `placed` as in `placed_size`."""
    template, wwt = submission.storage.legacy_url_template, submission.wwt
    what = "The first tile" if has_tiles(template) else "The image"
    found = [Target(URL, what, first_tile(submission), fits=_is_fits(wwt), placed=placed)]
    if wwt.thumbnail_url:
        found.append(Target(THUMBNAIL, "The thumbnail", wwt.thumbnail_url, size=THUMBNAIL_SIZE))
    return found


def placed_size(draft: ImageDraft) -> tuple[int, int] | None:
    """Return width and height of the single file whose pixels a draft's placement counts; None if they are not known."""
    local, values = draft.local, draft.values
    if local is None or local.tiled or not is_sky_image(values) or has_tiles(text(values, URL)):
        return None
    return local.size


def _is_fits(wwt: ImageWwt) -> bool:
    """Return whether the tiles are FITS files; of a HiPS with several formats, whether those that WWT takes are."""
    if wwt.projection == "Healpix":
        return hips_extension(wwt.file_type) == ".fits"
    return wwt.file_type.lower().startswith(".fit")


def first_tile(submission: ImageSubmission) -> str:
    """Return the address of the tile that covers the whole image; the image's own if it has no tiles."""
    wwt = submission.wwt
    return root_tile(submission.storage.legacy_url_template, wwt.projection, wwt.file_type, wwt.quad_tree_map)


def look_at(
    wanted: Iterable[Target],
    tell: Callable[[int, int], Any] = lambda _done, _total: None,
    *,
    api_url: str,
) -> dict[Target, list[str]]:
    """Return what is wrong with each target, one sentence each. Every address is requested once, 16 in parallel.

    Parameters
    ----------
    wanted : iterable of Target
    tell : function of (int, int), optional
        Called with the number of addresses done and in total. An exception in it cancels the probing.
    api_url : str
        The API to publish to. Addresses in a private network are requested only if the API itself is in one: a file by
        someone else must not send requests into this local network.
    """
    wanted = list(dict.fromkeys(wanted))
    urls = list(dict.fromkeys(target.url for target in wanted))
    if not urls:
        return {}
    at_home = is_private_address(api_url)
    with WebProber() as web, runtime.new_pool(min(THREADS, len(urls)), "probe") as pool:

        def look(url: str) -> ProbeResult:
            return web.probe(url, _tells_enough, private=at_home and is_private_address(url))

        looks: dict[str, ProbeResult] = {}
        for url, found in zip(urls, pool.map(look, urls), strict=True):
            looks[url] = found
            tell(len(looks), len(urls))
    return {
        target: [
            f"{target.field}: {target.what}, {clipped(target.url, _SHOWN)}, {fault}."
            for fault in faults_of(target, looks[target.url])
        ]
        for target in wanted
    }


def faults_of(target: Target, look: ProbeResult) -> Iterator[str]:
    """Yield what is wrong with the result of probing a target, one predicate each."""
    if look.fault:
        yield _FAULTS[look.fault].format(look.detail)
        return
    if look.status in _NOT_PUBLIC:
        yield (
            f"is not public: its server wants to know who asks (status {look.status}), so WWT and its users will not see it. "
            "Put it on a public server, and give that address"
        )
        return
    if look.status != 200:
        yield f"is not there: its server answers with the status {look.status}. Upload it, or fix the address"
        return
    kind = kind_of(look.content)
    served = f"served as {look.content_type}" if look.content_type else "served without a type"
    if kind is None or (kind == _FITS) != target.fits:
        wanted = "FITS file, as the file type says" if target.fits else "picture that browsers know"
        is_ = f"is a {kind} file ({served})" if kind else f"is {served}"
        yield f"{is_} and is no {wanted}. Give the address of the file itself"
        return
    if not look.content_type.startswith("image/") and look.content_type not in _OPEN_TYPES:
        yield f"is a {kind} file but {served}: not everything will show it. Have its server say what it is"
    if not look.shared:
        yield (
            "may not be used by other pages: its server sends no CORS header that allows it, and WWT in a browser can't "
            "show it. Have the server send Access-Control-Allow-Origin: *"
        )
    if target.size and (size := size_of(look.content)) != target.size:
        wide, high = target.size
        is_ = f"is {size[0]} by {size[1]} pixels" if size else f"is a {kind} file whose size could not be read"
        yield f"{is_}: lists show {wide} by {high}. Make one of that size"
    if target.placed and (size := size_of(look.content)) not in (None, target.placed):
        yield (
            f"is {size[0]} by {size[1]} pixels, and an image of {target.placed[0]} by {target.placed[1]} was placed: WWT would draw it in another "
            "size, beside its place. Upload the file that was placed, or make a draft of this one"
        )


def kind_of(content: bytes) -> str | None:
    """Return the image format that begins with these bytes, or None if browsers and WWT do not support it."""
    return next((kind for start, kind in _STARTS if start.match(content)), None)


def size_of(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, GIF or JPEG file that begins with these bytes; None if they lack them."""
    kind = kind_of(content)
    if kind == "PNG" and len(content) >= 24:
        return struct.unpack(">II", content[16:24])
    if kind == "GIF" and len(content) >= 10:
        return struct.unpack("<HH", content[6:10])
    return _jpeg_size(content) if kind == "JPEG" else None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame begins
            high, wide = struct.unpack(">HH", content[at + 5 : at + 9])
            return wide, high
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return None


def _tells_enough(content: bytes) -> bool:
    kind = kind_of(content)
    if kind in ("PNG", "GIF", "JPEG"):
        return size_of(content) is not None
    return kind is not None or len(content) >= _LONGEST_START
