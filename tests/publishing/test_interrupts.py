"""An interrupt anywhere in publishing, and a second one in the code that deals with the first."""

from __future__ import annotations

import contextlib
import dis
import json
import sys
import threading
import uuid
from pathlib import Path
from types import CodeType
from typing import ClassVar

import httpx
import pytest
from publishing.conftest import make_draft

import constellations_widgets.publishing as package
from constellations_widgets.api import Constellations
from constellations_widgets.publishing import Batch, Journal, Plan, Step, publish_planned
from constellations_widgets.publishing.matching import is_record_of

POINTS = {"RESUME", "JUMP_BACKWARD"}
FOLDER = str(Path(package.__file__).parent)


class Interrupts:
    """Raises KeyboardInterrupt at those points in the publishing package that are counted `at`, in one thread or in all.

    A point is where CPython lets a signal's handler run: at the beginning of a function, after a call, and at the end of a
    loop. (Lines are not: an interrupt can't come between the body of ``with lock:`` and the release of the lock.)
    """

    def __init__(self, *at: int, everywhere: bool = False):
        self._at, self._everywhere = set(at), everywhere
        self._thread = threading.get_ident()
        self.count = 0

    def __enter__(self) -> Interrupts:
        self._before = sys.gettrace()
        sys._getframe().f_trace_opcodes = True  # CPython 3.12 traces no instructions if no frame has it yet
        if self._everywhere:
            threading.settrace(self._trace)
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)
        threading.settrace(self._before)

    def _trace(self, frame, _event, _argument):
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        points, before = Points.of(frame.f_code), 0

        def trace_opcode(frame, event, _argument):
            nonlocal before
            if event == "opcode":
                after = frame.f_lasti
                # The exception belongs to the call. What comes after it may be outside of the block around the call.
                if before in points.offsets and points.handler(before) == points.handler(after):
                    self._pass()
                before = after
            return trace_opcode

        return trace_opcode

    def _pass(self) -> None:
        if self._everywhere or threading.get_ident() == self._thread:
            self.count += 1
            if self.count in self._at:
                raise KeyboardInterrupt


class Points:
    """The instructions of a code object after which a signal's handler may run, and where their exceptions are handled.

    They are looked up at each instruction, so they are kept by the code's id: its hash and its bytes are made anew each time.
    """

    _known: ClassVar[dict[int, Points]] = {}

    def __init__(self, code: CodeType):
        self._code = code  # which keeps its id its own
        names = {it.offset: it.opname for it in dis.get_instructions(code)}
        self.offsets = {offset for offset, name in names.items() if name in POINTS or name.startswith("CALL")}
        self._handlers = [(entry.start, entry.end, entry.target) for entry in dis.Bytecode(code).exception_entries]

    @classmethod
    def of(cls, code: CodeType) -> Points:
        if id(code) not in cls._known:
            cls._known[id(code)] = cls(code)
        return cls._known[id(code)]

    def handler(self, offset: int) -> int | None:
        """Where an exception that is raised at an instruction is handled."""
        return next((target for start, end, target in self._handlers if start <= offset < end), None)


class Server(httpx.BaseTransport):
    """Answers without a network: the first request that makes an image with `status`, having made it."""

    def __init__(self, status: int = 200):
        self._status, self._lock = status, threading.Lock()
        self.made: dict[str, bytes] = {}

    def handle_request(self, request):
        path = request.url.path
        if path.endswith("find-by-legacy-url"):
            return self._say({"results": [*map(self._record, self.made)]})
        if request.method == "POST":
            with self._lock:
                id = uuid.uuid4().hex[:24]
                self.made[id] = request.content
                status, self._status = self._status, 200
            return self._say({"id": id, "rel_url": f"/image/{id}"}, status)
        if path.startswith("/image/"):
            return self._say(self._record(path.rpartition("/")[2]))
        return self._say({"handle": "me", "display_name": "Me", "view_dashboard": True})

    def _record(self, id: str) -> dict:
        about = {"id": id, "_id": id, "handle": {"handle": "me"}, "creation_date": "2026-11-22T03:28:29Z"}
        return json.loads(self.made[id]) | about

    def _say(self, content: dict, status: int = 200) -> httpx.Response:
        return httpx.Response(status, json={"error": status != 200, **content}, headers={"Retry-After": "0"})


def step_of(number: int) -> Step:
    """A step of a plan, with a body of its own."""
    draft = make_draft(note=f"Image {number}")
    body, url = draft.submission().to_json(), draft.storage.legacy_url_template
    return Step(draft, "publish", ("",), "https://x.org", "me", url, body, (), (), ())


def at_each_point(action, journal: Journal, *, status: int, second: int | None, every: int, everywhere: bool = False):
    """Interrupt ``action(step, client)`` at the points that it passes, and once more `second` points later."""

    def client_of(server: Server) -> Constellations:
        return Constellations("https://x.org", "token", transport=server)

    with Interrupts(everywhere=everywhere):  # CPython 3.13 traces a function's instructions from its second call on
        action(step_of(0), client_of(Server(status)))  # which makes the journal, too
    with Interrupts(everywhere=everywhere) as counted:
        action(step_of(1), client_of(Server(status)))
    assert counted.count > 20
    for point in range(1, counted.count + 1, every):
        server, more = Server(status), [] if second is None else [point + second]
        with contextlib.suppress(KeyboardInterrupt), Interrupts(point, *more, everywhere=everywhere):
            action(step_of(point + 1), client_of(server))
        assert len(server.made) <= 1
        for attempt in journal.attempts(limit=1):
            assert attempt.state != "sending", f"interrupted at point {point}"
            if attempt.body in server.made.values():
                assert attempt.state in ("published", "unclear"), f"interrupted at point {point}"


@pytest.mark.parametrize(
    ("status", "second", "every"), [(200, None, 1), (503, None, 5), (200, 2, 3), (503, 5, 9), (503, 9, 11)]
)
def test_one_publication_interrupted_anywhere_leaves_no_attempt_in_sending(journal, status, second, every):
    def publish(step: Step, client: Constellations) -> None:
        publish_planned(step, client, journal, sleep=lambda _seconds: None)

    at_each_point(publish, journal, status=status, second=second, every=every)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # those are the interrupts
@pytest.mark.parametrize(
    "everywhere",
    [
        pytest.param(False, id="in the thread that waits"),
        pytest.param(
            True,
            id="in any thread",
            marks=pytest.mark.skipif(
                sys.version_info[:2] == (3, 12),
                reason="CPython 3.12 crashes if an instruction of another thread is traced",
            ),
        ),
    ],
)
def test_a_batch_interrupted_anywhere_leaves_no_attempt_in_sending(journal, everywhere):
    def publish(step: Step, client: Constellations) -> None:
        batch = Batch(Plan([step], "https://x.org", "me", ""), client, journal=journal, threads=1)
        try:
            batch.start()
            batch.wait()
        finally:
            sys.settrace(None)
            batch.stop()
            assert batch.wait(20)
            # The thread that conducts the batch may be the one that was interrupted: those that send go on without it.
            for thread in threading.enumerate():
                if thread.name.startswith("constellations-batch"):
                    thread.join(20)
                    assert not thread.is_alive()

    at_each_point(publish, journal, status=503, second=None, every=41 if everywhere else 3, everywhere=everywhere)


def test_the_server_of_these_tests_shows_what_it_was_sent(journal):
    server, step = Server(), step_of(0)
    client = Constellations("https://x.org", "token", transport=server)
    receipt = publish_planned(step, client, journal)
    assert is_record_of(client.image(receipt.id), journal.attempt(receipt.key))
