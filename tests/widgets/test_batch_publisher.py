"""The publisher of many images in the kernel: rows, shared fields, plan, batch, another kernel; against a real sandbox."""

from __future__ import annotations

import csv
import json
import threading
import time
from pathlib import Path

import pytest
from api.broken_server import reset
from PIL import Image
from publishing.conftest import FaultyProxy, made_up_web, make_draft, published  # noqa: F401  (a fixture for all tests here)
from widgets.conftest import say

from constellations_widgets import BatchPublisher, Constellations, ImageDraft, Sandbox
from constellations_widgets.autosave import flush_all
from constellations_widgets.errors import ConstellationsError, InvalidError, PublishError, SourceError
from constellations_widgets.publishing import Journal, publish_draft
from constellations_widgets.publishing import batch as batches
from constellations_widgets.widgets.batch import run as batch_run
from constellations_widgets.widgets.thumbnails import thumbnail

IMAGESET = """<ImageSet Name="{name}" Url="https://example.org/{name}/{{1}}/{{3}}/{{3}}_{{2}}.png" Projection="Tan"
DataSetType="Sky" BandPass="Visible" BaseDegreesPerTile="0.5" CenterX="10" CenterY="20" OffsetX="0" OffsetY="0"
Rotation="0" TileLevels="4" WidthFactor="2" FileType=".png" BottomsUp="False" QuadTreeMap="">
<ThumbnailUrl>https://example.org/{name}/t.jpg</ThumbnailUrl><Description>Image {name}</Description></ImageSet>"""
DESCRIBED = {
    "permissions.copyright": "Public domain",
    "permissions.license": "CC-PDDC",
    "permissions.credits": "NOIRLab",
    "alt_text": "Stars.",
}
POST = {"method": "POST", "path": "/handle/*/image"}


@pytest.fixture(autouse=True)
def quick_waits(monkeypatch: pytest.MonkeyPatch, own_folder: Path) -> None:
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_WAITS", (0.0,))
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_TIME", 0.05)
    monkeypatch.setattr("constellations_widgets.publishing.batch.END_WAITS", (0.0,))


@pytest.fixture
def wtml(request) -> str:
    """Six images that no other test has."""
    sets = "".join(IMAGESET.format(name=f"{request.node.name}-{number}") for number in range(6))
    return f'<Folder Name="Fields">{sets}</Folder>'


@pytest.fixture
def make(client, box):
    """Makes widgets that are closed, and whose work is done, at the end of the test."""
    made = []

    def batch_publisher(source, into=client, **options) -> BatchPublisher:
        made.append(BatchPublisher(source, into, box.handle, probe=False, **options))
        made[-1].heard = []
        made[-1].send = lambda content, buffers=None: made[-1].heard.append(content)
        return made[-1]

    yield batch_publisher
    for widget in made:
        widget.stop()
        rest(widget)
        widget.close()
    box.faults.clear()


def until(widget: BatchPublisher, true) -> dict:
    """The status, once `true` says so of it."""
    deadline = time.monotonic() + 120
    while True:
        widget._rows.flush()
        if true(widget.status):
            return widget.status
        assert time.monotonic() < deadline, widget.status
        time.sleep(0.01)


def rest(widget: BatchPublisher, *phases: str) -> dict:
    return until(widget, lambda it: it["phase"] in (phases or ("editing", "review", "ended")))


def reviewed(widget: BatchPublisher) -> dict:
    say(widget, "review")
    return rest(widget, "review")["review"]


def publish(widget: BatchPublisher) -> dict:
    say(widget, "confirm", ticket=reviewed(widget)["ticket"])
    return rest(widget, "ended")


def described(widget: BatchPublisher) -> BatchPublisher:
    widget.copy_fields(DESCRIBED, range(len(widget.drafts)))
    return widget


def rows(widget: BatchPublisher) -> list[dict]:
    widget._rows.flush()
    return widget._rows.chunk(0)["rows"]


def states(widget: BatchPublisher) -> list[str]:
    return [row["state"] for row in rows(widget)]


def once_each(client: Constellations, widget: BatchPublisher) -> bool:
    return [published(client, draft) for draft in widget.drafts] == [1] * len(widget.drafts)


# What is shown


def test_each_draft_has_a_row_that_says_what_is_wrong_with_it(make, wtml):
    widget = make(wtml)
    first = rows(widget)[0]
    assert first["state"] == "invalid" and first["errors"] == 2  # copyright, license
    described(widget)
    assert [(row["state"], row["errors"], row["warnings"]) for row in rows(widget)] == [("unplanned", 0, 0)] * 6
    details, _ = widget._details({"row": 0})
    assert details["url"].startswith("https://example.org/")
    assert {it["severity"] for it in details["problems"]} == {"info"}


def test_an_address_of_this_computer_is_no_problem_of_what_goes_to_the_sandbox(make):
    draft = make_draft(**{"storage.legacy_url_template": "http://127.0.0.1:8000/{1}/{3}/{3}_{2}.png"})
    assert "CXW305" in {it.code for it in draft.problems}
    widget = make([draft])
    assert rows(widget)[0]["warnings"] == 0
    assert "CXW305" not in {it["code"] for it in widget._details({"row": 0})[0]["problems"]}
    with Constellations("https://api.example.org", auth="token") as elsewhere:
        assert rows(make([draft], elsewhere))[0]["warnings"] == 1


@pytest.fixture
def told_on_demand(monkeypatch):
    """What has changed is told when the test says so, and not by the clock."""
    monkeypatch.setattr("constellations_widgets.widgets.batch.rows.DELAY", 60.0)


def test_only_rows_that_have_changed_are_told_and_many_changes_at_once(make, told_on_demand, monkeypatch):
    monkeypatch.setattr("constellations_widgets.widgets.batch.rows.CHUNK", 4)
    widget = make([make_draft() for _ in range(10)])
    rows(widget)
    widget.heard.clear()
    for rotation in range(20):
        widget.drafts[7].wwt.rotation = float(rotation)
    widget.drafts[7].alt_text = ""
    rows(widget)
    assert [[row["i"] for row in message["rows"]] for message in widget.heard] == [[7]]
    say(widget, "choose", rows=list(range(10)), on=False)
    rows(widget)
    assert [len(message["rows"]) for message in widget.heard[1:]] == [4, 4, 2]
    revisions = [message["revision"] for message in widget.heard]
    assert revisions == list(range(revisions[0], revisions[0] + 4)) and widget.status["revision"] == revisions[-1]


def test_a_page_is_told_which_of_its_clicks_are_in_the_rows_that_it_was_told(make, told_on_demand):
    widget = make([make_draft() for _ in range(3)])
    rows(widget)
    say(widget, "choose", rows=[0], on=False, page="one", click=1)
    say(widget, "choose", rows=[1], on=False, page="one", click=2)
    say(widget, "choose", rows=[2], on=False, page="other", click=1)
    assert widget._rows.acknowledged == {}  # nothing was told so far
    assert until(widget, lambda it: it["acknowledged"])["acknowledged"] == {"one": 2, "other": 1}
    assert {row["i"]: row["chosen"] for row in widget.heard[-1]["rows"]} == {0: False, 1: False, 2: False}


def test_a_page_reads_all_rows_in_parts_and_knows_up_to_which_news(make, monkeypatch):
    monkeypatch.setattr("constellations_widgets.widgets.batch.rows.CHUNK", 4)
    widget = make([make_draft() for _ in range(6)])
    first, second = widget._rows.chunk(0), widget._rows.chunk(4)
    assert [row["i"] for row in first["rows"] + second["rows"]] == list(range(6))
    assert first["total"] == 6 and first["revision"] == widget._rows.revision


def test_a_local_image_has_a_thumbnail_and_a_missing_or_broken_one_has_none(tmp_path, make):
    Image.new("RGBA", (640, 300), "navy").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    sets = "".join(
        f'<ImageSet Name="{name}" Url="{name}.png" Projection="SkyImage" CenterX="1" CenterY="2" FileType=".png" '
        'BaseDegreesPerTile="0.0003"/>'
        for name in "abc"
    )
    (tmp_path / "index_rel.wtml").write_text(f"<Folder>{sets}</Folder>")
    widget = make(tmp_path)
    answer, pictures = widget._thumbnails({"rows": [0, 1, 2, 99, "x"]})
    assert answer == {"types": ["image/png", None, None]} and pictures[0].startswith(b"\x89PNG")
    assert thumbnail(make_draft()) is None


def test_nothing_that_the_page_is_told_holds_the_token(make, box, wtml):
    token = box.token()
    widget = described(make(wtml, Constellations(box.api_url, auth=token)))
    publish(widget)
    told = json.dumps([widget.heard, widget.status, widget.state, widget._details({"row": 0})[0]])
    assert len(told) > 1000 and token not in told and token.split(".")[2] not in told


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        {"kind": "confirm"},
        {"kind": "choose", "rows": "all"},
        {"kind": "choose", "rows": [99, -1]},
        {"kind": "decide", "rows": [99]},
        {"kind": "copy", "path": "wwt.rotation"},
        {"kind": "host", "base": "javascript:alert(1)"},
        {"kind": "host", "base": "http://["},
        {"kind": "repeat", "what": "everything"},
        {"kind": "close"},
        {"kind": ["stop"]},
        {"kind": "stop"},
        {"kind": "resume"},
    ],
)
def test_messages_that_make_no_sense_do_nothing(make, message):
    widget = make([make_draft()])
    before = widget.drafts[0].values, rows(widget)
    widget._on_message(widget, message, [])
    assert (widget.drafts[0].values, rows(widget)) == before and widget.status["phase"] == "editing"


# Where drafts come from


def test_a_folder_of_wwt_data_formats_and_drafts_are_taken_and_others_are_told_what_is(make, wtml, client, box):
    from wwt_data_formats.folder import Folder

    assert len(make(Folder.from_text(wtml)).drafts) == 6
    draft = make_draft()
    assert make([draft, draft]).drafts == [draft]
    with pytest.raises(SourceError, match="not a int"):
        BatchPublisher([1, 2], client, box.handle)
    with pytest.raises(SourceError, match="There is no file"):
        BatchPublisher("nowhere.wtml", client, box.handle)
    with pytest.raises(TypeError, match="takes a client, not a str"):
        BatchPublisher([draft], "client", box.handle)
    with pytest.raises(InvalidError, match="is not a handle"):
        BatchPublisher([draft], client, " ")
    with pytest.raises(PublishError, match="threads"):
        BatchPublisher([draft], client, box.handle, threads=99)


# Shared fields


def test_what_all_images_have_in_common_is_there_and_each_field_is_copied_alone_to_the_chosen_rows(make, wtml):
    widget = make(wtml)
    widget.drafts[0].update(DESCRIBED)
    assert (widget.shared.permissions.copyright, widget.shared.wwt.projection) == (None, None)
    widget._on_message(
        widget, {"kind": "edit", "client": "p", "seq": 1, "changes": {"permissions.copyright": "Me", "note": "All"}}, []
    )
    say(widget, "choose", rows=[0, 1], on=False)
    say(widget, "copy", path="permissions.copyright")
    assert [draft.permissions.copyright for draft in widget.drafts] == ["Public domain", None, *["Me"] * 4]
    assert all(draft.note != "All" for draft in widget.drafts)
    say(widget, "undo")
    assert [draft.permissions.copyright for draft in widget.drafts] == ["Public domain", *[None] * 5]
    say(widget, "redo")
    assert widget.drafts[5].permissions.copyright == "Me"
    assert until(widget, lambda it: it["undo"])["undo"] == "Copyright of 4 images"


def test_a_value_that_the_server_would_refuse_is_not_copied(make, wtml):
    widget = make(wtml)
    widget.shared.permissions.license = "public domain"
    say(widget, "copy", path="permissions.license")
    assert {draft.permissions.license for draft in widget.drafts} == {None}


def test_the_fix_of_a_row_s_problem_mends_that_row(make, wtml):
    widget = described(make(wtml))
    for draft in widget.drafts[:2]:
        draft.wwt.projection = "Tangent"
    (problem,) = [it for it in widget._details({"row": 0})[0]["problems"] if it["field"] == "wwt.projection"]
    assert problem["fix"]
    say(widget, "fix_row", row=0, code=problem["code"], field=problem["field"])
    assert [draft.wwt.projection for draft in widget.drafts[:2]] == ["Tan", "Tangent"]


# Plan and batch


def test_the_plan_says_how_many_of_each_kind_and_nothing_else_is_sent(make, wtml, client):
    widget = described(make(wtml))
    widget.drafts[0].alt_text = ""
    widget.drafts[1].permissions.license = "bogus"
    client.add_image("sandbox", widget.drafts[2].submission())
    say(widget, "choose", rows=[5], on=False)
    review = reviewed(widget)
    kinds = {it["kind"]: it["count"] for it in review["kinds"]}
    assert kinds == {"publish": 2, "decide": 1, "skip": 1, "blocked": 1} and review["ready"] == 2
    assert states(widget) == ["undecided", "blocked", "skipped", "waiting", "waiting", "unplanned"]
    assert rows(widget)[0]["needs_review"] and rows(widget)[0]["reason"].startswith("Alt text: ")
    assert widget._details({"row": 0})[0]["why"] == []  # the problem says it
    assert "There already" in widget._details({"row": 2})[0]["why"][0]
    say(widget, "decide", rows=[0, 1, 2, 5], on=True)  # only one of these is to be decided
    assert until(widget, lambda it: it["review"]["ready"] == 3)
    say(widget, "confirm", ticket="another")
    say(widget, "confirm", ticket=review["ticket"])
    rest(widget, "ended")
    assert states(widget) == ["published", "blocked", "skipped", "published", "published", "unplanned"]
    assert [published(client, draft) for draft in widget.drafts] == [1, 0, 1, 1, 1, 0]


def test_how_far_a_plan_is_is_told_and_one_that_is_called_off_asks_no_more(make, wtml, monkeypatch):
    told, ended = threading.Event(), []

    def asked(*_arguments, on_progress, **_options):
        try:
            on_progress("web", 2_999, 3_000)
            assert told.wait(30)
            on_progress("web", 3_000, 3_000)
        except PublishError as error:
            ended.append(str(error))
            raise

    monkeypatch.setattr("constellations_widgets.widgets.batch.run.plan", asked)
    widget = make(wtml)
    say(widget, "review")
    until(widget, lambda status: "on the web: 2,999 of 3,000" in status["progress"])
    say(widget, "stop")
    told.set()
    assert rest(widget, "editing")["message"] == ""
    until(widget, lambda _status: ended == ["The check was cancelled."])


def test_a_confirmation_is_taken_once_however_often_it_comes(make, wtml, client):
    widget = described(make(wtml))
    ticket = reviewed(widget)["ticket"]
    threads = [threading.Thread(target=say, args=(widget, "confirm"), kwargs={"ticket": ticket}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rest(widget, "ended")
    say(widget, "confirm", ticket=ticket)
    assert once_each(client, widget) and len(widget.receipts) == 6


def test_a_change_takes_the_plan_back_and_what_was_sent_stays(make, wtml, client):
    widget = described(make(wtml))
    ticket = reviewed(widget)["ticket"]
    widget.drafts[0].note = "Another note"
    status = rest(widget, "editing")
    assert "check them again" in status["message"] and status["review"] is None and widget.batch is None
    say(widget, "confirm", ticket=ticket)
    assert rest(widget, "editing") and not any(published(client, draft) for draft in widget.drafts)


def test_what_a_colleague_published_during_the_review_is_not_published_again(make, wtml, client):
    widget = described(make(wtml))
    ticket = reviewed(widget)["ticket"]
    client.add_image("sandbox", widget.drafts[4].submission())
    twin = ImageDraft.from_submission(widget.drafts[5].submission(), autosave=False)
    receipt = publish_draft(twin, client, "sandbox", anyway=True)  # in another notebook of ours
    say(widget, "confirm", ticket=ticket)
    rest(widget, "ended")
    assert states(widget)[4:] == ["skipped", "published"] and once_each(client, widget)
    assert widget.drafts[5].receipt == receipt


def test_planning_can_be_stopped(make, wtml, monkeypatch):
    held = threading.Event()
    plan = batch_run.plan
    monkeypatch.setattr(batch_run, "plan", lambda *given, **options: (held.wait(20), plan(*given, **options))[1])
    widget = described(make(wtml))
    say(widget, "review")
    rest(widget, "planning")
    assert widget.copy_fields({"note": "x"}) == 0  # nothing changes under a plan's eyes
    say(widget, "stop")
    held.set()
    assert rest(widget, "editing")["review"] is None


def test_receipts_are_saved_of_all_rows_also_of_those_that_no_plan_holds(make, wtml, tmp_path):
    widget = described(make(wtml))
    say(widget, "choose", rows=[1, 2, 3, 4, 5], on=False)
    publish(widget)
    say(widget, "cancel")
    rest(widget, "editing")
    (tmp_path / "there").mkdir()
    json_file, csv_file = widget.save_receipts(tmp_path / "there")
    saved = json.loads(json_file.read_text())["rows"]
    assert [row["state"] for row in saved] == ["published", *["unplanned"] * 5]
    assert saved[0]["receipt"]["id"] == widget.receipts[0].id and saved[1]["receipt"] is None
    assert len(csv_file.read_text().splitlines()) == 7
    with pytest.raises(SourceError, match="nowhere"):
        widget.save_receipts(tmp_path / "nowhere")


def test_it_is_stopped_and_goes_on_and_its_receipts_are_saved(make, wtml, client, box, own_folder):
    widget = described(make(wtml, threads=1))
    box.faults.at_random(rate=1, seed=1, kinds=["delay"], seconds=0.3, **POST)
    say(widget, "confirm", ticket=reviewed(widget)["ticket"])
    until(widget, lambda it: it["sent"].get("published"))
    say(widget, "stop")
    status = rest(widget, "ended")
    assert status["sent"]["waiting"] > 0
    box.faults.clear()
    say(widget, "resume")
    assert rest(widget, "ended")["sent"] == {"published": 6} and once_each(client, widget)
    say(widget, "save")
    saved = [Path(name) for name in until(widget, lambda it: it["saved"])["saved"]]
    assert [path.parent for path in saved] == [own_folder] * 2
    ids = [receipt.id for receipt in widget.receipts]
    assert [row["receipt"]["id"] for row in json.loads(saved[0].read_text())["rows"]] == ids
    assert [row["id"] for row in csv.DictReader(saved[1].open())] == ids
    assert all(client.image(id).note == draft.note for id, draft in zip(ids, widget.drafts, strict=True))


def test_failed_rows_are_tried_again_alone(make, wtml, client, monkeypatch):
    def refuse(step, *arguments, **options):
        if step.name.endswith("-2"):
            raise PublishError("Not this one.")
        return publish_planned(step, *arguments, **options)

    publish_planned = batches.publish_planned
    monkeypatch.setattr(batches, "publish_planned", refuse)
    widget = described(make(wtml))
    assert publish(widget)["sent"] == {"published": 5, "failed": 1}
    assert rows(widget)[2]["reason"] == "Not this one."
    assert widget._details({"row": 2})[0]["why"] == ["Not this one."]
    monkeypatch.setattr(batches, "publish_planned", publish_planned)
    say(widget, "repeat", what="retry")
    assert rest(widget, "ended")["sent"] == {"published": 6} and once_each(client, widget)


def test_unclear_rows_are_checked_and_sent_again_only_on_request(make, box, client):
    with FaultyProxy(box, reset, commits=False) as proxy:
        widget = make([make_draft()], Constellations(proxy.url, auth=box.token()))
        assert publish(widget)["sent"] == {"unclear": 1}
        say(widget, "repeat", what="check")
        assert rest(widget, "ended")["sent"] == {"unclear": 1}
        assert published(client, widget.drafts[0]) == 0
        say(widget, "repeat", what="resend")
        assert rest(widget, "ended")["sent"] == {"published": 1}
    assert once_each(client, widget)


def test_a_server_that_is_gone_is_said_and_nothing_is_lost(make, wtml, box):
    other = Sandbox().start()
    widget = described(make(wtml, other.client()))
    say(widget, "review")
    rest(widget, "review")
    ticket, url = widget.status["review"]["ticket"], other.api_url
    other.close()
    say(widget, "confirm", ticket=ticket)
    status = rest(widget, "ended")
    assert url.removeprefix("http://") in status["message"] and status["sent"] == {"waiting": 6}
    say(widget, "cancel")
    assert widget.drafts[0].permissions.license == "CC-PDDC"


# Cells that are run again, kernels that end


def test_a_cell_that_is_run_again_shows_the_batch_that_is_under_way(make, wtml, client, box):
    first = described(make(wtml, threads=2))
    box.faults.at_random(rate=1, seed=1, kinds=["delay"], seconds=0.3, **POST)
    say(first, "confirm", ticket=reviewed(first)["ticket"])
    until(first, lambda it: it["sent"].get("sending"))
    again = make(wtml)
    assert again.drafts == first.drafts and until(again, lambda it: it["continued"])["phase"] == "sending"
    say(again, "review")
    say(again, "stop")  # it is the same batch
    assert rest(first, "ended")["sent"]["waiting"] > 0
    box.faults.clear()
    say(again, "resume")
    rest(again, "ended")
    assert once_each(client, again)


def test_another_kernel_knows_what_was_published_and_offers_what_was_typed(make, wtml, client, box, state):
    first = described(make(wtml))
    say(first, "choose", rows=[3, 4, 5], on=False)
    publish(first)
    receipts = [receipt.id for receipt in first.receipts]
    first._run.edits._file.flush()  # as at the end of a kernel
    again = make(wtml)
    until(again, lambda it: it["counts"].get("published") == 3)  # nothing was asked of the server
    assert [receipt.id for receipt in again.receipts] == receipts
    assert [draft.locked for draft in again.drafts] == [True] * 3 + [False] * 3
    earlier = again.status["earlier"]
    assert earlier["count"] == 3 and "License" in earlier["fields"]
    say(again, "restore")
    assert [draft.permissions.license for draft in again.drafts[3:]] == ["CC-PDDC"] * 3
    review = reviewed(again)
    assert review["ready"] == 3
    say(again, "confirm", ticket=review["ticket"])
    rest(again, "ended")
    assert once_each(client, again) and len(again.receipts) == 6
    assert not list((state / "batches").glob("*.json"))  # nothing is left to be offered
    assert make(wtml).status["earlier"] is None


def test_an_attempt_that_a_killed_kernel_left_is_looked_for_before_anything_is_sent(make, wtml, client, box):
    body = described(make(wtml)).drafts[0].submission()
    journal, url = Journal(), body.storage.legacy_url_template
    attempt = journal.claim(box.api_url, box.handle, url, body.to_json())
    client.add_image(box.handle, body)
    journal.unclear(attempt.key, "The program that sent it ended before the answer came.")
    again = make(wtml)
    assert until(again, lambda it: it["counts"].get("unclear") == 1)
    assert "may have succeeded" in rows(again)[0]["reason"]
    assert [it["kind"] for it in reviewed(described(again))["kinds"]] == ["publish", "check"]
    publish(again)
    assert once_each(client, again)


class SlowJournal(Journal):
    """A journal on a busy disk: nothing is found in it before `may_read` is set."""

    def __init__(self):
        super().__init__()
        self.is_reading, self.may_read = threading.Event(), threading.Event()

    def related(self, *wanted):
        found = super().related(*wanted)
        self.is_reading.set()
        assert self.may_read.wait(60)
        return found


def test_a_row_becomes_unclear_however_late_the_journal_is_read(make, wtml, client, box):
    """A busy disk can answer after the rows were shown; nothing else changes the row then."""
    first, journal = described(make(wtml)), SlowJournal()
    body = first.drafts[2].submission()
    attempt = journal.claim(box.api_url, box.handle, body.storage.legacy_url_template, body.to_json())
    journal.unclear(attempt.key, "The program that sent it ended before the answer came.")
    again = make(wtml, journal=journal)
    until(again, lambda it: sum(it["counts"].values()) == 6)
    assert "unclear" not in again.status["counts"]
    journal.may_read.set()
    assert until(again, lambda it: it["counts"].get("unclear") == 1)
    assert states(again)[2] == "unclear"


def test_what_the_journal_says_of_an_address_that_was_changed_meanwhile_is_not_used(make, box, client):
    bodies, journal = [make_draft().submission() for _ in range(2)], SlowJournal()
    drafts = [ImageDraft.from_submission(body, autosave=False) for body in bodies for _ in range(2)]
    for draft in drafts[::2]:
        publish_draft(draft, client, box.handle, journal=Journal())
    widget = make(drafts[1::2], journal=journal)
    assert journal.is_reading.wait(60)
    widget.drafts[0]["storage.legacy_url_template"] = make_draft()["storage.legacy_url_template"]
    journal.may_read.set()
    assert until(widget, lambda it: it["counts"].get("published") == 1)
    assert [bool(draft.receipt) for draft in widget.drafts] == [False, True]


def test_a_row_is_unclear_no_longer_once_its_attempt_was_abandoned(make, wtml, client, box):
    first, journal = described(make(wtml)), Journal()
    for draft in (first.drafts[2], make_draft()):
        body = draft.submission()
        attempt = journal.claim(box.api_url, box.handle, body.storage.legacy_url_template, body.to_json())
        journal.unclear(attempt.key, "The program that sent it ended before the answer came.")
    again = make(wtml)
    until_left(again, "offer")
    assert until(again, lambda it: it["counts"].get("unclear") == 1)
    time.sleep(0.06)  # SETTLING_TIME
    say(again, "abandon")
    assert until(again, lambda it: it["counts"].get("unclear", 0) == 0)
    assert states(again)[2] == "invalid"


def test_who_looks_for_what_was_left_open_beside_the_rows_finds_their_own_too(make, wtml, client, box):
    first, journal = described(make(wtml)), Journal()
    for draft in (first.drafts[2], make_draft()):
        body = draft.submission()
        attempt = journal.claim(box.api_url, box.handle, body.storage.legacy_url_template, body.to_json())
        image_id = client.add_image(box.handle, body).id
        journal.unclear(attempt.key, "The program that sent it ended before the answer came.")
    again = make(wtml)
    until_left(again, "offer")
    assert again.receipts == []
    say(again, "reconcile")
    until(again, lambda it: it["counts"].get("published") == 1)
    assert states(again)[2] == "published" and again.receipts[0].id != image_id
    assert published(client, again.drafts[2]) == 1


def test_what_is_started_afresh_is_not_offered_again(make, wtml):
    first = make(wtml)
    first.copy_fields({"note": "Typed"})
    first._run.edits._file.flush()
    again = make(wtml)
    assert until(again, lambda it: it["earlier"])["earlier"]["count"] == 6
    say(again, "discard")
    assert until(again, lambda it: it["earlier"] is None)
    assert all(draft.note != "Typed" for draft in again.drafts)


def test_a_closed_widget_hears_of_nothing(make):
    draft = make_draft()
    widget = make([draft])
    widget.close()
    widget.heard.clear()
    draft.note = "Another"
    time.sleep(0.3)
    assert widget.heard == []


def test_the_autosave_of_single_drafts_is_left_to_those_who_gave_them(make, wtml, state):
    widget = described(make(wtml))
    widget._run.edits._file.flush()
    assert not (state / "drafts").exists()
    assert len(list((state / "batches").iterdir())) == 1
    assert isinstance(widget.drafts[0], ImageDraft) and widget.drafts[0].earlier == []


def test_what_was_left_open_beside_its_own_rows_is_offered_and_looked_for(make, wtml, box, client):
    journal = Journal()
    for draft in (*ImageDraft.all_from_wtml(wtml, autosave=False)[:1], other := make_draft()):
        draft.update(DESCRIBED)
        body = draft.submission().to_json()
        attempt = journal.claim(client.api_url, box.handle, draft["storage.legacy_url_template"], body)
        journal.unclear(attempt.key, "killed")
    id = client.add_image(box.handle, other.submission()).id
    widget = make(wtml)
    until_left(widget, "offer")
    assert (widget.pending_attempts["count"], widget.pending_attempts["items"][0]["name"]) == (1, other.note)
    widget._on_message(widget, {"kind": "reconcile"}, [])
    until_left(widget, "done")
    assert {item["id"] for item in widget.pending_attempts["items"]} == {id, ""}


def until_left(widget: BatchPublisher, phase: str) -> None:
    deadline = time.monotonic() + 120
    while widget.pending_attempts["phase"] != phase or widget._pending.worker.busy:
        assert time.monotonic() < deadline, widget.pending_attempts
        time.sleep(0.01)


def test_files_are_uploaded_before_the_plan_is_made(make, box, own_folder):
    """An image that could not be uploaded keeps its relative address, so that it is not published."""
    drafts = []
    for number in range(3):
        Image.new("RGB", (40, 30), (number, 0, 0)).save(own_folder / f"field{number}.png")
        draft = ImageDraft.from_image(own_folder / f"field{number}.png", center=(1, 2), width=0.2, autosave=False)
        draft.update(DESCRIBED | {"note": f"Field {number}"})
        drafts.append(draft)
    (own_folder / "field1.png").unlink()
    widget = make(drafts, host=box)
    say(widget, "review")
    status = until(widget, lambda now: now["phase"] == "review")
    assert "1 of 3 images were not uploaded. field1" in status["message"]
    assert [str(draft["storage.legacy_url_template"]).startswith(box.uploads_url) for draft in drafts] == [
        True,
        False,
        True,
    ]
    states = [widget._run.state_of(number)[0] for number in range(3)]
    assert states == ["waiting", "blocked", "waiting"]
    say(widget, "decide", rows=[0, 2], on=True)
    say(widget, "confirm", ticket=status["review"]["ticket"])
    until(widget, lambda now: now["phase"] == "ended")
    assert [bool(draft.receipt) for draft in drafts] == [True, False, True]


# A folder and a table


@pytest.fixture
def folder(own_folder, request):
    pictures = own_folder / "pictures"
    pictures.mkdir()
    for number in range(3):
        Image.new("RGB", (40 + number, 30), "navy").save(pictures / f"{request.node.name}-{number}.png")
    (pictures / "broken.png").write_bytes(b"?")
    return pictures


def test_a_table_is_shown_before_it_is_applied_and_undone_as_one_step(make, folder, request):
    rows = ["file;title;weather;ra;dec"] + [f"{request.node.name}-{n};Title {n};fine;202,{n};47,5" for n in range(2)]
    (folder / "metadata.csv").write_text("\n".join([*rows, "nowhere.png;x;;;", ""]))
    widget = make(folder, metadata=folder / "metadata.csv")
    assert [draft.note for draft in widget.drafts] == [f"{request.node.name}-{n}" for n in range(3)]  # not applied
    shown = widget.metadata
    assert [(it["header"], it["field"]) for it in shown["columns"]][:3] == [
        ("file", "File"),
        ("title", "Title (public)"),
        ("weather", ""),
    ]
    assert shown["count"] == 2 and not shown["applied"]
    text = "\n".join(shown["remarks"])
    for part in (
        "broken.png was skipped",
        "“weather” is not used",
        "Row 4 is not used",
        f"{request.node.name}-2.png has no row",
    ):
        assert part in text
    say(widget, "apply_metadata")
    assert [draft.note for draft in widget.drafts[:2]] == ["Title 0", "Title 1"] and widget.drafts[
        1
    ].wwt.center_x == 202.1
    assert widget.metadata["applied"] and until(widget, lambda status: status["undo"])["undo"].startswith(
        "Table metadata.csv"
    )
    say(widget, "undo")
    assert widget.drafts[0].note == f"{request.node.name}-0" and widget.drafts[0].wwt.center_x is None
    assert widget.apply_metadata() == 2


def test_a_row_opens_its_form_which_closes_with_the_table(make, folder):
    from constellations_widgets.widgets.form import ImageForm

    widget = make(folder)
    assert widget.status["edited"] is None
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    box = widget._row_form.box
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == box.model_id
    assert until(widget, lambda status: status["edits"])
    say(widget, "edit_row", row=1)
    first = box.children[1]
    assert isinstance(first, ImageForm) and until(widget, lambda status: status["edited"] == 1)
    first._on_message(first, {"kind": "edit", "changes": {"alt_text": "Typed"}, "client": "c", "seq": 1}, [])
    assert widget.drafts[1].alt_text == "Typed"
    form = widget.edit(2)
    assert box.children == (widget, form) and first.comm is None
    with pytest.raises(ConstellationsError, match="Unknown row 99"):
        widget.edit(99)
    assert widget._row_form.row == 2
    say(widget, "edit_row", row=None)
    assert box.children == (widget,) and form.comm is None


def test_edits_in_a_form_of_a_row_outlive_the_kernel(make, folder):
    widget = make(folder)
    form = widget.edit(0)
    form._on_message(form, {"kind": "edit", "changes": {"alt_text": "Typed"}, "client": "c", "seq": 1}, [])
    flush_all()
    again = make(folder)
    assert again.status["earlier"]["count"] == 1
    say(again, "restore")
    assert again.drafts[0].alt_text == "Typed"
