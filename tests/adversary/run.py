"""Runs many seeds: `python tests/adversary/run.py --seeds 0:200 --jobs 2`; exit status 1 if one goes wrong.

`--mutant NAME` does so with a fault put into the package, and stops at the first seed that finds it. A seed that goes wrong is
shrunk, and shown as code for a test.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from adversary.checker import check, duplicates, lost
from adversary.mutants import MUTANTS
from adversary.scenario import Scenario, as_python, generate
from adversary.shrink import shrink
from adversary.simulate import run

FIXED = {"PYTHONHASHSEED": "0"}
"""The order of sets depends on it."""
SHRUNK = 3
"""Seeds that are shrunk, of those that go wrong: it takes a while."""


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", default="0:200", help="from:to")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--job", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--mutant", choices=sorted(MUTANTS))
    parser.add_argument("--trace", type=int, help="a seed: print a digest of all that happens in it")
    options = parser.parse_args()
    first, last = map(int, options.seeds.split(":"))
    began = time.monotonic()
    if options.trace is not None:
        print(hashlib.sha256(repr(run(generate(options.trace)).trace).encode()).hexdigest())
        return 0
    if options.mutant:
        figures = run_seeds(range(first, last), options.mutant)
    elif options.job is not None:
        figures = run_seeds(range(first + options.job, last, options.jobs))
    else:
        figures = _in_jobs(options.seeds, options.jobs)
    if options.job is not None:
        print(json.dumps(figures))
    else:
        print(summary(figures, time.monotonic() - began))
    return 1 if figures["wrong"] else 0


def run_seeds(seeds: range, mutant: str | None = None) -> dict[str, object]:
    """Return the figures of these seeds; what goes wrong is printed to stderr."""
    mutate = MUTANTS[mutant].put_in if mutant else lambda: None
    figures = Counter({"seeds": 0, "records": 0, "duplicates": 0})
    met: Counter[str] = Counter()
    wrong: list[int] = []
    for seed in seeds:
        scenario = generate(seed)
        history = run(scenario, mutate)
        wrongs = check(history)
        if wrongs and mutant and check(run(scenario)):
            wrongs = []  # the package itself goes wrong: that says nothing of the mutant
        figures += Counter(
            seeds=1,
            records=len(history.world.records),
            duplicates=duplicates(history),
            lost=lost(history),
            requests=len(history.world.writes),
        )
        met += history.met
        if wrongs:
            wrong.append(seed)
            _show(seed, scenario, wrongs, shrinks=len(wrong) <= SHRUNK and not mutant)
            if mutant:
                break
    return {**figures, "met": dict(met), "wrong": wrong}


def kind_of(wrong: str) -> str:
    """Return what went wrong without its numbers and ids, to tell whether a smaller scenario goes wrong in the same way."""
    return re.sub(r"\(.*|\b[0-9a-f]{6,24}\b|[\d.]+", "", wrong.partition(":")[0])


def _show(seed: int, scenario: Scenario, wrongs: list[str], *, shrinks: bool) -> None:
    print(f"\nSeed {seed}:", *wrongs, sep="\n  ", file=sys.stderr)
    if shrinks:
        wanted = kind_of(wrongs[0])
        smaller = shrink(scenario, lambda it: wanted in map(kind_of, check(run(it))))
        print("Shrunk:", as_python(smaller), *check(run(smaller)), sep="\n  ", file=sys.stderr)


def _in_jobs(seeds: str, jobs: int) -> dict[str, object]:
    """Run the seeds in so many processes."""
    command = [sys.executable, __file__, "--seeds", seeds, "--jobs", str(jobs), "--job"]
    running = [
        subprocess.Popen([*command, str(job)], stdout=subprocess.PIPE, text=True, env=os.environ | FIXED)
        for job in range(jobs)
    ]
    said = [json.loads(job.communicate()[0].splitlines()[-1]) for job in running]
    met, wrong = Counter(), []
    figures: Counter[str] = Counter()
    for one in said:
        met += Counter(one.pop("met"))
        wrong += one.pop("wrong")
        figures += Counter(one)
    return {**figures, "met": dict(met), "wrong": sorted(wrong)}


def summary(figures: dict[str, object], seconds: float) -> str:
    """Return the figures in words."""
    met, wrong = Counter(figures["met"]), figures["wrong"]
    kinds = ("kill", "interrupt", "full", "gone")
    faults = sum(number for what, number in met.items() if what not in kinds)
    lines = [
        f"{figures['seeds']} seeds in {seconds:.0f} s: {figures.get('requests', 0)} writes, {figures['records']} records, "
        f"{faults} network faults, " + ", ".join(f"{met[kind]} × {kind}" for kind in kinds),
        f"{figures.get('duplicates', 0)} duplicates made by gateways or wanted, {figures.get('lost', 0)} lost; {len(wrong)} seeds went wrong: {wrong}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != FIXED["PYTHONHASHSEED"]:
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | FIXED)
    sys.exit(main())
