"""Pictures of a page: as files for people, as numbers for tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"


def pixels(target: Page | Locator, *, save: str | None = None) -> np.ndarray:
    """What is to be seen of a page or an element: uint8 of shape (height, width, 3), in CSS pixels.

    With `save`, the picture is written to build/screenshots/<save>.png too.
    """
    png = target.screenshot(scale="css", animations="disabled")
    if save:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / f"{save}.png").write_bytes(png)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
