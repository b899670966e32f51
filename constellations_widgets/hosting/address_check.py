"""Check one address of a draft as the site's page would load it: "Test this address"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..api.web import WebProber
from ..checks.address import is_private_address
from ..checks.pages import page_address
from ..errors import HostingError
from ..publishing.probes import THUMBNAIL_SIZE, Target, faults_of, kind_of, placed_size, size_of
from ..schema.placement import THUMBNAIL, URL
from ..schema.tiles import has_tiles, hips_extension, root_tile

if TYPE_CHECKING:
    from ..draft import ImageDraft


@dataclass(frozen=True)
class AddressCheck:
    """Result of `check_address`.

    Attributes
    ----------
    url : str
        The address that was requested: that of the first tile, for a template of tile addresses.
    status : int
        The HTTP status; 0 without a response.
    content_type : str
        The type that the server declares, such as ``"image/png"``.
    kind : str
        What the bytes are: "PNG", "JPEG", "FITS", …; "" if that is not known.
    size : (int, int) or None
        Width and height in pixels, where they are known.
    shared : bool
        Whether pages of other sites may use the file (CORS).
    faults : tuple of str
        What prevents others from seeing the image, one predicate each; empty if the address works.
    file_url : str
        The address to use instead, if this one is of a web page about the file and the service has one; else "".

    Examples
    --------
    >>> check = cxw.check_address(draft, private=True)
    >>> check.works, check.status, check.faults
    """

    url: str
    status: int = 0
    content_type: str = ""
    kind: str = ""
    size: tuple[int, int] | None = None
    shared: bool = False
    faults: tuple[str, ...] = ()
    file_url: str = ""

    @property
    def works(self) -> bool:
        """Return whether others will see the file."""
        return not self.faults


def check_address(draft: ImageDraft, field: str = URL, *, private: bool = False) -> AddressCheck:
    """Request an address of a draft as WWT's site would, and return what is there.

    Parameters
    ----------
    draft : ImageDraft
    field : {"storage.legacy_url_template", "wwt.thumbnail_url"}
        The field that holds the address. Default: the image's.
    private : bool, optional
        Whether to request also an address on this machine or in its network. Default False: a draft made from
        somebody's file must not send requests to the machines around this one.

    Returns
    -------
    AddressCheck

    Raises
    ------
    HostingError
        If the field holds no address.

    Examples
    --------
    >>> cxw.check_address(draft, "wwt.thumbnail_url", private=True)
    """
    if field not in (URL, THUMBNAIL):
        raise HostingError(f"field= is {URL!r} or {THUMBNAIL!r}, not {field!r}")
    address = str(draft[field] or "").strip()
    if not address:
        raise HostingError("There is no address to test: enter one first")
    target = _target(draft, field, address)
    page = page_address(address)
    with WebProber() as web:
        found = web.probe(target.url, lambda content: False, private=private and is_private_address(target.url))
    kind = kind_of(found.content) or ""
    faults = tuple(faults_of(target, found))
    if page is not None:
        faults = (f"is a page of {page.service}, not the file itself: {page.advice}", *faults)
    return AddressCheck(
        url=target.url,
        status=found.status,
        content_type=found.content_type,
        kind=kind,
        size=size_of(found.content),
        shared=found.shared,
        faults=faults,
        file_url=page.file_url if page else "",
    )


def _target(draft: ImageDraft, field: str, address: str) -> Target:
    if field == THUMBNAIL:
        return Target(field, "The thumbnail", address, size=THUMBNAIL_SIZE)
    projection, file_type, quads = (
        str(draft[f"wwt.{name}"] or "") for name in ("projection", "file_type", "quad_tree_map")
    )
    ending = hips_extension(file_type) if projection == "Healpix" else file_type.lower()
    what = "The first tile" if has_tiles(address) else "The image"
    first = root_tile(address, projection, file_type, quads)
    return Target(field, what, first, fits=ending.startswith(".fit"), placed=placed_size(draft))
