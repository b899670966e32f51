"""The files that a page needs to show WWT: pywwt's research app, and a sky to stand behind the image."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from ..errors import ConstellationsError

SKY = Path(__file__).parent / "data"


def research_app() -> Path:
    """The folder of pywwt's research app, found without importing pywwt (which takes seconds).

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
    """Name and content of what a page is sent once: the app's style sheet, its scripts in the order to run them, the sky's tiles."""
    app = research_app()
    for name, pattern in (("css", "css/app.*.css"), ("libraries", "js/chunk-vendors.*.js"), ("app", "js/app.*.js")):
        found = sorted(app.glob(pattern))
        if not found:
            raise ConstellationsError(
                f"The installed pywwt has no {pattern} in its research app: run “pip install --upgrade pywwt”."
            )
        yield name, found[0].read_bytes()
    for index in range(2):
        yield f"sky_{index}", (SKY / f"sky_{index}.jpg").read_bytes()
