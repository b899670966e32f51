"""A folder of pictures and a table: columns are shown before they are applied, and every row opens its form."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import expect

from browser.accessible import load_axe, violations
from browser.form_steps import field
from browser.lab import Lab
from constellations_widgets import Sandbox

UNTIL_NARROW = """(it) => new Promise((done) => {
    const look = (left) => (it.clientWidth < 420 || left === 0 ? done(it.clientWidth) : setTimeout(look, 50, left - 1));
    look(200);
})"""
TABLE = """\ufeffFile;Title;Licence;RA;Dec;Width [arcmin];Weather
a.png;Galaxy A;cc-by-4.0;202,4696;47,1952;11;good
b.png;Galaxy B;CC BY NC;13h29m52.7s;+47d11m43s;11;good
z.png;No such file;;;;;
"""
CELL = """
import constellations_widgets as cxw
client = cxw.Constellations({url!r}, auth={token!r})
batch = cxw.BatchPublisher("pictures", client, {handle!r}, probe=False, metadata="pictures/metadata.csv")
batch
"""


def test_a_table_is_previewed_and_applied_and_rows_are_edited_in_place(lab: Lab, image: Path):
    pictures = lab.server.root / "pictures"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir()
    for name in ("a", "b", "c"):
        shutil.copy(image, pictures / f"{name}.png")
    (pictures / "notes.docx").write_bytes(b"x")
    (pictures / "metadata.csv").write_text(TABLE, encoding="utf-8")
    with Sandbox() as box:
        notebook = lab.open_notebook([CELL.format(url=box.api_url, token=box.token(), handle=box.handle)])
        notebook.run_all()
        output = notebook.output(0)
        batch = output.locator(".cxw-batch")
        table = batch.locator(".cxw-metadata")
        expect(table).to_contain_text("→ Width (arcminutes)")
        expect(table).to_contain_text("not used: no field has this name")
        remarks = batch.get_by_role("region", name="What does not fit")
        for part in ("notes.docx was skipped", "Row 3, Licence: ", "there is no file 'z.png'", "c.png has no row"):
            expect(remarks).to_contain_text(part)
        assert notebook.evaluate("batch.drafts[0].note") == "a"
        notebook.screenshot("batch-metadata", batch)
        load_axe(notebook.page)

        batch.get_by_role("button", name="Apply to 2 images").click()
        expect(batch.get_by_text("Applied. Undo is under Shared fields.")).to_be_attached()
        assert notebook.evaluate("(batch.drafts[0].note, round(batch.drafts[0].wwt.center_x, 4))") == [
            "Galaxy A",
            202.4696,
        ]

        # A row opens its form below the table; what is typed there is in its draft.
        row = batch.get_by_role("row").nth(1)
        row.get_by_role("button").click()
        batch.get_by_role("button", name="Edit", exact=True).click()
        form = output.locator(".cxw-form")
        title = field(form, "Title (public)")
        expect(title).to_have_value("Galaxy A")
        title.fill("Typed in the form")
        batch.get_by_role("button", name="Next").click()
        expect(title).to_have_value("Galaxy B")
        notebook.wait_for_value("batch.drafts[0].note", "Typed in the form")
        try:
            for theme in ("light", "dark"):
                notebook.lab.theme(theme)
                assert violations(output, colors_only=theme == "dark") == [], theme
                notebook.screenshot(f"batch-row-form-{theme}", output)
            notebook.lab.command("application:toggle-left-area")
            notebook.page.set_viewport_size({"width": 476, "height": 844})
            assert 250 < batch.evaluate(UNTIL_NARROW) < 420
            parts = ".cxw-metadata, .cxw-row-form, .cxw-batch-scroller"
            assert batch.locator(parts).evaluate_all("all => all.every((it) => it.scrollWidth <= it.clientWidth)")
            assert batch.evaluate("it => it.scrollWidth - it.clientWidth") <= 0
            notebook.screenshot("batch-row-form-phone", output)
        finally:
            notebook.lab.theme("light")
            notebook.page.set_viewport_size({"width": 1400, "height": 900})
        batch.get_by_role("button", name="Close form").first.click()
        expect(form).to_have_count(0)
