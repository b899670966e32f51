"""Tokens, as table 1a of the API document records them."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from constellations_widgets.sandbox import Sandbox, tokens

FORMAT = "Format is Authorization: Bearer [token]"
PATH = "/handle/sandbox/image"


@pytest.fixture
def post(anyone, image):
    """Post a good image with an Authorization header; or with none."""

    def post(authorization: str | None, path: str = PATH, **options: Any) -> httpx.Response:
        headers = {} if authorization is None else {"Authorization": authorization}
        return anyone.post(path, headers=headers, **(options or {"json": image}))

    return post


def is_page(answer: httpx.Response, status: int, text: str) -> bool:
    """An HTML page whose first line says so; never JSON, never a WWW-Authenticate header."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "www-authenticate" not in answer.headers
    return f"<pre>{text}<br> &nbsp; &nbsp;at " in answer.text


def is_forbidden(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and answer.json() == {"error": True, "message": "Forbidden"}


def signed(
    box: Sandbox, *, key: Any = None, algorithm: str = "RS256", kid: str | None = "sandbox", **claims: Any
) -> str:
    payload = {"iss": f"{box.keycloak_url}/realms/constellations", "aud": "account", "sub": box.account} | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    headers = {} if kid is None else {"kid": kid}
    return "Bearer " + jwt.encode(payload, key or tokens.private_key(), algorithm=algorithm, headers=headers)


@pytest.mark.parametrize("authorization", [None, "", "Token x", "Basic x"])
def test_a_request_without_a_bearer_token_is_forbidden(post, authorization):
    assert is_forbidden(post(authorization))


def test_an_account_that_does_not_own_the_handle_is_refused(box, post):
    assert is_forbidden(post(f"Bearer {box.token(account='somebody-else')}"))
    assert is_forbidden(post(f"Bearer {box.token(claims={'sub': None})}"))
    assert is_forbidden(post(f"Bearer {box.token(account='root', roles=['manage-handles'])}"))


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer  tok", "tok", "Bearer a b"])
def test_a_header_of_the_wrong_form(post, authorization):
    assert is_page(post(authorization), 401, f"UnauthorizedError: {FORMAT}")


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("garbage", "jwt malformed"),
        ("a.b", "jwt malformed"),
        ("a.b.c.d", "jwt malformed"),
        ("a.b.c", "invalid token"),
        ("....", "jwt malformed"),
    ],
)
def test_a_malformed_token_is_401(post, token, message):
    assert is_page(post(f"Bearer {token}"), 401, f"UnauthorizedError: {message}")


def test_a_token_signed_with_another_key_is_401(box, post):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert is_page(post(signed(box, key=stranger)), 401, "UnauthorizedError: invalid signature")


def test_a_token_with_another_payload(box, post):
    header, payload, signature = signed(box).split(".")
    assert is_page(post(f"{header}.{payload[:-2]}AA.{signature}"), 401, "UnauthorizedError: invalid signature")


def test_times_are_taken_without_tolerance(box, post):
    now = int(time.time())
    assert is_page(post(f"Bearer {box.token(expired=True)}"), 401, "UnauthorizedError: jwt expired")
    assert is_page(post(signed(box, exp=now)), 401, "UnauthorizedError: jwt expired")
    assert is_page(post(signed(box, nbf=now + 60)), 401, "UnauthorizedError: jwt not active")
    assert post(signed(box, exp=now + 60)).status_code == 200
    assert post(signed(box, exp=None)).status_code == 200


def test_the_audience_must_hold_account(box, post):
    text = "UnauthorizedError: jwt audience invalid. expected: account"
    for audience in (None, "accounts", ["x"], []):
        assert is_page(post(signed(box, aud=audience)), 401, text)
    assert post(signed(box, aud=["x", "account"])).status_code == 200


def test_the_issuer_is_the_realm(box, post):
    text = f"UnauthorizedError: jwt issuer invalid. expected: {box.keycloak_url}/realms/constellations"
    assert is_page(post(signed(box, iss="https://worldwidetelescope.org/auth/realms/constellations")), 401, text)
    assert is_page(post(signed(box, iss=None)), 401, text)


def test_a_token_of_another_algorithm_is_401(box, post):
    assert is_page(post(signed(box, algorithm="RS512")), 401, "UnauthorizedError: invalid algorithm")

    def encoded(part: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")

    none = encoded({"alg": "none"}) + b"." + encoded({"sub": box.account}) + b"."
    assert is_page(post(f"Bearer {none.decode()}"), 401, "UnauthorizedError: invalid algorithm")

    body = encoded({"alg": "HS256"}) + b"." + encoded({"sub": box.account})
    secret = base64.urlsafe_b64encode(hmac.digest(b"x", body, "sha256")).rstrip(b"=")
    text = "UnauthorizedError: secret or public key must be provided"
    assert is_page(post(f"Bearer {(body + b'.' + secret).decode()}"), 401, text)


def test_unknown_keys_are_refused_and_soon_not_even_looked_up(image):
    with Sandbox() as box, httpx.Client(base_url=box.api_url) as client:

        def post(authorization: str) -> httpx.Response:
            return client.post(PATH, json=image, headers={"Authorization": authorization})

        text = "UnauthorizedError: secret or public key must be provided"
        for _ in range(5):
            assert is_page(post(signed(box, kid="unknown")), 401, text)
        text = "JwksRateLimitError: Too many requests to the JWKS endpoint"
        assert is_page(post(signed(box, kid="unknown")), 500, text)
        assert post(signed(box)).status_code == 200


def test_no_key_id_and_small_letters_are_fine(box, post):
    assert post(signed(box, kid=None)).status_code == 200
    assert post(f"bearer {box.token()}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/handle/sandbox", "/handle/nobody", "/image/xyz", "/images/builtin-backgrounds", "/nowhere"]
)
def test_a_bad_token_spoils_every_path(anyone, path):
    answer = anyone.get(path, headers={"Authorization": "Bearer garbage"})
    assert is_page(answer, 401, "UnauthorizedError: jwt malformed")


@pytest.mark.parametrize("authorization", [None, "good"])
@pytest.mark.parametrize("body", [{}, {"wwt": 1}, []])
def test_an_unknown_handle_comes_before_ownership_and_schema(box, post, authorization, body):
    header = f"Bearer {box.token()}" if authorization else None
    answer = post(header, "/handle/nobody/image", json=body)
    assert (answer.status_code, answer.json()) == (404, {"error": True, "message": "Handle not found"})


def test_the_order_of_the_checks(box, post):
    assert is_page(
        post("Bearer garbage", json="not an object"), 400, "SyntaxError: Unexpected token &quot; in JSON at position 0"
    )
    assert is_page(post("Bearer garbage", "/handle/nobody/image"), 401, "UnauthorizedError: jwt malformed")
    assert is_forbidden(post(None, json={}))
    assert post(f"Bearer {box.token()}", json={}).status_code == 400


def test_a_token_says_nothing_in_the_sandbox_s_own_words(box):
    assert box.token() not in repr(box)
    assert "eyJ" not in repr(box)
