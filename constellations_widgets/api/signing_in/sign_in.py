"""Signing in and out, in one call.

What is there is used without asking, in this order: a token that is given, the environment variable of the service, the
sign-in that an earlier kernel has kept. Only then somebody is asked, and never so that a notebook's cell hangs: there,
the widget `SignIn` asks.
"""

from __future__ import annotations

import contextlib
import getpass
import select
import sys
import threading
import webbrowser

from ...errors import SignInError
from ..credentials import IMAGES_TOKEN_VARIABLE, TOKEN_VARIABLE, Credentials
from .code_flow import CodeFlow
from .device_flow import DeviceFlow
from .images_login import images_login
from .official_cache import official_refresh_token
from .realms import realm_of
from .sessions import KeptSession
from .tokens import Tokens


def sign_in(
    token: str | None = None,
    *,
    api_url: str | None = None,
    images_url: str | None = None,
    keycloak_url: str | None = None,
    client_id: str | None = None,
    use_official_cache: bool = False,
    interactive: bool | None = None,
) -> Credentials:
    """Credentials for the Constellations API, or for the Images API.

    The first of these that there is: `token`; the environment variable ``CONSTELLATIONS_TOKEN``; the sign-in that was
    kept last time, if the identity server still knows it; what the official client ``wwt_api_client`` keeps, if
    `use_official_cache` is set; a sign-in by somebody at a terminal. In a notebook nobody is asked here: show the widget
    ``cxw.SignIn()`` in a cell instead; from then on this function finds the sign-in that was kept.

    Parameters
    ----------
    token : str, optional
        An access token that you already have. It is not kept.
    api_url : str, optional
        The Constellations API to sign in at. By default ``NUXT_PUBLIC_API_URL`` of the environment, else production,
        ``https://api.worldwidetelescope.org``.
    images_url : str, optional
        Sign in at this Images API instead. Its environment variable is ``IMAGES_API_TOKEN``; its sign-ins are not kept;
        at a terminal, name and password are asked for.
    keycloak_url : str, optional
        The identity server. By default ``NUXT_PUBLIC_KEYCLOAK_URL`` or ``KEYCLOAK_URL``, else the one of the API. An API
        that is not production never sends anybody to production's.
    client_id : str, optional
        As which client. By default ``WWT_API_CLIENT_ID``, else ``automation`` (``cli-tool`` at wwtelescope.dev).
    use_official_cache : bool, optional
        Whether the sign-in that the official client keeps in ``~/.openidc`` may be used. It is one session then: signing
        out here ends it there, too.
    interactive : bool, optional
        Whether somebody may be asked, and waited for, at the terminal. By default only where there is one.

    Returns
    -------
    Credentials
        For ``Constellations(api_url, auth=…)``. A sign-in renews its token by itself, and is sent to its own API only.

    Raises
    ------
    SignInError
        If there is no token and nobody to ask, or the sign-in was refused.
    ApiError
        If the identity server could not be asked.
    """
    if token is not None:
        try:
            return Credentials.token(token)
        finally:
            token = None  # tracebacks can show local variables
    if images_url is not None:
        return Credentials.from_environment(IMAGES_TOKEN_VARIABLE) or _ask_for_password(images_url, interactive)
    if found := Credentials.from_environment(TOKEN_VARIABLE):
        return found
    session = KeptSession(realm_of(api_url, keycloak_url=keycloak_url, client_id=client_id))
    if session.check() or (use_official_cache and accept_official(session)):
        return session
    if interactive is None:
        interactive = _has_terminal()
    if not interactive:
        raise SignInError(
            f"Nobody is signed in at {session.api_url}. In a notebook, show the widget cxw.SignIn({session.api_url!r}) in "
            f"a cell and sign in there; in a script, set the environment variable {TOKEN_VARIABLE} before it starts, or "
            "run sign_in() once in a terminal."
        )
    session.accept(_ask_at_terminal(session))
    return session


def sign_out(api_url: str | None = None, *, keycloak_url: str | None = None, client_id: str | None = None) -> None:
    """Forget the sign-in that was kept for an API, and have the identity server end it.

    Parameters
    ----------
    api_url, keycloak_url, client_id : str, optional
        As for `sign_in`.

    Raises
    ------
    ApiError
        If the server could not be told. On this machine it is forgotten nevertheless.

    Notes
    -----
    An access token that is under way somewhere stays good until it expires, which it does within minutes.
    """
    KeptSession(realm_of(api_url, keycloak_url=keycloak_url, client_id=client_id)).sign_out()


def begin(session: KeptSession, *, listens: bool) -> DeviceFlow | CodeFlow:
    """A sign-in that somebody has to finish in a browser: by link and code where the server offers that, else by a page
    that sends the browser back, to this machine if `listens`."""
    return DeviceFlow.start(session.server) or CodeFlow(session.server, listens=listens)


def accept_official(session: KeptSession) -> bool:
    """Sign in with what the official client keeps; whether there was something that the server still knows."""
    refresh_token = official_refresh_token(session.server.issuer)
    if refresh_token is None:
        return False
    tokens = session.server.tokens("refresh_token", {"refresh_token": refresh_token})
    if isinstance(tokens, Tokens):
        session.accept(Tokens("", refresh_token).followed_by(tokens))
        return True
    return False


def _ask_at_terminal(session: KeptSession) -> Tokens:
    flow = begin(session, listens=True)
    print(f"To sign in at {session.api_url}, open this page:\n\n  {flow.link}\n")
    if isinstance(flow, DeviceFlow):
        print(f"It shows, or asks for, the code {flow.user_code}. Waiting … (Ctrl-C stops)", flush=True)
        return flow.wait(threading.Event())
    webbrowser.open(flow.link)
    print(
        "If the browser ends on a page that can't be shown, paste its address here. Waiting … (Ctrl-C stops)",
        flush=True,
    )
    done = threading.Event()
    threading.Thread(target=_read_addresses, args=(flow, done), name="constellations-paste", daemon=True).start()
    try:
        return flow.wait(threading.Event())
    finally:
        done.set()


def _read_addresses(flow: CodeFlow, done: threading.Event) -> None:
    """Hand on what is pasted at the terminal, and leave alone what is typed there afterwards."""
    while not done.is_set():
        try:
            ready = select.select([sys.stdin], [], [], 0.2)[0]
        except (OSError, ValueError):  # Windows can't wait for a terminal: the browser has to come back by itself
            return
        if ready and not done.is_set():
            line = sys.stdin.readline()
            if not line:
                return
            try:
                flow.paste(line)
            except SignInError as error:
                print(error, flush=True)


def _ask_for_password(images_url: str, interactive: bool | None) -> Credentials:
    if not (_has_terminal() if interactive is None else interactive):
        raise SignInError(
            f"Nobody is signed in at {images_url}. In a notebook, show the widget cxw.SignIn(images_url={images_url!r}) "
            f"in a cell and sign in there; in a script, set the environment variable {IMAGES_TOKEN_VARIABLE}."
        )
    name = input(f"Name at {images_url}: ")
    return Credentials.token(images_login(images_url, name, getpass.getpass()))


def _has_terminal() -> bool:
    """Whether somebody can be asked: not in a kernel, whose cell would hang, and not where nobody sits."""
    with contextlib.suppress(ImportError, AttributeError):
        from IPython import get_ipython

        if getattr(get_ipython(), "kernel", None) is not None:
            return False
    return bool(sys.stdin and sys.stdin.isatty())
