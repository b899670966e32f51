"""Accessibility rules of axe, run on a part of a page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Frame, Locator, Page

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"

FIND_VIOLATIONS = """async (it, rules) => {
    const only = rules.length ? { runOnly: { type: "rule", values: rules } } : {};
    const { violations } = await axe.run(it, { resultTypes: ["violations"], iframes: false, ...only });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
}"""

OF_COLORS = ["color-contrast", "link-in-text-block"]


def load_axe(page: Page | Frame) -> None:
    """Load axe into a page, also into one whose policy forbids scripts: it is evaluated by the browser's own tools."""
    page.evaluate(AXE.read_text("utf-8"))


def violations(part: Locator, *, colors_only: bool = False) -> list[str]:
    """Return the rules that a part of the page violates, with the elements.

    With `colors_only`, only the rules are run that the same elements may violate in another theme.
    """
    found: list[str] = part.evaluate(FIND_VIOLATIONS, OF_COLORS if colors_only else [])
    return found
