"""The image library in a page: ten thousand images, the keyboard, names, deleting, dropping, signing in again."""

from __future__ import annotations

import io
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from browser.bare_page import VSCODE_POLICY, bare_page
from browser.lab import VIEWPORT
from browser.screenshots import pixels
from browser.watching import WatchedPage
from constellations_widgets import ImageLibrary, Sandbox

DROP = """(root, size) => {
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(size).fill(7)], "dropped.jpg"));
    root.dispatchEvent(new DragEvent("dragover", { dataTransfer: files, bubbles: true, cancelable: true }));
    root.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
}"""


def settled_columns(grid: Locator) -> str:
    """The number of columns, once the grid has learnt of its width: that is before the second frame."""
    frames = "it => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
    grid.evaluate(frames)
    return grid.get_attribute("aria-colcount") or ""


def test_ten_thousand_images_by_keyboard_with_a_flat_page(page: Page):
    watch = WatchedPage(page)
    with Sandbox() as box:
        box.fill_library(10_000)
        library = ImageLibrary(box.images_client())
        with bare_page(page, library.view, policy=VSCODE_POLICY) as frame:
            grid = frame.get_by_role("grid")
            expect(frame.get_by_text("10,000 images")).to_be_visible()
            expect(grid.locator("img").first).to_be_visible()
            pixels(page, save="image-library")
            expect(grid).to_have_attribute("aria-rowcount", re.compile(r"\d{4}"))

            # Only what is seen is in the page, wherever it is scrolled to.
            counts = []
            for place in (0.25, 0.5, 0.75, 1.0, 0.0):
                grid.evaluate("(box, place) => box.scrollTo(0, place * box.scrollHeight)", place)
                expect(grid.locator("img").first).to_be_visible()
                counts.append(grid.locator("[role=gridcell]").count())
            assert max(counts) < 80

            # One cell takes the keyboard, and it stays there.
            grid.locator("[role=gridcell][tabindex='0']").focus()
            assert grid.locator("[role=gridcell][tabindex='0']").count() == 1
            expect(frame.locator(":focus")).to_have_attribute("aria-label", re.compile(r"field \d"))
            first = frame.locator(":focus").get_attribute("aria-label")
            expect(frame.locator(".cxw-details")).to_be_visible()  # beside the grid, which becomes narrower
            columns = settled_columns(grid)
            page.keyboard.press("Control+End")
            expect(frame.locator(":focus")).to_have_attribute("aria-label", re.compile("Orion field 09992"))
            page.keyboard.press("ArrowLeft")
            expect(frame.locator(":focus")).to_have_attribute("aria-label", re.compile("Orion field 09980"))
            page.set_viewport_size({"width": VIEWPORT["width"] + 300, "height": VIEWPORT["height"]})  # more columns
            expect(grid).not_to_have_attribute("aria-colcount", columns)
            expect(frame.locator(":focus")).to_have_attribute("aria-label", re.compile("Orion field 09980"))
            page.set_viewport_size(VIEWPORT)
            expect(grid).to_have_attribute("aria-colcount", columns)
            expect(frame.locator(":focus")).to_have_attribute("aria-label", re.compile("Orion field 09980"))
            page.keyboard.press("Control+Home")
            expect(frame.locator(":focus")).to_have_attribute("aria-label", first)
            page.keyboard.press("Enter")
            expect(frame.get_by_text("64 × 64 pixels")).to_be_visible()

            # In a forced palette, too, one cell differs from all others: it is selected and has the focus.
            page.emulate_media(forced_colors="active")
            looks = "them => them.map((it) => { const { borderColor, outlineStyle } = getComputedStyle(it); return [borderColor, outlineStyle]; })"
            seen = [tuple(look) for look in grid.locator("[role=gridcell]").evaluate_all(looks)]
            assert sorted(seen.count(look) for look in set(seen)) == [1, len(seen) - 1]
            page.emulate_media(forced_colors="none")

            frame.get_by_label("Search").fill("field 00042")
            expect(frame.get_by_text("1 of 10,000 images")).to_be_visible()
            frame.get_by_label("Search").fill("")
            frame.get_by_label("Sort").select_option("name-down")
            expect(grid.locator("[role=gridcell]").first).to_have_attribute(
                "aria-label", re.compile("Orion field 09992")
            )
        library.close()
    refused = [text for text in watch.console_errors if "Content Security Policy" in text]
    assert watch.console_errors == refused == [] and watch.outside_requests == []


def test_names_deleting_dropping_and_signing_in_again(page: Page, tmp_path: Path):
    with Sandbox() as box:
        hostile = "<img src=x onerror=document.title='hacked'>.png"
        for name in ("a.png", "b.png", hostile):
            picture = io.BytesIO()
            Image.new("RGB", (300, 200), (90, 120, 200)).save(picture, "PNG")
            box.library.add(name, picture.getvalue(), constellation=box.handle)
        library = ImageLibrary(box.images_client())
        page.set_viewport_size({"width": 720, "height": 900})
        with bare_page(page, library.view) as frame:
            cells = frame.get_by_role("gridcell")
            expect(cells).to_have_count(3)
            expect(frame.get_by_role("row")).to_have_count(1)

            # A click makes the grid narrower, and its cells change their rows: the keyboard stays with the image.
            cells.filter(has_text="b.png").click()
            expect(frame.get_by_role("row")).to_have_count(2)
            expect(cells.filter(has_text="b.png")).to_be_focused()

            # A refused name is said at the field, and the old one is back.
            page.keyboard.press("ArrowLeft")
            page.keyboard.press("F2")
            name = frame.get_by_label("Name", exact=True)
            expect(name).to_be_focused()
            name.fill("x" * 300)
            page.keyboard.press("Enter")
            expect(frame.get_by_role("alert").filter(has_text="longer than 255")).to_be_visible()
            expect(name).to_have_value("a.png")
            expect(name).to_have_attribute("aria-invalid", "true")
            expect(name).to_be_focused()
            name.fill("M 51.png")
            page.keyboard.press("Enter")
            expect(cells.filter(has_text="M 51.png")).to_be_focused()

            # Deleting asks by name; the keyboard goes on with the next image.
            cells.filter(has_text="onerror").click()
            page.keyboard.press("Delete")
            question = frame.get_by_role("alertdialog")
            expect(question).to_contain_text(f"Delete “{hostile}” from the library?")
            expect(frame.get_by_role("button", name="Cancel")).to_be_focused()
            page.keyboard.press("Escape")
            expect(cells.filter(has_text="onerror")).to_be_focused()
            page.keyboard.press("Delete")
            question.get_by_role("button", name="Delete").press("Enter")
            expect(cells).to_have_count(2)
            expect(frame.locator("[role=gridcell]:focus")).to_have_attribute("aria-label", "b.png")
            assert page.title() == "A plain page"

            # A dropped file comes in parts; a token that ends meanwhile loses nothing.
            library.images.sign_in(box.images_token(expired=True))
            frame.locator(".cxw-library").evaluate(DROP, 2_000_000)
            expect(frame.get_by_text("waiting for you to sign in")).to_be_visible()
            expect(frame.get_by_role("alert").filter(has_text="Token has expired")).to_be_visible()
            pixels(page, save="image-library-signed-out")
            library.sign_in(box.images_auth())
            expect(frame.get_by_text("uploaded")).to_be_visible()
            expect(cells).to_have_count(3)
            expect(frame.locator(".cxw-library")).not_to_contain_text("Token has expired")
            [dropped] = [image for image in library.images.list() if image.name == "dropped.jpg"]
            assert library.images.download(dropped, tmp_path).stat().st_size == 2_000_000
        library.close()
