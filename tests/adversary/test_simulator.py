"""Publishing holds in an adversarial world; a seed replays exactly, and one that goes wrong shrinks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="simulated processes are forks, with limits of the system's own")

from adversary import scenario as parts
from adversary.checker import check
from adversary.scenario import Do, Fault, Image, Scenario, Trigger, as_python, generate
from adversary.shrink import shrink
from adversary.simulate import run

RUN = Path(__file__).with_name("run.py")


def run_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(RUN), *arguments], capture_output=True, text=True, check=False)


def test_80_seeds():
    """`make soak` goes on from there."""
    done = run_program("--seeds", "0:80", "--jobs", "2")
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.startswith("80 seeds in ")


@pytest.mark.parametrize("seed", [7, 9, 33])
def test_a_seed_replays_exactly(seed: int):
    first, second = run(generate(seed)), run(generate(seed))
    assert first.trace == second.trace
    assert len(first.trace) > 10


def test_a_seed_replays_exactly_in_another_interpreter():
    assert run_program("--trace", "33").stdout == run_program("--trace", "33").stdout != ""


def test_seeds_have_all_that_can_happen():
    """Or something would be tested by no seed."""
    made = [generate(seed) for seed in range(200)]
    triggers = {
        (trigger.kind, trigger.since) for it in made for done in it.processes for do in done for trigger in do.triggers
    }
    assert {kind for kind, _ in triggers} == {"kill", "interrupt", "pause", "full", "gone"}
    assert {since for _, since in triggers} == {"start", "write", "answer", "trigger"}
    assert {fault.answer for it in made for fault in it.faults if fault.on == "write"} == set(parts.WRITE_ANSWERS)
    assert {fault.answer for it in made for fault in it.faults if fault.on == "list"} == set(parts.READ_ANSWERS)
    assert {fault.commit for it in made for fault in it.faults} == {"no", "once", "twice", "late"}
    assert {clock.who for it in made for clock in it.clocks} == {"server", "gateway", "0", "1"}
    assert {foreign.broken for it in made for foreign in it.foreign} == {"", "404", "null", "500"}
    assert {do.what for it in made for done in it.processes for do in done} == {
        "publish", "send_again", "publish_all", "settle_all", "scene", "save",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_a_scenario_is_written_as_the_code_that_makes_it(seed: int):
    scenario = generate(seed)
    assert eval(as_python(scenario), vars(parts)) == scenario


def test_what_goes_wrong_shrinks_to_what_makes_it_go_wrong():
    scenario = Scenario(
        images=(Image(), Image(url=1)),
        processes=((Do("settle_all"), Do("publish_all", images=(1, 0), triggers=(Trigger("pause"),))), (Do("scene"),)),
        faults=(Fault(on="list", answer="drop"), Fault(nth=1, answer="drop", commit="no")),
    )

    def fails(it: Scenario) -> bool:
        return any(fault.nth == 1 for fault in it.faults) and any(do.what == "publish_all" for do in it.processes[0])

    smallest = Scenario(processes=((Do("publish_all"),),), faults=(Fault(nth=1),))
    assert shrink(scenario, fails) == smallest


def test_a_killed_process_executes_nothing_more():
    """Its caller is told nothing, its row is left as it was, and the next process finds out what became of it."""
    kill = Do("publish", triggers=(Trigger("kill", since="answer", steps=1),))
    history = run(Scenario(processes=((kill, Do("settle_all")),)))
    assert check(history) == []
    assert history.met["kill"] == 1
    assert [(told.do.what, told.outcome) for told in history.told][:1] == [("settle_all", "done")]
    assert len(history.world.records) == 1


def test_the_disk_is_really_full():
    full = Do("publish", triggers=(Trigger("full"),))
    history = run(Scenario(processes=((full,),)))
    assert history.told[0].outcome == "JournalError"
    assert check(history) == []


def test_time_is_simulated():
    slow = tuple(Fault(on="list", nth=nth, answer="timeout", commit="no") for nth in range(4))
    history = run(Scenario(faults=slow))
    assert history.told[0].ended > 10.0
