"""The preview in a page without Jupyter: under policies that leave WWT a way, and under those that don't."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.bare_page import VSCODE_POLICY, bare_page
from browser.form_steps import field
from browser.marked_image import make_wcs
from browser.on_sky import marked_draft, wait_revision, worst_error
from browser.screenshots import pixels
from browser.watching import WatchedPage
from constellations_widgets import ImageForm, Preview


def test_the_preview_works_under_the_policy_of_vs_code(page: Page, image: Path):
    watch, draft = WatchedPage(page), marked_draft(image)
    preview = Preview(draft, height="320px")
    with bare_page(page, preview, ImageForm(draft), policy=VSCODE_POLICY) as frame:
        element = frame.locator(".cxw-preview")
        assert worst_error(wait_revision(element, preview.revision), make_wcs()) < 1
        draft.wwt.rotation = 75
        assert worst_error(wait_revision(element, preview.revision), make_wcs(rotation=75)) < 1
        rotation = field(frame.locator(".cxw-form"), "Rotation")
        expect(rotation).to_have_value("75")
        rotation.fill("-100")
        rotation.blur()
        expect(element).to_have_attribute("data-cxw-revision", "3")
        assert worst_error(element, make_wcs(rotation=-100)) < 1
        pixels(page, save="vscode-policy")
    assert watch.console_errors == []  # what this policy forbids was not even tried
    assert watch.outside_requests == []


@pytest.mark.parametrize("allowed", ["'self' blob:", "'self' 'unsafe-inline'"])
def test_either_inline_scripts_or_blob_urls_are_enough(page: Page, image: Path, allowed: str):
    draft = marked_draft(image)
    preview = Preview(draft, height="320px")
    policy = VSCODE_POLICY.replace("'self' 'unsafe-inline' 'unsafe-eval'", allowed)
    with bare_page(page, preview, policy=policy) as frame:
        element = frame.locator(".cxw-preview")
        assert worst_error(wait_revision(element, preview.revision), make_wcs()) < 1


def test_a_page_that_forbids_what_wwt_needs_says_so(page: Page, image: Path):
    policy = VSCODE_POLICY.replace("'self' 'unsafe-inline' 'unsafe-eval'", "'self'")
    with bare_page(page, Preview(marked_draft(image)), policy=policy) as frame:
        element = frame.locator(".cxw-preview")
        expect(element).to_have_attribute("data-cxw-preview-state", "failed", timeout=180_000)
        expect(element).to_contain_text("its Content-Security-Policy (“script-src-elem”) blocks")


def test_a_sandboxed_page_says_so(page: Page, image: Path):
    watch = WatchedPage(page)
    with bare_page(page, Preview(marked_draft(image)), sandbox="allow-scripts") as frame:
        element = frame.locator(".cxw-preview")
        expect(element).to_have_attribute("data-cxw-preview-state", "failed", timeout=180_000)
        expect(element).to_contain_text("isolates the preview's frame (a sandbox without “allow-same-origin”)")
    assert watch.console_errors == []


# VS Code's "Dark Modern". Its notebooks define JupyterLab's variables too, as those of the light theme.
VSCODE_DARK = """(body, light) => {
    const colors = { foreground: "#cccccc", "editor-background": "#1f1f1f", "sideBar-background": "#181818",
        "button-background": "#0078d4", "button-foreground": "#ffffff", "panel-border": "#2b2b2b", "textLink-foreground": "#4daafc",
        "font-family": "system-ui", "font-size": "13px" };
    for (const [name, value] of Object.entries(colors)) document.documentElement.style.setProperty(`--vscode-${name}`, value);
    for (const [name, value] of Object.entries(light)) document.documentElement.style.setProperty(`--jp-${name}`, value);
    body.dataset.vscodeThemeKind = "vscode-dark";
    body.style.background = "white";
}"""


@pytest.mark.parametrize("light", [{}, {"ui-font-color1": "#212121", "layout-color1": "white"}], ids=["none", "light"])
def test_colors_are_those_of_vs_code_whatever_it_says_for_jupyterlab(page: Page, image: Path, light: dict[str, str]):
    draft = marked_draft(image)
    with bare_page(page, Preview(draft, height="320px"), ImageForm(draft), policy=VSCODE_POLICY) as frame:
        frame.locator(".cxw-preview[data-cxw-preview-state=shown]").wait_for()
        frame.locator("body").evaluate(VSCODE_DARK, light)
        for widget in (frame.locator(".cxw-preview"), frame.locator(".cxw").first):
            expect(widget).to_have_css("color", "rgb(204, 204, 204)")
            expect(widget).to_have_css("background-color", "rgb(31, 31, 31)")
        pixels(page, save=f"vscode-dark-{len(light)}")
