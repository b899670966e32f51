"""The complete sandbox: both APIs, the identity provider and a file server on one port of the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import SandboxError
from . import tokens
from .app import ConstellationsApp
from .auth import TokenReader
from .faults import ConnectionTellingProtocol, Faults
from .files import files_app
from .guard import PageOrigins, require_loopback_host
from .identity import IdentityProvider, IdentityRules
from .library import LibraryApp
from .library_store import LibraryStore, LibraryUser
from .store import Store

if TYPE_CHECKING:
    from ..api import Constellations, ImagesClient
    from ..auth import Credentials

__all__ = ["Sandbox"]

#: Lifetime of a token of `Sandbox.token` in seconds: a working day, since nothing renews it.
TOKEN_LIFETIME = 12 * 3600

_HOST = "127.0.0.1"
_LIBRARY = "/library"  # path of the Images API
_UPLOADS = "/uploads"
_START_TIMEOUT = 10.0

started: weakref.WeakValueDictionary[str, Sandbox] = weakref.WeakValueDictionary()
"""The sandboxes of this process that are running, by the address of their API."""


class Sandbox:
    """Local server that behaves as WWT Constellations does.

    ::

        with cxw.Sandbox() as box:
            client = box.client()
            client.add_image(box.handle, submission)

    Parameters
    ----------
    handle : str, default "sandbox"
        The handle that is there from the start. Its owner is the account that signs in.
    display_name : str, default "Sandbox"
    port : int, default 0
        Where to listen on the loopback interface; 0 takes any free port.
    path : path, optional
        An SQLite file that keeps what is published; the images of the Images API then lie in a folder of its name and
        `.images` beside it, uploaded files in one of its name and `.uploads`. By default the one is in memory, the others
        are in temporary folders.
    files : path, optional
        A folder to serve at `files_url`, without hidden files and links that lead out of it. Programs that hold a token of
        the sandbox may also upload files there (PUT).
    origins : iterable of str, optional
        Pages that may read these files besides those of this machine (any port) and VS Code, such as
        ``"http://workstation.example.org:8888"``.

    Attributes
    ----------
    faults : Faults
        What goes wrong, on demand: nothing by default. It can be set before the server runs.
    identity : IdentityRules
        How the identity provider behaves: how long its tokens last, whether it asks. It can be set before, too.

    Raises
    ------
    SandboxError
        If the port is taken, `path` is no database, or `files` is no folder; and by whatever needs a running server,
        when it isn't.

    Examples
    --------
    >>> with cxw.Sandbox() as box:
    ...     box.client().may_add_images(box.handle)
    True
    """

    def __init__(
        self,
        *,
        handle: str = "sandbox",
        display_name: str = "Sandbox",
        port: int = 0,
        path: Path | str | None = None,
        files: Path | str | None = None,
        origins: Iterable[str] = (),
    ):
        self.handle = handle
        self.faults = Faults()
        self.identity = IdentityRules()
        self._display_name, self._port, self._path = display_name, port, path
        self._files = Path(files).absolute() if files is not None else None  # the process may go to another folder
        self._origins = PageOrigins(origins)
        self._running: _Running | None = None
        self._finalizer: weakref.finalize[..., Sandbox] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._running is None:
            return f"Sandbox(handle={self.handle!r}, not running)"
        urls = f"api_url={self.api_url!r}, keycloak_url={self.keycloak_url!r}"
        return f"Sandbox({urls}, handle={self.handle!r})"

    def start(self) -> Self:
        """Start listening, and return when requests are answered. Does nothing if it runs already."""
        if self._running is None:
            if self._files is not None and not self._files.is_dir():
                raise SandboxError(
                    f"files={str(self._files)!r} is not a folder; name one that holds the files to serve"
                )
            rules = (self._origins, self.faults, self.identity)
            running = _Running(self.handle, self._display_name, self._port, self._path, self._files, *rules)
            self._running = running
            self._finalizer = weakref.finalize(self, running.stop)
            started[self.api_url] = self
        return self

    def close(self) -> None:
        """Stop listening. Data in memory is lost. Closing twice does no harm."""
        if self._finalizer is not None:
            started.pop(self.api_url, None)
            self._finalizer()
        self._running = self._finalizer = None

    @property
    def api_url(self) -> str:
        """Base address of the API, without a final slash."""
        return self._server.url

    @property
    def keycloak_url(self) -> str:
        """Base address of the identity provider, without a final slash.

        The issuer of the tokens is `{keycloak_url}/realms/constellations`.
        """
        return self._server.url

    @property
    def images_url(self) -> str:
        """Base address of the Images API, without a final slash."""
        return self._server.url + _LIBRARY

    @property
    def files_url(self) -> str:
        """Address at which the folder `files` is served, without a final slash."""
        if self._files is None:
            raise SandboxError("This sandbox serves no files; start it with files=<folder>")
        return f"{self._server.url}/files"

    @property
    def uploads_url(self) -> str:
        """Address of the sandbox's own folder for uploads (PUT, with `token`), which everyone may read; no final slash.

        ``cxw.host(draft, box)`` uploads to it.
        """
        return self._server.url + _UPLOADS

    @property
    def files(self) -> Path | None:
        """The folder that is served at `files_url`, if there is one."""
        return self._files

    @property
    def account(self) -> str:
        """The account that owns `handle`: the `sub` of its tokens."""
        return account_of(self.handle)

    def token(
        self,
        *,
        account: str | None = None,
        lifetime: float = TOKEN_LIFETIME,
        roles: Iterable[str] = (),
        expired: bool = False,
        claims: dict[str, Any] | None = None,
    ) -> str:
        """Return a new access token.

        Parameters
        ----------
        account : str, optional
            Its account; the owner of `handle` by default. Any text makes another account.
        lifetime : float, default 12 hours
            Seconds for which it is valid.
        roles : iterable of str
            Realm roles, such as "manage-astropix".
        expired : bool, default False
            Make one that expired a minute ago.
        claims : dict, optional
            Claims to change; None as a value leaves one out.
        """
        account = self.account if account is None else account
        lifetime = -60 if expired else lifetime
        issuer = tokens.issuer_of(self.keycloak_url)
        username = self.handle if account == self.account else ""
        return tokens.access_token(issuer, account, username=username, lifetime=lifetime, roles=roles, claims=claims)

    def add_handle(self, handle: str, display_name: str | None = None, *, owner: str | None = None) -> None:
        """Add a handle, or change the owner of an existing one.

        Parameters
        ----------
        display_name : str, optional
            The handle itself by default.
        owner : str, optional
            An account; the owner of the sandbox's own handle by default.
        """
        self._server.store.add_handle(handle, display_name or handle, [owner or self.account])

    def add_background(self, image_id: str, sort_key: int = 0) -> None:
        """Add an image to the built-in backgrounds, in the order of their sort keys."""
        self._server.store.mark_background(image_id, sort_key)

    def client(self) -> Constellations:
        """Return a client that is signed in as the owner of `handle`."""
        # The only imports of the package in the sandbox: a convenience, not part of the server.
        from ..api import Constellations

        return Constellations(self.api_url, auth=self.token())

    @property
    def library(self) -> LibraryStore:
        """Data of the Images API: `add_user`, `add` and `fill` prepare it for a test."""
        return self._server.library

    @property
    def images_user(self) -> LibraryUser:
        """The initial user of the Images API, with name and password."""
        user = self.library.user(self.handle)
        assert user is not None
        return user

    def images_token(self, name: str | None = None, *, lifetime: float = TOKEN_LIFETIME, expired: bool = False) -> str:
        """Return a new token of the Images API: of `images_user`, or of the user of that name."""
        return self._server.library_app.token(name or self.handle, -60 if expired else lifetime)

    def fill_library(self, count: int) -> None:
        """Add `count` small pictures to the library of the Images API, which `images_user` may rename and delete."""
        self.library.fill(count, constellation=self.handle)

    def images_auth(self) -> Credentials:
        """Return credentials of `images_user` for the Images API."""
        from ..auth import Credentials

        return Credentials.token(self.images_token())

    def images_client(self) -> ImagesClient:
        """Return a client of the Images API that is signed in as `images_user`."""
        from ..api import ImagesClient

        return ImagesClient(self.images_url, self.images_auth())

    @property
    def _server(self) -> _Running:
        if self._running is None:
            raise SandboxError("The sandbox is not running: use it in a `with` block, or call start() first")
        return self._running


def account_of(handle: str) -> str:
    """Return the account made with a handle: always the same, so that a database file can be opened again."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"constellations-sandbox:{handle}"))


class _Server(uvicorn.Server):
    """A server that ends at once when it is told to: uvicorn's own notices it, and waits for responses, for 0.1 s each."""

    def __init__(self, config: uvicorn.Config):
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    def end(self) -> None:
        """Stop without waiting for requests in progress; any thread may call it."""
        self.force_exit = self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Do what is due from time to time, until the server is told to end."""
        self._loop = asyncio.get_running_loop()
        told = asyncio.ensure_future(self._told.wait())
        ticking = asyncio.ensure_future(super().main_loop())
        await asyncio.wait((told, ticking), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        ticking.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close all connections."""
        for closing in (*self.servers, *(sockets or ())):
            closing.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()


class _Running:
    """Running server. It has no reference to the Sandbox, so that an unreferenced Sandbox is collected and stops it."""

    def __init__(
        self,
        handle: str,
        display_name: str,
        port: int,
        path: Path | str | None,
        files: Path | None,
        origins: PageOrigins,
        faults: Faults,
        identity: IdentityRules,
    ):
        listener = _listen(port)
        self.url = f"http://{_HOST}:{listener.getsockname()[1]}"
        try:
            self.store = Store(path)
            self.library = LibraryStore(None if path is None else Path(f"{path}.images"))
            self.own_uploads = tempfile.TemporaryDirectory(prefix="cxw-uploads-") if path is None else None
            uploads = Path(self.own_uploads.name if self.own_uploads else f"{path}.uploads").absolute()
            uploads.mkdir(exist_ok=True)
        except (sqlite3.Error, OSError) as error:
            listener.close()
            raise SandboxError(
                f"path={str(path)!r} can't be used as the sandbox's database ({error}); name a new file in a folder "
                "that exists, or one that a sandbox made"
            ) from None
        self.library.add_user(handle)
        self.library_app = LibraryApp(self.library, self.url + _LIBRARY, _LIBRARY)
        self.workers = ThreadPoolExecutor(8, thread_name_prefix="sandbox")
        account = account_of(handle)
        self.store.add_handle(handle, display_name, [account])
        folders = {_UPLOADS: uploads} | ({"/files": files} if files is not None else {})
        services = self._mount(IdentityProvider(self.url, account, handle, identity), folders, origins, account)
        config = uvicorn.Config(
            require_loopback_host(faults.around(services)),
            http=ConnectionTellingProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        self.server = _Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([listener],), name="sandbox", daemon=True)
        self.thread.start()
        deadline = time.monotonic() + _START_TIMEOUT
        while not self.server.started:
            if not self.thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise SandboxError("The sandbox server did not start; the log of uvicorn says why")
            time.sleep(0.002)

    def _mount(
        self, identity: IdentityProvider, folders: Mapping[str, Path], origins: PageOrigins, account: str
    ) -> ASGIApp:
        """Return one application that dispatches by path prefix. The API takes the rest, unknown paths included.

        Further services go into this table; what applies to all requests goes around the result, as the faults do.
        """
        prefixes: dict[str, ASGIApp] = {"/realms/": identity.app}
        prefixes[f"{_LIBRARY}/"] = self.library_app.app
        issuer = tokens.issuer_of(self.url)
        for prefix, folder in folders.items():
            prefixes[f"{prefix}/"] = files_app(prefix, folder, origins, TokenReader(issuer), account)
        api = ConstellationsApp(self.store, issuer, self.workers)

        async def front(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"]
            app = next((app for prefix, app in prefixes.items() if path.startswith(prefix)), api)
            await app(scope, receive, send)

        return front

    def stop(self) -> None:
        """Stop without waiting for requests in progress."""
        self.server.end()
        if self.thread is not threading.current_thread():
            self.thread.join(timeout=5)
        self.workers.shutdown(wait=False, cancel_futures=True)
        self.store.close()
        self.library.close()
        if self.own_uploads is not None:
            self.own_uploads.cleanup()


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY; without it every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SandboxError(f"Port {port} can't be used ({error}); choose another, or 0 for any free one") from error
    return listener
