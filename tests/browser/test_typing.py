"""Keys that every text field of the platform knows do in a widget's fields what they do elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from browser import form_steps
from browser.lab import Lab, Notebook

CELL = """
import constellations_widgets as cxw
draft = cxw.ImageDraft(autosave=False)
cxw.ImageForm(draft)
"""
LINES = ["Alt text", "Credit line"]
FIELDS = [*LINES, "Copyright", "Image address"]


@pytest.fixture
def notebook(lab: Lab) -> Notebook:
    notebook = lab.open_notebook([CELL])
    notebook.run_all()
    return notebook


def field(notebook: Notebook, label: str) -> Locator:
    found = form_steps.field(notebook.output(0), label)
    found.click()
    return found


def test_enter_breaks_the_line_and_undo_takes_it_back(notebook: Notebook):
    keyboard = notebook.page.keyboard
    for label in LINES:
        text = field(notebook, label)
        keyboard.type("L1")
        keyboard.press("Enter")
        keyboard.type("L2")
        keyboard.press("Shift+Enter")
        keyboard.type("L3")
        expect(text).to_have_value("L1\nL2\nL3")
    for label in FIELDS:
        text = field(notebook, label)
        before = text.input_value()
        keyboard.press("Control+End")
        keyboard.type("abc")
        typed = text.input_value()
        for _ in range(4):
            keyboard.press("Control+z")
        assert text.input_value() != typed, label
        for _ in range(4):
            keyboard.press("Control+y")
        expect(text).to_have_value(typed)
        assert typed.endswith("abc") and before != typed
    assert (
        notebook.page.locator(".jp-Notebook .jp-Cell").count() == 1
    )  # "b", "a" and "d" "d" are commands of JupyterLab


def test_control_s_saves_the_notebook(notebook: Notebook):
    field(notebook, "Copyright")
    notebook.page.keyboard.type("Public domain")
    before = notebook.path.stat().st_mtime_ns
    notebook.page.keyboard.press("Control+s")
    notebook.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    assert notebook.path.stat().st_mtime_ns > before
