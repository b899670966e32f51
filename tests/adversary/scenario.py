"""Scenarios: what the programs of a user do, and what the world does to them, as plain data.

A scenario holds no chance: running it twice gives the same history. `generate` makes one of a seed; `as_python` writes one as
code, so that a scenario that went wrong can be pasted into a test.

The world keeps two bounds, without which nobody could publish exactly once: a request is carried out at most `LATEST_COMMIT`
seconds after it was sent, and lists show a record at most `LONGEST_LAG` seconds after it was made. After `SETTLED` seconds
lists tell the truth.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, fields, replace
from typing import Any

LATEST_COMMIT = 25.0
"""Seconds after which no request is carried out any more."""
LONGEST_LAG = 30.0
"""Seconds after which lists show a record."""
SETTLED = 60.0
"""Seconds after a request was sent, after which lists show for good what it made."""

WRITE_ANSWERS = (
    "ok",
    "drop",
    "timeout",
    "unreachable",
    "500",
    "502",
    "503",
    "504",
    "429",
    "stale",
    "crossed",
    "garbage",
    "interrupt",
)
_DRAWN = tuple(answer for answer in WRITE_ANSWERS if answer != "crossed")
READ_ANSWERS = ("drop", "timeout", "500", "503", "429", "garbage", "missing")


@dataclass(frozen=True)
class Image:
    """A draft. Images of the same `url` share their image URL; the other numbers make them differ in one field each."""

    url: int = 0
    alt_text: int = 0
    credits: int = 0
    center: int = 0


@dataclass(frozen=True)
class Trigger:
    """Something that happens at a statement of the program.

    kill: the process ends, and executes nothing more; interrupt: a KeyboardInterrupt, where CPython can deliver one; pause:
    others run meanwhile, for `seconds`; full: from here to the end of the operation the disk takes no more; gone: the
    journal's folder is removed.
    """

    kind: str
    since: str = "start"
    """From where the steps are counted: "start" of the operation, its first "write", the "answer" to that, or the
    "trigger" before this one."""
    steps: int = 1
    """Statements; for an interrupt, points at which it can be delivered."""
    seconds: float = 1.0


@dataclass(frozen=True)
class Do:
    """An operation of a program: "publish", "send_again" (what is unclear), "publish_all", "settle_all", "scene", "save".

    Killed in it, the program is started again with the operation that follows.
    """

    what: str
    images: tuple[int, ...] = (0,)
    """Indices of the scenario's images. All but publish_all take the first."""
    again: bool = False
    anyway: bool = False
    resend: bool = False
    """Of publish_all: whether what is unclear in the end is sent again."""
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True)
class Fault:
    """What happens to the nth write, list or record request of a process, counted from 0 over all its operations."""

    process: int = 0
    on: str = "write"
    """"write" (POST or PATCH of an image or a scene), "list" (a search or list), "record" (the GET of one)."""
    nth: int = 0
    answer: str = "ok"
    commit: str = "once"
    """What a write does ("crossed" answers it with the response to another program's): "no", "once", "twice" (the gateway repeats it), "late" (after `seconds`)."""
    seconds: float = 0.0
    retry_after: int | None = None


@dataclass(frozen=True)
class Foreign:
    """A record that another program makes, `at` seconds after the start: the same as an image but for `differs`."""

    at: float = 0.0
    image: int = 0
    handle: str = "other"
    differs: str = "alt_text"
    """"alt_text", "credits", "center" or "" (allowed of another handle, or at 0 seconds)."""
    broken: str = ""
    """"404": it is in the lists, and can't be read; "null": it has no note; "500": reading it fails."""


@dataclass(frozen=True)
class Clock:
    """From `at` seconds on, the clock of a process (or of the "server", or of its "gateway", which writes the Date
    header) is ahead of the truth by `skew` seconds."""

    who: str = "server"
    at: float = 0.0
    skew: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """Everything that happens. Each process does its operations one after the other; processes run at the same time."""

    images: tuple[Image, ...] = (Image(),)
    processes: tuple[tuple[Do, ...], ...] = ((Do("publish"),),)
    starts: tuple[float, ...] = (0.0, 1.0)
    faults: tuple[Fault, ...] = ()
    foreign: tuple[Foreign, ...] = ()
    clocks: tuple[Clock, ...] = ()
    lag: float = 0.0
    latency: float = 0.2
    date: bool = True
    """Whether answers carry a Date header."""


def generate(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    chance = random.Random(f"adversary {seed}")
    images = tuple(_images(chance))
    processes = tuple(tuple(_operations(chance, images)) for _ in range(chance.choice((1, 1, 2))))
    made = Scenario(
        images=images,
        processes=processes,
        starts=(0.0, round(chance.choice((0.0, 0.3, 2.0, 15.0)) + chance.random(), 3)),
        faults=tuple(fault for process in range(len(processes)) for fault in _faults(chance, process)),
        foreign=tuple(_foreign(chance, images)),
        clocks=tuple(_clocks(chance, len(processes))),
        lag=round(chance.uniform(1, LONGEST_LAG), 1) if chance.random() < 0.35 else 0.0,
        latency=chance.choice((0.02, 0.2, 1.5)),
        date=chance.random() < 0.8,
    )
    return replace(made, faults=_crossed(seed, made.faults))


def _crossed(seed: int, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Cross the response of a write here and there, in processes that can read what it has named.

    Drawn apart from everything else, so that a seed stays what it was.
    """
    chance = random.Random(f"crossed {seed}")
    hindered = {fault.process for fault in faults if fault.on != "write"}
    return tuple(
        replace(fault, answer="crossed", commit=chance.choice(("no", "once")), seconds=0.0, retry_after=None)
        if fault.on == "write" and fault.process not in hindered and chance.random() < 0.12
        else fault
        for fault in faults
    )


def _images(chance: random.Random) -> list[Image]:
    made = [Image(url=0, credits=chance.randrange(3))]
    for number in range(1, chance.choice((1, 1, 2, 3, 4))):
        other = chance.choice(made)
        field = chance.choice(("url", "url", "url", "alt_text", "credits", "center"))
        made.append(replace(other, url=number) if field == "url" else replace(other, **{field: number + 3}))
    return made


def _operations(chance: random.Random, images: tuple[Image, ...]) -> list[Do]:
    made = []
    for _ in range(chance.choice((1, 2, 2, 3, 4))):
        kinds = ["publish"] * 6 + ["send_again"] * 3 + ["publish_all"] * 3 + ["settle_all"] * 2 + ["scene"] * 2
        what = chance.choice([*kinds, "save"])
        some = tuple(chance.sample(range(len(images)), chance.randint(min(2, len(images)), len(images))))
        triggers = tuple(_triggers(chance)) if chance.random() < 0.45 else ()
        made.append(
            Do(
                what,
                images=some if what == "publish_all" else some[:1],
                again=what in ("publish", "scene") and chance.random() < 0.15,
                anyway=what in ("publish", "publish_all") and chance.random() < 0.5,
                resend=what == "publish_all" and chance.random() < 0.5,
                triggers=triggers,
            )
        )
    return made


def _triggers(chance: random.Random) -> list[Trigger]:
    kind = chance.choice(("kill", "kill", "kill", "interrupt", "interrupt", "interrupt", "pause", "full", "gone"))
    since = chance.choice(("start", "write", "write", "answer", "answer"))
    made = [Trigger(kind, since, _steps(chance, since, kind), round(chance.uniform(0.1, 20), 1))]
    if kind == "interrupt" and chance.random() < 0.3:
        made.append(Trigger(kind, "trigger", chance.randint(1, 60)))
    if kind == "pause" and chance.random() < 0.5:
        made.append(Trigger("kill", "trigger", chance.randint(1, 60)))
    if kind == "full" and chance.random() < 0.3:
        made.append(Trigger("kill", "trigger", chance.randint(1, 60)))
    return made


def _steps(chance: random.Random, since: str, kind: str) -> int:
    most = {"start": 900, "write": 60, "answer": 260}[since]
    return chance.randint(1, most if kind != "interrupt" else most // 2)


def _faults(chance: random.Random, process: int) -> list[Fault]:
    made = [_write_fault(chance, process, nth) for nth in range(5) if chance.random() < 0.5]
    for on, most, rate in (("list", 10, 0.12), ("record", 6, 0.08)):
        for nth in range(most):
            if chance.random() < rate:
                answer = chance.choice([it for it in READ_ANSWERS if on == "list" or it != "missing"])
                made.append(Fault(process, on, nth, answer, "no", retry_after=chance.choice((None, 1))))
    return made


def _write_fault(chance: random.Random, process: int, nth: int) -> Fault:
    answer = "stale" if nth and chance.random() < 0.15 else chance.choice(_DRAWN)
    commit = chance.choice(("no", "once", "once", "twice", "late"))
    seconds = round(chance.uniform(0.1, LATEST_COMMIT), 1) if commit == "late" else 0.0
    if answer == "unreachable":
        commit, seconds = "no", 0.0
    if answer == "429":  # a limiter is asked before, but for a gateway that repeats
        commit, seconds = chance.choice(("no", "once")), 0.0
    if answer in ("ok", "stale") and commit in ("no", "late"):
        commit, seconds = "once", 0.0
    if answer == "stale" and commit == "twice":
        commit = "once"
    retry_after = chance.choice((None, 1, 5)) if answer in ("429", "503", "502") else None
    return Fault(process, "write", nth, answer, commit, seconds, retry_after)


def _foreign(chance: random.Random, images: tuple[Image, ...]) -> list[Foreign]:
    made = []
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        own = chance.random() < 0.6
        at = round(chance.choice((0.0, chance.uniform(1, 8), chance.uniform(1, 30))), 1)
        differs = chance.choice(("alt_text", "alt_text", "credits", "center", ""))
        if own and at and not differs:
            differs = "alt_text"
        broken = chance.choice(("", "", "", "", "404", "null", "500"))
        made.append(Foreign(at, chance.randrange(len(images)), "me" if own else "other", differs, broken))
    return made


def _clocks(chance: random.Random, processes: int) -> list[Clock]:
    made = []
    for who in ("server", "gateway", *map(str, range(processes))):
        if chance.random() < 0.2:
            made.append(Clock(who, 0.0, float(chance.choice((-7200, -180, -40, 40, 180, 7200)))))
        if chance.random() < 0.12:
            made.append(Clock(who, round(chance.uniform(1, 60), 1), float(chance.choice((-7200, -180, 0, 180, 7200)))))
    return made


def as_python(made: Any) -> str:
    """Write a scenario, or a part of one, as the code that makes it; what is as by default is left out."""
    if isinstance(made, tuple):
        return f"({', '.join(map(as_python, made))}{',' * (len(made) == 1)})"
    if not hasattr(made, "__dataclass_fields__"):
        return repr(made)
    given = [
        f"{field.name}={as_python(getattr(made, field.name))}"
        for field in fields(made)
        if getattr(made, field.name) != field.default
    ]
    return f"{type(made).__name__}({', '.join(given)})"
