"""Signing in by a real browser: in a plain page with pages of the identity server beside it, and in JupyterLab, where no secret stays."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest
from api.conftest import make_submission
from auth.signing import own_box, press, sent_back_to
from playwright.sync_api import Locator, Page, expect
from secrets_used import found_in, secrets_of

from browser.bare_page import _Server, bare_page
from browser.lab import Lab
from constellations_widgets import Sandbox, SignIn


def test_by_link_and_code_by_a_page_that_comes_back_and_by_password(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []
    send = _Server._send

    def noted(self: _Server, number: int, data: dict, buffers: list) -> None:
        told.append(json.dumps(data, default=repr))
        send(self, number, data, buffers)

    monkeypatch.setattr(_Server, "_send", noted)
    with Sandbox() as box, own_box(box, tmp_path, monkeypatch), secrets_of(box, monkeypatch) as secrets:
        box.identity.asks = True
        signed, library = SignIn(box.api_url), SignIn(images_url=box.images_url)
        with bare_page(page, signed, library) as frame:
            widget = frame.get_by_role("group", name="Sign in to WWT Constellations")
            for devices, button, last_words in [
                (True, "Allow", "Done. You can close this page."),
                (False, "Sign in", "Done. You can close this page and go back to your program."),
            ]:
                box.identity.offers_devices = devices
                widget.get_by_role("button", name="Sign in", exact=True).click()
                with page.expect_popup() as opened:
                    widget.get_by_role("link", name="Open the sign-in page").click()
                opened.value.get_by_role("button", name=button).click()
                expect(opened.value.get_by_text(last_words, exact=True)).to_be_visible()
                opened.value.close()
                expect(widget.get_by_text(f"You may add images as @{box.handle}.")).to_be_visible()
                assert signed.client().may_add_images(box.handle)
                widget.get_by_role("button", name="Sign out").click()
                expect(widget.get_by_role("button", name="Sign in", exact=True)).to_be_focused()
            widget.get_by_text("Other ways to sign in").click()
            token = box.token()
            widget.get_by_label("Access token").fill(token)
            page.keyboard.press("Enter")
            expect(widget.get_by_text("Signed in as")).to_be_visible()

            group = frame.get_by_role("group", name="Sign in to the image library")
            group.get_by_label("Name").fill(box.images_user.name)
            group.get_by_label("Password").fill(box.images_user.password)
            page.keyboard.press("Enter")
            expect(group.get_by_text("Signed in as")).to_be_visible()
            assert library.client().list() == []
            html = frame.locator("html").evaluate("it => it.outerHTML")
        assert len(secrets | {token}) > 5 and len(told) > 10
        assert found_in("".join(told) + html, secrets | {token}) == []


def contents(folder: Path) -> dict[Path, bytes]:
    """All files below a folder. One that is gone meanwhile, as the kernel's history removes its own, is left out."""
    found = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                found[path] = path.read_bytes()
    return found


def sign_in_page(widget: Locator) -> str:
    """The address of the sign-in page. Its link has none until the page knows the way to the kernel's machine."""
    link = widget.get_by_role("link", name="Open the sign-in page")
    expect(link).to_have_attribute("href", re.compile("^http"))
    return link.get_attribute("href") or ""


CELLS = [
    "import constellations_widgets as cxw\nsigned = cxw.SignIn({api!r})\nsigned",
    "client = signed.client()\nclient.add_image({handle!r}, {body!r})",
    "%xmode Verbose\nclient.add_image('nobody', {body!r})",
    "cxw.sign_in(api_url={api!r})",
    "images = cxw.SignIn(images_url={images!r})\nimages",
    "client.may_add_images({handle!r})",
    "library = cxw.ImageLibrary(images.client())\nlibrary",
]


def test_a_notebook_with_a_sign_in_holds_no_secret(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    heard: list[str | bytes] = []
    lab.page.on("websocket", lambda it: it.on("framereceived", lambda frame: heard.append(frame)))
    with Sandbox() as box, own_box(box, tmp_path, monkeypatch), secrets_of(box, monkeypatch) as secrets:
        box.fill_library(1)
        names = {"api": box.api_url, "handle": box.handle, "images": box.images_url}
        body = make_submission().to_json()
        notebook = lab.open_notebook([cell.format(**names, body=body) for cell in CELLS])
        lab.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
        notebook.run_cell(0)
        widget = notebook.output(0)
        widget.get_by_role("button", name="Sign in", exact=True).click()
        press(sign_in_page(widget))
        expect(widget.get_by_text("You may add images as")).to_be_visible()
        notebook.run_cell(1)
        notebook.run_cell(2, fails=True)
        expect(notebook.output(2)).to_contain_text("Handle not found")
        widget.get_by_role("button", name="Sign out").click()
        expect(widget.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        notebook.run_cell(3, fails=True)  # it does not wait: it says what to do
        expect(notebook.output(3)).to_contain_text("show the widget cxw.SignIn(")

        box.identity.offers_devices = False
        widget.get_by_role("button", name="Sign in", exact=True).click()
        address = sent_back_to(sign_in_page(widget))
        secrets.add(address.rpartition("code=")[2])
        widget.get_by_label("If the browser ends on a page").fill(address)
        lab.page.keyboard.press("Enter")
        expect(widget.get_by_text("You may add images as")).to_be_visible()
        notebook.run_cell(3)  # the sign-in that was kept

        notebook.run_cell(4)
        library = notebook.output(4)
        for password in ("hunter2-wrong", box.images_user.password):
            secrets.add(password)
            library.get_by_label("Name").fill(box.images_user.name)
            library.get_by_label("Password").fill(password)
            library.get_by_role("button", name="Sign in").click()
            expect(
                library.get_by_text("rejected this name" if password == "hunter2-wrong" else "Signed in as")
            ).to_be_visible()
        library.get_by_role("button", name="Sign out").click()
        for token, words in (
            (box.images_token(expired=True), "Token has expired"),
            (box.images_token(), "Signed in at"),  # it names no account
        ):
            others = library.locator("details", has_text="Other ways to sign in")
            if others.get_attribute("open") is None:  # a page that has seen no state between stays as it was
                others.locator("summary").click()
            library.get_by_label("Access token").fill(token)
            lab.page.keyboard.press("Enter")
            expect(library.get_by_text(words)).to_be_visible()
        notebook.run_cell(6)
        notebook.output(6).get_by_role("gridcell").focus()
        lab.page.keyboard.press("Enter")
        expect(notebook.output(6).get_by_text("64 × 64 pixels")).to_be_visible()
        box.faults.next("token_expired", path="/handle/*", times=2)
        notebook.run_cell(5, fails=True)
        notebook.save()

        home, root = lab.server.folder / "home", lab.server.root
        files = contents(home) | contents(root)
        kept = [path for path in files if path.parent.name == "sign_in" and path.suffix == ".json"]
        files[lab.server.log] = lab.server.log.read_bytes()
        assert len(kept) == 1 and found_in(files[kept[0]], secrets)
        checkpoints = [path for path in files if path.parent.name == ".ipynb_checkpoints"]
        assert checkpoints and b"widget-state+json" in files[notebook.path]
        assert b"notebooks never store that" in files[notebook.path]  # its widgets' state
        assert {
            path.name: found for path, text in files.items() if path not in kept and (found := found_in(text, secrets))
        } == {}
        pages = "".join(it if isinstance(it, str) else it.decode("latin-1") for it in heard)
        assert f'"username": "{box.handle}"' in pages
        assert found_in(pages, secrets) == []
        assert notebook.path in files and len(secrets) > 9
