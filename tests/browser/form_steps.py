"""The steps of a form, as a person opens them to come to a field."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

STEPS = {
    "Center RA": "Position on the sky",
    "Center Dec": "Position on the sky",
    "Position angle": "Position on the sky",
    "Title (public)": "Title and description",
    "Alt text": "Title and description",
    "Copyright": "Rights and credit",
    "License": "Rights and credit",
    "Credit line": "Rights and credit",
    "Image address": "Files on the web",
    "Thumbnail": "Files on the web",
}
PARAMETERS = "WWT parameters"


def open_step(form: Locator, title: str) -> None:
    """Open a step of the form, if it is not open."""
    button = form.get_by_role("button", name=re.compile(re.escape(title)))
    if button.get_attribute("aria-expanded") == "false":
        button.click()
    expect(button).to_have_attribute("aria-expanded", "true")


def field(form: Locator, label: str) -> Locator:
    """Return a field of the form, whose step is opened; `form` may be what is around it."""
    open_step(form, STEPS.get(label, PARAMETERS))
    return form.get_by_label(label, exact=True)
