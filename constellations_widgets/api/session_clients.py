"""Make the client of a session, and verify a user-supplied token against its API."""

from __future__ import annotations

from typing import Any

from ..auth.credentials import Credentials
from ..auth.session import Session
from ..errors import ApiError, NoAnswerError, NotSentError, SignInError
from .constellations import Constellations
from .images.client import ImagesClient
from .retries import Retries

_HANDLE = "me"
_IMAGE = "00000000-0000-0000-0000-000000000000"


def client_of(session: Session, **options: Any) -> Constellations | ImagesClient:
    """Return a client of the session's service; `options` are those of the client."""
    client = Constellations if session.service == "constellations" else ImagesClient
    return client(session.api_url, session, **options)


def verify_token(token: str, session: Session, *, called: str = "this token") -> None:
    """Verify a token: request something from the session's API that need not exist; the token is checked first.

    Parameters
    ----------
    token : str
        The token.
    session : Session
        Session at the API. The token is not used for it.
    called : str, optional
        What the message calls the token. Default "this token".

    Raises
    ------
    SignInError
        If the API rejects the token, or it can't be one. The message does not show it.
    NotSentError, NoAnswerError
        If the API can't be reached.
    """
    credentials = Credentials.token(token)
    token = ""  # tracebacks can show local variables
    api_url, once = session.api_url, Retries(tries=1)
    fault: ApiError | None = None
    try:
        if session.service == "images":
            with ImagesClient(api_url, credentials, retries=once) as images:
                images.open(_IMAGE, most=0)
        else:
            with Constellations(api_url, credentials, retries=once) as client:
                client.may_add_images(_HANDLE)
    except ApiError as error:
        fault = error
    if isinstance(fault, SignInError):
        raise SignInError(
            f"{api_url} rejected {called} ({fault.message!r}). It may have expired, or belong to another server.",
            url=api_url,
            status=401,
        )
    if isinstance(fault, NotSentError | NoAnswerError):
        raise type(fault)(
            f"{called.capitalize()} could not be verified: {fault.message}. Try again later.", url=api_url
        )
