"""A published image, edited and saved, against the sandbox over a socket."""

from __future__ import annotations

import threading

import httpx
import pytest
from api.conftest import make_submission

import constellations_widgets as cxw
from constellations_widgets import PublishedImage
from constellations_widgets.api import Constellations
from constellations_widgets.api.retries import Retries
from constellations_widgets.errors import UnclearError
from constellations_widgets.publishing.save_report import Saved

NOWHERE = "0" * 24
CREDITS = '<a href="https://noirlab.edu" title="NOIRLab">NOIRLab</a>'


@pytest.fixture
def receipt(client, box):
    permissions = {"copyright": "Copyright 2020 A", "license": "CC-BY-4.0", "credits": "NOIRLab"}
    return client.add_image(box.handle, make_submission(permissions=permissions))


@pytest.fixture
def image(client, receipt):
    return PublishedImage(client, receipt)


@pytest.fixture
def other(client, receipt):
    """The same image in another notebook of its owner."""
    return PublishedImage(client, receipt.id)


def add_unchecked(box, **changes) -> str:
    """What other programs publish; gives the id."""
    body = make_submission().to_request()
    body["permissions"] |= changes.pop("permissions", {})
    auth = {"Authorization": f"Bearer {box.token()}"}
    return httpx.post(f"{box.api_url}/handle/{box.handle}/image", json=body | changes, headers=auth).json()["id"]


def codes(image: PublishedImage, field: str) -> dict[str, str]:
    return {problem.code: problem.severity for problem in image.problems if problem.field == field}


class TestReading:
    def test_it_shows_what_the_server_has(self, client, receipt):
        for what in (
            receipt,
            receipt.id,
            client.image(receipt.id),
            client.find_images(receipt.body["storage"]["legacy_url_template"])[0],
        ):
            image = PublishedImage(client, what)
            assert (image.wwt.center_x, image.alt_text) == (202.47, "A spiral galaxy seen from above.")
            assert image.name == image.note and image.handle == receipt.handle
            assert image.changes == {} and not image.locked
        assert httpx.get(image.record_url).json()["id"] == image.id
        assert httpx.get(image.wtml_url).status_code == 200

    def test_it_can_be_looked_at_and_be_the_beginning_of_another(self, image, receipt):
        preview = cxw.Preview(image)
        assert preview._on_open({})[0]["imageset"]["center_x"] == receipt.body["wwt"]["center_x"]
        assert image.receipt is image.record and image.local is None
        preview.close()
        assert image.draft().submission().to_request()["wwt"] == receipt.body["wwt"]

    def test_its_place_and_its_files_are_fixed(self, image):
        for group, name in ((image.wwt, "rotation"), (image.storage, "legacy_url_template")):
            before = getattr(group, name)
            with pytest.raises(cxw.InvalidError, match=f"{name} can't be changed"):
                setattr(group, name, 3)
            assert getattr(group, name) == before
        with pytest.raises(cxw.InvalidError, match=r"wwt\.rotation can't"):
            image.update({"note": "not this either", "wwt.rotation": 3})
        image.edit({"wwt.rotation": 3})  # a page that tries it
        assert image.changes == {} and image.wwt.rotation == 12.5

    def test_who_may_not_change_it_is_told_before_typing(self, box, receipt):
        for auth in (box.token(account="somebody else"), None):
            with Constellations(box.api_url, auth) as stranger:
                image = PublishedImage(stranger, receipt.id)
                assert image.locked and not image.may_edit
                image.note = "Mine"
                with pytest.raises(cxw.ForbiddenError):
                    image.save()
                assert not image.saved and image.changes["note"].after == "Mine"

    @pytest.mark.parametrize(
        ("what", "error"),
        [(NOWHERE, cxw.NotFoundError), ("not an id", cxw.InvalidError), (7, TypeError), (None, TypeError)],
    )
    def test_what_is_none_is_refused(self, client, what, error):
        with pytest.raises(error):
            PublishedImage(client, what)

    def test_a_receipt_of_another_api_is_refused(self, client, receipt):
        elsewhere = receipt.model_copy(update={"api_url": "https://api.worldwidetelescope.org"})
        with pytest.raises(cxw.PublishError, match="receipt is one of https://api.worldwidetelescope.org"):
            PublishedImage(client, elsewhere)
        with pytest.raises(TypeError, match="takes a client"):
            PublishedImage("https://api.worldwidetelescope.org", receipt)

    def test_no_network_is_said(self, receipt):
        far = Constellations("http://127.0.0.1:9", "token", retries=Retries(tries=1))
        with far, pytest.raises(cxw.NotSentError):
            PublishedImage(far, receipt.id)


class TestProblems:
    def test_they_are_those_of_a_draft_in_the_fields_that_can_be_changed(self, image):
        image.permissions.license = "mitt"
        assert codes(image, "permissions.license") == {"CXW401": "error"}
        image.permissions.license = "CC0-1.0"
        assert "error" not in codes(image, "permissions.license").values()

    def test_what_nobody_can_mend_any_more_is_not_said(self, client, box):
        body = make_submission().to_request()
        wwt = body["wwt"] | {"projection": "Tangent", "tile_levels": -1}
        image = PublishedImage(client, add_unchecked(box, wwt=wwt, storage={}))
        assert {problem.field for problem in image.problems} <= {"note", "alt_text", "permissions.credits"}

    @pytest.mark.parametrize("field", ["note", "alt_text"])
    def test_a_text_that_the_server_would_not_empty_is_an_error_with_a_way_back(self, image, field):
        before = image[field]
        image[field] = ""
        problem = next(problem for problem in image.problems if problem.code == "CXW903")
        with pytest.raises(cxw.DraftError, match="can't be emptied") as caught:
            image.save()
        assert caught.value.problems == [problem]
        image.apply(problem)
        assert image[field] == before and image.changes == {}

    def test_what_the_server_has_already_stands_in_nobodys_way(self, client, box):
        image = PublishedImage(client, add_unchecked(box, note="x" * 600, permissions={"copyright": ""}))
        assert codes(image, "note") == {"CXW108": "warning", "CXW602": "info"}
        image.alt_text = "Seen anew"
        image.permissions.license = "MIT"
        assert image.save().complete
        image.note = "y" * 600
        with pytest.raises(cxw.DraftError, match="600 characters long"):
            image.save()


class TestSaving:
    def test_it_tells_field_by_field_and_has_nothing_left_to_save(self, client, image):
        image.update({"note": "M 51b", "permissions.license": "cc0-1.0", "permissions.copyright": "Public domain"})
        saved = image.save()
        assert [(it.field, it.before, it.now, it.made) for it in saved] == [
            ("note", "M 51 – the Whirlpool galaxy", "M 51b", True),
            ("permissions.copyright", "Copyright 2020 A", "Public domain", True),
            ("permissions.license", "CC-BY-4.0", "CC0-1.0", True),
        ]
        assert "License: changed from 'CC-BY-4.0' to 'CC0-1.0'" in str(saved)
        record = client.image(image.id)
        assert (record.note, record.permissions.credits) == ("M 51b", "NOIRLab")
        assert image.record == record and image.changes == {} and image.save() == Saved()

    def test_what_became_of_it_is_a_table_in_a_notebook(self, image):
        image.note = "<b>M 51</b>"
        table = image.save()._repr_html_()
        assert "&lt;b&gt;M 51&lt;/b&gt;" in table and "<b>" not in table and "changed" in table
        assert "Nothing was to be changed" in image.save()._repr_html_()

    def test_only_what_has_changed_is_sent_but_all_of_the_permissions(self, box, receipt):
        sent = []

        class Noting(httpx.HTTPTransport):
            def handle_request(self, request):
                sent.append((request.method, request.read()))
                return super().handle_request(request)

        with Constellations(box.api_url, box.token(), transport=Noting()) as client:
            image = PublishedImage(client, receipt)
            image.alt_text = "Two arms"
            image.save()
            image.permissions.copyright = "B"
            image.save()
        assert [body for method, body in sent if method == "PATCH"] == [
            b'{"alt_text":"Two arms"}',
            b'{"permissions":{"copyright":"B","license":"CC-BY-4.0","credits":"NOIRLab"}}',
        ]

    def test_credits_that_nobody_touched_are_not_cleaned_and_no_change(self, client, box):
        image = PublishedImage(client, add_unchecked(box, permissions={"credits": CREDITS}))
        assert image.changes == {} and "CXW502" not in codes(image, "permissions.credits")
        image.permissions.license = "MIT"
        assert [it.field for it in image.save()] == ["permissions.license"]
        assert "title=" in image.permissions.credits and image.changes == {}
        image.permissions.credits += "<script>x</script>"
        assert "CXW502" in codes(image, "permissions.credits")
        assert image.save().complete
        assert image.permissions.credits == '<a href="https://noirlab.edu">NOIRLab</a>' and image.changes == {}

    def test_credits_can_be_cleared(self, client, image):
        image.permissions.credits = ""
        assert image.save()[0].now == ""
        assert client.image(image.id).permissions.credits is None

    def test_what_was_typed_while_it_was_saved_is_still_to_be_saved(self, image):
        image.note = "first"
        image.on_change(
            lambda _image, paths: setattr(image, "note", "second") if image._saving and "locked" in paths else None
        )
        assert image.save()[0].now == "first"
        assert image.changes["note"] == ("first", "second")

    def test_observers_hear_of_the_beginning_and_the_end(self, image):
        heard = []
        image.on_change(lambda it, paths: heard.append((sorted(paths), it.locked)))
        image.alt_text = "new"
        image.save()
        assert heard == [(["alt_text"], False), (["locked"], True), (["record"], True), ([], True), (["locked"], False)]


class TestSomebodyElse:
    def test_their_change_is_shown_beside_ours_and_written_over_only_when_asked_again(self, image, other):
        image.update({"note": "mine", "alt_text": "mine too"})
        other.update({"note": "theirs", "permissions.license": "MIT"})
        other.save()
        with pytest.raises(cxw.ConflictError, match="note changed on the server"):
            image.save()
        assert image.changes["note"] == ("theirs", "mine")
        assert image.permissions.license == "MIT"  # was not changed here, and follows
        assert other.reload() == []
        assert image.save().complete
        assert other.reload() == ["note", "alt_text"] and other.note == "mine"

    def test_theirs_can_be_taken(self, image, other):
        image.note, other.note = "mine", "theirs"
        other.save()
        with pytest.raises(cxw.ConflictError):
            image.save()
        image.revert()
        assert (image.note, image.changes) == ("theirs", {})

    def test_reading_anew_keeps_what_is_not_saved(self, image, other):
        image.note = "mine"
        other.update({"note": "theirs", "alt_text": "theirs"})
        other.save()
        assert image.reload() == ["note", "alt_text"]
        assert (image.note, image.alt_text, list(image.changes)) == ("mine", "theirs", ["note"])

    def test_two_threads_save_one_after_the_other(self, image, client):
        image.note = "once"
        found = []
        threads = [threading.Thread(target=lambda: found.append(image.save())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(len, found)) == [0, 0, 0, 1] and client.image(image.id).note == "once"


class TestFaults:
    @pytest.fixture(autouse=True)
    def all_is_well_afterwards(self, box):
        yield
        box.faults.clear()

    @pytest.mark.parametrize("kind", ["reset_after_commit", "error_after_commit", "truncated", "too_many_requests"])
    def test_a_lost_answer_is_settled_by_looking(self, box, image, kind):
        image.note = kind
        box.faults.next(kind, method="PATCH", seconds=0)
        assert image.save()[0].made and image.changes == {}

    @pytest.mark.parametrize("kind", ["reset_before_read", "unavailable"])
    def test_a_change_that_was_not_made_is_said_at_its_field_and_can_be_saved_again(self, box, image, kind):
        image.note = kind
        box.faults.next(kind, method="PATCH")
        with pytest.raises(cxw.UnclearError):
            image.save()
        assert image.saved is not None and not image.saved.complete
        assert "Title (public): NOT changed. It is still 'M 51" in str(image.saved)
        assert codes(image, "note")["CXW904"] == "warning" and not image.locked
        assert image.save().complete
        assert "CXW904" not in codes(image, "note")

    def test_an_expired_token_changes_nothing(self, box, image):
        image.note = "never"
        box.faults.next("token_expired", method="PATCH", times=2)
        with pytest.raises(cxw.SignInError):
            image.save()
        assert image.changes["note"].after == "never" and image.saved is None

    def test_a_server_that_is_gone_after_the_change_is_unclear(self, box, image, monkeypatch):
        image.note = "was it?"
        look = image.client.image
        looks = iter([look])

        def fails(id):
            found = next(looks, None)
            if found is None:
                raise cxw.NotSentError("can't be reached")
            return found(id)

        monkeypatch.setattr(image.client, "image", fails)
        with pytest.raises(cxw.UnclearError, match="could not be checked"):
            image.save()
        assert image.saved is None and image.changes
        monkeypatch.undo()
        assert image.reload() == ["note"] and image.changes == {}

    def test_a_value_that_the_server_refuses_is_said_at_its_field(self, image, monkeypatch):
        def refuses(call):
            raise cxw.InvalidError("Invalid input `alt_text`: too long", status=400)

        monkeypatch.setattr(
            image.client._transport,
            "json",
            lambda call, real=image.client._transport.json: refuses(call) if call.method == "PATCH" else real(call),
        )
        image.update({"note": "fine", "alt_text": "x"})
        with pytest.raises(cxw.InvalidError):
            image.save()
        assert codes(image, "alt_text")["CXW904"] == "error" and "CXW904" not in codes(image, "note")
        image.alt_text = "y"
        assert "CXW904" not in codes(image, "alt_text")


class TestAnotherKernel:
    """What was changed and not saved is on disk, for the kernel after this one."""

    def test_it_finds_what_an_earlier_one_left_unsaved(self, client, receipt, image):
        image.update({"note": "an hour of work", "permissions.copyright": "Copyright 2026 B"})
        image._unsaved._file.flush()
        again = PublishedImage(client, receipt)
        assert len(again.earlier) == 1 and again.changes == {}
        again.restore()
        assert again.changes == image.changes and len(again.changes) == 2
        assert again.earlier  # kept until it is saved: this kernel may end, too

    @pytest.mark.parametrize("end", [PublishedImage.save, PublishedImage.revert])
    def test_it_finds_nothing_where_all_was_saved_or_undone(self, client, receipt, image, end):
        image.note = "an hour of work"
        image._unsaved._file.flush()
        end(image)
        image._unsaved._file.flush()
        again = PublishedImage(client, receipt)
        assert again.earlier == []
        with pytest.raises(cxw.SourceError, match="no earlier changes"):
            again.restore()

    def test_an_image_that_is_only_looked_at_leaves_nothing(self, image):
        image.reload()
        assert image._unsaved._file._timer is None

    def test_its_edits_are_not_saved_as_a_draft(self, image):
        image.note = "an hour of work"
        image._unsaved._file.flush()
        assert cxw.ImageDraft.autosaved() == []


class BusyForAWhile(httpx.HTTPTransport):
    """A gateway that answers every change with a 503 after it was passed on, and asks for seven seconds."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.method != "PATCH":
            return response
        response.close()
        return httpx.Response(503, content=b"busy", headers={"Retry-After": "7"})


class PassedOnToNobody(BusyForAWhile):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            return httpx.Response(503, content=b"busy", headers={"Retry-After": "7"})
        return super().handle_request(request)


@pytest.mark.parametrize("gateway", [BusyForAWhile, PassedOnToNobody])
def test_a_503_to_a_change_is_waited_for_as_told_before_it_counts_as_not_made(box, receipt, monkeypatch, gateway):
    waits = []
    monkeypatch.setattr("constellations_widgets.publishing.clock.sleep", waits.append)
    image = PublishedImage(Constellations(box.api_url, box.token(), transport=gateway()), receipt)
    image.note = "Another note"
    if gateway is BusyForAWhile:
        assert image.save().complete  # seen at once
    else:
        with pytest.raises(UnclearError):
            image.save()
        assert waits == [7.0]
