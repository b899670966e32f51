"""The files that a page needs to show WWT: pywwt's research app, and the sky behind the image."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from ...errors import ConstellationsError

DATA = Path(__file__).parents[1] / "data"

# Two tiles of the sky, the constellations as the engine reads them, and the surveys that can take the sky's place; see DATA.
SKY_FILES = ("sky_0.jpg", "sky_1.jpg", "figures.txt", "constellations.txt", "names.txt", "surveys.json")


def research_app() -> Path:
    """Return the folder of pywwt's research app, found without importing pywwt (which takes seconds).

    Raises
    ------
    ConstellationsError
        If pywwt is not installed, or is one without the app.
    """
    spec = find_spec("pywwt")
    if spec is None or not spec.submodule_search_locations:
        raise ConstellationsError(
            "The preview needs pywwt, which is not installed in this kernel: run “pip install pywwt” and restart the kernel."
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / "web_static" / "research"
    if not folder.is_dir():
        raise ConstellationsError(
            "The installed pywwt has no research app: run “pip install --upgrade pywwt” and restart the kernel."
        )
    return folder


def app_files() -> Iterator[tuple[str, bytes]]:
    """Name and content of what a page is sent once: the app's style sheet, its scripts in the order to run them, `SKY_FILES`."""
    app = research_app()
    for name, pattern in (("css", "css/app.*.css"), ("libraries", "js/chunk-vendors.*.js"), ("app", "js/app.*.js")):
        found = sorted(app.glob(pattern))
        if not found:
            raise ConstellationsError(
                f"The installed pywwt has no {pattern} in its research app: run “pip install --upgrade pywwt”."
            )
        yield name, found[0].read_bytes()
    for name in SKY_FILES:
        yield name, (DATA / name).read_bytes()
