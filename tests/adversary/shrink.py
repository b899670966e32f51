"""Makes a scenario that goes wrong smaller, as long as it goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from .scenario import Do, Scenario


def shrink(scenario: Scenario, fails: Callable[[Scenario], bool], most: int = 400) -> Scenario:
    """Return the smallest scenario that was found to fail as `scenario` does, after at most `most` runs."""
    runs = 0
    while True:
        for smaller in _smaller(scenario):
            if runs >= most:
                return scenario
            runs += 1
            if fails(smaller):
                scenario = smaller
                break
        else:
            return scenario


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Yield scenarios with one thing less, the largest things first."""
    if len(scenario.processes) > 1:
        for number in range(len(scenario.processes)):
            yield _without_process(scenario, number)
    for name in ("foreign", "clocks", "faults"):
        for number in range(len(getattr(scenario, name))):
            yield replace(scenario, **{name: _without(getattr(scenario, name), number)})
    for number, operations in enumerate(scenario.processes):
        for index in range(len(operations) if len(operations) > 1 else 0):
            yield _with_process(scenario, number, _without(operations, index))
        for index, do in enumerate(operations):
            for smaller in _smaller_operation(do):
                yield _with_process(scenario, number, (*operations[:index], smaller, *operations[index + 1 :]))
    if len(scenario.images) > 1:
        for number in range(len(scenario.images)):
            yield _without_image(scenario, number)
    yield from _simpler(scenario)
    for name in ("foreign", "clocks", "faults", "images"):
        parts = getattr(scenario, name)
        for number, part in enumerate(parts):
            for simpler in _simpler(part):
                yield replace(scenario, **{name: (*parts[:number], simpler, *parts[number + 1 :])})


def _smaller_operation(do: Do) -> Iterator[Do]:
    for number in range(len(do.triggers)):
        yield replace(do, triggers=_without(do.triggers, number))
    for number in range(len(do.images) if len(do.images) > 1 else 0):
        yield replace(do, images=_without(do.images, number))
    for name in ("again", "anyway", "resend"):
        if getattr(do, name):
            yield replace(do, **{name: False})


def _simpler(part: Any) -> Iterator[Any]:
    """Yield the part with one field as it is by default."""
    for field in fields(part):
        value = getattr(part, field.name)
        plain = isinstance(value, bool | int | float | str) or value is None
        if plain and value != field.default and field.name not in ("process", "nth", "on", "image"):
            yield replace(part, **{field.name: field.default})


def _without(parts: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    return (*parts[:number], *parts[number + 1 :])


def _with_process(scenario: Scenario, number: int, operations: tuple[Do, ...]) -> Scenario:
    processes = scenario.processes
    return replace(scenario, processes=(*processes[:number], operations, *processes[number + 1 :]))


def _without_process(scenario: Scenario, number: int) -> Scenario:
    def renumbered(other: int) -> int:
        return other - (other > number)

    faults = tuple(replace(it, process=renumbered(it.process)) for it in scenario.faults if it.process != number)
    clocks = tuple(
        replace(it, who=str(renumbered(int(it.who)))) if it.who.isdigit() else it
        for it in scenario.clocks
        if it.who != str(number)
    )
    starts = (*_without(scenario.starts, number), 1.0)
    return replace(
        scenario, processes=_without(scenario.processes, number), faults=faults, clocks=clocks, starts=starts
    )


def _without_image(scenario: Scenario, number: int) -> Scenario:
    def renumbered(images: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(it - (it > number) for it in images if it != number) or (0,)

    processes = tuple(
        tuple(replace(do, images=renumbered(do.images)) for do in operations) for operations in scenario.processes
    )
    foreign = tuple(replace(it, image=it.image - (it.image > number)) for it in scenario.foreign if it.image != number)
    return replace(scenario, images=_without(scenario.images, number), processes=processes, foreign=foreign)
