"""JupyterLab as a hub may run it: no inline scripts, and an old lab extension of pywwt that must not ask everybody to rebuild."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.lab import NO_BUILD, Lab, LabServer
from browser.marked_image import make_wcs
from browser.on_sky import show, untiled, wait_shown, worst_error

POLICY = "script-src 'self' 'unsafe-eval' blob:; frame-ancestors 'self'"
GUIDE = Path(__file__).parents[2] / "notebooks" / "where_it_works.md"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    server = LabServer(tmp_path_factory.mktemp("hub"), policy=POLICY, asks_to_build=True)
    yield server
    server.stop()


def make_setting(hub: LabServer) -> None:
    setting = hub.folder / "config" / "labconfig" / "page_config.d" / "pywwt.json"
    setting.parent.mkdir(exist_ok=True)
    setting.write_text(json.dumps(NO_BUILD))


def test_pywwts_old_extension_asks_to_rebuild_until_the_documented_setting_is_made(hub: LabServer, page: Page):
    page.goto(hub.address("lab"))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("pywwt")
    assert json.dumps(NO_BUILD) in GUIDE.read_text(encoding="utf-8")
    make_setting(hub)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(hub.address("lab"))
    page.wait_for_function("window.jupyterapp?.restored.then(() => true)")
    page.wait_for_load_state("networkidle")
    expect(dialog).to_have_count(0)
    assert not any("api/build" in url for url in requests)


def test_the_preview_needs_no_inline_scripts(hub: LabServer, page: Page, image: Path):
    make_setting(hub)
    lab = Lab(hub, page)
    notebook = show(lab, untiled(image))
    assert worst_error(wait_shown(notebook), make_wcs()) < 1
    assert any("inline" in text for text in lab.console_errors)  # the policy holds
    lab.close()
