"""A new user's way from a FITS file to a receipt in the sandbox, by keyboard alone: how much there is to read and to press.

Words to read: what the panel shows from opening it to the receipt, each text once. Not counted: values of this image (positions,
addresses, ids), what a closed list or section holds, and marks without a letter.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from browser.lab import Lab
from browser.marked_fits import make_fits

MOST_WORDS, MOST_KEYS = 350, 60

CELL = 'import constellations_widgets as cxw\npanel = cxw.publish("m51_final_v2.fits")\npanel'

READ = """(panel) => {
    const values = ".cxw-preview-overlay, .cxw-head bdi, .cxw-step-summary bdi, dd bdi, code, pre, .cxw-hidden";
    const texts = [];
    const walk = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const element = walk.currentNode.parentElement;
        if (element.closest(`${values}, option:not(:checked)`)) continue;
        if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        texts.push(walk.currentNode.textContent);
    }
    for (const input of panel.querySelectorAll("[placeholder]"))
        if (input.value === "" && input.checkVisibility()) texts.push(input.placeholder);
    return texts;
}"""

FOCUSED = """() => {
    const at = document.activeElement;
    if (!at.closest(".cxw-panel")) return "outside";
    return (at.querySelector(".cxw-step-title") ?? at.labels?.[0] ?? at).textContent.trim() || at.ariaLabel || "";
}"""


class Newcomer:
    """Reads all that the panel shows, and counts the keys that are pressed beside the text that is typed."""

    def __init__(self, page: Page, panel: Locator):
        self.page, self.panel = page, panel
        self.read: dict[str, int] = {}
        self.keys = 0

    @property
    def words(self) -> int:
        return sum(self.read.values())

    def look(self) -> None:
        for text in self.panel.evaluate(READ):
            self.read[text.strip()] = sum(bool(re.search(r"[^\W\d_]", word)) for word in text.split())

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self.page.keyboard.press(key)
            self.keys += 1

    def tab_to(self, name: str) -> None:
        """Press Tab until a control has the focus whose name begins with this pattern."""
        passed = []
        while not re.match(name, at := self.page.evaluate(FOCUSED)):
            passed.append(at)
            assert len(passed) < 30 and at != "outside", f"{name} does not come: {passed}"
            self.press("Tab")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)


def test_from_a_fits_file_to_a_receipt(lab: Lab):
    make_fits(lab.server.root / "m51_final_v2.fits")
    notebook = lab.open_notebook([CELL])
    notebook.page.set_viewport_size({"width": 1200, "height": 900})
    lab.command("application:toggle-left-area")
    notebook.run_all()
    panel = notebook.output(0).locator(".cxw-panel")
    expect(panel.locator("[data-cxw-preview-state=shown]")).to_be_visible()
    new = Newcomer(notebook.page, panel)
    new.look()

    panel.get_by_role("button", name="Fit to image").focus()  # the panel's first stop
    new.tab_to(r"Title \(public")
    expect(panel.get_by_text("looks like a file name")).to_be_visible()  # the step is open because of it
    new.press("Control+a")
    new.type("M 51 in visible light")
    expect(panel.get_by_text("looks like a file name")).to_have_count(0)
    new.tab_to("Alt text")
    new.type("A spiral galaxy and its companion.")

    new.tab_to("Rights and credit")
    new.press("Enter")
    new.look()
    new.tab_to("I did")
    new.press("Space")
    new.tab_to("Copyright")
    new.type("Copyright 2026 Jane Doe")
    new.tab_to("License")
    new.press("ArrowDown")
    expect(panel.get_by_role("option", selected=True)).to_be_visible()
    new.look()
    new.press("Enter")
    expect(panel.get_by_label("License", exact=True)).to_have_value("CC-BY-4.0")
    new.tab_to("Credit line")
    new.type("Jane Doe")
    expect(panel.get_by_text("Readers see:")).to_be_visible()
    new.look()

    new.tab_to("Files on the web")
    new.press("Enter")
    new.look()
    expect(panel.get_by_role("button", name="Upload", exact=True)).to_be_enabled()
    new.tab_to("Upload$")
    new.press("Enter")
    expect(panel.locator(".cxw-foot")).to_contain_text("Ready to review")
    new.look()
    new.tab_to("Review and publish")
    new.press("Enter")

    review = panel.get_by_role("dialog", name="Review")
    expect(review.get_by_role("heading")).to_be_focused()
    new.look()
    notebook.screenshot("journey-review", panel)
    new.tab_to("Publish$")
    new.press("Enter")
    expect(panel.get_by_role("heading", name="Published")).to_be_focused()
    new.look()
    notebook.screenshot("journey-receipt", panel)

    assert notebook.evaluate("panel.receipt.body['note']") == "M 51 in visible light"
    longest = "\n".join(f"{count:3} {text}" for text, count in sorted(new.read.items(), key=lambda it: -it[1]))
    print(f"{new.words} words to read, {new.keys} keys to press")
    assert new.words <= MOST_WORDS, longest
    assert new.keys <= MOST_KEYS
