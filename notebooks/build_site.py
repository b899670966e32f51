"""`make docs`: build the documentation site from the notebooks here and the package's docstrings, offline, into build/docs/site.

The guides are run, all against one sandbox, in a copy of this folder: what they write stays in build/docs. Their previews are
live in the built pages. A warning is an error: a broken link or reference, a cell that fails.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path

import prepare
from sphinx.cmd.build import main as sphinx

from constellations_widgets.sandbox import Sandbox, environment_of

HERE = Path(__file__).parent
WORK = HERE.parent / "build" / "docs"


def build(work: Path = WORK) -> int:
    """Build the site into `work`/site; return Sphinx's exit status."""
    source = work / "source"
    shutil.rmtree(work, ignore_errors=True)
    pages = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "demo.py", "build_site.py")
    shutil.copytree(HERE, source, ignore=pages)
    prepare.data(source / "data")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    with Sandbox(files=source / "data") as box:
        os.environ |= environment_of(box) | {
            "CXW_EMBED_PREVIEWS": "1",
            "CXW_STATE_DIR": str(work / "state"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # the guides run the command line
        }
        return sphinx(["-W", "--keep-going", "-q", "-j", "auto", str(source), str(work / "site")])


if __name__ == "__main__":
    work = Path(sys.argv[1]) if sys.argv[1:] else WORK
    status = build(work)
    if status == 0:
        print(f"The site is in {work / 'site'}: open index.html in a browser.")
    sys.exit(status)
