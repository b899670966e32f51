"""Runs a scenario: one event after the other, in simulated time, with one process running at a time."""

from __future__ import annotations

import contextlib
import gc
import heapq
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

from . import stage
from .program import KILLED, body_of, live, warm_up
from .scenario import SETTLED, Do, Scenario
from .world import Request, World

RESTART = 1.0
"""Seconds from a process's end to its next start."""
PATIENCE = 60.0
"""Real seconds after which a process that says nothing is stuck."""
EPILOGUE_WAIT = SETTLED + 60.0
"""Seconds after the last process's end, before the last one looks what became of everything."""
MOST_TIME = 7200.0
"""Simulated seconds that a scenario may take."""


@dataclass(frozen=True)
class Told:
    """What the caller of an operation was told: "done" and what it gave, or an error's name and text."""

    process: int
    operation: int
    do: Do
    began: float
    ended: float
    outcome: str
    what: Any


@dataclass
class History:
    """All that happened in a run."""

    scenario: Scenario
    world: World
    told: list[Told] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    """The journal in the end."""
    ends: list[tuple[int, list[dict[str, Any]], frozenset[str]]] = field(default_factory=list)
    """When a process came to its end: its number, the journal, and the records that the server had by then."""
    trace: list[tuple[Any, ...]] = field(default_factory=list)
    """Everything that processes and parent said to one another, with the time."""
    met: Counter[str] = field(default_factory=Counter)
    wrongs: list[str] = field(default_factory=list)
    """Where the simulation itself could not go on."""
    gone_at: float | None = None
    """When the journal's folder was removed."""


class _Process:
    """A process of the scenario: one fork after the other, each until it ends."""

    def __init__(self, number: int, operations: tuple[Do, ...]):
        self.number, self.left = number, list(enumerate(operations))
        self.connection: Any = None
        self.id = 0
        self.began: dict[int, float] = {}


class _Simulation:
    def __init__(self, scenario: Scenario, folder: Path, mutate: Callable[[], None]):
        self.history = History(scenario, World(scenario, self._later))
        self._scenario, self._folder, self._mutate = scenario, folder, mutate
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._now = 0.0
        self._processes = [_Process(number, done) for number, done in enumerate(scenario.processes)]
        self._running = 0

    def run(self) -> History:
        for foreign in self._scenario.foreign:
            self._later(foreign.at, partial(self.history.world.add_foreign, foreign, self._foreign_body(foreign)))
        for process in self._processes:
            self._later(self._scenario.starts[process.number], partial(self._start, process))
        try:
            self._go_on()
            self._end()
        finally:
            for process in self._processes:
                self._kill(process)
        self.history.met += self.history.world.met
        return self.history

    def _foreign_body(self, foreign: Any) -> dict[str, Any]:
        body = body_of(self._scenario.images[foreign.image])
        match foreign.differs:
            case "alt_text":
                body["alt_text"] += " By another program."
            case "credits":
                body["permissions"]["credits"] += " and others"
            case "center":
                body["wwt"]["center_x"] += 0.5
        return body

    def _end(self) -> None:
        """The user comes back when all is calm: looks, publishes what is left, sends what is still unclear, looks again."""
        everything = tuple(range(len(self._scenario.images)))
        publish = Do("publish_all", images=everything, anyway=True, resend=True)
        last = _Process(len(self._processes), (Do("settle_all"), publish, Do("settle_all")))
        self._processes.append(last)
        self.history.world.calm = True
        self._later(EPILOGUE_WAIT, partial(self._start, last))
        self._go_on()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self._now + seconds, next(self._numbers), act))

    def _go_on(self) -> None:
        while self._events and not self.history.wrongs:
            self._now, _, act = heapq.heappop(self._events)
            self.history.world.now = self._now
            if self._now > MOST_TIME:
                self.history.wrongs.append(f"after {MOST_TIME:.0f} s something still goes on")
                return
            act()

    # -- processes

    def _start(self, process: _Process) -> None:
        if not process.left:
            return
        ours, theirs = multiprocessing.Pipe()
        process.id = os.fork()
        if process.id == 0:
            ours.close()
            live(theirs, self._scenario, process.number, self._folder, process.left, self._mutate)
        theirs.close()
        process.connection = ours
        self._listen(process)

    def _resume(self, process: _Process, said: Any) -> None:
        if process.connection is None:
            return
        process.connection.send((self._now, self.history.world.clock(str(process.number)), said))
        self._listen(process)

    def _listen(self, process: _Process) -> None:
        """Let a process run until it asks for something."""
        try:
            if not process.connection.poll(PATIENCE):
                self.history.wrongs.append(f"process {process.number} is stuck at operation {process.left[0]}")
                return
            kind, operation, *what = process.connection.recv()
        except (EOFError, ConnectionResetError):
            self._ended(process)
            return
        self.history.trace.append((round(self._now, 4), process.number, operation, kind, *what))
        getattr(self, f"_on_{kind}")(process, operation, *what)

    def _ended(self, process: _Process) -> None:
        status = os.waitstatus_to_exitcode(os.waitpid(process.id, 0)[1])
        process.connection.close()
        process.connection, process.id = None, 0
        self.history.trace.append((round(self._now, 4), process.number, "ended", status))
        if status == KILLED:
            self.history.met["kill"] += 1
            process.left = process.left[1:]
            self._later(RESTART, partial(self._start, process))
        elif status:
            self.history.wrongs.append(f"process {process.number} ended with {status}")

    def _kill(self, process: _Process) -> None:
        if process.id:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.id, signal.SIGKILL)
            os.waitpid(process.id, 0)
            process.connection.close()
            process.connection, process.id = None, 0

    # -- what they ask for

    def _on_begin(self, process: _Process, operation: int) -> None:
        process.began[operation] = self._now
        while process.left[0][0] != operation:
            process.left.pop(0)
        self._resume(process, None)

    def _on_sleep(self, process: _Process, operation: int, seconds: float) -> None:
        self._later(max(seconds, 0.0), partial(self._resume, process, None))

    def _on_met(self, process: _Process, operation: int, what: str) -> None:
        self.history.met[what] += 1
        if what == "gone" and self.history.gone_at is None:
            self.history.gone_at = self._now
        self._resume(process, None)

    def _on_told(self, process: _Process, operation: int, outcome: str, what: Any) -> None:
        if outcome == "history":
            self.history.rows = what
            self.history.ends.append((process.number, what, frozenset(self.history.world.records)))
        else:
            began, do = process.began[operation], process.left[0][1]
            told = Told(process.number, operation, do, began, self._now, outcome, what)
            self.history.told.append(told)
        self._resume(process, None)

    def _on_request(
        self, process: _Process, operation: int, method: str, path: str, body: bytes, timeout: float
    ) -> None:
        request, latency = Request(process.number, operation, method, path, body, timeout), self._scenario.latency

        def answer(seconds: float, said: Any) -> None:
            self.history.trace.append((round(self._now, 4), process.number, "answered", *said))
            self._later(seconds + latency / 2, partial(self._resume, process, said))

        self._later(latency / 2, lambda: self.history.world.handle(request, answer))

    def _on_broken(self, process: _Process, operation: int, text: str) -> None:
        self.history.wrongs.append(f"process {process.number} could not be simulated: {text}")


@cache
def _prepare() -> None:
    warm_up()
    stage.prepare()
    # A collection in a fork would touch, and so copy, all that the processes share.
    gc.collect()
    gc.freeze()


def run(scenario: Scenario, mutate: Callable[[], None] = lambda: None) -> History:
    """Run a scenario; `mutate` is called in each process, before its program."""
    _prepare()
    memory = Path("/dev/shm")  # where there is one, the journal need not wait for a disk
    folder = Path(tempfile.mkdtemp(prefix="cxw-adversary-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        return _Simulation(scenario, folder, mutate).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
