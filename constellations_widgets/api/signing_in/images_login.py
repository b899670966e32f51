"""Signing in at the Images API, with name and password."""

from __future__ import annotations

from ...errors import BadAnswerError, SignInError
from ..credentials import token_fault
from ..plaintext import one_line
from ..transport import check_api_url
from .asking import ask

PATH = "/login"


def images_login(images_url: str, name: str, password: str, *, path: str = PATH) -> str:
    """An access token of the Images API.

    Parameters
    ----------
    images_url : str
        Root of the API.
    name, password : str
        Of the user. Neither is kept, and no message shows the password.
    path : str, optional
        Of the call, from the API's root. Default ``/login``.

    Raises
    ------
    SignInError
        If name or password are wrong, or would be sent over plain http to another machine.
    ApiError
        If the API could not be asked, or gave no token.
    """
    address = check_api_url(images_url) + path
    if not name or not password:
        raise SignInError("Give both name and password.")
    status, answer = ask("POST", address, content={"name": name, "password": password}, secrets=[password])
    password = ""  # tracebacks can show local variables
    if status in (400, 401, 403):
        raise SignInError(f"{address} does not take this name with this password.", url=address, status=status)
    answer = answer or {}
    token = answer.get("access_token") if status == 200 else None
    if fault := token_fault(token):
        said = answer.get("message") or answer.get("detail") or answer.get("error")
        words = f"it says {one_line(str(said))!r}" if said else f"the token in its answer {fault}"
        answer = token = None
        raise BadAnswerError(f"Could not sign in at {address}: {words} (status {status}).", url=address, status=status)
    return token
