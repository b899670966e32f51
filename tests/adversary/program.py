"""A simulated process: it does operations of a scenario with the package's public functions, and says what it was told.

It is a real process, forked by `simulate`, with the real journal in a real folder. What happens at a statement of it (a kill, an
interrupt, a full disk) is done by a trace function that counts the statements of the package's publishing and api code.
"""

from __future__ import annotations

import contextlib
import dis
import gc
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any
from unittest.mock import patch

import examples

import constellations_widgets
from constellations_widgets import Constellations, ImageDraft, PublishedImage
from constellations_widgets.errors import ConstellationsError, JournalError
from constellations_widgets.publishing import (
    Journal,
    history,
    plan,
    publish_all,
    publish_draft,
    publish_planned,
    publish_scene,
    settle_all,
)
from constellations_widgets.publishing.journal import default_journal

from .scenario import Do, Image, Scenario, Trigger
from .stage import Network, SimulationError, enter, machine
from .world import Request, World

API = "https://api.simulated.example"
TIMEOUT = 5.0
KILLED, DONE, BROKEN = 9, 0, 70
"""Exit statuses: by a kill, at the end, and where the simulation itself failed."""

_ROOT = Path(constellations_widgets.__file__).parent
_TRACED = tuple(str(_ROOT / room) + os.sep for room in ("publishing", "api"))
_IN_TRANSACTIONS = ("database.py", "journal.py")
"""Files of the package whose frames may be in a transaction: no other process runs while they are on the stack."""


def values_of(image: Image) -> dict[str, Any]:
    """Return the fields of a draft, by path."""
    credits = ("NOIRLab", "ESA &amp; NASA", 'By <a href="https://example.org/t">R. <b>Smith</b></a>')
    return examples.TILED | {
        "storage.legacy_url_template": f"https://example.org/{image.url}/{{1}}/{{3}}/{{3}}_{{2}}.png",
        "permissions.credits": credits[image.credits] if image.credits < 3 else f"NOIRLab {image.credits}",
        "alt_text": f"A galaxy, seen {image.alt_text} times.",
        "wwt.center_x": 200.0 + image.center,
    }


def body_of(image: Image) -> dict[str, Any]:
    """Return the request body of a draft, as another program would send it."""
    return examples.nest(values_of(image))


def draft_of(image: Image) -> ImageDraft:
    """Return a draft that is ready to be published."""
    return ImageDraft.from_submission(body_of(image), autosave=False)


_points: dict[int, tuple[CodeType, frozenset[int]]] = {}
"""Each code object and its offsets, by the object's id: Python computes its hash again at every use. Holding the object keeps the id valid."""


def _deliverable(code: CodeType) -> frozenset[int]:
    """Offsets of a code object at which a KeyboardInterrupt can be raised as CPython does it.

    That is at its start, and after each call and jump back, but for those at which a block such as `with` ends: CPython counts
    the interrupt to the instruction before, which is in the block, and a trace function can't.
    """
    if id(code) not in _points:
        _points[id(code)] = code, _find_deliverable(code)
    return _points[id(code)][1]


def _find_deliverable(code: CodeType) -> frozenset[int]:
    found, before = set(), "RESUME"
    blocks = dis.Bytecode(code).exception_entries

    def handlers(offset: int) -> list[int]:
        return [block.target for block in blocks if block.start <= offset < block.end]

    for instruction in dis.get_instructions(code):
        offset = instruction.offset
        is_point = before in ("RESUME", "CALL", "CALL_KW", "CALL_FUNCTION_EX", "JUMP_BACKWARD")
        if is_point and (before == "JUMP_BACKWARD" or handlers(offset) == handlers(offset - 2)):
            found.add(offset)
        before = instruction.opname
    return frozenset(found)


def _find_all_deliverable() -> None:
    """Find the offsets of all code that is traced, once for all processes."""
    codes = [it.__code__ for it in gc.get_objects() if isinstance(it, FunctionType)]
    while codes:
        code = codes.pop()
        if code.co_filename.startswith(_TRACED):
            _deliverable(code)
            codes += [it for it in code.co_consts if isinstance(it, CodeType)]


class Tracer:
    """Counts statements, and pulls the triggers of an operation."""

    def __init__(self, triggers: Sequence[Trigger], act: Callable[[Trigger], None]):
        self._left, self._act = list(triggers), act
        self._counts: dict[str, int] = {"start": 0}
        self._is_acting = False

    def mark(self, what: str) -> None:
        """Count from here, if it is the first time."""
        self._counts.setdefault(what, 0)

    def __enter__(self) -> Tracer:
        if self._left:
            sys.settrace(self._global)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _global(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_TRACED):
            return None
        frame.f_trace_opcodes = any(it.kind == "interrupt" for it in self._left)
        return self._local

    def _local(self, frame: FrameType, event: str, _: Any) -> Any:
        if self._left and not self._is_acting:
            wants_interrupt = self._left[0].kind == "interrupt"
            if wants_interrupt:
                counts = event == "opcode" and not machine.threads and frame.f_lasti in _deliverable(frame.f_code)
            else:
                counts = event == "line"
            if counts:
                self._count(frame)
        return self._local

    def _count(self, frame: FrameType) -> None:
        for what in self._counts:
            self._counts[what] += 1
        trigger = self._left[0]
        if self._counts.get(trigger.since, 0) < trigger.steps:
            return
        if trigger.kind == "pause" and _may_be_in_transaction(frame):
            return
        self._left.pop(0)
        self._counts["trigger"] = 0
        if not self._left:
            sys.settrace(None)
        self._is_acting = True
        try:
            self._act(trigger)
        finally:
            self._is_acting = False


def _may_be_in_transaction(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.endswith(_IN_TRANSACTIONS):
            return True
        frame = frame.f_back
    return False


class Program:
    """The program of one process. `connection` leads to the parent, `number` is the process's."""

    def __init__(self, connection: Connection, scenario: Scenario, number: int, folder: Path):
        self._connection, self._scenario, self._number, self._folder = connection, scenario, number, folder
        self._network = Network(self._ask)
        self._operation = 0
        machine.sleep = lambda seconds: self._ask("sleep", seconds) and None

    def run(self, operations: Sequence[tuple[int, Do]]) -> None:
        """Do the operations, each with its number, and end the process."""
        self._client = Constellations(API, "a-token", timeout=TIMEOUT, transport=self._network)
        for self._operation, do in operations:
            self._do(do)
        self._ask("told", "history", self._rows())

    def _ask(self, kind: str, *what: Any) -> Any:
        self._connection.send((kind, self._operation, *what))
        elapsed, wall, said = self._connection.recv()
        machine.set(elapsed, wall)
        return said

    def _do(self, do: Do) -> None:
        self._ask("begin")
        tracer = Tracer(do.triggers, self._act)
        self._network.on_write, self._network.on_answer = (
            lambda: tracer.mark("write"),
            lambda: tracer.mark("answer"),
        )
        try:
            with tracer:
                told = ("done", getattr(self, f"_{do.what}")(do))
        except ConstellationsError as error:
            told = (type(error).__name__, str(error))
        except KeyboardInterrupt:
            told = ("KeyboardInterrupt", "")
        except Exception as error:  # noqa: BLE001
            told = ("crash", "".join(traceback.format_exception(error)))
        finally:
            sys.settrace(None)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self._ask("told", *told)

    def _act(self, trigger: Trigger) -> None:
        match trigger.kind:
            case "kill":
                os._exit(KILLED)
            case "interrupt":
                self._ask("met", trigger.kind)
                raise KeyboardInterrupt
            case "pause":
                self._ask("sleep", trigger.seconds)
            case "full":
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
                self._ask("met", trigger.kind)
            case "gone":
                shutil.rmtree(self._folder / "journal", ignore_errors=True)
                self._ask("met", trigger.kind)

    # -- operations: each gives what the caller was told, as plain values

    def _draft(self, do: Do) -> ImageDraft:
        return draft_of(self._scenario.images[do.images[0]])

    def _publish(self, do: Do) -> Any:
        options = {"again": do.again, "anyway": do.anyway, "probe": False}
        return _of_receipt(publish_draft(self._draft(do), self._client, "me", **options))

    def _send_again(self, do: Do) -> Any:
        journal = Journal(self._folder / "journal")
        step = plan([self._draft(do)], self._client, "me", probe=False, journal=journal)[0]
        unclear = {it.key for it in step.earlier if it.state == "unclear"}
        return _of_receipt(publish_planned(step, self._client, journal, resend=unclear))

    def _publish_all(self, do: Do) -> Any:
        drafts = [draft_of(self._scenario.images[number]) for number in do.images]
        batch = publish_all(drafts, self._client, "me", anyway=do.anyway, probe=False, threads=1)
        if do.resend:
            batch.resend_unclear()
            batch.wait()
        return [
            (number, row.state, row.reason, row.receipt and _of_receipt(row.receipt))
            for number, row in zip(do.images, batch.rows, strict=True)
        ]

    def _settle_all(self, do: Do) -> Any:
        return [(attempt.state, attempt.answer) for attempt in settle_all(self._client)]

    def _scene(self, do: Do) -> Any:
        receipt = self._receipt(do)
        return receipt and _of_receipt(publish_scene(receipt, self._client, again=do.again))

    def _save(self, do: Do) -> Any:
        receipt = self._receipt(do)
        if receipt is None:
            return None
        image = PublishedImage(self._client, receipt)
        image.alt_text = f"Changed by process {self._number} in operation {self._operation}."
        image.save()
        return receipt.id, image.alt_text

    def _receipt(self, do: Do) -> Any:
        url = values_of(self._scenario.images[do.images[0]])["storage.legacy_url_template"]
        mine = [it for it in history() if it.state == "published" and it.kind == "image" and it.url == url]
        return mine[0].receipt if mine else None

    def _rows(self) -> list[dict[str, Any]]:
        names = ("key", "state", "kind", "handle", "url", "body", "image_id", "duplicates", "answer")
        try:
            mine = f"{os.getpid()}-"
            return [
                {name: getattr(attempt, name) for name in names} | {"is_own": attempt.owner.startswith(mine)}
                for attempt in history()
            ]
        except JournalError:  # it was removed
            return []


def warm_up() -> None:
    """Do once, before processes are forked, what each of them would do first: imports, and caches that the package fills."""
    draft, world = draft_of(Image(credits=2)), World(Scenario(), later=lambda *_: None)
    assert all(it.severity == "info" for it in draft.problems), draft.problems  # or it would need a decision
    network = Network(lambda _kind, *request: world.serve(Request(0, 0, *request)))
    with (
        tempfile.TemporaryDirectory() as folder,
        Constellations(API, "a-token", transport=network) as client,
        patch.dict(os.environ, CXW_STATE_DIR=folder),
    ):
        receipt = publish_draft(draft, client, "me", probe=False)
        publish_scene(receipt, client)
        publish_all([draft_of(Image(url=1))], client, "me", probe=False)
        default_journal().close()
    _find_all_deliverable()


def _of_receipt(receipt: Any) -> dict[str, Any]:
    return {"id": receipt.id, "kind": receipt.kind, "handle": receipt.handle, "body": receipt.body, "key": receipt.key}


def live(
    connection: Connection,
    scenario: Scenario,
    number: int,
    folder: Path,
    operations: Sequence[tuple[int, Do]],
    mutate: Callable[[], None],
) -> None:
    """Be a simulated process, in a fork, to the end. Never returns."""
    status = BROKEN
    try:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails then, as on a full disk
        os.environ["CXW_STATE_DIR"] = str(folder)
        warnings.simplefilter("ignore")
        enter(1000 * number + operations[0][0])
        mutate()
        with contextlib.redirect_stdout(None):
            Program(connection, scenario, number, folder).run(operations)
        status = DONE
    except BaseException as error:  # noqa: BLE001
        text = str(error) if isinstance(error, SimulationError) else "".join(traceback.format_exception(error))
        with contextlib.suppress(OSError):
            connection.send(("broken", -1, text))
    finally:
        os._exit(status)
