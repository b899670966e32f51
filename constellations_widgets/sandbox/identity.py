"""Test identity provider: as much of Keycloak's realm `constellations` as a client needs to sign in.

It does not authenticate: every sign-in is as the sandbox's owner. Codes, sessions and device requests live in memory.
"""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import tokens
from .oauth_pages import form_of, oauth_error, page, redirect

__all__ = ["IdentityProvider", "IdentityRules"]

REALM = "/realms/constellations"
CODE_LIFETIME = 60

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass
class IdentityRules:
    """Behavior of the identity provider. Can be changed at any time."""

    token_lifetime: float = tokens.LIFETIME
    """Lifetime in seconds of the access tokens issued from now on."""
    renews: bool = True
    """Whether there are refresh tokens."""
    rotates: bool = False
    """Whether a refresh token works once only: each answer brings the next one."""
    asks: bool = False
    """Whether people have to press a button before a program gets a code."""
    offers_devices: bool = True
    """Whether there is a device flow."""
    device_interval: float = 1
    """Seconds that a client should wait between two polls for a device code."""
    device_lifetime: float = 600
    """Seconds after which a device code has expired."""
    granted: list[str] = field(default_factory=list)
    """The types of all grants that were exchanged for tokens, in order."""


class _GrantError(Exception):
    """OAuth error: its code, and a description for people."""


@dataclass
class _Grant:
    """Request for a sign-in, which can be exchanged for tokens once approved."""

    client_id: str
    scope: str
    nonce: str | None = None
    redirect_uri: str | None = None
    challenge: str | None = None
    challenge_method: str = "plain"
    expires: float = 0.0
    approved: bool | None = None
    interval: float = 0.0
    """Polling interval of a device, in seconds."""
    asked: float = float("-inf")
    """Time of a device's last poll."""
    session: str = field(default_factory=lambda: secrets.token_hex(16))


class IdentityProvider:
    """OpenID Connect provider with one account.

    Parameters
    ----------
    base_url : str
        Its address; the issuer is this plus "/realms/constellations".
    account, username : str
        The account that signs in: the `sub` of the tokens, and the name for people.
    rules : IdentityRules, optional
        Its behavior.
    """

    def __init__(self, base_url: str, account: str, username: str, rules: IdentityRules | None = None):
        self.rules = rules or IdentityRules()
        self.issuer = tokens.issuer_of(base_url)
        self.account, self.username = account, username
        self._lock = threading.Lock()
        self._codes: dict[str, _Grant] = {}
        self._devices: dict[str, _Grant] = {}
        self._user_codes: dict[str, str] = {}
        self._refresh: dict[str, _Grant] = {}
        endpoints = f"{REALM}/protocol/openid-connect"
        self.app = Starlette(
            routes=[
                Route(f"{REALM}/.well-known/openid-configuration", self._configuration),
                Route(f"{endpoints}/auth", self._authorize, methods=["GET", "POST"]),
                Route(f"{endpoints}/auth/device", self._start_device, methods=["POST"]),
                Route(f"{endpoints}/token", self._token, methods=["POST"]),
                Route(f"{endpoints}/certs", self._certs),
                Route(f"{endpoints}/logout", self._end_session, methods=["POST"]),
                Route(f"{endpoints}/revoke", self._end_session, methods=["POST"]),
                Route(f"{REALM}/device", self._verify_device, methods=["GET", "POST"]),
            ]
        )

    async def _configuration(self, request: Request) -> Response:
        endpoints = f"{self.issuer}/protocol/openid-connect"
        devices = {"device_authorization_endpoint": f"{endpoints}/auth/device"} if self.rules.offers_devices else {}
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{endpoints}/auth",
                "token_endpoint": f"{endpoints}/token",
                **devices,
                "end_session_endpoint": f"{endpoints}/logout",
                "revocation_endpoint": f"{endpoints}/revoke",
                "jwks_uri": f"{endpoints}/certs",
                "grant_types_supported": ["authorization_code", "refresh_token", _DEVICE_GRANT],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "code_challenge_methods_supported": ["plain", "S256"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "profile", "offline_access"],
            }
        )

    async def _certs(self, request: Request) -> Response:
        return JSONResponse(tokens.jwks())

    # Authorization code

    async def _authorize(self, request: Request) -> Response:
        """Approve at once, or after a click on a page if the rules or `prompt=login` or `consent` ask for it."""
        query = request.query_params
        target = query.get("redirect_uri", "")
        if not query.get("client_id") or not _is_loopback(target):
            return page("Invalid parameter: redirect_uri or client_id", status=400)
        back = {"state": query["state"]} if "state" in query else {}
        if query.get("response_type") != "code":
            return redirect(target, back | {"error": "unsupported_response_type"})
        if request.method == "GET" and (self.rules.asks or query.get("prompt") in ("login", "consent")):
            words = f"Sign in to <b>{html.escape(query['client_id'])}</b> as {html.escape(self.username)}?"
            return page(words, buttons={"approve": "Sign in", "deny": "Refuse"})
        if "deny" in await form_of(request):
            return redirect(target, back | {"error": "access_denied"})
        grant = _Grant(
            client_id=query["client_id"],
            scope=query.get("scope", "openid"),
            nonce=query.get("nonce"),
            redirect_uri=target,
            challenge=query.get("code_challenge"),
            challenge_method=query.get("code_challenge_method", "plain"),
            expires=time.monotonic() + CODE_LIFETIME,
        )
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = grant
        return redirect(target, back | {"session_state": grant.session, "iss": self.issuer, "code": code})

    # Device flow (RFC 8628)

    async def _start_device(self, request: Request) -> Response:
        form = await form_of(request)
        if not form.get("client_id"):
            return oauth_error("invalid_client", "Missing client_id", 401)
        if not self.rules.offers_devices:
            return oauth_error("unauthorized_client", "Client is not allowed to initiate a device grant", 401)
        device_code = secrets.token_urlsafe(24)
        letters = "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(8))
        user_code = f"{letters[:4]}-{letters[4:]}"
        with self._lock:
            self._user_codes[user_code] = device_code
            self._devices[device_code] = _Grant(
                client_id=form["client_id"],
                scope=form.get("scope", "openid"),
                challenge=form.get("code_challenge"),
                challenge_method=form.get("code_challenge_method", "plain"),
                expires=time.monotonic() + self.rules.device_lifetime,
                interval=self.rules.device_interval,
            )
        verification = f"{self.issuer}/device"
        return JSONResponse(
            {
                "device_code": device_code,
                "user_code": user_code,
                "verification_uri": verification,
                "verification_uri_complete": f"{verification}?{urlencode({'user_code': user_code})}",
                "expires_in": self.rules.device_lifetime,
                "interval": self.rules.device_interval,
            }
        )

    async def _verify_device(self, request: Request) -> Response:
        """Return the page behind the link: type the code, then allow or refuse."""
        form = await form_of(request)
        user_code = (form.get("user_code") or request.query_params.get("user_code") or "").strip().upper()
        if not user_code:
            return page("Type the code that your program shows:", fields=["user_code"], buttons={"": "Continue"})
        with self._lock:
            grant = self._devices.get(self._user_codes.get(user_code, ""))
            if grant is None:
                return page("This code is not known.", status=400)
            if "approve" in form or "deny" in form:
                grant.approved = "approve" in form
                return page("Done. You can close this page.")
        return page(
            f"Let <b>{html.escape(grant.client_id)}</b> sign in as {html.escape(self.username)}?",
            hidden={"user_code": user_code},
            buttons={"approve": "Allow", "deny": "Refuse"},
        )

    # Tokens

    async def _token(self, request: Request) -> Response:
        form = await form_of(request)
        if not form.get("client_id"):
            return oauth_error("invalid_client", "Invalid client or Invalid client credentials", 401)
        redeem = {
            "authorization_code": self._redeem_code,
            "refresh_token": self._redeem_refresh_token,
            _DEVICE_GRANT: self._redeem_device_code,
        }.get(form.get("grant_type", ""))
        if redeem is None:
            return oauth_error("unsupported_grant_type", "Unsupported grant_type")
        try:
            with self._lock:
                answer = self._issue(redeem(form))
                self.rules.granted.append(form["grant_type"])
                return answer
        except _GrantError as error:
            return oauth_error(*error.args)

    def _redeem_code(self, form: dict[str, str]) -> _Grant:
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.client_id != form["client_id"] or time.monotonic() > grant.expires:
            raise _GrantError("invalid_grant", "Code not valid")
        if grant.redirect_uri != form.get("redirect_uri"):
            raise _GrantError("invalid_grant", "Incorrect redirect_uri")
        _check_challenge(grant, form)
        return grant

    def _redeem_device_code(self, form: dict[str, str]) -> _Grant:
        device_code = form.get("device_code", "")
        grant = self._devices.get(device_code)
        if grant is None or grant.client_id != form["client_id"]:
            raise _GrantError("invalid_grant", "Device code not valid")
        if time.monotonic() > grant.expires:
            raise _GrantError("expired_token", "Device code is expired")
        if grant.approved is None:
            now = time.monotonic()
            too_soon, grant.asked = now - grant.asked < 0.9 * grant.interval, now
            if too_soon:
                grant.interval += 5
                raise _GrantError("slow_down", "Slow down")
            raise _GrantError("authorization_pending", "The authorization request is still pending")
        _check_challenge(grant, form)
        del self._devices[device_code]
        if not grant.approved:
            raise _GrantError("access_denied", "The end user denied the authorization request")
        return grant

    def _redeem_refresh_token(self, form: dict[str, str]) -> _Grant:
        grant = self._refresh.get(form.get("refresh_token", ""))
        if grant is None or grant.client_id != form["client_id"]:
            raise _GrantError("invalid_grant", "Token is not active")
        if self.rules.rotates:
            del self._refresh[form["refresh_token"]]
        return grant

    def _issue(self, grant: _Grant) -> Response:
        claims = {"sid": grant.session, "azp": grant.client_id}
        access = tokens.access_token(
            self.issuer,
            self.account,
            username=self.username,
            lifetime=self.rules.token_lifetime,
            scope=grant.scope,
            claims=claims,
        )
        answer = {
            "access_token": access,
            "expires_in": self.rules.token_lifetime,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": grant.session,
            "scope": grant.scope,
        }
        if self.rules.renews:
            refresh_token = secrets.token_urlsafe(32)
            self._refresh[refresh_token] = grant
            answer["refresh_token"] = refresh_token
            answer["refresh_expires_in"] = 0 if "offline_access" in grant.scope.split() else 1800
        if "openid" in grant.scope.split():
            identity = claims | {"aud": grant.client_id, "typ": "ID", "nonce": grant.nonce}
            answer["id_token"] = tokens.access_token(self.issuer, self.account, username=self.username, claims=identity)
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def _end_session(self, request: Request) -> Response:
        """Sign out or revoke: the session's refresh tokens become invalid. Access tokens remain valid until expiry."""
        form = await form_of(request)
        token = form.get("refresh_token") or form.get("token", "")
        with self._lock:
            grant = self._refresh.get(token)
            session = grant.session if grant else _session_of(token)
            self._refresh = {key: kept for key, kept in self._refresh.items() if kept.session != session}
        if request.url.path.endswith("/revoke"):
            return Response(status_code=200)
        return Response(status_code=204) if session else oauth_error("invalid_grant", "Invalid refresh token")


_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def _session_of(token: str) -> str | None:
    try:
        return jwt.decode(token, tokens.private_key().public_key(), ["RS256"], audience=tokens.AUDIENCE).get("sid")
    except jwt.PyJWTError:
        return None


def _check_challenge(grant: _Grant, form: dict[str, str]) -> None:
    if grant.challenge is None:
        return
    verifier = form.get("code_verifier", "")
    if grant.challenge_method == "S256":
        verifier = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not secrets.compare_digest(verifier.encode(), grant.challenge.encode()):
        raise _GrantError("invalid_grant", "PKCE verification failed: Code mismatch")


def _is_loopback(url: str) -> bool:
    """Return whether a code may be sent there: only to this machine, since the provider approves without asking."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK
    except ValueError:
        return False
