"""What is sent again and what never: counted where it counts, at a sandbox or at the server's end of the line."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from api.broken_server import BrokenServer, answer
from ports import free_port

from constellations_widgets import errors
from constellations_widgets.api import Constellations, Retries
from constellations_widgets.api.retries import Retrier
from constellations_widgets.sandbox import Sandbox

ID = "5e9f1c3a7b2d4e6f8a0b1c2d"
GOOD = answer("200 OK", '{"error":false,"handle":"me","display_name":"Me"}')
PASSING = [
    "reset_before_read",
    "reset_after_commit",
    "truncated",
    "unavailable",
    "unavailable_until",
    "too_many_requests",
]


@pytest.fixture(scope="module")
def faulty():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def box(faulty):
    yield faulty
    faulty.faults.clear()
    faulty.faults.log.clear()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that the client would have waited."""
    return []


@pytest.fixture
def client(box, waits):
    with Constellations(box.api_url, box.token(), retries=Retries(sleep=waits.append)) as client:
        yield client


def client_of(url: str, waits: list[float]) -> Constellations:
    return Constellations(url, "token", retries=Retries(sleep=waits.append))


@pytest.mark.parametrize("kind", PASSING)
def test_a_read_is_repeated_until_it_is_answered(box, client, waits, kind):
    box.faults.next(kind, times=3)
    assert client.handle(box.handle).handle == box.handle
    assert [fault.kind for fault in box.faults.log] == [kind] * 3
    assert len(waits) == 3


@pytest.mark.parametrize("kind", PASSING)
def test_a_read_is_given_up_on_in_the_end_with_the_error_of_the_last_try(box, client, waits, kind):
    box.faults.next(kind, times=9)
    with pytest.raises((errors.NoAnswerError, errors.BusyError)):
        client.handle(box.handle)
    assert len(box.faults.log) == 4
    assert len(waits) == 3


def test_looking_for_images_is_a_read_though_it_is_a_post(box, client, waits):
    box.faults.next("reset_after_commit", method="POST")
    assert client.find_images("http://example.org/nothing.jpg") == []
    assert len(waits) == 1


@pytest.mark.parametrize("status", ["502 Bad Gateway", "504 Gateway Timeout", "408 Request Timeout"])
def test_what_a_gateway_says_for_a_moment_is_asked_again(status, waits):
    with BrokenServer(answer(status), GOOD) as server:
        assert client_of(server.url, waits).handle("me").display_name == "Me"
    assert len(server.requests) == 2


def test_a_read_that_timed_out_is_asked_again(waits):
    def answer_late(request):
        requests.append(request)
        if len(requests) == 1:
            raise httpx.ReadTimeout("timed out", request=request)
        return httpx.Response(200, json={"error": False, "handle": "me", "display_name": "Me"})

    requests: list[httpx.Request] = []
    late = Constellations(
        "https://x.org", retries=Retries(sleep=waits.append), transport=httpx.MockTransport(answer_late)
    )
    assert late.handle("me").display_name == "Me"
    assert len(requests) == 2


@pytest.mark.parametrize(
    "script",
    [
        answer("401 Unauthorized", "<pre>jwt expired</pre>"),
        answer("404 Not Found", '{"error":true,"message":"Not found"}'),
        answer("200 OK", "<h1>Welcome to this hotel</h1>"),
    ],
    ids=["401", "404", "no JSON"],
)
def test_an_answer_that_would_be_the_same_again_is_not_asked_for_again(script, waits):
    with BrokenServer(script) as server, pytest.raises(errors.ApiError):
        client_of(server.url, waits).handle("me")
    assert len(server.requests) == 1
    assert waits == []


def test_a_read_is_repeated_twice_at_a_500(waits):
    failed = answer("500 Internal Server Error", '{"error":true,"message":"error serving GET /handle/me"}')
    with BrokenServer(failed, failed, GOOD) as server:
        assert client_of(server.url, waits).handle("me").display_name == "Me"
    with BrokenServer(failed) as server, pytest.raises(errors.ServerError):
        client_of(server.url, waits).handle("me")
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "kind", ["reset_before_read", "reset_after_commit", "error_after_commit", "truncated", "unavailable"]
)
def test_a_write_without_a_clear_answer_is_never_sent_twice(box, client, waits, submission, kind):
    box.faults.next(kind, times=9)
    with pytest.raises(errors.UnclearError):
        client.add_image(box.handle, submission)
    assert len(box.faults.log) == 1
    assert waits == []


def test_a_write_is_not_repeated_at_a_429_that_names_no_time(waits, submission):
    with BrokenServer(answer("429 Too Many Requests")) as server, pytest.raises(errors.BusyError):
        client_of(server.url, waits).add_image("me", submission)
    assert len(server.requests) == 1


def test_a_write_that_never_left_is_not_repeated_here(waits, submission):
    with pytest.raises(errors.NotSentError):
        client_of(f"http://127.0.0.1:{free_port()}", waits).add_image("me", submission)
    assert waits == []


def test_a_read_that_never_left_is_repeated(waits):
    with pytest.raises(errors.NotSentError):
        client_of(f"http://127.0.0.1:{free_port()}", waits).handle("me")
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("kind", "error"), [("too_many_requests", errors.BusyError), ("unavailable_until", errors.UnclearError)]
)
def test_a_write_is_not_repeated_when_the_server_names_a_time(box, client, waits, submission, kind, error):
    box.faults.next(kind, times=9, seconds=5)
    with pytest.raises(error) as caught:
        client.add_image(box.handle, submission)
    assert caught.value.retry_after == 5
    assert len(box.faults.log) == 1
    assert waits == []


def test_a_change_is_not_repeated_when_the_server_names_a_time(box, client, waits, submission):
    receipt = client.add_image(box.handle, submission)
    box.faults.next("too_many_requests", seconds=0, method="PATCH")
    with pytest.raises(errors.BusyError):
        client.update_image(receipt.id, note="Another note")
    assert client.image(receipt.id).note == submission.note
    assert waits == []


def test_waits_double_and_have_chance_in_them(box, client, waits):
    for _ in range(5):
        box.faults.next("unavailable", times=3)
        client.handle(box.handle)
    for place, least in enumerate([0.25, 0.5, 1.0]):
        these = waits[place::3]
        assert all(least <= seconds <= least + 0.25 for seconds in these)
        assert len(set(these)) == 5


def test_a_date_in_retry_after_is_waited_for(waits):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    with BrokenServer(answer("503 Service Unavailable", b"", f"Retry-After: {date}"), GOOD) as server:
        client_of(server.url, waits).handle("me")
    assert 4 <= waits[0] <= 9.25


@pytest.mark.parametrize("writes", [True, False], ids=["write", "read"])
def test_a_server_that_asks_for_a_long_wait_is_not_waited_for(box, client, waits, submission, writes):
    box.faults.next("too_many_requests", seconds=11)
    with pytest.raises(errors.BusyError, match="Try again in 11 seconds") as caught:
        client.add_image(box.handle, submission) if writes else client.handle(box.handle)
    assert caught.value.retry_after == 11
    assert waits == []


def test_no_try_begins_after_the_time_of_the_whole_call(waits):
    patient = Retries(tries=10, first_wait=1.0, sleep=waits.append)
    with pytest.raises(errors.NotSentError):
        Constellations("http://127.0.0.1:1", retries=patient, timeout=5).handle("me")
    # The fourth wait, of 8 to 9 seconds, ends within the call's 10; the fifth, of 10 or more, would not.
    assert len(waits) == 4


def test_the_first_attempt_counts_towards_the_deadline(waits):
    def answer_late():
        time.sleep(0.2)
        return errors.NoAnswerError("no answer")

    Retrier(Retries(sleep=waits.append, first_wait=0.1), within=0.3).send(answer_late, writes=False)
    assert waits == []


def test_a_client_can_be_told_not_to_repeat(box, waits):
    hasty = Constellations(box.api_url, retries=Retries(tries=1, sleep=waits.append))
    box.faults.next("unavailable", times=9)
    with pytest.raises(errors.BusyError):
        hasty.handle(box.handle)
    assert len(box.faults.log) == 1
    assert waits == []


def test_one_threads_429_lets_the_reads_of_all_threads_of_the_client_wait(box):
    waits: dict[str, list[float]] = {}

    def sleep(seconds: float) -> None:
        waits.setdefault(threading.current_thread().name, []).append(seconds)

    client = Constellations(box.api_url, box.token(), retries=Retries(sleep=sleep))
    box.faults.next("too_many_requests", seconds=9)
    for name in ("first", "second"):
        thread = threading.Thread(target=client.handle, args=(box.handle,), name=name)
        thread.start()
        thread.join()
    assert [len(waits["first"]), len(waits["second"])] == [1, 1]
    assert 4 <= waits["second"][0] <= 9.25
    with Constellations(box.api_url, box.token(), retries=Retries(sleep=sleep)) as another:
        another.handle(box.handle)
    assert "MainThread" not in waits


def test_a_write_is_never_held_back(box, submission):
    waits: list[float] = []
    client = Constellations(box.api_url, box.token(), retries=Retries(sleep=waits.append))
    box.faults.next("too_many_requests", seconds=9)
    client.handle(box.handle)
    client.add_image(box.handle, submission)
    assert len(waits) == 1


def test_the_error_that_is_raised_at_last_shows_nothing_of_the_repeating(box, client):
    box.faults.next("unavailable", times=9)
    with pytest.raises(errors.BusyError) as caught:
        client.handle(box.handle)
    assert not [entry for entry in caught.traceback if entry.path.name in ("retries.py", "http.py")]
    assert caught.value.__context__ is None


def test_an_interruption_ends_the_repeating_at_once():
    def stop() -> errors.ApiError:
        tries.append(time.monotonic())
        raise KeyboardInterrupt

    tries: list[float] = []
    with pytest.raises(KeyboardInterrupt):
        Retrier(Retries(), within=60).send(stop, writes=False)
    assert len(tries) == 1
