"""Signing in, in a notebook: a link and a code, a page, a password or a token; then who is signed in, and what they may do.

What is typed here travels once, as a message, into the kernel's session. No trait ever holds it, and nothing answers with it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..api.credentials import IMAGES_TOKEN_VARIABLE, TOKEN_VARIABLE, token_in_environment
from ..api.signing_in.believed import check_token
from ..api.signing_in.code_flow import CodeFlow
from ..api.signing_in.images_login import images_login
from ..api.signing_in.official_cache import official_cache_exists
from ..api.signing_in.realms import realm_of
from ..api.signing_in.sessions import KeptSession, Session
from ..api.signing_in.sign_in import accept_official, begin
from ..errors import ConstellationsError, NoAnswerError, NotFoundError, NotSentError, SignInError
from .answering import let_pages_choose_the_thread
from .static import built

if TYPE_CHECKING:
    from ..api import Constellations, ImagesClient
    from ..api.signing_in.device_flow import DeviceFlow

_NOTHING = {"progress": "", "message": "", "link": "", "user_code": "", "pastes": False, "paste_message": ""}
_NOBODY = {"username": "", "may": "", "handle_message": ""}
_MESSAGES = frozenset({"start", "cancel", "paste", "token", "login", "official", "sign_out", "handle"})
_LONGEST = 20_000  # characters of what is typed


class SignIn(anywidget.AnyWidget):
    """Signs in at the Constellations API or at the Images API, without making the kernel wait.

    An earlier sign-in that the identity server still knows, or a token in the environment, is used without asking.

    Parameters
    ----------
    api_url : str, optional
        The Constellations API. By default ``NUXT_PUBLIC_API_URL`` of the environment, else production.
    images_url : str, optional
        Sign in at this Images API instead, with name and password.
    handle : str, optional
        Under which you publish: whether you may is shown after signing in. By default the account's name, if there is such a
        handle.
    keycloak_url, client_id : str, optional
        As for `sign_in`.

    Attributes
    ----------
    credentials : Session
        For clients: ``Constellations(api_url, auth=signed.credentials)``. Whoever signs in, now or later, signs in all clients
        that hold it; whoever signs in again after the sign-in has ended goes on where they were stopped.

    Raises
    ------
    SignInError
        If no identity server is known for the API.
    NotSentError
        If an address is none.

    Examples
    --------
    >>> signed = cxw.SignIn()  # doctest: +SKIP
    >>> signed  # doctest: +SKIP
    >>> client = signed.client()  # doctest: +SKIP
    """

    status = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        api_url: str | None = None,
        *,
        images_url: str | None = None,
        handle: str = "",
        keycloak_url: str | None = None,
        client_id: str | None = None,
    ):
        self._esm, self._css = built("sign_in.js"), built("sign_in.css")
        if images_url is None:
            session: Session = KeptSession(realm_of(api_url, keycloak_url=keycloak_url, client_id=client_id))
        elif api_url is not None:
            raise SignInError("SignIn takes one service: api_url or images_url. Show one widget for each.")
        else:
            session = Session(images_url, widget=f"cxw.SignIn(images_url={images_url!r})")
        self.credentials = session
        self._handle = handle.strip().removeprefix("@")
        self._flow: DeviceFlow | CodeFlow | None = None
        self._look: threading.Thread | None = None
        self._cancelled = threading.Event()
        self._showing = threading.RLock()
        super().__init__(status=self._first_status())
        self.on_msg(self._received)
        self._stop_listening = session.on_change(self._session_changed)
        self._work("Looking for an earlier sign-in …", self._find_earlier)

    @property
    def signed_in(self) -> bool:
        """Whether somebody is signed in."""
        return self.credentials.signed_in

    @property
    def handle(self) -> str:
        """The handle that was last asked about."""
        return self._handle

    def client(self, **options: Any) -> Constellations | ImagesClient:
        """A client of the API with this sign-in, be it before or after somebody has signed in.

        Parameters
        ----------
        **options
            As for `Constellations` or `ImagesClient`, such as ``timeout``.
        """
        from .. import api

        client = api.Constellations if isinstance(self.credentials, KeptSession) else api.ImagesClient
        return client(self.credentials.api_url, self.credentials, **options)

    def open(self) -> None:
        super().open()
        let_pages_choose_the_thread(self.comm)

    def close(self) -> None:
        self._cancelled.set()
        self._stop_listening()
        super().close()

    def __repr__(self) -> str:
        return f"<SignIn at {self.credentials.api_url}: run the cell to see it>"

    # -- what the page asks for

    def _received(self, _widget: Any, message: Any, _buffers: Any) -> None:
        kind = message.get("kind") if isinstance(message, dict) else None
        if kind in _MESSAGES:
            getattr(self, f"_on_{kind}")(message)

    def _on_start(self, message: Mapping[str, Any]) -> None:
        near = message.get("near") is True  # the page's browser runs on this machine, as far as it can tell
        self._work("Asking the identity server …", lambda cancelled: self._by_browser(near, cancelled))

    def _on_cancel(self, _message: Mapping[str, Any]) -> None:
        with self._showing:
            self._cancelled.set()
            self._flow = None
            self._show("in" if self.credentials.has_token else "out")

    def _on_paste(self, message: Mapping[str, Any]) -> None:
        flow, address = self._flow, _text(message, "address")
        if not isinstance(flow, CodeFlow):
            return
        words = ""
        try:
            flow.paste(address)
        except ConstellationsError as error:
            words = str(error)
        with self._showing:
            if self._flow is flow:
                self.status = {**self.status, "paste_message": words, "progress": "" if words else "Signing in …"}

    def _on_token(self, message: Mapping[str, Any]) -> None:
        token = "".join(_text(message, "token").split()).removeprefix("Bearer")

        def job(cancelled: threading.Event) -> None:
            self._check(token)
            if not cancelled.is_set():
                self.credentials.use_token(token)

        self._work("Signing in …", job)

    def _on_login(self, message: Mapping[str, Any]) -> None:
        name, password = _text(message, "name"), _text(message, "password")

        def job(cancelled: threading.Event) -> None:
            token = images_login(self.credentials.api_url, name, password)
            if not cancelled.is_set():
                self.credentials.use_token(token, username=name)

        self._work("Signing in …", job)

    def _on_official(self, _message: Mapping[str, Any]) -> None:
        def job(_cancelled: threading.Event) -> None:
            if not accept_official(self.credentials):
                raise SignInError("The official client keeps no sign-in that the identity server still knows.")

        self._work("Asking the identity server …", job)

    def _on_sign_out(self, _message: Mapping[str, Any]) -> None:
        self._work("Signing out …", lambda _cancelled: self.credentials.sign_out())

    def _on_handle(self, message: Mapping[str, Any]) -> None:
        self._look_at(_text(message, "handle").strip().removeprefix("@")[:1000], asked=True)

    # -- work, in a thread of its own

    def _work(self, progress: str, job: Callable[[threading.Event], None]) -> None:
        """Do something that takes time; it ends what was under way before."""

        def run() -> None:
            words = ""
            try:
                job(cancelled)
            except ConstellationsError as error:
                words = str(error)
            except Exception as error:  # a bug of ours; what it says may hold what was typed
                words = f"Something went wrong in the program ({type(error).__name__})."
            with self._showing:
                if not cancelled.is_set():
                    self._flow = None
                    self._show("in" if self.credentials.has_token else "out", message=words)

        with self._showing:
            self._cancelled.set()
            cancelled = self._cancelled = threading.Event()
            self._flow = None
            self._show("busy", progress=progress)
        threading.Thread(target=run, name="constellations-sign-in", daemon=True).start()

    def _find_earlier(self, cancelled: threading.Event) -> None:
        session = self.credentials
        kept = isinstance(session, KeptSession)
        variable = TOKEN_VARIABLE if kept else IMAGES_TOKEN_VARIABLE
        if token := token_in_environment(variable):
            with contextlib.suppress(NotSentError, NoAnswerError):  # it may be good: whoever uses it is told
                self._check(token, f"the token in the environment variable {variable}")
            if not cancelled.is_set():
                session.use_token(token)
        elif kept:
            session.check()

    def _check(self, token: str, called: str = "this token") -> None:
        of_images = not isinstance(self.credentials, KeptSession)
        check_token(token, self.credentials.api_url, of_images=of_images, called=called)

    def _by_browser(self, near: bool, cancelled: threading.Event) -> None:
        flow = begin(self.credentials, listens=near)
        with self._showing:
            if not cancelled.is_set():
                self._flow = flow
                waiting = {"link": flow.link, "user_code": flow.user_code, "pastes": isinstance(flow, CodeFlow)}
                self._show("waiting", **waiting)
        tokens = flow.wait(cancelled)
        if not cancelled.is_set():
            self.credentials.accept(tokens)

    def _session_changed(self) -> None:
        """Somebody has signed in or out, here or where else the session is used."""
        if self.credentials.has_token:
            self._look_at(self._handle or self.credentials.username, asked=bool(self._handle))
        with self._showing:
            if self.status["phase"] in ("in", "out"):
                self._show("in" if self.credentials.has_token else "out", message=self.credentials.why)

    def _look_at(self, handle: str, *, asked: bool) -> None:
        """Ask the API, in a thread, whether this account may add images under a handle; one that nobody named need not be there.
        Of several such questions only the last one is answered."""
        if not handle or not isinstance(self.credentials, KeptSession):
            return

        def run() -> None:
            may, words = self._may_add_images(handle)
            with self._showing:
                if self._look is not look:
                    return
                if asked or may == "yes":
                    self._handle = handle
                    self._show_handle(handle, may, words)
                else:
                    self._show_handle("", "", "")

        with self._showing:
            look = self._look = threading.Thread(target=run, name="constellations-handle", daemon=True)
            self._show_handle(handle if asked else "", "asking", "")
        look.start()

    def _may_add_images(self, handle: str) -> tuple[str, str]:
        try:
            with self.client() as client:
                return "yes" if client.may_add_images(handle) else "no", ""
        except NotFoundError:
            return "missing", ""
        except ConstellationsError as error:
            return "unknown", str(error)

    # -- what the page is told

    def _first_status(self) -> dict[str, Any]:
        constellations = isinstance(self.credentials, KeptSession)
        return {
            **_NOTHING,
            **_NOBODY,
            "phase": "busy",
            "service": "constellations" if constellations else "images",
            "api_url": self.credentials.api_url,
            "official": constellations and official_cache_exists(),
            "handle": self._handle,
        }

    def _show(self, phase: str, **more: Any) -> None:
        with self._showing:
            who = {"username": self.credentials.username} if phase == "in" else _NOBODY
            self.status = {**self.status, **_NOTHING, "phase": phase, **who, **more}

    def _show_handle(self, handle: str, may: str, words: str) -> None:
        with self._showing:
            self.status = {**self.status, "handle": handle, "may": may, "handle_message": words}


def _text(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    return value[:_LONGEST] if isinstance(value, str) else ""
