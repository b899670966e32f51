"""`make pictures`: the pictures of README and site, taken of the real thing in a real JupyterLab."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parents[1]
NOTEBOOKS = TESTS.parent / "notebooks"
PICTURES = NOTEBOOKS / "pictures"
sys.path[:0] = [str(TESTS), str(NOTEBOOKS)]

import prepare
from PIL import Image
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from browser.chromium import FLAGS, find_chromium
from browser.form_steps import field
from browser.hosts import HOSTS
from browser.lab import Lab, LabServer

CELL = """import constellations_widgets as cxw

panel = cxw.publish("hxdf/index_rel.wtml")
panel"""

PARTS = """import constellations_widgets as cxw

draft = cxw.ImageDraft.from_wtml("hxdf/index_rel.wtml")
preview, form = cxw.Preview(draft), cxw.ImageForm(draft)"""

IMAGESET = """<ImageSet Name="Field {0:02d}" Url="https://example.org/{0}/{{1}}/{{3}}/{{3}}_{{2}}.png" Projection="Tan"
DataSetType="Sky" BaseDegreesPerTile="0.5" CenterX="{0}.5" CenterY="20" OffsetX="0" OffsetY="0" Rotation="0" TileLevels="4"
WidthFactor="2" FileType=".png" BottomsUp="False"><ThumbnailUrl>https://example.org/{0}/thumb.jpg</ThumbnailUrl>
<Description>Field {0:02d}</Description></ImageSet>"""
BATCH = """import constellations_widgets as cxw

box = cxw.running_sandbox()
cxw.BatchPublisher("mosaic.wtml", box.client(), box.handle, probe=False)"""


def take(target: Locator, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    picture = Image.open(io.BytesIO(target.screenshot())).convert("RGB")
    picture.save(PICTURES / f"{name}.png", optimize=True)
    print(f"{name}.png: {picture.width} × {picture.height}, {(PICTURES / f'{name}.png').stat().st_size >> 10} kB")


def take_panel(server: LabServer, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 1240, "height": 2200}, device_scale_factor=1).new_page()
    page.set_default_timeout(60_000)
    lab = Lab(server, page)
    notebook = lab.open_notebook([CELL])
    lab.command("application:toggle-left-area")
    notebook.run_all()
    page.keyboard.press("Escape")
    cell, panel = notebook.cell(0), notebook.output(0)
    expect(panel.locator("[data-cxw-preview-state=shown]")).to_be_visible()
    notebook.execute("panel.draft.host_at('https://example.org/hxdf/')")
    panel.get_by_role("button", name="License").click()  # in the list of what is missing
    panel.get_by_label("Someone else").check()
    field(panel, "Copyright").fill("Copyright 2012 NASA, ESA, G. Illingworth and the HUDF09 Team")
    field(panel, "License").fill("CC BY")
    field(panel, "License").press("Escape")  # the list of licenses
    notebook.wait_idle()
    page.wait_for_timeout(1000)
    take(cell, "panel-light")
    lab.theme("dark")
    page.wait_for_timeout(1500)
    take(cell, "panel-dark")
    lab.theme("light")
    panel.get_by_role("button", name="Use CC-BY-4.0").first.click()
    field(panel, "Alt text").fill("Thousands of galaxies on black sky.")
    panel.get_by_role("button", name="Review and publish").click()
    expect(panel.get_by_role("dialog", name="Review")).to_be_visible()
    take(panel.locator(".cxw-panel"), "review")
    panel.get_by_label("I have checked").check()
    panel.get_by_role("button", name="Publish anyway").click()
    expect(panel.get_by_role("heading", name="Published")).to_be_visible()
    take(panel.locator(".cxw-panel"), "receipt")
    lab.close()


def take_batch(server: LabServer, browser: Browser) -> None:
    """Twelve images of a collection, ten of them described and published."""
    sets = "".join(IMAGESET.format(number) for number in range(1, 13))
    (server.root / "mosaic.wtml").write_text(f'<Folder Name="Mosaic">{sets}</Folder>')
    page = browser.new_context(viewport={"width": 1240, "height": 1600}).new_page()
    page.set_default_timeout(60_000)
    lab = Lab(server, page)
    notebook = lab.open_notebook([BATCH])
    lab.command("application:toggle-left-area")
    notebook.run_all()
    batch = notebook.output(0).locator(".cxw-batch")
    batch.get_by_text("More fields", exact=True).click()
    for name in ("Field 11", "Field 12"):
        batch.get_by_label(f"Select {name}").uncheck()
    described = {"Copyright": "Public domain", "Credit line": "NOIRLab", "License": "CC-PDDC", "Alt text": "Stars."}
    for label, text in described.items():
        batch.get_by_label(label, exact=True).fill(text)
        batch.get_by_role("button", name=f"Copy {label} to").click()
    batch.get_by_role("button", name="Check 10 images").click()
    batch.get_by_role("dialog", name="Review").get_by_role("button", name="Publish 10 images").click()
    expect(batch.locator('[data-row][data-state="published"]')).to_have_count(10)
    page.wait_for_timeout(1000)
    take(batch, "batch")
    lab.close()


def take_hosts(server: LabServer, browser: Browser) -> None:
    """A small picture of each program that shows notebooks."""
    (PICTURES / "hosts").mkdir(exist_ok=True)
    for name, make in HOSTS.items():
        page = browser.new_context(viewport={"width": 1120, "height": 840}).new_page()
        page.set_default_timeout(60_000)
        host = make(server, page)
        host.show(PARTS, "preview", "form")
        element = page.locator(".cxw-preview")
        expect(element).to_have_attribute("data-cxw-preview-state", "shown")
        element.evaluate("it => it.scrollIntoView({ block: 'center' })")
        page.wait_for_timeout(1000)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize((480, 360), Image.Resampling.LANCZOS)
        path = PICTURES / "hosts" / f"{name.lower().replace(' ', '-')}.jpg"
        picture.save(path, quality=80, optimize=True)
        print(f"hosts/{path.name}: {path.stat().st_size >> 10} kB")
        host.stop()
        page.context.close()


def main() -> None:
    expect.set_options(timeout=60_000)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer(Path(folder) / "jupyter")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        try:
            prepare.tile(server.root / "hxdf")
            take_panel(server, browser)
            take_batch(server, browser)
            take_hosts(server, browser)
        finally:
            browser.close()
            server.stop()
            shutil.rmtree(Path(folder) / "jupyter", ignore_errors=True)


if __name__ == "__main__":
    main()
