"""The errors that this package raises deliberately.

::

    ConstellationsError
    ├── SourceError              a file or object from which no draft can be made
    │   └── SolveError               no reliable place on the sky was found for a picture: too few stars, no index, time
    │       └── NoIndexError             there are no index files for its size or its part of the sky
    ├── DraftError               a draft that is not ready: `.problems` names every field
    ├── LicenseError             not a license expression that the server accepts (a ValueError too)
    ├── CreditsError             credits that must not be sent: too long or too deep (a ValueError too)
    ├── HostingError             files could not be uploaded, or their public address does not work
    ├── PublishError             publishing stopped before anything was sent
    │   └── JournalError         the journal can't be read or written: disk full, no permission
    ├── SandboxError             the sandbox server could not start, or a request to it is unsupported
    └── ApiError                 a call of one of the services failed: `.url`, `.status`, `.message`
        ├── NotSentError         the request provably never left: refused connection, DNS, TLS
        ├── NoAnswerError        no answer in time to a request that changes nothing
        ├── UnclearError         a write was sent without a reliable response (or a 5xx): check before sending again
        ├── BadAnswerError       a response that this API does not give
        ├── StoppedError         a transfer was stopped on request; nothing of it is kept
        ├── ConflictError        the record changed on the server since it was read; nothing was sent (`.record`)
        └── StatusError          the server answered with an error status
            ├── InvalidError     400, 415: the server does not accept what was sent
            ├── SignInError      401: no token, or one that the server rejected
            ├── ForbiddenError   403: this account may not do that
            ├── NotFoundError    404
            ├── TooLargeError    413
            ├── BusyError        429, 503 to a read: try later (`.retry_after` in seconds, if given)
            └── ServerError      any other 5xx
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from . import runtime
from .text import readable

if TYPE_CHECKING:
    from .checks import Problem
    from .schema.records import ImageRecord


class ConstellationsError(Exception):
    """Base of all errors that this package raises deliberately. Its message can be printed whatever file it names.

    Examples
    --------
    >>> try:
    ...     cxw.ImageDraft.from_fits("missing.fits")
    ... except cxw.ConstellationsError as error:
    ...     print(error)
    """

    def __init__(self, *args: object):
        super().__init__(*(readable(arg) if isinstance(arg, str) else arg for arg in args))


@contextlib.contextmanager
def needs_extra(
    extra: str, what: str, error: type[ConstellationsError] | None = None, *, otherwise: str = ""
) -> Iterator[None]:
    """Report a package that can't be imported in the block, with the extra that brings it.

    Parameters
    ----------
    extra : str
        Extra of this package, such as "hosting".
    what : str
        What needs the package, as the subject of a sentence: "Uploading to s3://".
    error : type of ConstellationsError, optional
        Error to raise, ConstellationsError by default.
    otherwise : str, optional
        Way to do without the package.
    """
    try:
        yield
    except ImportError as missing:
        name = _package_of(missing)
        problem = (
            f"{name}, which is not installed" if isinstance(missing, ModuleNotFoundError) else f"{name} ({missing})"
        )
        way = f'pip install "constellations_widgets[{extra}]"' + (f", or {otherwise}" if otherwise else "")
        raise (error or ConstellationsError)(f"{what} needs {problem}: {way}") from None


@contextlib.contextmanager
def needs_package(what: str, error: type[ConstellationsError]) -> Iterator[None]:
    """Report a package of the core that can't be imported in the block: in a browser Python may lack some.

    Parameters
    ----------
    what : str
        What needs the package, as the subject of a sentence: "Reading a FITS file".
    error : type of ConstellationsError
        Error to raise.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        name = _package_of(missing)
        package = {"PIL": "pillow"}.get(name, name)
        way = f"pip install {package}"
        if runtime.IN_BROWSER:
            way = f"run %pip install {package} in a cell; if that fails, use a Jupyter kernel on your computer"
        raise error(f"{what} needs {package}, which this Python does not have: {way}") from None


def _package_of(missing: ImportError) -> str:
    """Return the name of the package that can't be imported; raise the error again if it is a mistake of this package."""
    name = (missing.name or "").partition(".")[0]
    if name == __package__:
        raise missing
    return name


def needs_computer(what: str, error: type[ConstellationsError], *, instead: str) -> None:
    """Raise `error` if Python runs in a browser, which has no processes and no sockets.

    Parameters
    ----------
    what : str
        What can't be done there, as the subject of a sentence: "The sandbox server".
    instead : str
        What to do.
    """
    if runtime.IN_BROWSER:
        raise error(f"{what} can't run in a browser, where Python has no processes and no sockets. {instead}")


class SourceError(ConstellationsError):
    """No draft can be made of a file or an object. The message names it and says what to do."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows: the message says it all, forty lines of this package's code would hide it."""
        return [f"{type(self).__name__}: {self}"]


class SolveError(SourceError):
    """No reliable place on the sky was found for a picture. The message says why, and what to try."""


class NoIndexError(SolveError):
    """No index files recognize pictures of this size, or this part of the sky. The message says how to get them."""


class DraftError(ConstellationsError):
    """The draft is not ready for publication, or the changes of a published image can't be saved.

    Attributes
    ----------
    problems : list of Problem
        Every blocking error, each with its field.

    Examples
    --------
    >>> try:
    ...     cxw.ImageDraft().submission()
    ... except cxw.DraftError as error:
    ...     print(error)
    """

    def __init__(self, problems: Sequence[Problem], what: str = "The draft", done: str = "published"):
        self.problems = list(problems)
        lines = "\n".join(f"  {p.field or 'draft'}: {p.message} [{p.code}]" for p in self.problems)
        count = len(self.problems)
        super().__init__(f"{what} has {count} error{'s' * (count != 1)} to fix before it can be {done}:\n{lines}")


class LicenseError(ConstellationsError, ValueError):
    """A text that is not a license expression accepted by the server."""


class CreditsError(ConstellationsError, ValueError):
    """Credits that must never be sent to the server: too long, or nested too deeply."""


class HostingError(ConstellationsError):
    """Files could not be uploaded, or their public address does not work. The message says which, and what to do."""


class PublishError(ConstellationsError):
    """Publishing stopped before anything was sent."""


class JournalError(PublishError):
    """The journal of publications can't be read or written. Nothing is sent without it."""


class SandboxError(ConstellationsError):
    """The sandbox server could not start, or was asked for something that it does not have."""


class ApiError(ConstellationsError):
    """A call of one of the services failed.

    Attributes
    ----------
    url : str
        Address of the request. Never holds a token.
    status : int or None
        The HTTP status, if there was a response.
    message : str
        The server's message as one line of plain text, or the transport error.
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None):
        self.url, self.status, self.message = url, status, message
        super().__init__(message)


class NotSentError(ApiError):
    """The request never left this machine; sending it again is safe."""


class NoAnswerError(ApiError):
    """A request that changes nothing got no answer in time; sending it again is safe."""


class UnclearError(ApiError):
    """A write was sent, and it is not known whether the server executed it. Check before sending it again.

    Attributes
    ----------
    retry_after : float or None
        Seconds to wait, if the server gave them. It may have executed the write nevertheless.
    """

    retry_after: float | None = None


class BadAnswerError(ApiError):
    """A response that this API does not give."""


class ConflictError(ApiError):
    """The record changed on the server since it was read; nothing was sent.

    Attributes
    ----------
    record : ImageRecord
        The record now on the server.
    """

    def __init__(self, message: str, record: ImageRecord, *, url: str = ""):
        self.record = record
        super().__init__(message, url=url)


class StoppedError(ApiError):
    """A transfer was stopped on request before its end. Nothing of it is kept."""


class StatusError(ApiError):
    """The server answered with an error status."""


class InvalidError(StatusError):
    """400 or 415: the server does not accept what was sent."""


class SignInError(StatusError):
    """401: no token, or one that the server rejected."""


class ForbiddenError(StatusError):
    """403: this account may not do that."""


class NotFoundError(StatusError):
    """404: no such handle or image."""


class TooLargeError(StatusError):
    """413: over the server's limit of 100 kB for one request."""


class BusyError(StatusError):
    """429, or 503 to a request that changes nothing: the server asks to come back later.

    Attributes
    ----------
    retry_after : float or None
        Seconds to wait, if the server gave them.
    """

    retry_after: float | None = None


class ServerError(StatusError):
    """Any other 5xx status."""
