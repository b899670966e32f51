"""Sign in and out, in one call.

Existing credentials are used first, in this order: a given token, the environment variable of the service, the stored
sign-in of an earlier kernel. Only then is the user prompted, and never in a notebook, where that would block the cell:
there the widget `SignIn` is used.
"""

from __future__ import annotations

import contextlib
import getpass
import select
import sys
import threading
import webbrowser

from .. import runtime
from ..errors import SignInError
from ..interface import in_terms
from .code_flow import CodeFlow
from .credentials import IMAGES_TOKEN_VARIABLE, TOKEN_VARIABLE, Credentials
from .device_flow import DeviceFlow
from .oidc_session import session_at
from .session import Session
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
    """Return credentials for the Constellations API, or for the Images API.

    The first of these that exists is used: `token`; the environment variable ``CONSTELLATIONS_TOKEN``; the stored
    sign-in of an earlier time, if the identity server still accepts it; the sign-in of the official client
    ``wwt_api_client``, if `use_official_cache` is set; a sign-in at the terminal. In a notebook there is no prompt:
    show the widget ``cxw.SignIn()`` in a cell instead; from then on this function finds the stored sign-in.

    Parameters
    ----------
    token : str, optional
        An access token that you already have. It is not stored.
    api_url : str, optional
        The Constellations API to sign in at. By default ``NUXT_PUBLIC_API_URL`` of the environment, else production,
        ``https://api.worldwidetelescope.org``.
    images_url : str, optional
        Sign in at this Images API instead. Its environment variable is ``IMAGES_API_TOKEN``; its sign-ins are not
        stored; at a terminal, you are prompted for name and password.
    keycloak_url : str, optional
        The identity server. By default ``NUXT_PUBLIC_KEYCLOAK_URL`` or ``KEYCLOAK_URL``, else the one of the API. An
        API that is not production never uses production's.
    client_id : str, optional
        The OAuth client id. By default ``WWT_API_CLIENT_ID``, else ``automation`` (``cli-tool`` at wwtelescope.dev).
    use_official_cache : bool, optional
        Whether the sign-in that the official client stores in ``~/.openidc`` may be used. Both then share one session:
        signing out here ends it there, too. Default False.
    interactive : bool, optional
        Whether to prompt at the terminal and wait for the sign-in. By default only if there is a terminal.

    Returns
    -------
    Credentials
        For ``Constellations(api_url, auth=…)``. A sign-in renews its token by itself, and is sent to its own API only.

    Raises
    ------
    SignInError
        If there is no token and no way to prompt for a sign-in, or the sign-in was refused.
    ApiError
        If the identity server could not be reached.

    Examples
    --------
    >>> client = cxw.Constellations(api_url, auth=cxw.sign_in(token, api_url=api_url))
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
    session = session_at(api_url, keycloak_url=keycloak_url, client_id=client_id)
    if session.check() or (use_official_cache and session.accept_official()):
        return session
    if interactive is None:
        interactive = _has_terminal()
    if not interactive:
        raise SignInError(
            f"Not signed in at {session.api_url}. "
            + in_terms(
                f"In a notebook, show the widget cxw.SignIn({session.api_url!r}) in a cell and sign in there; in a script, "
                f"set the environment variable {TOKEN_VARIABLE} before it starts, or run sign_in() once in a terminal.",
                f"Run `constellations-widgets sign-in --api-url {session.api_url}` once in a terminal, or set the environment "
                f"variable {TOKEN_VARIABLE}.",
            )
        )
    session.accept(_ask_at_terminal(session))
    if session.notice:
        print(session.notice, flush=True)
    return session


def sign_out(api_url: str | None = None, *, keycloak_url: str | None = None, client_id: str | None = None) -> None:
    """Delete the stored sign-in of an API, and end it at the identity server.

    Parameters
    ----------
    api_url, keycloak_url, client_id : str, optional
        As for `sign_in`.

    Raises
    ------
    ApiError
        If the server could not be reached. On this machine the sign-in is deleted nevertheless.

    Notes
    -----
    An access token that is in use elsewhere stays valid until it expires, which it does within minutes.

    Examples
    --------
    >>> cxw.sign_out()  # doctest: +SKIP
    """
    session_at(api_url, keycloak_url=keycloak_url, client_id=client_id).sign_out()


def _ask_at_terminal(session: Session) -> Tokens:
    flow = session.begin(listens=True)
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
    runtime.start_thread("paste", _read_addresses, flow, done)
    try:
        return flow.wait(threading.Event())
    finally:
        done.set()


def _read_addresses(flow: CodeFlow, done: threading.Event) -> None:
    """Pass addresses pasted at the terminal to `flow`, and leave later input unread."""
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
            f"Not signed in at {images_url}. In a notebook, show the widget cxw.SignIn(images_url={images_url!r}) "
            f"in a cell and sign in there; in a script, set the environment variable {IMAGES_TOKEN_VARIABLE}."
        )
    name = input(f"Name at {images_url}: ")
    session = session_at(images_url=images_url)
    session.accept(session.login(name, getpass.getpass()))
    return session


def _has_terminal() -> bool:
    """Return whether a prompt is possible: not in a kernel, whose cell would block, and not without a terminal."""
    with contextlib.suppress(ImportError, AttributeError):
        from IPython import get_ipython

        if getattr(get_ipython(), "kernel", None) is not None:
            return False
    return bool(sys.stdin and sys.stdin.isatty())
