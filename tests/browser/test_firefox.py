"""In Firefox the image is in its place, follows the hand, is described and published. All other tests are in Chromium."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browser.firefox import act_in_firefox
from browser.lab import LabServer
from browser.marked_image import find_marks, make_wcs, positions, sky_to_pixel
from browser.on_sky import SHOW, untiled
from browser.screenshots import SCREENSHOTS

ALT = "Four marks on a gray ground."

PUBLISH = """
box = cxw.Sandbox(files=".").start()
draft.update({
    "note": "Four marks", "permissions.copyright": "Copyright 2026 Jane Doe", "permissions.license": "CC-BY-4.0",
    "storage.legacy_url_template": box.files_url + "/marked.png"})
cxw.publish(draft, box.client(), handle=box.handle)
"""


def test_in_firefox_the_image_is_in_its_place_follows_the_hand_and_is_published(
    lab_server: LabServer, image: Path, tmp_path: Path
):
    shutil.copy(image, lab_server.root / "marked.png")
    name = lab_server.write_notebook([SHOW.format(draft=untiled(image)), PUBLISH])
    seen = act_in_firefox(
        tmp_path, address=lab_server.address(f"lab/workspaces/{Path(name).stem}/tree/{name}"), notebook=name, alt=ALT
    )
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for picture in ("view", "receipt"):
        shutil.copy(tmp_path / f"{picture}.png", SCREENSHOTS / f"firefox-{picture}.png")
    assert seen["errors"] == []

    marks = find_marks(np.asarray(Image.open(tmp_path / "view.png").convert("RGB")))
    places = positions(make_wcs())
    assert marks.keys() == places.keys()
    for mark, place in places.items():
        assert math.dist(marks[mark], sky_to_pixel(*place, seen["fitted"])) < 1

    middle = seen["fitted"]["width"] / 2, seen["fitted"]["height"] / 2
    moved = sky_to_pixel(seen["fitted"]["ra"], seen["fitted"]["dec"], seen["panned"])
    assert moved == pytest.approx((middle[0] + 120, middle[1] - 50), abs=2)
    assert (seen["record"]["id"], seen["record"]["alt_text"]) == (seen["id"], ALT)
