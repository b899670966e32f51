"""The files that a page needs to show WWT: pywwt's research app, and the sky behind the image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import ConstellationsError

DATA = Path(__file__).parents[1] / "data"
RESEARCH_APP = Path(__file__).parents[2] / "static" / "research"
"""The folder of pywwt's research app, which is copied when this package is built; see js/research_app.py."""

# Two tiles of the sky, the constellations as the engine reads them, and the surveys that can take the sky's place; see DATA.
SKY_FILES = ("sky_0.jpg", "sky_1.jpg", "figures.txt", "constellations.txt", "names.txt", "surveys.json")


def app_files() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of what a page is sent once: the app's style sheet, its scripts in the order to run them, `SKY_FILES`.

    Raises
    ------
    ConstellationsError
        If this installation has no research app.
    """
    for name, pattern in (("css", "css/app.*.css"), ("libraries", "js/chunk-vendors.*.js"), ("app", "js/app.*.js")):
        found = sorted(RESEARCH_APP.glob(pattern))
        if not found:
            raise ConstellationsError(
                f"The preview can't start: this installation has no {RESEARCH_APP / pattern}. Install constellations_widgets "
                "again, or run “make js” in its checkout."
            )
        yield name, found[0].read_bytes()
    for name in SKY_FILES:
        yield name, (DATA / name).read_bytes()
