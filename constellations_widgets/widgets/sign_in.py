"""Signing in, in a notebook: with a link and a code, a page, a password or a token; then the account and its permissions.

What is typed here is sent once, as a message, to the kernel's session. No trait ever holds it, and no response contains it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, overload

from ..api.session_clients import client_of, verify_token
from ..auth.code_flow import CodeFlow
from ..auth.credentials import Secret, token_in_environment
from ..auth.oidc_session import session_at
from ..errors import ConstellationsError, NoAnswerError, NotFoundError, NotSentError, SignInError
from .base import PageWidget, placeholder, synced_dict
from .protocol.services import SignInStatus
from .worker import Job, Worker

if TYPE_CHECKING:
    from ..api import Constellations, ImagesClient
    from ..auth.device_flow import DeviceFlow

_OF_HANDLE: tuple[Literal["handle", "permission", "handle_message"], ...] = ("handle", "permission", "handle_message")
_MESSAGES = frozenset({"start", "cancel", "paste", "token", "login", "official", "sign_out", "handle"})
_LONGEST = 20_000  # characters of an entry


Client = TypeVar("Client", "Constellations", "ImagesClient")


class SignIn(PageWidget, Generic[Client]):
    """Signs in at the Constellations API or at the Images API, without blocking the kernel.

    An earlier sign-in that is still valid, or a token in the environment, is used without asking.

    Parameters
    ----------
    api_url : str, optional
        Address of the Constellations API. By default ``NUXT_PUBLIC_API_URL`` of the environment, else production.
    images_url : str, optional
        Sign in at this Images API instead, with name and password.
    handle : str, optional
        Handle under which you publish; whether you may is shown after signing in. By default the account's name, if there
        is such a handle.
    keycloak_url, client_id : str, optional
        As for `sign_in`.

    Attributes
    ----------
    credentials : Session
        For clients: ``Constellations(api_url, auth=signed.credentials)``. Signing in, now or later, signs in all clients that
        hold it; after the sign-in has expired, signing in again lets them continue.

    Raises
    ------
    SignInError
        If no identity server is known for the API.
    NotSentError
        If an address is invalid.

    Examples
    --------
    >>> signed = cxw.SignIn()
    >>> signed
    >>> client = signed.client()
    """

    page = "sign_in"

    status: SignInStatus = synced_dict()

    @overload
    def __init__(
        self: SignIn[Constellations],
        api_url: str | None = None,
        *,
        images_url: None = None,
        handle: str = "",
        keycloak_url: str | None = None,
        client_id: str | None = None,
    ): ...

    @overload
    def __init__(self: SignIn[ImagesClient], *, images_url: str): ...

    def __init__(
        self,
        api_url: str | None = None,
        *,
        images_url: str | None = None,
        handle: str = "",
        keycloak_url: str | None = None,
        client_id: str | None = None,
    ):
        session = session_at(api_url, images_url=images_url, keycloak_url=keycloak_url, client_id=client_id)
        self.credentials = session
        self._handle = handle.strip().removeprefix("@")
        self._flow: DeviceFlow | CodeFlow | None = None
        self._lock = threading.RLock()
        self._worker = Worker("sign-in", self._on_error, self._lock)
        self._handle_worker = Worker("handle", self._on_handle_error, self._lock)
        messages = {kind: getattr(self, f"_on_{kind}") for kind in _MESSAGES}
        super().__init__(messages=messages, status=self._status("busy"))
        self._stop_listening = session.on_change(self._session_changed)
        self._work("Looking for an earlier sign-in …", self._find_earlier)

    @property
    def signed_in(self) -> bool:
        """Whether an account is signed in."""
        return self.credentials.signed_in

    @property
    def handle(self) -> str:
        """The handle that was checked last."""
        return self._handle

    def client(self, **options: Any) -> Client:
        """Return a client of the API with this sign-in; it may be made before signing in.

        Parameters
        ----------
        **options
            As for `Constellations` or `ImagesClient`, such as ``timeout``.
        """
        return cast(Client, client_of(self.credentials, **options))

    def close(self) -> None:
        """Cancel what is running and close the widget."""
        self._worker.drop()
        self._stop_listening()
        super().close()

    def __repr__(self) -> str:
        return placeholder(self, f" at {self.credentials.api_url}")

    # -- from the page

    def _on_start(self, message: Mapping[str, Any]) -> None:
        near = message.get("near") is True  # the page's browser runs on this machine, as far as it can tell
        self._work("Contacting the identity server …", lambda cancelled: self._by_browser(near, cancelled))

    def _on_cancel(self, _message: Mapping[str, Any]) -> None:
        with self._lock:
            self._worker.drop()
            self._finish()

    def _on_paste(self, message: Mapping[str, Any]) -> None:
        flow, address = self._flow, _text(message, "address")
        if not isinstance(flow, CodeFlow):
            return
        error_text = ""
        try:
            flow.paste(address)
        except ConstellationsError as error:
            error_text = str(error)
        with self._lock:
            if self._flow is flow:
                progress = "" if error_text else "Signing in …"
                self.status = {**self.status, "paste_message": error_text, "progress": progress}

    def _on_token(self, message: Mapping[str, Any]) -> None:
        token = Secret("".join(_text(message, "token").split()).removeprefix("Bearer"))

        def job(cancelled: threading.Event) -> None:
            verify_token(token, self.credentials)
            if not cancelled.is_set():
                self.credentials.use_token(token)

        self._work("Signing in …", job)

    def _on_login(self, message: Mapping[str, Any]) -> None:
        name, password = _text(message, "name"), Secret(_text(message, "password"))

        def job(cancelled: threading.Event) -> None:
            tokens = self.credentials.login(name, password)
            if not cancelled.is_set():
                self.credentials.accept(tokens)

        self._work("Signing in …", job)

    def _on_official(self, _message: Mapping[str, Any]) -> None:
        def job(_cancelled: threading.Event) -> None:
            if not self.credentials.accept_official():
                raise SignInError("The official client has no sign-in that the identity server still accepts.")

        self._work("Contacting the identity server …", job)

    def _on_sign_out(self, _message: Mapping[str, Any]) -> None:
        self._work("Signing out …", lambda _cancelled: self.credentials.sign_out())

    def _on_handle(self, message: Mapping[str, Any]) -> None:
        self._check_handle(_text(message, "handle").strip().removeprefix("@")[:1000], asked=True)

    # -- work, in a thread of its own

    def _work(self, progress: str, run: Callable[[threading.Event], None]) -> None:
        """Run ``run(cancelled)`` in place of what is running."""

        def work(job: Job) -> None:
            run(job.cancelled)
            with self._lock:
                if job.is_current:
                    self._finish()

        with self._lock:
            self._worker.start(work, replace=True)
            self._flow = None
            self._push("busy", progress=progress)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, ConstellationsError):
            self._finish(str(error))
        else:  # a bug; its message may hold what was typed
            self._finish(f"Signing in failed because of an internal error ({type(error).__name__}).")

    def _finish(self, message: str = "") -> None:
        self._flow = None
        self._push("in" if self.credentials.has_token else "out", message=message)

    def _find_earlier(self, cancelled: threading.Event) -> None:
        session = self.credentials
        variable = session.token_variable
        if token_in_environment(variable):
            token = Secret(token_in_environment(variable) or "")
            with contextlib.suppress(NotSentError, NoAnswerError):  # it may be valid: using it shows that
                called = f"the token in the environment variable {variable}"
                verify_token(token, session, called=called)
            if not cancelled.is_set():
                session.use_token(token)
        else:
            session.check()

    def _by_browser(self, near: bool, cancelled: threading.Event) -> None:
        flow = self.credentials.begin(listens=near)
        with self._lock:
            if not cancelled.is_set():
                self._flow = flow
                waiting = {"link": flow.link, "user_code": flow.user_code, "accepts_paste": isinstance(flow, CodeFlow)}
                self._push("waiting", **waiting)
        tokens = flow.wait(cancelled)
        if not cancelled.is_set():
            self.credentials.accept(tokens)

    def _session_changed(self) -> None:
        """Show that the user has signed in or out, here or elsewhere with this session."""
        if self.credentials.has_token:
            self._check_handle(self._handle or self.credentials.username, asked=bool(self._handle))
        with self._lock:
            if self.status["phase"] in ("in", "out"):
                self._push("in" if self.credentials.has_token else "out", message=self.credentials.why)

    def _check_handle(self, handle: str, *, asked: bool) -> None:
        """Check in a thread whether this account may add images under a handle; only the latest check is shown.

        Without `asked` the handle is a guess, and shown only if it is right.
        """
        if not handle or self.credentials.service != "constellations":
            return

        def run(job: Job) -> None:
            may, message = self._may_add_images(handle)
            with self._lock:
                if not job.is_current:
                    return
                if asked or may == "yes":
                    self._handle = handle
                    self._push_handle(handle, may, message)
                else:
                    self._push_handle("", "", "")

        with self._lock:
            self._handle_worker.start(run, replace=True)
            self._push_handle(handle if asked else "", "checking", "")

    def _on_handle_error(self, error: Exception) -> None:
        message = f"Checking failed because of an internal error ({type(error).__name__})."
        self._push_handle(self._handle, "unknown", message)

    def _may_add_images(self, handle: str) -> tuple[str, str]:
        try:
            with cast("Constellations", client_of(self.credentials)) as client:
                return "yes" if client.may_add_images(handle) else "no", ""
        except NotFoundError:
            return "missing", ""
        except ConstellationsError as error:
            return "unknown", str(error)

    # -- to the page

    def _status(self, phase: Literal["out", "busy", "waiting", "in"], **shown: Any) -> SignInStatus:
        session, is_in = self.credentials, phase == "in"
        status: SignInStatus = {
            "phase": phase,
            "service": session.service,
            "api_url": session.api_url,
            "official": session.offers_official,
            "progress": "",
            "message": "",
            "link": "",
            "user_code": "",
            "accepts_paste": False,
            "paste_message": "",
            "username": session.username if is_in else "",
            "notice": session.notice if is_in else "",
            "handle": self._handle,
            "permission": "",
            "handle_message": "",
        }
        return cast(SignInStatus, {**status, **shown})

    def _push(self, phase: Literal["out", "busy", "waiting", "in"], **shown: Any) -> None:
        with self._lock:
            kept = {name: self.status[name] for name in (_OF_HANDLE if phase == "in" else _OF_HANDLE[:1])}
            self.status = self._status(phase, **kept, **shown)

    def _push_handle(self, handle: str, may: str, message: str) -> None:
        with self._lock:
            self.status = cast(
                SignInStatus, {**self.status, "handle": handle, "permission": may, "handle_message": message}
            )


def _text(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    return value[:_LONGEST] if isinstance(value, str) else ""
