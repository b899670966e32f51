"""Sign in by authorization code with PKCE: a page redirects the browser back to this machine.

If the browser runs on another machine than this program, the redirect fails: the browser shows an error page, whose
address holds the code. Pasting that address completes the sign-in just as well.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from .. import runtime
from ..errors import SignInError
from ..text import one_line
from .credentials import Secret
from .device_flow import checked_link, new_verifier
from .identity import SCOPE, IdentityServer
from .tokens import Tokens, same_issuer

PORTS = (12345, 23456)
"""Ports on which the official client listens: the server is known to allow these addresses."""

_PATIENCE = 1800.0  # seconds
_PASTE_HINT = "Paste the whole address of the page to which the sign-in page has sent your browser."
_DONE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Signed in</title>
<body style="font: 18px/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 30em; color-scheme: light dark">
<p>{}</p></body></html>"""


class CodeFlow:
    """One sign-in by authorization code.

    Parameters
    ----------
    server : IdentityServer
        The identity server to sign in at.
    listens : bool
        Whether to listen on this machine for the redirect. An address can be pasted either way.

    Attributes
    ----------
    link : str
        The address to open.
    user_code : str
        Empty: there is nothing to type.
    """

    user_code = ""

    def __init__(self, server: IdentityServer, *, listens: bool = True):
        page = server.address("authorization_endpoint")
        if page is None:
            raise SignInError(f"Could not sign in: {server.issuer} has no sign-in page.")
        link = checked_link(page, server)
        self._server = server
        self._state, self._nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._verifier, challenge = new_verifier()
        self._codes: queue.SimpleQueue[Secret | SignInError] = queue.SimpleQueue()
        self._came_back = threading.Event()  # set once there is one
        self._listener = _Listener.on_free_port(self) if listens else None
        port = self._listener.server_port if self._listener else PORTS[0]
        self._redirect = f"http://localhost:{port}/"
        query = {
            "response_type": "code",
            "client_id": server.realm.client_id,
            "redirect_uri": self._redirect,
            "scope": SCOPE,
            "prompt": "consent",  # without it, OpenID Connect Core 11 gives no refresh token
            "state": self._state,
            "nonce": self._nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        self.link = f"{link}{'&' if urlsplit(page).query else '?'}{urlencode(query)}"

    @property
    def listens(self) -> bool:
        """Whether this machine listens for the redirect of a browser that runs on it."""
        return self._listener is not None

    def paste(self, address: str) -> None:
        """Accept the address to which the browser was redirected.

        Raises
        ------
        SignInError
            If it is not an address of this sign-in. The message shows nothing of it; another one can be pasted.
        """
        query = _query_of(address)
        if "code" not in query and "error" not in query:
            raise SignInError(f"That is not the right address. {_PASTE_HINT}")
        state = query.get("state", "")
        if not secrets.compare_digest(state.encode(), self._state.encode()):
            raise SignInError(
                "That address belongs to another sign-in. Open the link again, and paste the new address."
            )
        if not same_issuer(query.get("iss", self._server.issuer), self._server.issuer):
            raise SignInError("That address comes from another identity server. Open the link again.")
        if "error" in query:
            self._codes.put(self._refused(query))
        else:
            self._codes.put(Secret(query["code"]))
        self._came_back.set()

    def wait(self, cancelled: threading.Event) -> Tokens:
        """Wait for the redirect, or for its address to be pasted; return the tokens.

        Raises
        ------
        SignInError
            If it was refused, took too long, or `cancelled` was set.
        """
        try:
            code = self._next_code(cancelled)
        finally:
            self.close()
        if isinstance(code, SignInError):
            raise code
        form = {"code": code, "redirect_uri": self._redirect, "code_verifier": self._verifier}
        answer = self._server.tokens("authorization_code", form, nonce=self._nonce)
        if isinstance(answer, Tokens):
            return answer
        raise self._server.refusal("sign in", "token_endpoint", answer, "Sign in again.")

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()

    def _next_code(self, cancelled: threading.Event) -> Secret | SignInError:
        waited = 0.0
        while waited < _PATIENCE:
            if cancelled.is_set():
                return SignInError("The sign-in was cancelled.")
            if runtime.wait(self._came_back, 0.25):
                return self._codes.get()
            waited += 0.25
        return SignInError("Sign-in timed out. Sign in again.")

    def _refused(self, query: dict[str, str]) -> SignInError:
        if query["error"] == "access_denied":
            return SignInError("The sign-in was refused in the browser. Sign in again if that was a mistake.")
        answer = {name: one_line(value) for name, value in query.items()}
        return self._server.refusal("sign in", "authorization_endpoint", answer, "Sign in again.")


class _Listener(ThreadingHTTPServer):
    """Loopback server that receives the browser's redirect."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # where it would let two programs share the port

    def __init__(self, flow: CodeFlow, port: int):
        super().__init__(("127.0.0.1", port), _Handler)
        self.flow = flow
        runtime.start_thread("sign-in", self.serve_forever, 0.1)

    @classmethod
    def on_free_port(cls, flow: CodeFlow) -> _Listener | None:
        for port in PORTS:
            with contextlib.suppress(OSError):
                return cls(flow, port)
        return None

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Handler of the browser's redirect."""

    server: _Listener
    timeout = 10

    def do_GET(self) -> None:
        if urlsplit(self.path).path != "/" or not urlsplit(self.path).query:
            self._answer(HTTPStatus.NOT_FOUND, "There is nothing here.")
            return
        try:
            self.server.flow.paste(self.path)
        except SignInError:
            self._answer(
                HTTPStatus.BAD_REQUEST, "This belongs to another sign-in. Open the link of your program again."
            )
        else:
            self._answer(HTTPStatus.OK, "Done. You can close this page and go back to your program.")

    def _answer(self, status: HTTPStatus, text: str) -> None:
        content = _DONE.format(text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Log nothing: the address holds the code."""


def _query_of(address: str) -> dict[str, str]:
    """Return the query of a pasted address, or of a pasted query alone."""
    text = "".join(address.split())[:20_000] if isinstance(address, str) else ""
    query = text.partition("?")[2] or text
    try:
        fields = parse_qs(query.partition("#")[0], max_num_fields=100)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
