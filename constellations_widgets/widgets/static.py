"""The page's halves of the widgets, as `make js` or the wheel's build made them."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConstellationsError

FOLDER = Path(__file__).parent.parent / "static"


def built(name: str) -> str:
    """The text of a built file.

    Raises
    ------
    ConstellationsError
        When it was never built.
    """
    try:
        return (FOLDER / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConstellationsError(
            f"The page's part of the widget is not built ({name}): run “make js” in the project's folder."
        ) from None
