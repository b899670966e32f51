"""`make soak`: 2,000 publications at a 20 % fault rate, 16 at a time, and 50 kills of a program that publishes.

`python tests/soak/run.py --count 200 --seed 7 --kills 10` does less, or the same with other faults.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from soak.soaking import soak


def main() -> int:
    """The exit status is 1 if anything went wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = soak(options.count, options.seed, Path(folder))
    print(f"Seed {options.seed}: {outcome}", flush=True)
    kills = [sys.executable, "-m", "pytest", "--quiet", str(HERE.parent / "publishing" / "test_kill.py")]
    killed = subprocess.run(kills, env=os.environ | {"CXW_KILLS": str(options.kills)}, check=False).returncode
    return 1 if outcome.wrongs or killed else 0


if __name__ == "__main__":
    sys.exit(main())
