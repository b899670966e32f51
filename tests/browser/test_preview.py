"""The preview in a real JupyterLab: the image is on the sky where its WCS says, and follows the draft."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from browser.lab import Lab
from browser.marked_image import find_marks, make_wcs, positions, sky_to_pixel
from browser.on_sky import SHOW, camera, look, show, sky, tiled, untiled, wait_shown, worst_error
from playwright.sync_api import expect


def test_a_tiled_image_is_on_the_sky_where_its_wcs_says_and_follows_the_draft(lab: Lab, tiles: Path):
    asked: list[str] = []
    lab.page.on("request", lambda request: asked.append(request.url))
    notebook = show(lab, tiled(tiles))
    element = wait_shown(notebook)
    assert asked and not [
        url for url in asked if url.startswith("http://localhost:1/")
    ]  # answered before it is a request
    notebook.screenshot("preview-tiled", element)
    before = camera(element)
    assert worst_error(element, make_wcs()) < 1

    notebook.execute("draft.wwt.rotation = 75")
    assert worst_error(wait_shown(notebook), make_wcs(rotation=75)) < 1
    notebook.execute("draft.wwt.center_x = 150.2")
    assert worst_error(wait_shown(notebook), make_wcs(ra=150.2, rotation=75)) < 1
    notebook.execute("draft.update({'wwt.center_x': 149.9, 'wwt.center_y': 20.1, 'wwt.rotation': -100})")
    assert worst_error(wait_shown(notebook), make_wcs(149.9, 20.1, -100)) < 1
    assert camera(element) == before  # edits move the image, not the view

    element.get_by_role("button", name="Go to image").click()
    notebook.page.wait_for_function(
        "([it, old]) => it.dataset.cxwCamera !== old", arg=[element.element_handle(), json.dumps(before)]
    )
    assert worst_error(wait_shown(notebook), make_wcs(149.9, 20.1, -100)) < 1
    assert lab.console_errors == []


def test_an_untiled_image_is_where_its_wcs_says_and_moving_it_looks_like_loading_it_there(lab: Lab, image: Path):
    notebook = show(lab, untiled(image))
    element = wait_shown(notebook)
    notebook.screenshot("preview-untiled", element)
    assert worst_error(element, make_wcs()) < 1

    notebook.execute(
        "draft.update({'wwt.center_x': 150.1, 'wwt.rotation': 200, 'wwt.bottoms_up': True, 'wwt.base_degrees_per_tile': 0.0008})"
    )
    moved = sky(wait_shown(notebook))
    # Another value that decides which tiles there are, and back: the image is loaded anew, twice.
    revisions = notebook.evaluate("preview.revision")
    notebook.execute("draft.wwt.width_factor = 1")
    wait_shown(notebook)
    notebook.execute("draft.wwt.width_factor = 2")
    loaded = sky(wait_shown(notebook))
    assert notebook.evaluate("preview.revision") == revisions + 2
    assert np.abs(moved.astype(int) - loaded).max() <= 2
    assert len(find_marks(moved)) == 4


def test_a_hole_in_the_pyramid_is_no_error(lab: Lab, tiles: Path, tmp_path: Path):
    sparse = tmp_path / "sparse"
    shutil.copytree(tiles, sparse)
    removed = [tile for tile in (sparse / "2").rglob("*.png") if tile.name in ("0_0.png", "1_1.png", "2_2.png")]
    for tile in removed:
        tile.unlink()
    assert removed
    element = wait_shown(show(lab, tiled(sparse)))
    assert worst_error(element, make_wcs()) < 1.5


def test_only_the_images_own_files_come_to_the_page(lab: Lab, image: Path):
    (image.parent / "secret.png").write_bytes(image.read_bytes())
    notebook = show(lab, untiled(image))
    element = wait_shown(notebook)
    fetch = """async (frame, name) => {
        const response = await frame.contentWindow.fetch("http://localhost:1/1/image/" + name);
        return [response.status, (await response.arrayBuffer()).byteLength];
    }"""
    frame = element.locator("iframe")
    assert frame.evaluate(fetch, "marked.png") == [200, image.stat().st_size]
    for name in (
        "secret.png",
        "../marked.png",
        "%2e%2e/marked.png",
        "/etc/passwd",
        "..%2f..%2fetc/passwd",
        "MARKED.PNG",
        "marked.png/",
        "./marked.png",
    ):
        assert frame.evaluate(fetch, name) == [404, 0], name


def test_a_value_that_cannot_be_drawn_leaves_the_last_good_one_and_is_named(lab: Lab, image: Path):
    notebook = show(lab, untiled(image))
    element = wait_shown(notebook)
    before = sky(element)
    notebook.execute("draft.wwt.center_x = 'fifty'")
    expect(element.get_by_role("status").filter(has_text="Center X (RA) is not a number")).to_be_visible()
    assert (sky(wait_shown(notebook))[:400] == before[:400]).all()
    notebook.execute("draft.wwt.rotation = 75")
    notebook.execute("draft.wwt.center_x = 150.1")
    assert worst_error(wait_shown(notebook), make_wcs(ra=150.1, rotation=75)) < 1
    expect(element.get_by_text("Center X (RA)")).to_have_count(0)


def test_the_image_can_be_faded(lab: Lab, image: Path):
    element = wait_shown(show(lab, untiled(image)))
    element.get_by_role("slider", name="Image opacity").fill("0")
    element.page.wait_for_timeout(500)
    assert find_marks(sky(element)) == {}
    element.get_by_role("button", name="Go to image").click()
    element.page.wait_for_timeout(500)
    assert find_marks(sky(element)) == {}
    element.get_by_role("slider", name="Image opacity").fill("100")
    element.page.wait_for_timeout(500)
    assert len(find_marks(sky(element))) == 4


def test_a_remote_image_is_loaded_by_the_page(lab: Lab, image: Path, lab_server):
    name = "remote-marked.png"
    shutil.copy(image, lab_server.root / name)
    url = f"{lab_server.url}/files/{name}?token={lab_server.token}"
    draft = untiled(image, **{"storage.legacy_url_template": url}).replace(
        f"LocalImage({str(image.parent)!r}, {image.name!r})", "None"
    )
    element = wait_shown(show(lab, draft))
    assert worst_error(element, make_wcs()) < 1


def test_running_the_cell_again_leaves_one_preview_and_clearing_none(lab: Lab, image: Path):
    notebook = show(lab, untiled(image))
    wait_shown(notebook)
    notebook.run_all()
    wait_shown(notebook)
    assert notebook.page.locator("iframe.cxw-preview-frame").count() == 1
    lab.command("notebook:clear-all-cell-outputs")
    expect(notebook.page.locator("iframe.cxw-preview-frame")).to_have_count(0)


def test_a_cell_that_is_moved_shows_the_same_view_again(lab: Lab, image: Path):
    notebook = show(lab, untiled(image))
    element = wait_shown(notebook)
    look(element, 150.02, 20.01, 1.7)
    before, picture = camera(element), sky(element)
    assert before["fov"] == pytest.approx(1.7)
    element.evaluate(
        "it => { delete it.dataset.cxwCamera; delete it.dataset.cxwRevision; const place = it.parentNode; it.remove(); place.append(it); }"
    )
    wait_shown(notebook)
    after = camera(element)
    assert [after[name] for name in ("ra", "dec", "fov")] == pytest.approx(
        [before[name] for name in ("ra", "dec", "fov")]
    )
    assert np.abs(sky(element).astype(int) - picture).max() <= 2


def test_when_the_kernel_is_gone_the_cell_says_so(lab: Lab, image: Path):
    notebook = show(lab, untiled(image))
    element = wait_shown(notebook)
    notebook.restart_kernel()
    # The frame is emptied and has to be built again: nobody gives it its tiles.
    element.evaluate("it => { const place = it.parentNode; it.remove(); place.append(it); }")
    expect(element.get_by_role("status").filter(has_text="The kernel does not answer")).to_be_visible()


def test_without_webgl_the_cell_says_so(lab: Lab, image: Path):
    lab.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    element = show(lab, untiled(image)).output(0).locator(".cxw-preview")
    expect(element.get_by_text("The preview needs WebGL")).to_be_visible()
    expect(element).to_have_attribute("data-cxw-preview-state", "failed")


def test_without_pywwt_the_cell_says_so(lab: Lab, image: Path):
    hidden = "import constellations_widgets.widgets.wwt_app as app\napp.find_spec = lambda name: None\n"
    element = show(lab, hidden + untiled(image)).output(0).locator(".cxw-preview")
    expect(element.get_by_text("pip install pywwt")).to_be_visible()


def test_a_file_that_is_no_image_is_said_in_words(lab: Lab, tmp_path: Path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    element = show(lab, untiled(broken)).output(0).locator(".cxw-preview")
    expect(element.get_by_text("The image's file can't be read")).to_be_visible()


def test_a_page_whose_policy_forbids_blobs_shows_the_image_all_the_same(lab: Lab, image: Path):
    # In the frame alone: anywidget itself needs them in the page.
    lab.page.add_init_script(
        "if (parent !== window) URL.createObjectURL = () => { window.refused = true; return 'blob:refused/'; }"
    )
    element = wait_shown(show(lab, untiled(image)))
    assert element.locator("iframe").evaluate("f => f.contentWindow.refused") is True
    assert worst_error(element, make_wcs()) < 1


def test_without_a_way_into_the_engine_every_change_still_reaches_the_sky(lab: Lab, image: Path):
    notebook = lab.open_notebook([SHOW.format(draft=untiled(image))])
    notebook.page.evaluate("Function.prototype.toString = () => ''")  # by which the engine is found in the app's bundle
    notebook.run_all()
    element = wait_shown(notebook)
    assert element.get_attribute("data-cxw-camera") is None
    notebook.execute("draft.wwt.rotation = 75")
    wait_shown(notebook)
    look(element, 150.0, 20.0, 1.0)
    height, width, _ = sky(element).shape
    found = find_marks(sky(element))
    view = {"ra": 150.0, "dec": 20.0, "fov": 1.0, "roll": 0.0, "width": width, "height": height}
    expected = {name: sky_to_pixel(*position, view) for name, position in positions(make_wcs(rotation=75)).items()}
    assert len(found) == 4 and max(math.dist(found[name], expected[name]) for name in found) < 1
