"""`make soak`: publishing under everything that can go wrong, for much longer than `make test`.

* thousands of seeds of the simulator (`tests/adversary`), which goes on from the seeds of `make test`;
* tiles of pictures 65,600 pixels wide and high, compared with toasty's; 3,200 FITS headers, compared with astropy;
* Debian's Varnish and nginx before an HTTP server, which they make answer wrongly (`gateways.py`);
* a panel on JupyterHub behind nginx, which cuts connections, in Chromium (`hub.py`);
* 2,000 publications at a 20 % fault rate, 16 at a time (`soaking.py`);
* 200 previews, 20,000 edits and 300 runs of a cell in one kernel, twice (`tests/widgets/test_long_life.py`);
* 50 kills of a program that publishes, and of one that uploads; an upload of 100,000 files.

`python tests/soak/run.py --seeds 200 --count 200 --kills 10` does less, `--seed 7` the same with other faults; 0 leaves a part out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from soak.gateways import try_gateways
from soak.hub import try_hub
from soak.soaking import soak

FIRST_SEED = 80
"""Of the simulator: those before it are run by `make test`."""


def main() -> int:
    """Return the exit status: 1 if anything went wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3000)
    parser.add_argument("--gateways", type=int, default=1)
    parser.add_argument("--hub", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--long-life", type=int, default=1)
    parser.add_argument("--compare", type=int, default=1)
    options = parser.parse_args()
    parts = [
        _live_long(options.long_life),
        _compare(options.compare),
        _simulate(options.seeds),
        _try(try_gateways, options.gateways),
        _try(try_hub, options.hub),
        _publish(options.count, options.seed),
    ]
    return 0 if all([*parts, _kill(options.kills)]) else 1


def _simulate(seeds: int) -> bool:
    if not seeds:
        return True
    program = [sys.executable, str(TESTS / "adversary" / "run.py")]
    jobs = str(os.cpu_count() or 2)
    print(f"Simulator, {seeds} seeds:", flush=True)
    return not subprocess.run(
        [*program, "--seeds", f"{FIRST_SEED}:{FIRST_SEED + seeds}", "--jobs", jobs], check=False
    ).returncode


def _live_long(wanted: int) -> bool:
    if not wanted:
        return True
    print("A long life of one kernel:", flush=True)
    program = [sys.executable, "-m", "pytest", "-q", "widgets/test_long_life.py"]
    return not subprocess.run(program, cwd=TESTS, env=os.environ | {"CXW_LONG_LIFE": "1"}, check=False).returncode


def _compare(wanted: int) -> bool:
    if not wanted:
        return True
    print("Large pictures and many headers:", flush=True)
    names = ["outputs/test_vips_tiles.py", "sources/test_oracle.py", "geometry/test_oracle.py"]
    program = [sys.executable, "-m", "pytest", "-q", *names, "-k", "tiles_of_toasty or test_oracle"]
    environment = os.environ | {"CXW_LARGE": "1", "CXW_HEADERS": "3200"}
    return not subprocess.run(program, cwd=TESTS, env=environment, check=False).returncode


def _try(part: Callable[[Path], Any], wanted: int) -> bool:
    if not wanted:
        return True
    with tempfile.TemporaryDirectory() as folder:
        outcome = part(Path(folder))
    print(outcome, flush=True)
    return not outcome.wrongs


def _publish(count: int, seed: int) -> bool:
    if not count:
        return True
    with tempfile.TemporaryDirectory() as folder:
        outcome = soak(count, seed, Path(folder))
    print(f"Publications, seed {seed}: {outcome}", flush=True)
    return not outcome.wrongs


def _kill(kills: int) -> bool:
    if not kills:
        return True
    print(f"Kills, {kills} of a program that publishes, and {kills} of one that uploads; 100,000 files:", flush=True)
    names = ["publishing/test_kill.py", "hosting/test_host.py", "hosting/test_faults.py"]
    only = "killed or test_kill or many_small"
    program = [sys.executable, "-m", "pytest", "--quiet", *(str(TESTS / name) for name in names), "-k", only]
    environment = os.environ | {"CXW_KILLS": str(kills), "CXW_FILES": "100000"}
    return not subprocess.run(program, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
