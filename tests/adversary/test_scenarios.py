"""Scenarios that went wrong once hold now, and so does every end of a publication."""

from __future__ import annotations

import pytest

pytest.importorskip("resource", reason="simulated processes are forks, with limits of the system's own")

from adversary.checker import check
from adversary.corpus import SCENARIOS
from adversary.scenario import Do, Fault, Scenario, Trigger
from adversary.simulate import run


@pytest.mark.parametrize("name", SCENARIOS)
def test_all_is_well_in_the_end(name: str):
    assert check(run(SCENARIOS[name])) == []


@pytest.mark.parametrize("answer", ["ok", "drop"])
@pytest.mark.parametrize("kind", ["kill", "interrupt"])
@pytest.mark.parametrize(("since", "steps"), [("write", range(1, 42, 8)), ("answer", range(1, 80, 13))])
def test_wherever_it_ends_nothing_is_lost(kind: str, answer: str, since: str, steps: range):
    for step in steps:
        do = Do("publish", triggers=(Trigger(kind, since, step), Trigger("interrupt", "trigger", 3)))
        history = run(Scenario(processes=((do, Do("publish")),), faults=(Fault(answer=answer),)))
        assert check(history) == [], (kind, since, step)
