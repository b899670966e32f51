"""A server model: what it holds, what its lists show when, and what a gateway before it makes of requests and answers.

It shares no code with the package but the sandbox's sanitizer, which is a second implementation by intent. Times are the
true ones of the simulation, in seconds; clocks that are wrong are made of them when they are written down.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from constellations_widgets.sandbox.dompurify import sanitize

from .scenario import SETTLED, Fault, Foreign, Scenario

EPOCH = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""The true time at the start."""
HANDLES = ("me", "other")

Answer = tuple[Any, ...]
"""("answer", status, headers, content), ("error", name of httpx's exception) or ("interrupt",)."""
Later = Callable[[float, Callable[[], None]], None]


@dataclass
class Record:
    """An image or a scene that the server holds."""

    id: str
    kind: str
    handle: str
    body: dict[str, Any]
    """As the server stores it."""
    sent: bytes
    """The request's body; empty for a foreign record."""
    created: float
    stamped: datetime
    """Its creation date by the server's clock."""
    visible: float
    operation: tuple[int, int] | None = None
    """The process and the number of the operation that sent it; None for a foreign record."""
    is_twin: bool = False
    """Whether the gateway's repetition made it."""
    broken: str = ""
    is_always_listed: bool = False
    """Whether lists that flap show it, too: one look is all that a client owes to a request that was answered with 429."""


@dataclass
class Request:
    """A request, and who sent it."""

    process: int
    operation: int
    method: str
    path: str
    body: bytes
    timeout: float

    @property
    def kind(self) -> str:
        """ "write", "list", "record" or "other"."""
        if self.method == "PATCH" or (self.method == "POST" and self.path.endswith(("/image", "/scene"))):
            return "write"
        if self.path.endswith("find-by-legacy-url") or "/imageinfo" in self.path or "/sceneinfo" in self.path:
            return "list"
        return "record" if self.path.startswith(("/image/", "/scene/")) else "other"


@dataclass
class Write:
    """A write as the network saw it, for the checker."""

    request: Request
    at: float
    answer: str
    commits: int = 0


@dataclass
class World:
    """The server and its gateway. `later` does something after so many seconds of the simulation."""

    scenario: Scenario
    later: Later
    now: float = 0.0
    calm: bool = False
    """Whether nothing goes wrong any more."""
    records: dict[str, Record] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    looks: list[tuple[float, int, int, str]] = field(default_factory=list)
    """When, process, operation and URL of each search that was answered."""
    met: Counter[str] = field(default_factory=Counter)
    """The faults that were met."""
    _seen: Counter[tuple[int, str]] = field(default_factory=Counter)
    _last: dict[int, Answer] = field(default_factory=dict)

    def clock(self, who: str) -> datetime:
        """Return the time by the clock of the server, of its gateway, or of a process."""
        known = [it for it in self.scenario.clocks if it.who == who and it.at <= self.now]
        return EPOCH + timedelta(seconds=self.now + (known[-1].skew if known else 0.0))

    def add_foreign(self, foreign: Foreign, body: dict[str, Any]) -> None:
        """Make the record of another program."""
        record = self._commit("image", foreign.handle, body, b"", None)
        record.broken = foreign.broken
        if not foreign.at:
            record.visible = record.created = -3600.0
            record.stamped -= timedelta(hours=1)

    def handle(self, request: Request, answer: Callable[[float, Answer], None]) -> None:
        """Do what a request asks for, and what the network makes of it; `answer` gets the seconds until it is there."""
        fault = self._fault(request)
        if fault is None:
            self._plain(request, answer)
        elif request.kind == "write":
            self._faulty_write(request, fault, answer)
        else:
            self._faulty_read(request, fault, answer)

    def _fault(self, request: Request) -> Fault | None:
        kind, place = request.kind, (request.process, request.kind)
        nth = self._seen[place]
        self._seen[place] += 1
        if self.calm:
            return None
        found = [it for it in self.scenario.faults if (it.process, it.on, it.nth) == (request.process, kind, nth)]
        return found[0] if found else None

    def _plain(self, request: Request, answer: Callable[[float, Answer], None]) -> None:
        said = self.serve(request)
        if request.kind == "write":
            self.writes.append(Write(request, self.now, "ok", commits=1 if said[1] == 200 else 0))
        self._last[request.process] = said
        answer(0.0, said)

    # -- faults

    def _faulty_write(self, request: Request, fault: Fault, answer: Callable[[float, Answer], None]) -> None:
        write = Write(request, self.now, fault.answer)
        self.writes.append(write)
        self.met[f"{fault.answer}, commit {fault.commit}"] += 1
        said = self._page(200, "")
        if fault.commit in ("once", "twice"):
            said = self.serve(request)
            write.commits += said[1] == 200
        if fault.commit == "twice":
            said = self.serve(request, twin=True)
            write.commits += said[1] == 200
        if fault.answer == "429" and fault.commit == "once":  # then one look must be enough
            for record in self.records.values():
                if record.operation == (request.process, request.operation):
                    record.visible, record.is_always_listed = min(record.visible, self.now), True
        if fault.commit == "late":
            write.commits += 1
            self.later(fault.seconds, lambda: self.serve(request))
        if fault.answer == "crossed":
            said, fault = self._response_to_another(request), Fault(answer="ok")
        if fault.answer == "stale":
            said, fault = self._last.get(request.process, said), Fault(answer="ok")
        answer(*self._mangled(request, fault, said))

    def _response_to_another(self, request: Request) -> Answer:
        """Make the record of another program, unlike any of ours, and return the response to it."""
        kind, body = request.path.rpartition("/")[2], json.loads(request.body)
        if kind not in ("image", "scene"):  # a PATCH
            return self._json({"error": False})
        body |= {"note": "Another"} if kind == "image" else {"text": "Another"}
        if kind == "image":
            body["storage"] = {"legacy_url_template": "https://another.example.org/{1}/{3}/{3}_{2}.png"}
        id = self._commit(kind, "me", body, b"", None).id
        return self._json({"error": False, "id": id, "rel_url": f"/{kind}/{id}"})

    def _faulty_read(self, request: Request, fault: Fault, answer: Callable[[float, Answer], None]) -> None:
        self.met[f"{request.kind}: {fault.answer}"] += 1
        said = self.serve(request, hides=fault.answer == "missing")
        answer(*self._mangled(request, fault, said))

    def _mangled(self, request: Request, fault: Fault, said: Answer) -> tuple[float, Answer]:
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
        match fault.answer:
            case "ok" | "missing":
                self._last[request.process] = said
                return 0.0, said
            case "drop":
                return 0.0, ("error", "ReadError")
            case "timeout":
                return request.timeout, ("error", "ReadTimeout")
            case "unreachable":
                return 0.0, ("error", "ConnectError")
            case "garbage":
                return 0.0, self._page(200, "<html>A page of the hotel's network</html>")
            case "interrupt":
                return 0.1, ("interrupt",)
        return 0.0, self._page(int(fault.answer), f"<h1>Error {fault.answer}</h1>", headers)

    # -- the server

    def serve(self, request: Request, *, twin: bool = False, hides: bool = False) -> Answer:
        """Do what a request asks for, and return the answer."""
        path = request.path.partition("?")[0].strip("/").split("/")
        if request.method == "POST" and path[0] == "handle":
            return self._add(request, path[1], path[2], twin)
        if request.path.endswith("find-by-legacy-url"):
            return self._find(request, json.loads(request.body)["wwt_legacy_url"], hides)
        if path[0] == "handle":
            return self._of_handle(request, path, hides)
        record = self.records.get(path[1]) if path[0] in ("image", "scene") else None
        if record is None or record.kind != path[0]:
            return self._json({"error": True, "message": "Not found"}, 404)
        if path[-1] == "permissions":
            return self._json({"error": False, "id": record.id, "edit": record.handle == "me"})
        if request.method == "PATCH":
            return self._patch(record, json.loads(request.body))
        if record.broken in ("404", "500"):
            return self._json({"error": True, "message": "Not found"}, int(record.broken))
        return self._json(_whole(record))

    def _add(self, request: Request, handle: str, kind: str, twin: bool) -> Answer:
        if handle not in HANDLES:
            return self._json({"error": True, "message": "Handle not found"}, 404)
        body = json.loads(request.body)
        if kind == "image" and "credits" in body["permissions"]:
            body["permissions"]["credits"] = sanitize(body["permissions"]["credits"])
        made = self._commit(kind, handle, body, request.body, (request.process, request.operation))
        made.is_twin = twin
        return self._json({"error": False, "id": made.id, "rel_url": f"/{kind}/{made.id}"})

    def _commit(
        self, kind: str, handle: str, body: dict[str, Any], sent: bytes, operation: tuple[int, int] | None
    ) -> Record:
        id = hashlib.sha256(b"record %d" % len(self.records)).hexdigest()[:24]
        moment = self.now + 0.001 * len(self.records)
        visible = moment + (self.scenario.lag if operation is not None and not self.calm else 0.0)
        stamp = self.clock("server") + timedelta(milliseconds=len(self.records))
        self.records[id] = Record(id, kind, handle, body, sent, moment, stamp, visible, operation)
        return self.records[id]

    def _patch(self, record: Record, changes: dict[str, Any]) -> Answer:
        if permissions := changes.get("permissions"):
            record.body["permissions"] = permissions | {"credits": sanitize(permissions.get("credits", ""))}
        for name in ("note", "alt_text"):
            if changes.get(name):
                record.body[name] = changes[name]
        return self._json({"error": False})

    def _listed(self, kind: str, hides: bool) -> list[Record]:
        """Newest first. Lists that flap hide what is younger than the world's bound."""
        shown = [it for it in self.records.values() if it.kind == kind and it.visible <= self.now]
        if hides:
            shown = [it for it in shown if it.created < self.now - SETTLED or it.is_always_listed]
        return sorted(shown, key=lambda it: it.stamped, reverse=True)

    def _find(self, request: Request, url: str, hides: bool) -> Answer:
        self.looks.append((self.now, request.process, request.operation, url))
        found = [it for it in self._listed("image", hides) if it.body["storage"]["legacy_url_template"] == url]
        return self._json({"error": False, "results": [_summary(it) for it in found]})

    def _of_handle(self, request: Request, path: list[str], hides: bool) -> Answer:
        if path[1] not in HANDLES:
            return self._json({"error": True, "message": "Not found"}, 404)
        if path[-1] == "permissions":
            return self._json({"error": False, "handle": path[1], "view_dashboard": path[1] == "me"})
        if path[-1] in ("imageinfo", "sceneinfo"):
            kind = path[-1].removesuffix("info")
            mine = [it for it in self._listed(kind, hides) if it.handle == path[1]]
            page = int(dict(part.split("=") for part in request.path.partition("?")[2].split("&")).get("page", 0))
            results = [_summary(it) for it in mine[100 * page : 100 * page + 100]]
            return self._json({"error": False, "total_count": len(mine), "results": results})
        return self._json({"error": False, "handle": path[1], "display_name": path[1].title()})

    def _json(self, content: dict[str, Any], status: int = 200) -> Answer:
        return self._page(status, json.dumps(content), {"Content-Type": "application/json; charset=utf-8"})

    def _page(self, status: int, text: str, headers: dict[str, str] | None = None) -> Answer:
        headers = {"Content-Type": "text/html"} | (headers or {})
        if self.scenario.date:
            headers["Date"] = format_datetime(self.clock("gateway"), usegmt=True)
        return "answer", status, headers, text.encode()


def _handle_id(handle: str) -> str:
    return hashlib.sha256(handle.encode()).hexdigest()[:24]


def _moment(record: Record) -> str:
    return record.stamped.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _summary(record: Record) -> dict[str, Any]:
    said = {"_id": record.id, "handle_id": _handle_id(record.handle), "creation_date": _moment(record)}
    if record.kind == "scene":
        return said | {"text": record.body["text"], "published": True, "impressions": 0, "likes": 0}
    note = None if record.broken == "null" else record.body["note"]
    return said | {"storage": record.body["storage"], "note": note}


def _whole(record: Record) -> dict[str, Any]:
    handle = {"handle": record.handle, "display_name": record.handle.title()}
    said = {"id": record.id, "handle_id": _handle_id(record.handle), "handle": handle, "creation_date": _moment(record)}
    if record.kind == "image":
        keys = ("wwt", "permissions", "storage", "note", "alt_text")
        said |= {key: record.body[key] for key in keys if key in record.body}
        return said | {"error": False} | ({"note": None} if record.broken == "null" else {})
    layers = [
        {"image": {"id": layer["image_id"], "wwt": {}, "permissions": {}, "storage": {}}, "opacity": layer["opacity"]}
        for layer in record.body["content"]["image_layers"]
    ]
    counts = dict.fromkeys(("likes", "impressions", "clicks", "shares"), 0)
    return {**said, **counts, **record.body, "content": {"image_layers": layers}, "previews": {}, "error": False}
