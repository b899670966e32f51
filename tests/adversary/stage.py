"""What stands in for the machine inside a simulated process: its clocks, its threads, its chance, and its network.

`enter` replaces them in a forked child, for good: the child ends when its program does. Clocks go by the simulation's time, one
thread runs at a time (a thread that is started runs to its end at once), random numbers and ids come from a seed, and requests
go to the parent.
"""

from __future__ import annotations

import concurrent.futures
import datetime as datetime_module
import gc
import os
import random
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx

PACKAGE = "constellations_widgets"
_TICK = 1e-6
"""Seconds that pass at each look at a clock, so that one thing comes after the other."""


class SimulationError(BaseException):
    """The program does what the simulation can't do. It is no Exception, so that no code of the package catches it."""


class Machine:
    """The clocks of a simulated process, as its parent sets them."""

    def __init__(self) -> None:
        self.elapsed, self.wall = 0.0, datetime_module.datetime.now(datetime_module.UTC)
        self._looks = 0
        self.sleep: Callable[[float], None] = lambda seconds: None
        self.threads = 0
        """How many started threads the running code is in."""

    def set(self, elapsed: float, wall: datetime_module.datetime) -> None:
        self.elapsed, self.wall = elapsed, wall

    def _ticks(self) -> float:
        self._looks += 1
        return self._looks * _TICK

    def monotonic(self) -> float:
        return 1000.0 + self.elapsed + self._ticks()

    def now(self) -> datetime_module.datetime:
        return self.wall + datetime_module.timedelta(seconds=self._ticks())


machine = Machine()
_REAL_DATETIME = datetime_module.datetime


class _Datetime(_REAL_DATETIME):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        moment = machine.now()
        return moment.astimezone(tz) if tz is not None else moment.astimezone().replace(tzinfo=None)


class _Thread:
    """A thread that runs to its end when it is started."""

    def __init__(self, group=None, target=None, name="thread", args=(), kwargs=None, *, daemon=None):
        self._act = lambda: target(*args, **(kwargs or {}))
        self.name, self.daemon, self.ident = name, daemon, None

    def start(self) -> None:
        machine.threads += 1
        try:
            self._act()
        finally:
            machine.threads -= 1

    def join(self, timeout: float | None = None) -> None:
        pass

    def is_alive(self) -> bool:
        return False


class _Timer(_Thread):
    """A timer that never fires: what the package does late is of no concern here."""

    def __init__(self, interval: float, function: Callable[..., Any], args: Any = None, kwargs: Any = None):
        super().__init__(target=function)

    def start(self) -> None:
        pass

    def cancel(self) -> None:
        pass


class _Executor:
    """Does everything at once, in the order in which it comes."""

    def __init__(self, *_: Any, **__: Any):
        pass

    def __enter__(self) -> _Executor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, act: Callable[..., Any], *args: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(act(*args, **options))
        except Exception as error:  # noqa: BLE001
            future.set_exception(error)
        return future

    def map(self, act: Callable[..., Any], *each: Iterable[Any], **_: Any) -> Iterator[Any]:
        futures = [self.submit(act, *args) for args in zip(*each, strict=False)]
        return (future.result() for future in futures)

    def shutdown(self, *_: Any, **__: Any) -> None:
        pass


def _wait(self: Any, timeout: float | None = None) -> bool:
    """Wait on a condition: nobody else runs meanwhile, so only time can pass."""
    if timeout is None:
        raise SimulationError("the program waits for a thread that would never come")
    machine.sleep(max(timeout, 0.0))
    return False


def _wait_for_event(self: threading.Event, timeout: float | None = None) -> bool:
    return self.is_set() or (_wait(self, timeout) and False) or self.is_set()


def _sleep(seconds: float) -> None:
    machine.sleep(seconds)


_REPLACED: dict[int, Any] = {
    id(time.sleep): _sleep,
    id(time.monotonic): machine.monotonic,
    id(time.time): lambda: machine.now().timestamp(),
    id(_REAL_DATETIME): _Datetime,
    id(threading.Thread): _Thread,
    id(threading.Timer): _Timer,
    id(ThreadPoolExecutor): _Executor,
}


def _places() -> list[tuple[Callable[[Any], None], Any]]:
    """Where the package holds on to what is replaced: names of its modules, attributes of its classes, defaults."""
    found: list[tuple[Callable[[Any], None], Any]] = []

    def note(holder: Any, name: str, value: Any) -> None:
        if id(value) in _REPLACED:
            found.append((lambda new: setattr(holder, name, new), _REPLACED[id(value)]))

    for name, module in list(sys.modules.items()):
        if module is None or name.partition(".")[0] not in (PACKAGE, "tenacity"):
            continue
        for key, value in list(vars(module).items()):
            note(module, key, value)
            if isinstance(value, type):
                for attribute, inner in list(vars(value).items()):
                    note(value, attribute, inner)
    for function in gc.get_objects():
        if isinstance(function, types.FunctionType) and (function.__module__ or "").startswith(PACKAGE):
            for key, value in (function.__kwdefaults__ or {}).items():
                if id(value) in _REPLACED:
                    keywords = function.__kwdefaults__
                    found.append((lambda new, it=keywords, key=key: it.__setitem__(key, new), _REPLACED[id(value)]))
            if any(id(value) in _REPLACED for value in function.__defaults__ or ()):
                new = tuple(_REPLACED.get(id(value), value) for value in function.__defaults__)
                found.append((lambda new, it=function: setattr(it, "__defaults__", new), new))
    return found


_known_places: list[tuple[Callable[[Any], None], Any]] = []


def prepare() -> None:
    """Find, before processes are forked, what they have to replace."""
    _known_places[:] = _places()


def enter(seed: int) -> None:
    """Replace the machine of this process, which is a fork."""
    for replace, new in _known_places:
        replace(new)
    time.sleep, time.monotonic, time.time = _sleep, machine.monotonic, _REPLACED[id(time.time)]
    datetime_module.datetime = _Datetime
    threading.Condition.wait, threading.Event.wait = _wait, _wait_for_event
    threading.Thread, threading.Timer = _Thread, _Timer
    concurrent.futures.ThreadPoolExecutor = _Executor
    bytes_of = random.Random(seed).randbytes
    os.urandom = bytes_of
    random.seed(seed)


class Network(httpx.BaseTransport):
    """Takes requests to the parent. `on_write` and `on_answer` are called before a write leaves and when its answer came."""

    def __init__(self, ask: Callable[..., Any]):
        self._ask = ask
        self.on_write: Callable[[], None] = lambda: None
        self.on_answer: Callable[[], None] = lambda: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode("ascii")
        is_write = request.method == "PATCH" or (
            request.method == "POST" and request.url.path.endswith(("/image", "/scene"))
        )
        if is_write:
            self.on_write()
        timeout = request.extensions["timeout"]["read"] or 60.0
        kind, *said = self._ask("request", request.method, path, request.read(), timeout)
        if is_write:
            self.on_answer()
        if kind == "interrupt":
            raise KeyboardInterrupt
        if kind == "error":
            raise getattr(httpx, said[0])(f"simulated {said[0]}", request=request)
        status, headers, content = said
        return httpx.Response(status, headers=headers, content=content, request=request)
