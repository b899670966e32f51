"""The preview and the form in every program that shows notebooks: on the sky where the WCS says, alive, and no outside request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.form_steps import field
from browser.hosts import HOSTS, Host
from browser.lab import LabServer, pixels
from browser.marked_image import make_wcs
from browser.on_sky import untiled, wait_revision, worst_error

SHOW = """
import constellations_widgets as cxw
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage
{draft}
preview, form = cxw.Preview(draft, height="320px"), cxw.ImageForm(draft)
"""


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest, lab_server: LabServer, page: Page) -> Iterator[Host]:
    host = HOSTS[request.param](lab_server, page)
    yield host
    host.stop()


def test_the_image_is_on_the_sky_where_its_wcs_says_and_follows_python_and_the_form(host: Host, image: Path):
    host.show(SHOW.format(draft=untiled(image)), "preview", "form")
    element = host.page.locator(".cxw-preview")
    expect(element).to_have_attribute("data-cxw-preview-state", "shown", timeout=180_000)
    assert worst_error(element, make_wcs()) < 1

    host.execute("draft.wwt.rotation = 75")
    element.scroll_into_view_if_needed()  # out of sight nothing is drawn
    wait_revision(element, 2)
    assert worst_error(element, make_wcs(rotation=75)) < 1
    rotation = field(host.page.locator(".cxw-form"), "Rotation")
    expect(rotation).to_have_value("75")

    rotation.fill("-100")
    rotation.blur()
    element.scroll_into_view_if_needed()
    wait_revision(element, 3)
    assert worst_error(element, make_wcs(rotation=-100)) < 1

    pixels(host.page, save=f"host-{type(host).__name__}")
    assert host.complaints == []
