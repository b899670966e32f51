"""Streamed requests of the Images API, whose bodies do not fit into memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from ... import errors
from ...http import NEVER_SENT, BodyError, Deadline, HTTPError, Response
from ..transport import Call, Transport
from .file_body import PART, BrokenError, FileBody
from .received import save_image

Taken = TypeVar("Taken")

_ANSWER_LIMIT = 64 * 1024  # bytes of a response that says yes or no


class Streams:
    """Uploads and downloads over a `Transport`.

    Parameters
    ----------
    transport : Transport
    """

    def __init__(self, transport: Transport):
        self._transport = transport

    def send(self, call: Call, body: FileBody) -> dict[str, Any]:
        """Upload a file; return the server's answer, a JSON object.

        Raises
        ------
        UnclearError
            If the whole file left, and no trustworthy answer came.
        ApiError
            If the server has certainly not taken it.
        """
        return self._transport.perform(call, lambda: self._send_once(call, body))

    def receive(self, call: Call, take: Callable[[Response], Taken]) -> Taken:
        """Return what `take` makes of the response, whose body it reads. It is called again if the connection breaks.

        `take` may raise BrokenError, StoppedError or HTTPError.
        """
        return self._transport.perform(call, lambda: self._receive_once(call, take))[0]

    def is_file(self, call: Call, path: Path) -> bool:
        """Return whether the image that is received has the bytes of the file at `path`."""
        with tempfile.TemporaryFile() as theirs, path.open("rb") as ours:
            self.receive(call, lambda response: save_image(response, theirs))
            theirs.seek(0)
            while part := ours.read(PART):
                if theirs.read(len(part)) != part:
                    return False
            return not theirs.read(1)

    def _send_once(self, call: Call, body: FileBody) -> dict[str, Any] | errors.ApiError:
        deadline = Deadline(self._transport.patience)
        parts = _Parts(body, deadline, self._transport.patience)
        try:
            with self._transport.open(call, content=parts, headers=body.headers, deadline=deadline) as response:
                return self._read_json(call, response)
        except BrokenError as error:
            return self._cut_short(call, str(error))
        except errors.ApiError as error:
            return error.with_traceback(None)  # which passes by the token
        except HTTPError as error:
            if body.is_whole or isinstance(error, NEVER_SENT):
                return self._transport.not_answered(call, error)
            return self._cut_short(call, f"the connection to {self._transport.api_url} broke ({error})")

    def _receive_once(self, call: Call, take: Callable[[Response], Taken]) -> tuple[Taken] | errors.ApiError:
        deadline = Deadline(self._transport.patience)
        try:
            with self._transport.open(call, deadline=deadline) as response:
                if response.status_code != 200:
                    return self._transport.refused(call, response)
                deadline.restart(None)  # a download may take as long as it needs
                return (take(response),)
        except BrokenError as error:
            return self._transport.bad_answer(call, str(error))
        except errors.ApiError as error:
            return error.with_traceback(None)
        except HTTPError as error:
            return self._transport.not_answered(call, error)

    def _read_json(self, call: Call, response: Response) -> dict[str, Any] | errors.ApiError:
        """Return the JSON object of a success, or the error."""
        if response.status_code not in (200, 201):
            return self._transport.refused(call, response)
        try:
            answer = json.loads(self._transport.content(response, _ANSWER_LIMIT))
        except HTTPError as error:
            return self._transport.not_answered(call, error)
        except (BodyError, ValueError, RecursionError):
            answer = None
        return answer if isinstance(answer, dict) else self._transport.bad_answer(call, "is no JSON object", 201)

    def _cut_short(self, call: Call, cause: str) -> errors.NotSentError:
        url = self._transport.api_url + call.path
        advice = "The file was not sent completely, so nothing was added. Try again."
        return errors.NotSentError(f"Could not {call.what}: {cause}. {advice}", url=url)


class _Parts:
    """A file body without a time limit, which can be sent again with a renewed token."""

    def __init__(self, body: FileBody, deadline: Deadline, patience: float):
        self._body, self._deadline, self._patience = body, deadline, patience

    def __iter__(self) -> Iterator[bytes]:
        self._deadline.restart(None)
        yield from self._body.parts()
        self._deadline.restart(self._patience)
