"""The simulator finds every fault of the list, put back into the package, within a fixed number of seeds."""

from __future__ import annotations

import pytest

pytest.importorskip("resource", reason="simulated processes are forks, with limits of the system's own")

from adversary.checker import check
from adversary.mutants import MUTANTS, SEAMS, found
from adversary.simulate import run

MOST = 120
"""Seeds within which each is found."""


@pytest.mark.parametrize("seam", SEAMS)
def test_what_mutants_replace_is_still_there(seam: str):
    found(seam)


def test_each_mutant_names_its_seams():
    named = {seam for mutant in MUTANTS.values() for seam in mutant.seams}
    assert named == SEAMS.keys()


@pytest.mark.parametrize("name", MUTANTS)
def test_the_simulator_finds(name: str):
    for seam in MUTANTS[name].seams:
        found(seam)
    mutant = MUTANTS[name]
    finds = next(scenario for scenario in mutant.scenarios(MOST) if check(run(scenario, mutant.put_in)))
    assert check(run(finds)) == []  # it is the mutant that goes wrong
