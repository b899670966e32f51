from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.schema.records import ImageRecord, ImageSummary, Receipt
from constellations_widgets.schema.scenes import SceneReceipt

ID = "5e9f1c3a7b2d4e6f8a0b1c2d"


def make_receipt(**changes) -> Receipt:
    values = {
        "id": ID,
        "rel_url": f"/image/{ID}",
        "api_url": "https://api.worldwidetelescope.org",
        "handle": "me",
        "created": datetime(2026, 11, 22, 3, 28, 29, tzinfo=UTC),
        "body": {"note": "M 51"},
        "body_sha256": "ab" * 32,
        "key": "a key",
    }
    return Receipt(**{**values, **changes})


def test_a_summary_is_read_with_either_name_of_its_id_and_unknown_fields():
    for name in ("id", "_id"):
        storage = {"legacy_url_template": None}
        image = ImageSummary.model_validate({name: ID, "handle_id": "h", "storage": storage, "new": 1})
        assert (image.id, image.storage.legacy_url_template, image.creation_date) == (ID, None, None)


def test_a_record_is_read_where_optional_fields_are_missing_or_null():
    record = ImageRecord.model_validate(
        {
            "id": ID,
            "handle": {"handle": "me"},
            "creation_date": "2026-11-22T03:28:29.483Z",
            "wwt": {"center_x": None, "tile_levels": 1.5, "extra": "kept"},
            "permissions": {"copyright": "A", "license": "MIT", "extra": 1},
            "storage": {},
            "note": "",
        }
    )
    assert record.creation_date == datetime(2026, 11, 22, 3, 28, 29, 483000, tzinfo=UTC)
    assert (record.wwt.center_x, record.wwt.tile_levels, record.wwt.extra) == (None, 1.5, "kept")
    assert (record.permissions.credits, record.alt_text) == (None, "")


def test_a_receipt_links_to_the_record_the_wtml_and_the_page_of_the_handle():
    receipt = make_receipt(handle="a/b")
    assert receipt.record_url == f"https://api.worldwidetelescope.org/image/{ID}"
    assert receipt.wtml_url == f"{receipt.record_url}/img.wtml"
    assert receipt.handle_url == "https://worldwidetelescope.org/@a%2Fb"
    assert make_receipt(api_url="https://api.wwtelescope.dev").handle_url == "https://wwtelescope.dev/@me"
    assert make_receipt(api_url="http://127.0.0.1:8000").handle_url is None


def test_a_receipt_links_to_the_pages_of_its_owner():
    receipt = make_receipt(handle="a/b")
    assert receipt.dashboard_url == "https://worldwidetelescope.org/@a%2Fb/dashboard"
    assert receipt.edit_url == f"https://worldwidetelescope.org/@a%2Fb/image/{receipt.id}/edit"
    scene = SceneReceipt.model_validate(receipt.model_dump())
    assert scene.edit_url == f"https://worldwidetelescope.org/@a%2Fb/{receipt.id}/edit"
    for each in (receipt, scene):
        assert each.edit_url in str(each) and f"href='{each.dashboard_url}'" in each._repr_html_()
    elsewhere = make_receipt(api_url="http://127.0.0.1:8000")
    assert elsewhere.edit_url is elsewhere.dashboard_url is None
    assert "Dashboard" not in str(elsewhere)


def test_a_receipt_is_the_same_after_json():
    receipt = make_receipt(body={"note": "M 51 – 😀", "wwt": {"center_x": 0.1}})
    assert Receipt.from_json(receipt.to_json()) == receipt
    with pytest.raises(ValueError):
        Receipt.from_json("{}")


def test_a_receipt_shows_as_text_what_was_published():
    text = str(make_receipt())
    for part in (ID, "M 51", "me", "2026-11-22 03:28:29 UTC", "img.wtml", "ab" * 32):
        assert part in text
    assert repr(make_receipt()).startswith(f"<Receipt {ID}: 'M 51' under 'me'")


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = set(), [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


EVIL = [
    "<script>alert(1)</script>",
    "' onmouseover='alert(1)",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "&lt;",
]


@given(st.lists(st.one_of(st.sampled_from(EVIL), st.text(max_size=10)), min_size=6, max_size=6))
def test_everything_in_a_receipt_is_escaped(texts):
    id, url, handle, note, digest, key = texts
    receipt = make_receipt(id=id, api_url=url, handle=handle, body={"note": note}, body_sha256=digest, key=key)
    parser = _Tags()
    parser.feed(receipt._repr_html_())
    assert parser.tags <= {"bdi", "div", "strong", "table", "tbody", "tr", "th", "td", "a", "details", "summary", "pre"}
    assert {name for name, _ in parser.attributes} <= {"class", "scope", "style", "href", "target", "rel"}
    assert not any(name == "href" and not value.startswith("http") for name, value in parser.attributes)


def test_records_need_no_http_library():
    code = "import sys, constellations_widgets.schema.records; print('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
