"""Whether an API believes a token that somebody has brought."""

from __future__ import annotations

from ...errors import ApiError, NoAnswerError, NotSentError, SignInError
from ..constellations import Constellations
from ..credentials import Credentials
from ..library.client import ImagesClient
from ..retries import Retries

_HANDLE = "me"
_IMAGE = "00000000-0000-0000-0000-000000000000"


def check_token(token: str, api_url: str, *, of_images: bool = False, called: str = "this token") -> None:
    """Ask the API at `api_url` for something that it may not have: it looks at the token first.

    Parameters
    ----------
    of_images : bool, optional
        Whether it is an Images API.
    called : str, optional
        What the message calls the token.

    Raises
    ------
    SignInError
        If the API does not believe the token, or it can't be one. The message does not show it.
    NotSentError, NoAnswerError
        If the API can't be asked.
    """
    credentials = Credentials.token(token)
    token = ""  # tracebacks can show local variables
    once = Retries(tries=1)
    fault: ApiError | None = None
    try:
        if of_images:
            with ImagesClient(api_url, credentials, retries=once) as images:
                images.open(_IMAGE, most=0)
        else:
            with Constellations(api_url, credentials, retries=once) as client:
                client.may_add_images(_HANDLE)
    except ApiError as error:
        fault = error
    if isinstance(fault, SignInError):
        words = f"{api_url} does not believe {called} (it says {fault.message!r}): it may have expired, or belong to another server."
        raise SignInError(words, url=api_url, status=401)
    if isinstance(fault, NotSentError | NoAnswerError):
        raise type(fault)(f"{called.capitalize()} could not be tried: {fault.message}. Try again later.", url=api_url)
