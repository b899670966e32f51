"""Accessibility rules of axe, run on a part of a page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"

FIND_VIOLATIONS = """async (it) => {
    const { violations } = await axe.run(it, { resultTypes: ["violations"], iframes: false });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
}"""


def load_axe(page: Page) -> None:
    """Load axe into a page, once."""
    page.add_script_tag(content=AXE.read_text("utf-8"))


def violations(part: Locator) -> list[str]:
    """Return the rules that a part of the page violates, with the elements."""
    found: list[str] = part.evaluate(FIND_VIOLATIONS)
    return found
