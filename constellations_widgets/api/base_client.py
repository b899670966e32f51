"""What all calls of the Constellations API share: the connection, new records, changes, lists, typed answers."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Self, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from ..auth.credentials import TOKEN_VARIABLE, Credentials
from ..errors import ApiError, ConflictError, InvalidError, SignInError, UnclearError
from ..http import BaseTransport
from ..interface import in_terms
from ..schema.fields import body_of
from ..schema.images import ImageSubmission
from ..schema.records import ImageRecord, ImageSummary
from ..schema.scenes import SceneRecord, SceneSubmission, SceneSummary
from .addresses import handle_call, handle_name, record_path
from .changes import not_made
from .retries import Retries
from .transport import Call, Transport

Answer = TypeVar("Answer", bound=BaseModel)
Record = TypeVar("Record", ImageRecord, SceneRecord)
Item = TypeVar("Item", ImageSummary, SceneSummary, SceneRecord)
Entry = TypeVar("Entry")
Listed = TypeVar("Listed", ImageSummary, SceneSummary)


class RecordPage(list[Entry]):
    """One page of a handle's images or scenes, a list. `total_count` is the number that the handle has."""

    def __init__(self, records: list[Entry], total_count: int):
        super().__init__(records)
        self.total_count = total_count


class BaseClient:
    """Base of the groups of calls that `Constellations` is made of; see there for parameters and errors."""

    def __init__(
        self,
        api_url: str,
        auth: str | Credentials | None = None,
        *,
        timeout: float = 30.0,
        transport: BaseTransport | None = None,
        retries: Retries | None = None,
    ):
        credentials = Credentials.token(auth) if isinstance(auth, str) else auth
        if credentials is None:
            credentials = Credentials.from_environment()
        elif not isinstance(credentials, Credentials):
            raise SignInError(
                f"auth is a {type(auth).__name__}: give a token as text, or the credentials that sign_in() returned."
            )
        self._transport = Transport(api_url, credentials, timeout=timeout, transport=transport, retries=retries)
        self._named_ids: set[str] = set()  # by responses to requests for a new record
        self._doubtful_ids: set[str] = set()

    @property
    def api_url(self) -> str:
        """Root of the API, without a slash at its end."""
        return self._transport.api_url

    @property
    def has_credentials(self) -> bool:
        """Whether the client was given a token or a sign-in, signed in by now or not."""
        return self._transport.credentials is not None

    @property
    def signed_in(self) -> bool:
        """Whether requests carry a token. The server may still reject it."""
        credentials = self._transport.credentials
        return credentials is not None and credentials.signed_in

    @property
    def username(self) -> str:
        """Name of the account that is signed in; empty if none is, or its token does not name it."""
        credentials = self._transport.credentials
        return credentials.username if credentials is not None and credentials.has_token else ""

    def on_account_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, in any thread, after each sign-in and sign-out with this client's credentials; return a function that ends this."""
        credentials = self._transport.credentials
        return credentials.on_change(listener) if credentials is not None else lambda: None

    @property
    def clock_offset(self) -> float:
        """Seconds by which the server's clock is ahead of this machine's, by its latest response; 0 before that."""
        return self._transport.clock_offset

    def is_doubtful(self, id: str) -> bool:
        """Return whether a response that named this id as that of a new record may belong to another request.

        The same id in two responses is that of one of both at most. A response with other fields than the API's may have
        been one to a request that read the record.
        """
        return id in self._doubtful_ids

    def close(self) -> None:
        """Close the connections. The client can still be used: it opens new ones."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Constellations {self.api_url}, {'signed in' if self.signed_in else 'not signed in'}>"

    # For the groups of calls

    def _handle_pages(
        self, model: type[Listed], what: str, handle: str, rest: str, page_size: int, first_page: int
    ) -> Iterator[RecordPage[Listed]]:
        """Yield all `what` of a handle that this account owns, page by page."""
        handle_name(handle)  # a name that can't be one is refused now, not at the first step
        if not 1 <= page_size <= 100:
            raise InvalidError(f"page_size is {page_size}; the server gives 1 to 100 {what} at once.")

        def call_of(page: int) -> Call:
            return handle_call(f"list the {what} of", handle, f"/{rest}?page={page:d}&pagesize={page_size}")

        return (RecordPage(found, total) for found, total in self._pages(model, call_of, first_page, page_size))

    def _add(
        self, kind: str, handle: str, submission: ImageSubmission | SceneSubmission | bytes, key: str | None
    ) -> dict[str, Any]:
        """Send a new image or scene; return the fields of its receipt."""
        name = handle_name(handle)
        what = f"add {'an' if kind == 'image' else 'a'} {kind} to the handle {name!r}"
        if not self.signed_in:
            raise SignInError(
                f"Could not {what}: not signed in. {in_terms('Pass auth=sign_in(...)', 'Run constellations-widgets sign-in')}, "
                f"or set {TOKEN_VARIABLE} in the environment."
            )
        body = submission.to_json() if isinstance(submission, ImageSubmission | SceneSubmission) else submission
        sent = _object_of(body)
        if sent is None:
            raise InvalidError(
                f"Could not {what}: that is not a submission. Give draft.submission(), or a SceneSubmission."
            )
        call = Call(what, "POST", f"/handle/{quote(name, safe='')}/{kind}", body, writes=True)
        answer = self._transport.json(call)
        id, rel_url = answer.get("id"), answer.get("rel_url")
        if not (isinstance(id, str) and re.fullmatch(r"[\w-]{1,100}", id, re.ASCII)):
            raise self._transport.bad_answer(call, f"names no id of {'an' if kind == 'image' else 'a'} {kind}")
        if id in self._named_ids or answer != {"error": False, "id": id, "rel_url": f"/{kind}/{id}"}:
            self._doubtful_ids.add(id)
        self._named_ids.add(id)
        return {
            "id": id,
            "rel_url": rel_url if isinstance(rel_url, str) else f"/{kind}/{id}",
            "api_url": self.api_url,
            "handle": name,
            "created": datetime.now(UTC),
            "body": sent,
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "key": str(key or uuid.uuid4().hex),
        }

    def _change(
        self,
        call_name: str,
        path: str,
        changes: Mapping[str, Any],
        read: Callable[[], Answer],
        unmade_in: Callable[[Answer], list[str]],
        check: str,
    ) -> Answer:
        """Send a change, read the record back, and return it.

        `unmade_in` names the fields of a record that are not as requested; `check` is the call that tells whether the
        account may change it. Raises UnclearError or BadAnswerError if the change was not made.
        """
        call = Call(call_name, "PATCH", path, body_of(changes), writes=True)
        unclear: UnclearError | None = None
        try:
            self._transport.json(call)
        except UnclearError as error:  # the change is idempotent: reading the record settles it
            unclear = error
        try:
            after = read()
        except ApiError as error:  # its text concerns this read only, and may say that nothing was sent
            raise unclear or self._transport.bad_answer(call, f"could not be checked: {error.message}") from None
        if unmade := unmade_in(after):
            raise not_made(call.what, unclear, unmade) if unclear else self._transport.unmade(call, unmade, check)
        return after

    def _require_unchanged(self, what: str, fields: list[str], now: Any, path: str) -> None:
        """Raise ConflictError if `fields` changed on the server since the caller read the record."""
        if fields:
            raise ConflictError(
                f"{what} was not updated: {', '.join(fields)} changed on the server since you read it. Nothing was "
                "sent. Reload the record and try again.",
                now,
                url=self.api_url + path,
            )

    def _pages(
        self, model: type[Item], call_of: Callable[[int], Call], page: int, page_size: int | None
    ) -> Iterator[tuple[list[Item], int]]:
        """Yield the new items of each page, and the total number if known, else that of the items so far.

        `page_size` is that of lists with a total number; None for lists without one.
        """
        seen: set[str] = set()
        while True:
            call = call_of(page)
            answer = self._transport.json(call)
            items, total = self._list(model, call, answer), answer.get("total_count")
            new = [item for item in items if item.id not in seen]
            seen.update(item.id for item in new)
            if new:
                yield new, total if isinstance(total, int) else len(seen)
            page += 1
            # Items that are published meanwhile push the others on: a page with nothing new need not be the last.
            ended = page * page_size >= total if page_size and isinstance(total, int) else not new
            if ended or not items:
                return

    def _scenes(self, call_of: Callable[[int], Call], first_page: int) -> Iterator[SceneRecord]:
        """Yield the scenes of a timeline, page by page."""
        return (scene for scenes, _ in self._pages(SceneRecord, call_of, first_page, None) for scene in scenes)

    def _record(self, model: type[Record], kind: str, id: str) -> Record:
        call = Call(f"read the {kind} {id!r}", "GET", record_path(kind, id))
        record = self._read(model, call)
        if record.id.lower() != id.lower():  # the response to another request
            raise self._transport.bad_answer(call, f"is the {kind} {record.id!r}")
        return record

    def _wtml(self, call: Call) -> str:
        text = self._transport.text(call)
        if not text.lstrip("\ufeff \r\n").startswith(("<Folder", "<?xml")):
            raise self._transport.bad_answer(call, "is no WTML")
        return text

    def _read(self, model: type[Answer], call: Call) -> Answer:
        return self._transport.typed(model, call, self._transport.json(call))

    def _list(self, model: type[Answer], call: Call, answer: dict[str, Any]) -> list[Answer]:
        results = answer.get("results")
        if not isinstance(results, list):
            raise self._transport.bad_answer(call, "has no list of results")
        return [self._transport.typed(model, call, result) for result in results]


def _object_of(body: Any) -> dict[str, Any] | None:
    """Return the JSON object in a request's body, or None if it is not one.

    Whatever can fail with the body fails here, before it is sent: once it is sent, there must be a receipt.
    """
    try:
        content = json.loads(body) if isinstance(body, bytes) else None
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
