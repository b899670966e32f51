"""`make docs`: build the documentation site from the notebooks here and the package's docstrings, offline, into build/docs/site.

Its "Try it in the browser" is a JupyterLite site in site/lite, if the packages for that can be had.

The guides are run, all against one sandbox, in a copy of this folder: what they write stays in build/docs. Their previews are
live in the built pages. A warning is an error: a broken link or reference, a cell that fails.
"""

from __future__ import annotations

import html
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

import lite
import prepare
from sphinx.cmd.build import main as sphinx

from constellations_widgets.sandbox import Sandbox, environment_of

HERE = Path(__file__).parent
WORK = HERE.parent / "build" / "docs"
WITHOUT_LITE = "--without-lite"


def build(work: Path = WORK) -> int:
    """Build the site into `work`/site; return Sphinx's exit status."""
    source = work / "source"
    shutil.rmtree(work, ignore_errors=True)
    pages = shutil.ignore_patterns(
        "__pycache__", ".ipynb_checkpoints", "demo.py", "build_site.py", "lite.py", "browser"
    )
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


def build_lite(site: Path, data: Path) -> None:
    """Build "Try it in the browser"; say loudly, in its place too, if that is not possible."""
    with tempfile.TemporaryDirectory() as folder:
        contents = Path(folder) / "contents"
        shutil.copytree(HERE / "browser", contents)
        shutil.copytree(data / "hxdf", contents / "hxdf")
        try:
            lite.report(lite.build(site, contents))
        except lite.UnavailableError as error:
            print(f"NOT BUILT: Try it in the browser. {error}", file=sys.stderr)
            page = site / "notebooks" / "index.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(f"<!DOCTYPE html><title>Not built</title><p>{html.escape(str(error))}", "utf-8")


if __name__ == "__main__":
    folders = [Path(it) for it in sys.argv[1:] if it != WITHOUT_LITE]
    work = (folders or [WORK])[0]
    status = build(*folders)
    if status == 0 and WITHOUT_LITE not in sys.argv:
        build_lite(work / "site" / "lite", work / "source" / "data")
    if status == 0:
        print(f"The site is in {work / 'site'}: open index.html in a browser.")
    sys.exit(status)
