"""Compares what the package says it did with what the server holds. It knows neither the package's code nor its reasons."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from .program import body_of
from .simulate import History, Told
from .world import Record

_SAYS_NOTHING_WAS_MADE = {
    "PublishError",
    "JournalError",
    "DraftError",
    "NotSentError",
    "InvalidError",
    "SignInError",
    "ForbiddenError",
    "NotFoundError",
    "TooLargeError",
    "BusyError",
    "ServerError",
    "StatusError",
}
"""Errors that say of a publication that nothing was made by it."""
_ROWS_OF_NOTHING = {"waiting", "failed", "undecided", "skipped", "blocked"}
"""States of a batch's rows that say the same."""


def check(history: History) -> list[str]:
    """Return what is wrong in a run, one sentence each; nothing is if the list is empty."""
    if history.wrongs:
        return list(history.wrongs)
    wrongs = list(_crashes(history))
    if history.gone_at is not None:
        return wrongs + list(_writes_without_journal(history))
    own = _own_records(history)
    wrongs += _sent_twice(history, own)
    wrongs += _sent_with_two_texts(history, own)
    wrongs += _placed_twice(history)
    for told in history.told:
        wrongs += _told_wrongly(history, told)
    wrongs += _rows(history, own)
    wrongs += _when_processes_ended(history, own)
    wrongs += _unfinished(history)
    return wrongs


def duplicates(history: History) -> int:
    """Return how many records there are beside the first of each body: by the gateway, or since the user wanted them."""
    return sum(len(records) - 1 for records in _own_records(history).values())


def lost(history: History) -> int:
    """Return how many publications the journal reports that the server does not have."""
    rows = [row for row in history.rows if row["state"] == "published"]
    return sum(row["image_id"] not in history.world.records for row in rows)


def _own_records(history: History) -> dict[tuple[str, str, bytes], list[Record]]:
    """The records that our requests made, by kind, handle and body, oldest first."""
    found = defaultdict(list)
    for record in history.world.records.values():
        if record.operation is not None:
            found[record.kind, record.handle, record.sent].append(record)
    return {place: sorted(records, key=lambda it: it.created) for place, records in found.items()}


def _crashes(history: History) -> Iterator[str]:
    for told in history.told:
        if told.outcome == "crash":
            yield f"{_name(told)} ended with an error that is none of the package:\n{told.what}"


def _writes_without_journal(history: History) -> Iterator[str]:
    """A process that has published sends nothing more once its journal was removed; one request may be on its way.

    One that has not may not have opened the journal yet, and then begins a new one.
    """
    gone, since = history.gone_at or 0.0, history.scenario.latency
    begun = {(told.process, told.operation): told.began for told in history.told}
    used = {write.request.process for write in history.world.writes if write.at < gone}
    for write in history.world.writes:
        request = write.request
        if request.process not in used or request.method == "PATCH":  # the record itself says what became of a change
            continue
        if begun.get((request.process, request.operation), gone) < gone and write.at > gone + since:
            yield f"process {request.process} published at {write.at:.1f} s without its journal, gone at {gone:.1f} s"


def _sent_twice(history: History, own: dict[Any, list[Record]]) -> Iterator[str]:
    for (kind, handle, _), records in own.items():
        made = [record for record in records if not record.is_twin]
        wanted = {record.operation for record in made if _is_again(history, record)}
        if len(made) > 1 + len(wanted):
            when = ", ".join(f"{record.id} at {record.created:.1f} s by {record.operation}" for record in made)
            yield f"the same {kind} was sent {len(made)} times to {handle!r}: {when}"


def _sent_with_two_texts(history: History, own: dict[Any, list[Record]]) -> Iterator[str]:
    """The same image with another text is a second record of it, which only a user who asks for a duplicate gets."""
    bodies: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for (kind, handle, _), records in own.items():
        made = [it for it in records if not it.is_twin and not _is_again(history, it)]
        if kind == "image" and made:
            bodies[handle, made[0].body["storage"]["legacy_url_template"]].append(made[0])
    for (_, url), firsts in bodies.items():
        if len(firsts) > 1:
            when = ", ".join(f"{it.id} at {it.created:.1f} s by {it.operation}" for it in firsts)
            yield f"{url} was published with {len(firsts)} texts: {when}"


def _is_again(history: History, record: Record) -> bool:
    process, operation = record.operation or (0, 0)
    if process >= len(history.scenario.processes):
        return False
    return history.scenario.processes[process][operation].again


def _placed_twice(history: History) -> Iterator[str]:
    """A record of another placement at the same URL is drawn where the first is: never made where the first is known."""
    known: list[tuple[float, str, dict[str, Any], dict[str, Any]]] = []
    for told in history.told:
        for body in _receipts(told):
            if body["kind"] == "image":
                known.append((told.ended, body["handle"], body["body"]["storage"], body["body"]["wwt"]))
    begun = {(told.process, told.operation): told.began for told in history.told}
    for record in history.world.records.values():
        if record.kind != "image" or record.operation not in begun:
            continue
        for ended, handle, storage, wwt in known:
            before = ended <= begun[record.operation] and handle == record.handle
            if before and storage == record.body["storage"] and wwt != record.body["wwt"]:
                yield f"{record.id} has the URL of an image that was published before, and another placement"


def _receipts(told: Told) -> list[dict[str, Any]]:
    if told.outcome != "done" or not told.what:
        return []
    if told.do.what in ("publish", "send_again", "scene"):
        return [told.what]
    if told.do.what == "publish_all":
        return [receipt for _, _, _, receipt in told.what if receipt]
    return []


def _told_wrongly(history: History, told: Told) -> Iterator[str]:
    records = history.world.records
    for receipt in _receipts(told):
        yield from _receipt(history, _name(told), receipt["id"], receipt["kind"], receipt["handle"], receipt["body"])
    by_limiter = _by_limiter(history)
    made = [it for it in records.values() if it.operation == (told.process, told.operation)]
    made = [it for it in made if it.operation not in by_limiter]
    if told.outcome in _SAYS_NOTHING_WAS_MADE and told.do.what in ("publish", "send_again", "scene"):
        for record in made:
            yield f"{_name(told)} said that nothing was made ({told.outcome}: {told.what}), and made {record.id}"
    if told.outcome == "done" and told.do.what == "publish_all":
        for number, state, reason, _ in told.what:
            body = body_of(history.scenario.images[number])
            mine = [it for it in made if json.loads(it.sent) == body]
            if state in _ROWS_OF_NOTHING and mine and state != "skipped":
                yield f"{_name(told)} said of image {number}: {state} ({reason}), and made {mine[0].id}"
            url = body["storage"]["legacy_url_template"]
            if state == "unclear" and not _looked_after_its_writes(history, told, url):
                yield f"{_name(told)} left image {number} unclear, and did not look after its last request"
    if told.outcome == "done" and told.do.what == "save" and told.what:
        id, text = told.what
        changed_later = [it for it in history.told if it.do.what == "save" and it.ended >= told.began]
        if id in records and records[id].body["alt_text"] != text and len(changed_later) == 1:
            yield f"{_name(told)} said that {id} was changed, and it was not"


def _looked_after_its_writes(history: History, told: Told, url: str) -> bool:
    """Whether a batch looked for an image, or tried to, after the last request of the operation that publishes."""
    mine = [it.at for it in history.world.writes if _is_of(told, it.request)]
    tried = [at for at, process, operation, kind in _tries(history) if (process, operation) == _place(told)]
    return not mine or any(at >= max(mine) for at in tried)


def _tries(history: History) -> Iterator[tuple[float, int, int, str]]:
    for at, process, operation, kind, *what in history.trace:
        if kind == "request" and "find-by-legacy-url" in what[1]:
            yield at, process, operation, what[1]


def _place(told: Told) -> tuple[int, int]:
    return told.process, told.operation


def _is_of(told: Told, request: Any) -> bool:
    return (request.process, request.operation) == _place(told)


def _receipt(history: History, who: str, id: str, kind: str, handle: str, body: dict[str, Any]) -> Iterator[str]:
    record = history.world.records.get(id)
    if record is None:
        yield f"{who} has a receipt of {id}, which is not there"
    elif record.operation is None:
        yield f"{who} has a receipt of {id}, which another program made"
    elif (record.kind, record.handle) != (kind, handle) or json.loads(record.sent) != body:
        yield f"{who} has a receipt of {id}, which is made of something else"


def _rows(history: History, own: dict[Any, list[Record]]) -> Iterator[str]:
    """Of the journal in the end: each row is right, and each of our records is in one."""
    seen: dict[str, str] = {}
    named = {id for row in history.rows for id in row["duplicates"]} | _perhaps_twins(history)
    for row in history.rows:
        who = f"the journal's row {row['key'][-6:]} ({row['state']}: {row['answer']})"
        if row["state"] == "sending":
            yield f"{who} is still sending"
        if row["state"] == "published":
            yield from _receipt(history, who, row["image_id"], row["kind"], row["handle"], json.loads(row["body"]))
            if row["image_id"] in seen:
                yield f"{who} has the id {row['image_id']} of another row"
            seen[row["image_id"]] = row["key"]
    for (kind, handle, sent), records in own.items():
        mine = [it for it in history.rows if (it["kind"], it["handle"], it["body"]) == (kind, handle, sent)]
        if not mine:
            yield f"the journal has no row of {records[0].id}"
        is_open = any(row["state"] == "unclear" for row in mine)
        again, by_limiter = any(_is_again(history, record) for record in records), _by_limiter(history)
        for record in records:
            if record.id in seen or record.id in named or _came_with_twins(history, record):
                continue
            if not is_open and record.operation in by_limiter:
                continue
            if not is_open:
                yield f"the journal says of {record.id} neither that it is there nor that it may be"
            elif not again:
                yield f"{record.id} is there, and the journal does not say so: {[row['answer'] for row in mine]}"
        yield from _twins(history, records, seen)


def _perhaps_twins(history: History) -> set[str]:
    """The records of which the journal says that they could not be read, and may be duplicates."""
    answers = (row["answer"] for row in history.rows if row["state"] == "published")
    return {
        id for answer in answers for ids in re.findall(r": ([^:]*) could not be read", answer) for id in ids.split(", ")
    }


def _when_processes_ended(history: History, own: dict[Any, list[Record]]) -> Iterator[str]:
    """The journal tells the truth also before anybody has looked: nothing is being sent, or given up though it is there."""
    by_limiter = _by_limiter(history)
    for process, rows, there in history.ends:
        known = {id for row in rows for id in (row["image_id"], *row["duplicates"])}
        for row in rows:
            who = (
                f"at the end of process {process} the journal's row {row['key'][-6:]} ({row['state']}: {row['answer']})"
            )
            if row["state"] == "sending" and row["is_own"]:
                yield f"{who} is sending, though nothing is"
            if row["state"] not in ("refused", "planned"):
                continue
            made = own.get((row["kind"], row["handle"], row["body"]), [])
            open_ones = any(it["body"] == row["body"] and it["state"] in ("unclear", "sending") for it in rows)
            for record in made:
                is_excused = record.operation in by_limiter or _came_with_twins(history, record)
                if record.id in there - known and not open_ones and not is_excused:
                    yield f"{who} is given up, and {record.id} is there"


def _by_limiter(history: History) -> set[tuple[int, int]]:
    """Return the operations of which a request was answered with 429: that nothing was made is what they were told.

    Nobody has to look before the request is repeated, or can, once the disk is full or the process is killed.
    """
    return {_place_of(write.request) for write in history.world.writes if write.answer == "429"}


def _came_with_twins(history: History, record: Record) -> bool:
    """Whether the gateway doubled it and answered as if there was one: nobody has a reason to look for another."""
    for write in history.world.writes:
        if write.answer == "ok" and write.commits == 2 and record.operation == _place_of(write.request):
            return json.loads(write.request.body) == json.loads(record.sent)
    return False


def _place_of(request: Any) -> tuple[int, int]:
    return request.process, request.operation


def _twins(history: History, records: list[Record], seen: dict[str, str]) -> Iterator[str]:
    """Of records that the gateway doubled, the oldest is the receipt; where the server gave an id, that one is."""
    twins = [record for record in records if record.is_twin]
    if not twins or records[0].id in _perhaps_twins(history):
        return
    if len(records) == 2 and len(twins) == 1 and records[1].id in seen and not _came_with_twins(history, records[0]):
        yield f"{records[1].id} is the receipt, though {records[0].id} is the older one of two"


def _unfinished(history: History) -> Iterator[str]:
    """In the end, when all is calm, everything that can be published is."""
    last = history.told[-2] if len(history.told) > 1 else None
    if last is None or last.do.what != "publish_all":
        yield "the last program did not come to its end"
        return
    if last.outcome != "done":
        yield f"when all was calm, publish_all ended with {last.outcome}: {last.what}"
        return
    for number, state, reason, _ in last.what:
        is_open = state == "unclear" and _may_stay_open(history, number)
        if state in ("failed", "waiting", "unclear", "undecided") and not is_open:
            yield f"when all was calm, image {number} was not published: {state} ({reason})"


def _may_stay_open(history: History, number: int) -> bool:
    """Whether nobody but the user can decide about an image that is not there.

    It would be sent beside a record with its URL: of this batch, of this handle, of another placement, or one that can't be
    read and could be it.
    """
    image, images = history.scenario.images[number], history.scenario.images
    shares = any(other.url == image.url for other in images[:number])
    beside = [it for it in history.scenario.foreign if images[it.image].url == image.url]
    return shares or any(it.handle == "me" or it.differs == "center" or it.broken for it in beside)


def _name(told: Told) -> str:
    return f"process {told.process}, operation {told.operation} ({told.do.what})"
