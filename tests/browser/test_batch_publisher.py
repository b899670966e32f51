"""A batch of 200 as somebody publishes it: described once, stopped, the kernel restarted, resumed; each image there exactly once."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from browser.lab import Lab, Notebook
from constellations_widgets import Sandbox

COUNT = 200
IMAGESET = """<ImageSet Name="Field {0:03d}" Url="https://example.org/{0}/{{1}}/{{3}}/{{3}}_{{2}}.png" Projection="Tan"
DataSetType="Sky" BandPass="Visible" BaseDegreesPerTile="0.5" CenterX="{0}.5" CenterY="20" OffsetX="0" OffsetY="0" Rotation="0"
TileLevels="4" WidthFactor="2" FileType=".png" BottomsUp="False" QuadTreeMap="">
<ThumbnailUrl>https://example.org/{0}/thumb.jpg</ThumbnailUrl><Description>Field {0:03d}</Description></ImageSet>"""
CELL = """
import constellations_widgets as cxw
client = cxw.Constellations({url!r}, auth={token!r})
batch = cxw.BatchPublisher("fields.wtml", client, {handle!r}, probe=False)
batch
"""


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """It outlives the kernel."""
    with Sandbox() as sandbox:
        yield sandbox


def in_sandbox(box: Sandbox) -> dict[str, str]:
    """Id → image URL of all that the sandbox holds."""
    with box.client() as client:
        return {
            image.id: image.storage.legacy_url_template for page in client.handle_images(box.handle) for image in page
        }


def copy(batch: Locator, field: str, text: str) -> None:
    batch.get_by_label(field, exact=True).fill(text)
    batch.get_by_role("button", name=f"Copy {field} to").click()


def test_a_batch_is_stopped_resumed_in_another_kernel_and_there_exactly_once(lab: Lab, box: Sandbox):
    sets = "".join(IMAGESET.format(number) for number in range(COUNT))
    (lab.server.root / "fields.wtml").write_text(f'<Folder Name="Fields">{sets}</Folder>')
    notebook = lab.open_notebook([CELL.format(url=box.api_url, token=box.token(), handle=box.handle)])
    page = notebook.page
    notebook.run_all()
    batch = notebook.output(0).locator(".cxw-batch")
    expect(batch.get_by_role("row").nth(1)).to_contain_text("Field 000")

    # Described once: each field goes to the chosen rows, and can be taken back.
    copy(batch, "Copyright", "Public domain")
    copy(batch, "Credit line", "NOIRLab")
    copy(batch, "License", "MIT")
    batch.get_by_role("button", name="Undo: License of 200 images").click()
    expect(batch.get_by_role("button", name="has errors 200")).to_be_visible()
    copy(batch, "License", "CC-PDDC")
    first_two = [batch.get_by_label(f"Select Field 00{number}") for number in range(2)]
    for tick in first_two:
        tick.uncheck()
    batch.get_by_text("More fields", exact=True).click()
    copy(batch, "Alt text", "Stars.")
    for tick in first_two:
        tick.check()

    # The plan: 198 without a question, two to decide, of which one goes.
    batch.get_by_role("button", name="Check 200 images").click()
    review = batch.get_by_role("dialog", name="Review")
    expect(review).to_contain_text("198 will be published")
    expect(review).to_contain_text("2 with warnings")
    assert in_sandbox(box) == {}
    batch.get_by_role("row", name="Field 000").get_by_label("publish anyway").check()
    notebook.screenshot("batch-review", batch)

    # Published, and stopped.
    post = {"method": "POST", "path": "/handle/*/image"}
    box.faults.next("reset_after_commit", **post)
    box.faults.at_random(rate=1, seed=1, kinds=["delay"], seconds=1, **post)
    review.get_by_role("button", name="Publish 199 images").dblclick()
    expect(batch.locator('[data-row][data-state="published"]').first).to_be_visible()
    batch.get_by_role("button", name="Stop").click()
    outcome = batch.get_by_role("region", name="Result")
    expect(outcome).to_contain_text("Stopped: ")
    before = in_sandbox(box)
    assert 0 < len(before) < 199
    notebook.wait_idle()
    assert sorted(notebook.evaluate("[receipt.id for receipt in batch.receipts]")) == sorted(before)

    # Another kernel, the same cell: what is published is known, what was typed is offered.
    notebook.restart_kernel()
    notebook.run_all()
    expect(batch.get_by_role("button", name=f"published {len(before)}")).to_be_visible()
    batch.get_by_role("button", name="Restore").click()
    rest = COUNT - len(before)
    batch.get_by_role("button", name=f"Check {rest} images").click()
    expect(review).to_contain_text("1 with warnings")  # the other one went with the first
    batch.get_by_label("Publish it anyway").check()
    review.get_by_role("button", name=f"Publish {rest} images").click()
    expect(batch.get_by_role("button", name="Stop")).to_be_visible()
    notebook.save()
    assert "The batch was still running" in notebook.path.read_text()

    # The page is opened anew: the kernel goes on, and the page shows where it is.
    page.goto(lab.address(notebook.name))
    notebook = Notebook(lab, notebook.name)
    box.faults.clear()
    expect(outcome).to_contain_text("Finished")

    # Each image is there exactly once, and the receipts say which.
    there = in_sandbox(box)
    assert Counter(there.values()) == Counter(
        {f"https://example.org/{n}/{{1}}/{{3}}/{{3}}_{{2}}.png": 1 for n in range(COUNT)}
    )
    batch.get_by_role("button", name="Save receipts").click()
    expect(batch.get_by_text("Saved as")).to_be_visible()
    json_file, csv_file = (next(lab.server.root.glob(f"publications-*.{kind}")) for kind in ("json", "csv"))
    rows = json.loads(json_file.read_text())["rows"]
    assert {row["id"]: row["url"] for row in rows} == there
    assert all(row["receipt"]["body"]["permissions"]["license"] == "CC-PDDC" for row in rows)
    assert {row["id"] for row in csv.DictReader(csv_file.open())} == there.keys()
    lab.theme("dark")
    notebook.screenshot("batch-done-dark", batch)
    notebook.save()
    assert "200 of 200 images were published" in notebook.path.read_text()
