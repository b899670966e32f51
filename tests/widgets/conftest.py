"""Fixtures for the tests of the widgets' Python half."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ipywidgets import Widget
from pydantic import TypeAdapter, ValidationError

from constellations_widgets.widgets import base, protocol

TRAITS = {
    "form": {
        "state": "DraftState",
        "kept_credits": "KeptCredits",
        "saving": "SavingState",
        "solving": "SolvingState",
        "fields": "list[FieldSpec]",
    },
    "publisher": {
        "state": "DraftState",
        "status": "PublisherStatus",
        "scene": "SceneState",
        "pending_attempts": "PendingState",
    },
    "batch_publisher": {
        "state": "DraftState",
        "status": "BatchStatus",
        "pending_attempts": "PendingState",
        "kept_credits": "KeptCredits",
        "positions": "BatchPositions",
        "found_positions": "list[BatchPosition]",
        "fields": "list[FieldSpec]",
    },
    "handle_images": {"status": "HandleImagesStatus"},
    "handle_scenes": {"status": "HandleListStatus"},
    "scene_editor": {"scene": "SceneState"},
    "sign_in": {"status": "SignInStatus"},
    "image_library": {"state": "LibraryState"},
}
EVENTS = {
    "batch_publisher": {"rows": "BatchRowsEvent"},
    "handle_images": {"row": "HandleRowEvent", "records": "HandleRecordsEvent"},
    "handle_scenes": {"row": "HandleRowEvent"},
    "preview": {
        "scene": "SceneEvent",
        "imageset": "ImagesetEvent",
        "placing": "PlacingEvent",
        "go_to_image": "GoToImageEvent",
        "solution": "SolutionEvent",
        "app": "AppEvent",
        "note": "NoteEvent",
    },
}
RESPONSES = {
    "form": {"licenses": "LicensesResponse"},
    "batch_publisher": {
        "licenses": "LicensesResponse",
        "rows": "BatchRowsResponse",
        "details": "BatchDetails",
        "thumbnails": "BatchThumbnails",
    },
    "handle_images": {"rows": "HandleRowsResponse", "records": "HandleRecordsResponse"},
    "handle_scenes": {"rows": "HandleRowsResponse"},
    "image_library": {
        "rows": "LibraryRowsResponse",
        "index": "LibraryIndexResponse",
        "about": "LibraryAbout",
        "thumb": "LibraryThumbnail",
        "picture": "LibraryPicture",
        "directory": "DirectoryListing",
        "drop": "DropResponse",
    },
    "preview": {
        "open": "OpenedPreview",
        "app_messages": "AppMessages",
        "app": "AppFiles",
        "fits_pixels": "FitsPixels",
        "files": "FilesPart",
        "all_files": "AllFilesResponse",
        "place": "PlaceResponse",
    },
}


@functools.cache
def declarations() -> ModuleType:
    """The protocol, with the TypedDict that pydantic wants on Python 3.11."""
    module = ModuleType("protocol_for_pydantic")
    sys.modules[module.__name__] = module
    for name in ("drafts", "scenes", "publishing", "services", "preview"):
        source = Path(protocol.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        source = re.sub(
            r"^from \.(drafts|scenes) import (\([^)]*\)|.*)$", "", source, flags=re.MULTILINE
        )  # executed already
        exec(source.replace("from typing import", "from typing_extensions import"), vars(module))
    return module


@functools.cache
def adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(eval(name, vars(declarations())))


def shape_error(name: str, content: Any) -> str:
    """Return how `content` differs from a declaration, "" if it does not."""
    text = json.dumps(content)
    try:
        kept = adapter(name).dump_python(adapter(name).validate_json(text, strict=True), mode="json")
    except ValidationError as error:
        return f"{name}: {error}"
    return "" if kept == json.loads(text) else f"{name} has keys that are not declared: {text[:500]}"


def say(widget: base.PageWidget, kind: str, **content: Any) -> None:
    """Let a page send a message to a widget."""
    widget._on_message(widget, {"kind": kind, **content}, [])


@pytest.fixture
def page_hears(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that widgets send to pages from now on."""
    heard: list[str] = []
    monkeypatch.setattr(Widget, "_send", lambda self, message, buffers=None: heard.append(repr((message, buffers))))
    return heard


@pytest.fixture
def no_running_loop() -> Iterator[None]:
    """Hide the event loop that Playwright leaves running in the thread of the tests, for tests that need one of their own, or none."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@pytest.fixture(autouse=True)
def widgets_are_closed() -> Iterator[None]:
    """Close the widgets of a test at its end: their threads, listeners and files end with them."""
    yield
    Widget.close_all()


@pytest.fixture(autouse=True)
def protocol_is_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check that every trait, event and response that a widget sends has the shape that the protocol declares."""
    wrong: list[str] = []

    def check(name: str | None, content: Any) -> None:
        if name and content != {} and (error := shape_error(name, content)):
            wrong.append(error)

    def checked(name: str | None, handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def handle(request: Any) -> Any:
            response = handler(request)
            if isinstance(response, tuple):
                check(name, response[0])
                return response
            return (check(name, part[0]) or part for part in response)

        return handle

    def init(self: Any, **options: Any) -> None:
        for key in ("requests", "slow_requests"):
            declared = RESPONSES.get(self.page, {})
            options[key] = {kind: checked(declared.get(kind), it) for kind, it in (options.get(key) or {}).items()}
        begin(self, **options)

    def send(self: Any, message: Any, buffers: Any = None) -> None:
        if isinstance(self, base.PageWidget) and message["method"] == "update":
            for trait, value in message["state"].items():
                check(TRAITS.get(self.page, {}).get(trait), value)
        elif isinstance(self, base.PageWidget) and message["method"] == "custom" and "kind" in message["content"]:
            content = message["content"]
            if "id" not in content:
                check(EVENTS[self.page][content["kind"]], content)
        pass_on(self, message, buffers)

    begin, pass_on = base.PageWidget.__init__, Widget._send
    monkeypatch.setattr(base.PageWidget, "__init__", init)
    monkeypatch.setattr(Widget, "_send", send)
    yield
    assert wrong == []


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use front ends whose content does not matter."""
    folder = tmp_path / "static"
    folder.mkdir()
    for name in ("preview", "sign_in", "image_library", "form"):
        for kind in ("js", "css"):
            (folder / f"{name}.{kind}").write_text("/* built */")
    monkeypatch.setattr(base, "FOLDER", folder)
