"""Upload a draft's files to the web, verify them, and set the draft's addresses."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..auth.credentials import Secret
from ..errors import HostingError
from ..interface import in_terms, option, run_again
from ..schema.placement import THUMBNAIL, URL, web_address_fault
from ..sources.imagesets import based_at
from .collect import THUMB, Collection, HostedFile, slug_of
from .images_api import is_images_client, put_in_library
from .profiles import HostingProfile, concealed
from .progress import HostingProgress
from .sandbox_store import SandboxStore, UploadSandbox, is_sandbox
from .stores import FolderStore, Store, open_store
from .upload import OnProgress, Upload
from .verify import url_of, verify

if TYPE_CHECKING:
    from ..api import ImagesClient
    from ..draft import ImageDraft


@dataclass(frozen=True)
class Hosted:
    """Result of `host`.

    Attributes
    ----------
    url : str
        The image's address, a template of tile addresses for tiles; "" if the files are in a folder to upload by hand.
    thumbnail_url : str
        The thumbnail's address, "" likewise.
    target : str
        Target of the upload.
    sent, kept : int
        How many files were uploaded, and how many were there already.
    verified : int
        How many were loaded from their public address to verify it.
    advice : str
        What remains to be done, "" if nothing.

    Examples
    --------
    >>> cxw.host(draft, box).url
    """

    url: str
    thumbnail_url: str
    target: str
    sent: int
    kept: int
    verified: int = 0
    advice: str = ""


def host(
    draft: ImageDraft,
    target: str | Path | HostingProfile | ImagesClient | UploadSandbox | None = None,
    public_url: str | None = None,
    *,
    mode: str = "create",
    credentials: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Hosted:
    """Upload a draft's files to web space that you have, verify them, and set the draft's addresses.

    A single picture is uploaded with its thumbnail of 96 x 45 pixels, a tile tree with thumbnail and ``index_rel.wtml``.
    A second call sends only what is missing or differs. What makes an upload visible goes last, so that one that was
    cut off never looks complete. Nothing on the target is ever deleted.

    Parameters
    ----------
    draft : ImageDraft
        A draft made from files on this machine.
    target : str, Path, HostingProfile, ImagesClient or Sandbox, optional
        A folder that a web server serves; ``s3://bucket/folder``, ``gs://…``, ``az://…``; ``sftp://user@server/folder``,
        ``webdavs://server/folder``; ``git:///path/of/a/checkout`` for GitHub Pages; a saved profile; an Images API, for a
        single picture; or a sandbox, from which nothing leaves this machine. Without it the files are written to a new folder beside the notebook, to be uploaded by hand.
    public_url : str, optional
        The address under which browsers find the target's folder. By default what follows from the target.
    mode : {"create", "overwrite"}
        Whether files that are there and differ are replaced. Default "create": they are not, and nothing is sent.
    credentials : dict, optional
        Keys or a password of the service, under the names that it uses (``access_key_id`` and ``secret_access_key`` for S3,
        ``password`` for SFTP and WebDAV). They are not kept. By default those of the environment are used.
    options : dict, optional
        Settings of the service, such as ``endpoint``, ``region``, ``profile`` (of the AWS command line), ``anonymous=True``.
    on_progress : callable, optional
        Called with a `HostingProgress` after each file.
    cancel : threading.Event, optional
        Set it to stop the upload. A later call goes on from there.

    Returns
    -------
    Hosted

    Raises
    ------
    HostingError
        If there is nothing to upload, the target refuses, other files are in the way, or the public address does not work.
        The draft keeps its addresses then.

    Examples
    --------
    >>> cxw.host(draft, "s3://my-bucket/m51")  # doctest: +SKIP
    >>> cxw.host(draft, "~/public_html/m51", "https://example.org/~me/m51/")  # doctest: +SKIP
    """
    require_draft(draft)
    if mode not in ("create", "overwrite"):
        raise HostingError(f'mode= is "create" or "overwrite", not {mode!r}')
    secrets = {name: Secret(value) for name, value in (credentials or {}).items()}
    settings = concealed(options or {})
    credentials = options = None  # tracebacks can show local variables
    tell, stop = on_progress or (lambda _: None), cancel or threading.Event()
    if draft.locked:
        raise HostingError(f"{draft.name!r} is published: its address cannot be changed any more")
    collection = Collection(draft)
    if target is None:
        return _to_folder(draft, collection, tell, stop)
    if is_images_client(target):
        addresses, sent, kept = put_in_library(collection, target, tell, stop)
        wanted = [(file, addresses[file.key]) for file in collection.files() if file.key in addresses]
        tell(HostingProgress("verifying"))
        count = _verified(
            wanted, target.base_url, "Have the server's operator make the library's images public, with CORS"
        )
        url, thumbnail_url, where = addresses[collection.top], addresses[THUMB], target.base_url
    else:
        store, address = _open(target, collection, public_url, settings, secrets)
        with contextlib.closing(store):
            upload = Upload(collection, store, overwrite=mode == "overwrite", on_progress=tell, cancel=stop)
            upload.run()
        tell(HostingProgress("verifying"))
        count = _verified(
            [(file, url_of(address, file.key)) for file in upload.sample],
            store.address,
            store.advice(),
        )
        url, thumbnail_url = based_at(address, collection.template), url_of(address, THUMB)
        where, sent, kept = store.address, upload.sent, upload.kept
    set_addresses(draft, target, url, thumbnail_url)
    tell(HostingProgress("done"))
    return Hosted(url, thumbnail_url, where, sent, kept, count)


def _open(
    target: Any,
    collection: Collection,
    public_url: str | None,
    settings: dict[str, Any],
    secrets: Mapping[str, Secret],
) -> tuple[Store, str]:
    """Return the store of a target, and the public address of its files."""
    if is_sandbox(target):
        sandbox = SandboxStore(target, collection.folder_name)
        return sandbox, sandbox.public_url
    if isinstance(target, HostingProfile):
        settings = dict(target.options) | settings
        public_url, target = public_url or target.public_url or None, target.target
    store = open_store(target, settings, secrets)
    address = public_url or store.public_url
    if not address:
        raise HostingError(f"Give {_public_url()}, the address under which browsers find {store.address}")
    quoted = quote(address, safe="%/:=~@!$&'()*+,;[]")
    if fault := web_address_fault(quoted):
        raise HostingError(f"{_public_url()} {fault}")
    if "?" in address or "#" in address:
        raise HostingError(f"{_public_url()} must not have a query or fragment: give the address of the folder")
    return store, quoted


def _public_url() -> str:
    return option("public_url", "“Public address of the folder”")


def _verified(wanted: list[tuple[HostedFile, str]], where: str, advice: str) -> int:
    """Return how many files were loaded from their addresses; raise an error that lists what is wrong with them."""
    count, faults = verify(wanted)
    if not faults:
        return count
    lines = []
    for fault, urls in faults.items():
        others = f" and {len(urls) - 1} more of {count}" if len(urls) > 1 else ""
        lines.append(f"  {urls[0]}{others}: {fault}.")
    raise HostingError(
        f"The files are at {where}, but cannot be used from their public address:\n"
        + "\n".join(lines)
        + f"\n{advice}. Then {run_again()}: nothing is sent twice"
    )


def set_addresses(draft: ImageDraft, target: Any, url: str, thumbnail_url: str) -> None:
    """Set the addresses of uploaded files. A form restores them after a restart of the kernel, except those of a sandbox, which has ended."""
    apply = draft.update if is_sandbox(target) else draft.edit
    apply({URL: url, THUMBNAIL: thumbnail_url})


def _to_folder(draft: ImageDraft, collection: Collection, tell: OnProgress, stop: threading.Event) -> Hosted:
    folder = Path.cwd() / f"{slug_of(draft.name)}-for-the-web"
    upload = Upload(collection, FolderStore(folder), overwrite=True, on_progress=tell, cancel=stop)
    upload.run()
    advice = f"Upload the contents of {folder} to your web server, then enter " + in_terms(
        "the folder's address with draft.host_at(…)",
        "the image's address",
        "the address that the picture has there below",
    )
    return Hosted("", "", str(folder), upload.sent, upload.kept, 0, advice)


def require_draft(draft: object) -> None:
    """Raise HostingError if an argument is not a draft."""
    from ..draft import ImageDraft

    if not isinstance(draft, ImageDraft):
        raise HostingError(
            f"A draft is needed, not {type(draft).__name__}: make one with ImageDraft.from_image, from_fits or from_wtml"
        )
