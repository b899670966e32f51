"""The guides can be run again, as "Restart Kernel and Run All Cells" does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
GUIDES = ("placement", "publishing", "after_publishing")
"""Those that publish, or write files."""

RUN = """
import sys
from IPython.terminal.interactiveshell import TerminalInteractiveShell

for guide in sys.argv[1:]:
    TerminalInteractiveShell.instance().safe_execfile_ipy(guide, raise_exceptions=True)
"""


def test_guides_can_be_run_a_second_time(tmp_path):
    environment = {**os.environ, "CXW_STATE_DIR": str(tmp_path / "state"), "IPYTHONDIR": str(tmp_path / "ipython")}
    prepare = "from pathlib import Path; import prepare; prepare.data(Path('data'))"
    guides = [str(NOTEBOOKS / f"{guide}.ipynb") for guide in GUIDES]
    for code, arguments in ((prepare, []), (RUN, guides), (RUN, guides)):
        ended = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(NOTEBOOKS)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
