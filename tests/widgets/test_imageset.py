"""What of a draft is on the sky, while it may be half typed."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wwt_data_formats.folder import Folder

from constellations_widgets.widgets.preview.imageset import imageset_of
from constellations_widgets.wtml import DRAWN, drawn_wtml

URL = "http://localhost:1/image/{1}/{3}/{3}_{2}.png"
GOOD = {
    "wwt.center_x": 150.0,
    "wwt.center_y": 20,
    "wwt.rotation": 30.0,
    "wwt.base_degrees_per_tile": 1.024,
    "wwt.offset_x": 0.01,
    "wwt.offset_y": -0.02,
    "wwt.bottoms_up": False,
    "wwt.projection": "Tan",
    "wwt.tile_levels": 2,
    "wwt.width_factor": 2,
    "wwt.file_type": ".png",
    "wwt.quad_tree_map": "",
}


def test_a_good_draft_is_drawn_as_it_is():
    imageset, waiting = imageset_of(GOOD, URL)
    assert waiting == {}
    assert imageset == {path.removeprefix("wwt."): value for path, value in GOOD.items()} | {"url": URL}


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("wwt.center_x", "fifty", "not a number"),
        ("wwt.center_x", "", "missing"),
        ("wwt.center_x", True, "not a number"),
        ("wwt.center_x", 361.0, "between 0 and 360"),
        ("wwt.center_y", math.nan, "not a finite"),
        ("wwt.rotation", math.inf, "not a finite"),
        ("wwt.offset_x", 10**400, "too large"),
        ("wwt.base_degrees_per_tile", 0, "greater than 0"),
        ("wwt.tile_levels", 2.5, "whole"),
        ("wwt.bottoms_up", "no", "true or false"),
        ("wwt.file_type", 7, "text"),
    ],
)
def test_a_value_that_cannot_be_drawn_is_named_and_the_last_good_one_stays(path, value, reason):
    last, _ = imageset_of(GOOD, URL)
    imageset, waiting = imageset_of({**GOOD, path: value, "wwt.offset_y": 0.5}, URL, last)
    assert list(waiting) == [path] and reason in waiting[path]
    assert imageset == {**last, "offset_y": 0.5}


def test_nothing_is_drawn_before_all_values_were_there_once():
    imageset, waiting = imageset_of({**GOOD, "wwt.center_x": None}, URL)
    assert imageset is None and "wwt.center_x" in waiting
    imageset, waiting = imageset_of(GOOD, "")
    assert imageset is None and "storage.legacy_url_template" in waiting


def test_what_almost_every_image_has_need_not_be_said():
    left_out = {"wwt.rotation", "wwt.offset_x", "wwt.bottoms_up", "wwt.width_factor", "wwt.quad_tree_map"}
    imageset, waiting = imageset_of({path: value for path, value in GOOD.items() if path not in left_out}, URL)
    assert not waiting and imageset["width_factor"] == 2 and imageset["rotation"] == 0


@pytest.mark.parametrize(
    "changes",
    [{"wwt.bottoms_up": True}, {"wwt.tile_levels": 0}, {"wwt.projection": "Tangent"}, {"wwt.projection": "SkyImage"}],
)
def test_values_that_do_not_go_together_wait_together(changes):
    last, _ = imageset_of(GOOD, URL)
    imageset, waiting = imageset_of({**GOOD, **changes, "wwt.rotation": 99.0}, URL, last)
    assert imageset == last and waiting


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["Tan", "SkyImage", ".png", [], {}])
)
DRAFTS = st.fixed_dictionaries({}, optional={path: st.just(GOOD[path]) | VALUES for path in DRAWN})


@given(DRAFTS, st.sampled_from([URL, "", "http://localhost:1/image/a.png"]), st.booleans())
def test_whatever_is_typed_only_what_can_be_drawn_is_drawn(values, url, had_one):
    last = imageset_of(GOOD, URL)[0] if had_one else None
    imageset, waiting = imageset_of(values, url, last)
    assert imageset is not None or not had_one
    assert imageset is not None or waiting
    for value in (imageset or {}).values():
        assert isinstance(value, (str, bool)) or math.isfinite(value)


def test_the_wtml_says_what_the_imageset_says():
    imageset, _ = imageset_of(GOOD, URL)
    (read,) = Folder.from_text(drawn_wtml(imageset, "cxw 7.", URL)).children
    assert (read.name, read.url, read.projection.value, read.tile_levels) == ("cxw 7.", URL, "Tan", 2)
    assert (read.center_x, read.center_y, read.rotation_deg, read.base_degrees_per_tile) == (150, 20, 30, 1.024)
    assert (read.offset_x, read.offset_y, read.bottoms_up, read.width_factor) == (0.01, -0.02, False, 2)


def test_nothing_in_a_value_can_change_the_wtml():
    evil = '"><Evil a="&\'<'
    imageset, _ = imageset_of({**GOOD, "wwt.file_type": evil, "wwt.quad_tree_map": ""}, URL)
    (element,) = ElementTree.fromstring(drawn_wtml(imageset, evil, evil))
    assert (element.get("FileType"), element.get("Name"), element.get("Url")) == (evil, evil, evil)
