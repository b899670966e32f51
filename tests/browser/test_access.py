"""Every widget as it is for who needs other colors, no motion, or a screen reader: axe, forced colors, reduced motion."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.accessible import load_axe, violations
from browser.lab import Notebook
from browser.test_typing import WIDGETS, notebook

__all__ = ["notebook"]  # a fixture

COLORS = "it => { const { color, backgroundColor } = getComputedStyle(it); return [color, backgroundColor]; }"

MOVING = """() => [...document.querySelectorAll(".cxw, .cxw *, .cxw-preview, .cxw-preview *")].filter((it) => {
    const { transitionDuration, animationName, animationDuration } = getComputedStyle(it);
    const lasts = (durations) => durations.split(",").some((each) => parseFloat(each) > 0);
    return lasts(transitionDuration) || (animationName !== "none" && lasts(animationDuration));
}).map((it) => it.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_widget_violates_an_accessibility_rule(notebook: Notebook, theme: str):
    load_axe(notebook.page)
    notebook.lab.theme(theme)
    try:
        for number, (name, (_, states, _)) in enumerate(WIDGETS.items(), 1):
            output = notebook.output(number)
            output.scroll_into_view_if_needed()
            if theme == "light":
                for _ in states(output):
                    assert violations(output) == [], name
            assert violations(output, colors_only=theme == "dark") == [], name
            notebook.screenshot(f"access-{name.replace(' ', '-')}-{theme}", output)
    finally:
        notebook.lab.theme("light")


def test_in_forced_colors_a_pressed_button_can_be_told(notebook: Notebook):
    preview = notebook.output(list(WIDGETS).index("preview") + 1)
    preview.scroll_into_view_if_needed()
    grid = preview.get_by_role("button", name="Grid")
    expect(grid).to_be_visible()
    notebook.page.emulate_media(forced_colors="active")
    try:
        plain = grid.evaluate(COLORS)
        grid.click()
        assert grid.evaluate(COLORS) != plain
        notebook.screenshot("access-forced-colors", preview)
        notebook.screenshot("access-forced-colors-form", notebook.output(1))
        grid.click()
    finally:
        notebook.page.emulate_media(forced_colors="none")


def test_with_reduced_motion_nothing_moves(notebook: Notebook):
    notebook.page.emulate_media(reduced_motion="reduce")
    try:
        assert notebook.page.evaluate(MOVING) == []
    finally:
        notebook.page.emulate_media(reduced_motion="no-preference")
