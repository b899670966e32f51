"""JupyterLab as a hub may run it: no inline scripts, an old lab extension of pywwt that must not ask everybody to rebuild, and a browser
on another machine, which reaches the sandbox through jupyter-server-proxy or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from npm_packages import path_with_node
from playwright.sync_api import Browser, Locator, Page, Route, expect
from python_packages import SERVER_PROXY, environment, installed

from browser.chromium import find_chromium, flags_of_another_machine
from browser.conftest import SLOW_DISPLAY
from browser.lab import NO_BUILD, Lab, LabServer, Notebook
from browser.marked_image import make_wcs
from browser.on_sky import UNTILED, show, untiled, wait_shown, worst_error

POLICY = "script-src 'self' 'unsafe-eval' blob:; frame-ancestors 'self'"
HOST, ROOT = "hub.test", "/user/ada/"
GUIDE = Path(__file__).parents[2] / "notebooks" / "where_it_works.md"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    # JupyterLab finds out by Node whether it should be built again.
    with_node = {"PATH": path_with_node()}
    server = LabServer(tmp_path_factory.mktemp("hub"), with_node, policy=POLICY, asks_to_build=True)
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


@pytest.fixture(scope="module")
def proxying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A server below a path, as on a hub, with jupyter-server-proxy."""
    folder = installed("jupyter-server-proxy-4", SERVER_PROXY)
    server = LabServer(tmp_path_factory.mktemp("proxying"), environment(folder), host=HOST, base_url=ROOT)
    yield server
    server.stop()


@pytest.fixture
def far_page(chromium: Browser) -> Iterator[Page]:
    """A page of a browser on another machine: it reaches nothing here but the Jupyter server."""
    program = find_chromium()
    with chromium.browser_type.launch(executable_path=program, args=flags_of_another_machine(HOST)) as browser:
        context = browser.new_context(viewport={"width": 1000, "height": 800})
        context.set_default_timeout(120_000)
        context.add_init_script(SLOW_DISPLAY)
        yield context.new_page()


SIGN_IN = """
import constellations_widgets as cxw
box = cxw.Sandbox(files=".").start()
signed = cxw.SignIn(box.api_url, keycloak_url=box.keycloak_url, handle=box.handle)
signed"""
PANEL = """
from constellations_widgets.sources.reading import ParsedImage
values = {values!r} | {{
    "storage.legacy_url_template": box.files_url + "/marked.png", "permissions.copyright": "Copyright 2026 Jane Doe",
    "permissions.license": "CC-BY-4.0", "permissions.credits": "Jane Doe", "alt_text": "Marks.", "note": "M 51 in marks"}}
draft = cxw.ImageDraft(ParsedImage(values), autosave=False)
panel = cxw.publish(draft, signed.client(), box.handle)
panel"""
PREVIEW = "preview = cxw.Preview(draft, height='320px')\npreview"
OUT_OF_REACH = "is on the kernel’s machine, and this browser can’t reach it. Install jupyter-server-proxy"


def open_links(lab: Lab, link: Locator) -> Page:
    expect(link).to_have_attribute("href", re.compile(f"{ROOT}proxy/"))
    with lab.page.expect_popup() as opened:
        link.click()
    assert f"{ROOT}proxy/" in opened.value.url
    return opened.value


def test_a_browser_on_another_machine_goes_through_the_proxy(proxying: LabServer, far_page: Page, image: Path):
    (proxying.root / "marked.png").write_bytes(image.read_bytes())
    lab = Lab(proxying, far_page)
    notebook = lab.open_notebook([SIGN_IN, PANEL.format(values=UNTILED), PREVIEW])
    notebook.run_all()
    signing, panel, preview = notebook.output(0), notebook.output(1), notebook.output(2).locator(".cxw-preview")
    preview.scroll_into_view_if_needed()
    expect(preview).to_have_attribute("data-cxw-preview-state", "shown")
    assert worst_error(preview, make_wcs()) < 1  # the image itself has come through the proxy
    signing.get_by_role("button", name="Sign in", exact=True).click()
    page = open_links(lab, signing.get_by_role("link", name="Open the sign-in page"))
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Done. You can close this page.")).to_be_visible()
    expect(signing.get_by_text("You may add images as")).to_be_visible()

    # The panel was there before the sign-in, and learns of it.
    panel.get_by_role("button", name="Review and publish").click()
    panel.get_by_role("checkbox", name="I have checked").check()
    panel.get_by_role("button", name="Publish anyway").click()
    receipt = panel.get_by_role("status", name="Receipt")
    for name in ("Record", "WTML"):
        shown = open_links(lab, receipt.get_by_role("link", name=name))
        expect(shown.locator("body")).to_contain_text("M 51 in marks")
    expect(panel.get_by_text(OUT_OF_REACH)).to_have_count(0)
    assert {urlsplit(url).hostname for url in lab.outside_requests} == {HOST}
    lab.close()


def test_without_the_proxy_it_is_told_what_it_can_not_reach(proxying: LabServer, far_page: Page):
    far_page.route("**/server-proxy/**", lambda route: route.fulfill(status=404))  # as a server without it responds
    lab = Lab(proxying, far_page)
    notebook = lab.open_notebook([SIGN_IN, PANEL.format(values=UNTILED)])
    notebook.run_all()
    signing, panel = notebook.output(0), notebook.output(1)
    signing.get_by_role("button", name="Sign in", exact=True).click()
    expect(signing.get_by_text(OUT_OF_REACH)).to_be_visible()
    expect(signing.get_by_role("link", name="Open the sign-in page")).to_have_count(0)
    notebook.screenshot("hub-out-of-reach", signing)
    expect(panel.locator(".cxw-preview")).to_contain_text(OUT_OF_REACH)
    notebook.screenshot("hub-preview-out-of-reach", panel)
    lab.close()


def test_so_does_a_browser_at_the_end_of_a_tunnel(proxying: LabServer, page: Page):
    """The page's address is of the browser's own machine, where nothing listens on the sandbox's port."""
    jupyter = f"http://127.0.0.1:{proxying.port}/"

    def answer(route: Route) -> None:
        if route.request.url.startswith(jupyter):
            route.continue_()
        else:
            route.abort("connectionrefused")

    page.route(re.compile(r"http://127\.0\.0\.1"), answer)
    lab = Lab(proxying, page)
    name = proxying.write_notebook([SIGN_IN])
    page.goto(lab.address(name).replace(HOST, "127.0.0.1"))
    notebook = Notebook(lab, name)
    notebook.run_all()
    notebook.output(0).get_by_role("button", name="Sign in", exact=True).click()
    link = notebook.output(0).get_by_role("link", name="Open the sign-in page")
    expect(link).to_have_attribute("href", re.compile(f"^{jupyter[:-1]}{ROOT}proxy/"))
    notebook.shut_down()
