"""A pyramid that was hosted is drawn from another origin, where it belongs; the form uploads and tests with the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hosting.servers import s3_place
from playwright.sync_api import Page, expect

import constellations_widgets as cxw
from browser.bare_page import bare_page
from browser.form_steps import open_step
from browser.marked_image import make_wcs, tile_image
from browser.on_sky import SMALL_PIXEL, wait_revision, worst_error
from constellations_widgets import ImageDraft, ImageForm, Preview
from constellations_widgets.sources.reading import ParsedImage


@pytest.fixture
def tiles(image: Path, tmp_path: Path) -> ImageDraft:
    return ImageDraft.from_wtml(tile_image(image, make_wcs(), tmp_path / "tiles"), autosave=False)


@pytest.fixture(params=["s3", "sandbox"])
def hosted(request: pytest.FixtureRequest, tiles: ImageDraft, tmp_path: Path) -> Iterator[str]:
    """The pyramid's address after it was hosted."""
    if request.param == "s3":
        with s3_place(tmp_path / "place") as place:
            yield cxw.host(tiles, place.target, **place.extra).url
    else:
        with cxw.Sandbox() as box:
            yield cxw.host(tiles, box).url


def test_a_hosted_pyramid_is_drawn_from_another_origin_at_its_place(page: Page, tiles: ImageDraft, hosted: str):
    loaded: list[str] = []
    page.on("response", lambda response: loaded.append(response.url) if response.ok else None)
    remote = ImageDraft(ParsedImage(dict(tiles.values)), autosave=False)
    assert remote.local is None and remote.storage.legacy_url_template == hosted
    page.set_viewport_size({"width": 560, "height": 460})
    with bare_page(page, Preview(remote, height="320px")) as frame:
        element = wait_revision(frame.locator(".cxw-preview"), 1)
        for _ in range(40):  # tiles of a finer level come when they come
            try:
                if worst_error(element, make_wcs()) < SMALL_PIXEL:
                    break
            except AssertionError:
                pass
            page.wait_for_timeout(500)
        assert worst_error(element, make_wcs()) < SMALL_PIXEL
    assert [url for url in loaded if url.startswith(hosted.partition("{")[0])]


def test_the_form_uploads_to_the_sandbox_and_tests_the_address(page: Page, tiles: ImageDraft):
    with cxw.Sandbox() as box, bare_page(page, ImageForm(tiles, box)) as frame:
        form = frame.locator(".cxw-form")
        open_step(form, "Files on the web")
        expect(form.get_by_label("Upload to")).to_have_value("sandbox")
        form.get_by_role("button", name="Upload", exact=True).click()
        expect(form.get_by_text("Checked: they load.")).to_be_visible()
        assert tiles.storage.legacy_url_template.startswith(box.uploads_url)
        form.get_by_role("button", name="Test this address").click()
        expect(form.get_by_text("The address works")).to_be_visible()
