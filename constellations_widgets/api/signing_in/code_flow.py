"""Signing in by a page that sends the browser back to this machine (authorization code with PKCE).

Where the browser runs on another machine than this program, it can't come back: it shows an error page, whose address
holds what is needed. Pasting that address ends the sign-in just as well.
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

from ...errors import SignInError
from ..plaintext import one_line
from .device_flow import checked_link, new_verifier
from .identity import SCOPE, IdentityServer
from .tokens import Tokens

PORTS = (12345, 23456)
"""Where the official client listens: its addresses are known to be allowed."""

_PATIENCE = 1800.0  # seconds
_PASTE_HINT = "Paste the whole address of the page to which the sign-in page has sent your browser."
_DONE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Signed in</title>
<body style="font: 18px/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 30em; color-scheme: light dark">
<p>{}</p></body></html>"""


class CodeFlow:
    """One sign-in by a page.

    Parameters
    ----------
    server : IdentityServer
        At which.
    listens : bool
        Whether to listen on this machine for the browser to come back. An address can be pasted either way.

    Attributes
    ----------
    link : str
        What to open.
    user_code : str
        Empty: there is nothing to type.
    """

    user_code = ""

    def __init__(self, server: IdentityServer, *, listens: bool = True):
        self._server = server
        self._state, self._nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._verifier, challenge = new_verifier()
        self._codes: queue.SimpleQueue[str | SignInError] = queue.SimpleQueue()
        self._listener = _Listener.on_free_port(self) if listens else None
        port = self._listener.server_port if self._listener else PORTS[0]
        self._redirect = f"http://localhost:{port}/"
        query = {
            "response_type": "code",
            "client_id": server.realm.client_id,
            "redirect_uri": self._redirect,
            "scope": SCOPE,
            "state": self._state,
            "nonce": self._nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        page = server.address("authorization_endpoint")
        if page is None:
            raise SignInError(f"Could not sign in: {server.issuer} offers no page for it.")
        self.link = f"{checked_link(page, server)}{'&' if urlsplit(page).query else '?'}{urlencode(query)}"

    @property
    def listens(self) -> bool:
        """Whether the browser can come back by itself, if it runs on this machine."""
        return self._listener is not None

    def paste(self, address: str) -> None:
        """Take the address to which the browser was sent.

        Raises
        ------
        SignInError
            If it is not the address of this sign-in. The message shows nothing of it; another one can be pasted.
        """
        query = _query_of(address)
        if "code" not in query and "error" not in query:
            raise SignInError(f"That is not the address. {_PASTE_HINT}")
        state = query.get("state", "")
        if not secrets.compare_digest(state.encode(), self._state.encode()):
            raise SignInError(
                "That address belongs to another sign-in. Open the link again, and paste the new address."
            )
        if query.get("iss", self._server.issuer) != self._server.issuer:
            raise SignInError("That address comes from another identity server. Open the link again.")
        if "error" in query:
            self._codes.put(self._refused(query))
        else:
            self._codes.put(query["code"])

    def wait(self, cancelled: threading.Event) -> Tokens:
        """The tokens, once the browser has come back or its address was pasted.

        Raises
        ------
        SignInError
            If it was refused, nobody came, or `cancelled` was set.
        """
        try:
            code = self._next_code(cancelled)
        finally:
            self.close()
        if isinstance(code, SignInError):
            raise code
        form = {"code": code, "redirect_uri": self._redirect, "code_verifier": self._verifier}
        code = ""  # tracebacks can show local variables
        answer = self._server.tokens("authorization_code", form, nonce=self._nonce)
        form.clear()
        if isinstance(answer, Tokens):
            return answer
        raise self._server.refusal("sign in", answer, "Sign in again.")

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()

    def _next_code(self, cancelled: threading.Event) -> str | SignInError:
        waited = 0.0
        while waited < _PATIENCE:
            if cancelled.is_set():
                return SignInError("The sign-in was cancelled.")
            with contextlib.suppress(queue.Empty):
                return self._codes.get(timeout=0.25)
            waited += 0.25
        return SignInError("Nobody has signed in in time. Sign in again.")

    def _refused(self, query: dict[str, str]) -> SignInError:
        if query["error"] == "access_denied":
            return SignInError("The sign-in was refused in the browser. Sign in again if that was a mistake.")
        return self._server.refusal(
            "sign in", {name: one_line(value) for name, value in query.items()}, "Sign in again."
        )


class _Listener(ThreadingHTTPServer):
    """Takes the browser's way back, on loopback."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # where it would let two programs share the port

    def __init__(self, flow: CodeFlow, port: int):
        super().__init__(("127.0.0.1", port), _Handler)
        self.flow = flow
        threading.Thread(target=self.serve_forever, args=(0.1,), name="constellations-sign-in", daemon=True).start()

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

    def _answer(self, status: HTTPStatus, words: str) -> None:
        content = _DONE.format(words).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: the address holds the code."""


def _query_of(address: str) -> dict[str, str]:
    """What stands behind the “?” of a pasted address, or all of it if there is none."""
    text = "".join(address.split())[:20_000] if isinstance(address, str) else ""
    query = text.partition("?")[2] or text
    try:
        fields = parse_qs(query.partition("#")[0], max_num_fields=100)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
