"""No widget takes what a page writes into its traits."""

from __future__ import annotations

import pytest

from constellations_widgets import (
    BatchPublisher,
    Constellations,
    ImageDraft,
    ImageForm,
    ImagesClient,
    Preview,
    Publisher,
    SignIn,
)
from constellations_widgets.widgets.handle_images import HandleImages
from constellations_widgets.widgets.library.image_library import ImageLibrary


@pytest.fixture
def widgets():
    client, draft = Constellations("http://127.0.0.1:9", "a.b.c"), ImageDraft(autosave=False)
    made = [ImageForm(draft), Preview(draft), Publisher(draft, client, "me"), BatchPublisher([draft], client, "me")]
    made += [HandleImages(client, "me").children[0], SignIn("http://127.0.0.1:9")]
    library = ImageLibrary(ImagesClient("http://127.0.0.1:9"))
    yield [*made, *library.children]
    for widget in [*made, library]:
        widget.close()


def test_no_widget_takes_what_a_page_writes_into_its_traits(widgets):
    assert len(widgets) >= 7
    for widget in widgets:
        before = {name: value for name, value in widget.get_state().items() if not name.startswith("_")}
        forged = {name: {"phase": "forged"} if isinstance(value, dict) else "forged" for name, value in before.items()}
        widget._handle_msg({"content": {"data": {"method": "update", "state": forged, "buffer_paths": []}}})
        after = widget.get_state()
        assert [name for name in before if "forged" in str(after[name]) and "forged" not in str(before[name])] == [], (
            widget
        )
