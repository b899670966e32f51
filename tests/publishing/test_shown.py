"""What notebooks show of foreign text: that text, which neither markup nor MathJax nor a bidirectional override changes."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from publishing.conftest import make_draft

import constellations_widgets
from constellations_widgets.publishing.attempts import Attempt, History
from constellations_widgets.publishing.batch import Batch
from constellations_widgets.publishing.plan import Plan, Step
from constellations_widgets.publishing.save_report import Outcome, Saved
from constellations_widgets.schema.html_repr import LIMIT, html_block, html_link, html_text
from constellations_widgets.schema.records import Receipt
from constellations_widgets.schema.scenes import SceneReceipt

PACKAGE = Path(constellations_widgets.__file__).parent
HOSTILE = "<b>\u202eevil $\\href{javascript:alert(1)}{x}$ \\(y\\) \\[z\\] costs $5 and $6 '\"&"
WHEN = datetime(2026, 11, 22, tzinfo=UTC)
API = "https://api.example.org"


def attempt(note: str = HOSTILE, state: str = "published") -> Attempt:
    body = json.dumps({"note": note}).encode()
    moments = {"planned": WHEN, "sent": WHEN, "settled": WHEN}
    place = {"api_url": API, "handle": HOSTILE, "url": HOSTILE, "body": body, "body_sha256": "ab" * 32}
    made = {"image_id": HOSTILE, "rel_url": None, "answer": HOSTILE, "known_ids": (), "owner": ""}
    return Attempt(key="k" * 32, state=state, **place, **moments, **made)


def receipt(kind: type, **body: str):
    about = {
        "id": "i",
        "rel_url": "/x/i",
        "api_url": API,
        "handle": HOSTILE,
        "created": WHEN,
        "body_sha256": "",
        "key": "k",
    }
    return kind(**about, body=body)


def steps(count: int = 1, decision: str = "skip") -> Plan:
    draft = make_draft(note=HOSTILE)
    place = {"api_url": API, "handle": HOSTILE, "url": HOSTILE, "body": b"{}"}
    reasons = (HOSTILE,) if decision == "skip" else ()
    made = Step(draft, decision, reasons, **place, existing=(), earlier=(), problems=())
    return Plan([made] * count, API, HOSTILE, HOSTILE)


def batch_of(plan: Plan) -> Batch:
    return Batch(plan, SimpleNamespace(api_url=API), journal=SimpleNamespace())


SHOWN = {
    "receipt": lambda: receipt(Receipt, note=HOSTILE),
    "receipt of a scene": lambda: receipt(SceneReceipt, text=HOSTILE),
    "history": lambda: History([attempt(), attempt(state="unclear")]),
    "plan": steps,
    "batch": lambda: batch_of(steps()),
    "saved fields": lambda: Saved([Outcome("note", HOSTILE, HOSTILE, HOSTILE, False)]),
    "nothing": History,
    "nothing saved": Saved,
}


class Texts(HTMLParser):
    """The texts of a page with the elements around them."""

    def __init__(self, page: str):
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.texts: list[tuple[str, list[tuple[str, str]]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append((tag, dict(attrs).get("class", "")))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.texts.append((data, list(self.open)))


@pytest.mark.parametrize("kind", SHOWN)
def test_foreign_text_is_isolated_and_left_alone_by_mathjax(kind):
    texts = Texts(SHOWN[kind]()._repr_html_()).texts
    assert texts
    for text, around in texts:
        assert around[0][0] == "div" and {"tex2jax_ignore", "mathjax_ignore"} <= set(around[0][1].split()), text
        if "evil" in text or "$" in text:
            assert around[-1][0] == "bdi", text
    assert kind.startswith("nothing") or HOSTILE in "".join(text for text, around in texts if around[-1][0] == "bdi")


def test_every_html_repr_of_the_package_returns_such_a_block():
    returns = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "_repr_html_":
                returns += [(path.name, ast.unparse(it.value)) for it in ast.walk(node) if isinstance(it, ast.Return)]
    assert len(returns) >= 5
    assert [it for it in returns if not it[1].startswith("html_block(")] == []


def test_a_link_leads_to_the_web_only():
    assert html_link("x", "javascript:alert(1)") == html_text("x") == "<bdi>x</bdi>"
    assert html_block("", "<p>x</p>", "", name="n") == "<div class='n tex2jax_ignore mathjax_ignore'><p>x</p></div>"


@pytest.mark.parametrize("count", [LIMIT, LIMIT + 1, 100_000])
def test_a_long_history_shows_its_newest_rows_and_a_count(count):
    history = History([attempt(f"note {number}.") for number in range(count)])
    for shown in (history._repr_html_(), str(history)):
        assert sum(f"note {number}." in shown for number in range(LIMIT + 100)) == min(count, LIMIT)
        assert (f"The newest 200 of {count:,} rows" in shown) == (count > LIMIT)
        assert len(shown) < 400_000


def test_a_long_plan_or_batch_shows_what_needs_attention_first():
    plan = Plan([*steps(1000, "publish"), *steps(3)], API, "h", "")
    for shown in (plan._repr_html_(), str(plan)):
        assert (shown.count("skip"), shown.count("publish")) == (3, LIMIT - 3)
        assert "The first 200 of 1,003 rows" in shown
    batch = batch_of(plan)
    batch.rows[0].state = "failed"
    for row in batch.rows[1:1000]:
        row.receipt = receipt(Receipt, note="n")
    for shown in (batch._repr_html_(), str(batch)):
        assert "failed" in shown and "The first 200 of 1,003 rows" in shown
