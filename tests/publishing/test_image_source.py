"""What was published from a file is known when the file comes again, whatever the address of its image."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from publishing.conftest import MadeUpWeb, make_draft, picture

from constellations_widgets import ImageDraft, history
from constellations_widgets.api.web import ProbeResult
from constellations_widgets.errors import JournalError, PublishError
from constellations_widgets.publishing import Journal, database_file, plan, publish_all, publish_draft
from constellations_widgets.publishing.image_source import ImageSource

_WTML = """<Folder Name="two">{}</Folder>"""
_IMAGE = (
    '<ImageSet Name="{name}" Url="{name}.png" DataSetType="Sky" Projection="SkyImage" CenterX="202.5" CenterY="47.2" '
    'BaseDegreesPerTile="0.0001" FileType=".png" TileLevels="0" BottomsUp="False" OffsetX="32" OffsetY="32"><Credits>NOIRLab</Credits></ImageSet>'
)


def complete(draft: ImageDraft, address: str) -> ImageDraft:
    """Describe a draft so that nothing else speaks against publishing it."""
    values = {path: value for path, value in make_draft().values.items() if not path.startswith("wwt.")}
    thumbnail = {"wwt.thumbnail_url": "https://example.org/thumbnail.jpg"}
    draft.update({**values, **thumbnail, "storage.legacy_url_template": f"https://example.org/{address}"})
    return draft


class WebOfAnySize(MadeUpWeb):
    """Has images in a format whose size is not read, so that each may be that of the file."""

    image = picture(96, 45, "WEBP")

    def probe(self, url: str, enough, *, private: bool) -> ProbeResult:
        if "thumbnail" in url:
            return super().probe(url, enough, private=private)
        return ProbeResult(status=200, content_type="image/webp", shared=True, content=self.image)


@pytest.fixture(autouse=True)
def web_of_any_size(made_up_web, monkeypatch):
    monkeypatch.setattr("constellations_widgets.publishing.probes.WebProber", WebOfAnySize)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "m51.jpg"
    path.write_bytes(picture(640, 480))
    return path


def from_file(path, address: str) -> ImageDraft:
    return complete(ImageDraft.from_image(path, center=(202.5, 47.2), width=0.2, autosave=False), address)


def only(steps):
    (step,) = steps
    return step


def test_a_file_that_was_published_needs_a_decision_under_another_address(client, box, file):
    receipt = publish_draft(from_file(file, "a.jpg"), client, box.handle)
    step = only(plan(from_file(file, "b.jpg"), client, box.handle))
    assert step.decision == "decide"
    assert step.reasons[0].startswith("You published this file on 20") and receipt.id in step.reasons[0]
    assert "changed" not in step.reasons[0] and " then" not in step.reasons[0]
    with pytest.raises(PublishError, match=r"needs a decision(.|\n)*You published this file"):
        publish_draft(from_file(file, "b.jpg"), client, box.handle)
    assert publish_draft(from_file(file, "b.jpg"), client, box.handle, anyway=True).id != receipt.id
    assert [attempt.image_id for attempt in history(source=file)][1] == receipt.id
    assert len(history(source=from_file(file, "c.jpg"), limit=1)) == 1 and history(source=file.with_name("x.jpg")) == []


def test_a_file_that_was_changed_is_said_to_have_changed(client, box, file):
    publish_draft(from_file(file, "changed-a.jpg"), client, box.handle)
    file.write_bytes(picture(640, 481))
    assert "The file has changed since." in only(plan(from_file(file, "changed-b.jpg"), client, box.handle)).reasons[0]


def test_a_file_that_was_moved_is_recognized_by_its_content(client, box, file, tmp_path):
    publish_draft(from_file(file, "moved-a.jpg"), client, box.handle)
    moved = file.rename(tmp_path / "renamed.jpg")
    (reason,) = only(plan(from_file(moved, "moved-b.jpg"), client, box.handle)).reasons
    assert f"It was {file} then." in reason
    assert len(history(source=moved)) == 1


def test_another_file_the_same_address_and_another_server_raise_no_such_doubt(client, box, file, tmp_path):
    publish_draft(from_file(file, "other-a.jpg"), client, box.handle)
    other = tmp_path / "other.jpg"
    other.write_bytes(picture(320, 240))
    assert only(plan(from_file(other, "other-b.jpg"), client, box.handle)).decision == "publish"
    same = only(plan(from_file(file, "other-a.jpg"), client, box.handle))
    assert same.decision == "skip" and not any("You published" in reason for reason in same.reasons)
    assert Journal().published_from("https://api.example", [ImageSource.of(from_file(file, "x.jpg"))]) == [[]]


def test_each_image_of_a_wtml_is_a_source_of_its_own(client, box, tmp_path):
    wtml = tmp_path / "two.wtml"
    wtml.write_text(_WTML.format(_IMAGE.format(name="one") + _IMAGE.format(name="two")))
    for name in ("one", "two"):
        (tmp_path / f"{name}.png").write_bytes(picture(64, 64, "PNG"))
    first, _second = ImageDraft.all_from_wtml(wtml, autosave=False)
    publish_draft(complete(first, "wtml-1.png"), client, box.handle)
    again = [complete(it, f"wtml-{n}b.png") for n, it in enumerate(ImageDraft.all_from_wtml(wtml, autosave=False))]
    steps = plan(again, client, box.handle)
    assert [step.decision for step in steps] == ["decide", "publish"]
    assert "this image" in steps[0].reasons[0]
    # In another file, at another place in it, and saved and loaded as a draft.
    moved = tmp_path / "elsewhere.wtml"
    moved.write_text(_WTML.format(_IMAGE.format(name="two") + "\n " + _IMAGE.format(name="one")))
    drafts = [complete(it, f"wtml-{n}c.png") for n, it in enumerate(ImageDraft.all_from_wtml(moved, autosave=False))]
    drafts = [ImageDraft.load(it.save(tmp_path / f"{n}.json"), autosave=False) for n, it in enumerate(drafts)]
    assert [step.decision for step in plan(drafts, client, box.handle)] == ["publish", "decide"]
    # Tiles of another picture under the same description are another image.
    (tmp_path / "one.png").write_bytes(picture(65, 64, "PNG"))
    reasons = plan([complete(ImageDraft.from_wtml(wtml, 0, autosave=False), "d.png")], client, box.handle)[0].reasons
    assert "The image has changed since." in reasons[0]


def test_a_batch_leaves_files_that_were_published_or_come_twice_to_a_decision(client, box, file, tmp_path):
    publish_draft(from_file(file, "batch-a.jpg"), client, box.handle)
    new = tmp_path / "new.jpg"
    new.write_bytes(picture(100, 100))
    drafts = [from_file(file, "batch-b.jpg"), from_file(new, "batch-c.jpg"), from_file(new, "batch-d.jpg")]
    batch = publish_all(drafts, client, box.handle)
    assert [row.state for row in batch.rows] == ["undecided", "published", "undecided"]
    assert "You published this file" in batch.rows[0].reason and "Made from the same file" in batch.rows[2].reason


def test_an_attempt_that_may_have_succeeded_counts_and_a_refused_one_does_not(client, box, file, journal):
    for outcome, decision in (("refused", "publish"), ("unclear", "decide")):
        draft = from_file(file, f"{outcome}.jpg")
        body, url = draft.submission().to_json(), draft.storage.legacy_url_template
        key = journal.claim(client.api_url, box.handle, url, body, source=ImageSource.of(draft)).key
        getattr(journal, outcome)(key, "No answer.")
        step = only(plan(from_file(file, f"after-{outcome}.jpg"), client, box.handle))
        assert step.decision == decision
    assert "You may have published this file" in step.reasons[0]


def test_large_files_are_sampled_and_unreadable_ones_have_no_digest(tmp_path):
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(3 << 20))
    before = ImageSource.of_file(large)
    with large.open("r+b") as file:
        file.seek((3 << 20) - 1)
        file.write(b"x")
    assert before.digest and ImageSource.of_file(large).digest not in ("", before.digest)
    assert ImageSource.of_file(tmp_path / "none.jpg").digest == ""


def test_an_address_is_recorded_without_what_may_be_secret():
    source = ImageSource.of_file("https://me:pass@example.org/a.wtml?token=secret#1")
    assert source.origin.startswith("https://example.org/a.wtml?sha256=") and source.origin.endswith("#1")


def test_a_journal_of_the_version_before_is_migrated(tmp_path, client, box, file):
    folder = tmp_path / "old"
    folder.mkdir()
    shutil.copy(Path(__file__).parents[1] / "data" / "journal_version_3.sqlite3", folder / "journal.sqlite3")
    journal = Journal(folder)
    assert [(attempt.note, attempt.state) for attempt in journal.attempts()] == [
        ("M 101", "unclear"),
        ("M 51", "published"),
    ]
    draft = from_file(file, "old.jpg")
    publish_draft(draft, client, box.handle, journal=journal)
    found = journal.published_from(client.api_url, [ImageSource.of(draft)])[0]
    assert [earlier.attempt.image_id for earlier in found] == [draft.receipt.id]
    assert len(journal.attempts()) == 3
    journal.close()
    with sqlite3.connect(folder / "journal.sqlite3") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(database_file._VERSIONS),)
    db.close()


def test_a_journal_of_a_newer_version_is_refused(tmp_path):
    Journal(tmp_path / "journal").claim("https://x.org", "me", "u", b"{}")
    shutil.copytree(tmp_path / "journal", tmp_path / "newer")
    with sqlite3.connect(tmp_path / "newer" / "journal.sqlite3") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalError, match="newer version of constellations_widgets"):
        Journal(tmp_path / "newer").claim("https://x.org", "me", "v", b"[]")
