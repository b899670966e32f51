"""Every way in which this package fails on purpose.

::

    ConstellationsError
    ├── SourceError              a file or object from which no draft can be made
    ├── DraftError               a draft that is not ready: `.problems` names every field
    ├── LicenseError             not a license expression that the server takes (a ValueError too)
    ├── CreditsError             credits that must not be sent: too long or too deep (a ValueError too)
    ├── PublishError             publishing stopped before anything was sent
    │   └── JournalError         the journal can't be read or written: no room, no rights
    ├── SandboxError             the sandbox server could not start or was asked for the impossible
    └── ApiError                 a call of one of the services failed: `.url`, `.status`, `.message`
        ├── NotSentError         the request provably never left: refused connection, DNS, TLS
        ├── NoAnswerError        no answer in time to a request that changes nothing
        ├── UnclearError         a write left and no trustworthy answer came: look before sending again
        ├── BadAnswerError       an answer came, but not one that this API gives
        ├── StoppedError         a transfer was stopped on demand; nothing of it is kept
        ├── ConflictError        somebody else has changed the same meanwhile; nothing was sent (`.record`)
        └── StatusError          the server said no
            ├── InvalidError     400, 415: what was sent is not what the server takes
            ├── SignInError      401: no token, or one that the server does not believe
            ├── ForbiddenError   403: signed in, but this is not yours
            ├── NotFoundError    404
            ├── TooLargeError    413
            ├── BusyError        429, 503: later (`.retry_after` in seconds, when told)
            └── ServerError      any other 5xx
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .checks import Problem
    from .schema.records import ImageRecord


class ConstellationsError(Exception):
    """Base of all errors that this package raises on purpose."""


class SourceError(ConstellationsError):
    """No draft can be made of a file or an object. The message names it and says what to do."""


class DraftError(ConstellationsError):
    """The draft can't become a submission yet, or the changes of a published image can't be saved.

    Attributes
    ----------
    problems : list of Problem
        Every error that stands in the way, each with its field.
    """

    def __init__(self, problems: Sequence[Problem], what: str = "The draft", done: str = "published"):
        self.problems = list(problems)
        lines = "\n".join(f"  {p.field or 'draft'}: {p.message} [{p.code}]" for p in self.problems)
        count = len(self.problems)
        super().__init__(f"{what} has {count} error{'s' * (count != 1)} to fix before it can be {done}:\n{lines}")


class LicenseError(ConstellationsError, ValueError):
    """Not a license expression that the server takes."""


class CreditsError(ConstellationsError, ValueError):
    """Credits that must never be sent to the server: too long, or nested too deeply."""


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
        What was called. Never holds a token.
    status : int or None
        The HTTP status, where an answer came.
    message : str
        What the server said, as one line of plain text, or what went wrong on the way.
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None):
        self.url, self.status, self.message = url, status, message
        super().__init__(message)


class NotSentError(ApiError):
    """The request provably never left this machine; sending it again is safe."""


class NoAnswerError(ApiError):
    """No answer in time to a request that changes nothing; asking again is safe."""


class UnclearError(ApiError):
    """A write was sent, and whether the server did it is not known. Look before sending it again."""


class BadAnswerError(ApiError):
    """An answer came, but not one that this API gives."""


class ConflictError(ApiError):
    """Somebody else has changed what was about to be replaced; nothing was sent.

    Attributes
    ----------
    record : ImageRecord
        As the server has it now.
    """

    def __init__(self, message: str, record: ImageRecord, *, url: str = ""):
        self.record = record
        super().__init__(message, url=url)


class StoppedError(ApiError):
    """A transfer was stopped on demand, before its end. Nothing of it is kept."""


class StatusError(ApiError):
    """The server answered with an error status."""


class InvalidError(StatusError):
    """400 or 415: what was sent is not what the server takes."""


class SignInError(StatusError):
    """401: no token, or one that the server does not believe."""


class ForbiddenError(StatusError):
    """403: this account may not do that."""


class NotFoundError(StatusError):
    """404: no such handle or image."""


class TooLargeError(StatusError):
    """413: over the server's limit of 100 kB for one request."""


class BusyError(StatusError):
    """429 or 503: the server asks to come back later.

    Attributes
    ----------
    retry_after : float or None
        Seconds to wait, when the server said so.
    """

    retry_after: float | None = None


class ServerError(StatusError):
    """Any other 5xx."""
