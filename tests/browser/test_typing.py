"""Keys that every text field of the platform knows do in each widget's fields, in JupyterLab, what they do elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from examples import TILED
from playwright.sync_api import Locator, expect

from browser.lab import Lab, Notebook
from browser.marked_image import make_image

SETUP = f"""
import constellations_widgets as cxw
box = cxw.Sandbox().start()
client, values = box.client(), {TILED!r}
images = box.images_client()
images.upload("marked.png")
def draft(**changes):
    made = cxw.ImageDraft(autosave=False)
    made.update({{**values, "storage.legacy_url_template": f"https://example.org/{{box.api_url[-4:]}}/{{{{1}}}}/{{{{3}}}}/{{{{3}}}}_{{{{2}}}}.png", **changes}})
    return made
published = draft()
cxw.publish_draft(published, client, box.handle, anyway=True)
"""

FORM_STEPS = (
    "Position on the sky", "Title and description", "Rights and credit", "Files on the web", "WWT parameters",
)  # fmt: skip


def each_step(output: Locator) -> Iterator[None]:
    for step in FORM_STEPS:
        button = output.locator(".cxw-step button[aria-expanded]").filter(has_text=step)
        if button.get_attribute("aria-expanded") == "false":
            button.click()
        yield


def pressed(*buttons: str, shows: str = "input") -> Callable[[Locator], Iterator[None]]:
    """The fields that are there once these were pressed one after the other: then `shows` is in the page."""

    def states(output: Locator) -> Iterator[None]:
        for button in buttons:
            output.locator(button).first.click()
        expect(output.locator(shows).first).to_be_visible()
        yield

    return states


WIDGETS: dict[str, tuple[str, Callable[[Locator], Iterator[None]], int]] = {
    "form": ("cxw.ImageForm(cxw.ImageDraft(autosave=False))", each_step, 20),
    "publisher": ("cxw.Publisher(published, client, box.handle)", pressed("text=Create scene…", shows="textarea"), 2),
    "batch": ("cxw.BatchPublisher([draft(note=f'No. {n}') for n in range(2)], client, box.handle)", pressed("summary:has-text('More fields')"), 5),
    "handle images": ("cxw.HandleImages(client, box.handle)", pressed("[aria-label^='Edit: ']", shows=".cxw-form textarea"), 3),
    "library": ("cxw.ImageLibrary(images)", pressed("[role=gridcell]", "button:text-is('Rename')", shows=".cxw-rename input"), 2),
    "sign-in": ("cxw.SignIn(box.api_url)", pressed("summary"), 1),
    "sign-in with a password": ("cxw.SignIn(images_url=box.images_url)", pressed(), 2),
    "preview": (
        "cxw.Preview(cxw.ImageDraft.from_image('marked.png', center=(202.5, 47.2), width=0.2, autosave=False))",
        pressed("[aria-label='Adjust placement']", "text=Align stars"),
        4,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def notebook(lab_of_file: Lab) -> Notebook:
    """One notebook with a cell for each widget."""
    make_image(lab_of_file.server.root / "marked.png")
    notebook = lab_of_file.open_notebook([SETUP, *(code for code, _, _ in WIDGETS.values())])
    notebook.run_all()
    return notebook


def is_saved(notebook: Notebook) -> None:
    """Ctrl+S, with a change that is not saved, saves the notebook."""
    notebook._call("context.model.dirty = true;")
    notebook.page.keyboard.press("Control+s")
    notebook.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")


def type_into(notebook: Notebook, text: Locator) -> None:
    keyboard, name = notebook.page.keyboard, text.evaluate("it => it.outerHTML.slice(0, 200)")
    text.click()
    if (text.get_attribute("role") or "") == "combobox":
        keyboard.press("Escape")  # the list that has opened
    keyboard.press("Control+End")
    before = text.input_value()
    keyboard.type("12")
    keyboard.press("ArrowLeft")
    keyboard.type("3")
    assert text.input_value() == f"{before}132", name
    keyboard.press("Backspace")
    assert text.input_value() == f"{before}12", name
    if text.evaluate("it => it.localName") == "textarea":
        keyboard.press("Enter")
        assert text.input_value() == f"{before}1\n2", name
    after = text.input_value()
    undone = 0
    while text.input_value() != before and undone < 12:
        keyboard.press("Control+z")
        undone += 1
    assert text.input_value() == before, name
    for _ in range(undone):
        keyboard.press("Control+y")
    assert text.input_value() == after, name
    for key in ("ArrowUp", "ArrowDown"):
        keyboard.press(key)
    assert text.evaluate("it => it === document.activeElement"), name


@pytest.mark.parametrize("widget", WIDGETS)
def test_keys_do_in_every_field_what_they_do_elsewhere(notebook: Notebook, widget: str):
    _, states, least = WIDGETS[widget]
    number = list(WIDGETS).index(widget) + 1
    output = notebook.output(number)
    output.scroll_into_view_if_needed()
    cells, runs = notebook.page.locator(".jp-Notebook .jp-Cell"), notebook.page.locator(".jp-InputPrompt")
    before = cells.count(), runs.all_text_contents()
    typed = 0
    for _ in states(output):
        fields = output.locator(":is(input, textarea):read-write:visible")
        expect(fields.first).to_be_editable()
        for at in range(fields.count()):
            type_into(notebook, fields.nth(at))
            typed += 1
        is_saved(notebook)
    assert typed >= least
    assert (cells.count(), runs.all_text_contents()) == before  # "b" and "d", "d" are commands of JupyterLab
