from __future__ import annotations

import _thread
import ast
import contextlib
import itertools
import multiprocessing
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from constellations_widgets.errors import PublishError
from constellations_widgets.publishing import Journal, history
from constellations_widgets.publishing import journal as journal_module

PLACE = ("https://x.org", "me", "https://example.org/a.png")
BODY = '{"note":"M 51 – <b>"}'.encode()
ID = "5e9f1c3a7b2d4e6f8a0b1c2d"


def claim(journal: Journal, body: bytes = BODY, **options):
    return journal.claim(*PLACE, body, **options)


def test_a_claim_is_on_disk_when_it_returns(journal):
    key = claim(journal, known_ids=["b", "a"]).key
    with sqlite3.connect(f"file:{journal.path}?mode=ro", uri=True) as other:
        row = other.execute("SELECT key, state, body, known_ids FROM attempts").fetchone()
    assert row == (key, "sending", BODY, '["a", "b"]')


def test_every_commit_waits_for_the_disk(journal):
    claim(journal)
    with journal._database.transaction() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_its_files_can_be_read_by_their_owner_only(state, journal):
    claim(journal)
    assert stat.S_IMODE((state / "journal").stat().st_mode) == 0o700
    files = [file for file in (state / "journal").rglob("*") if file.is_file()]
    assert len(files) >= 3 and {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_outcome_is_remembered(journal):
    when = datetime(2026, 11, 22, tzinfo=UTC)
    journal.published(claim(journal).key, ID, f"/image/{ID}", when)
    receipt = Journal().attempts()[0].receipt
    assert (receipt.id, receipt.handle, receipt.created, receipt.note) == (ID, "me", when, "M 51 – <b>")
    assert Journal().image_ids(PLACE[0]) == {ID} and Journal().image_ids("https://other.org") == set()


def test_the_same_body_is_not_claimed_while_it_is_being_sent(journal):
    first = claim(journal)
    with pytest.raises(PublishError, match="right now"):
        claim(Journal())
    with pytest.raises(PublishError, match="right now"):
        claim(Journal(), ignored_keys={first.key: "published"})
    claim(journal, b'{"note":"another"}')
    journal.claim("https://x.org", "another handle", PLACE[2], BODY)


def test_a_published_body_is_only_claimed_again_on_demand(journal):
    first = claim(journal)
    journal.published(first.key, ID, "/image/x")
    with pytest.raises(PublishError, match="again=True") as caught:
        claim(journal)
    assert ID in str(caught.value)
    second = claim(journal, ignored_keys={first.key: "published"})
    journal.published(second.key, ID[::-1], "/image/y")
    with pytest.raises(PublishError, match="again=True"):
        claim(journal, ignored_keys={first.key: "published"})  # the second has not been decided about


def test_an_unclear_attempt_forbids_another_until_it_is_looked_at(journal):
    first = claim(journal)
    journal.unclear(first.key, "timeout.")
    with pytest.raises(PublishError, match="may have succeeded"):
        claim(journal)
    assert [attempt.key for attempt in journal.unsettled()] == [first.key]
    with pytest.raises(PublishError, match="may have succeeded"):
        claim(journal, ignored_keys={first.key: "refused"})  # it was seen in another state
    claim(journal, ignored_keys={first.key: "unclear"})
    assert journal.unsettled() == []
    assert journal.attempt(first.key).answer == "timeout. Not found at the server, and sent again."


def test_what_was_given_up_is_not_published_while_it_is_sent_again(journal):
    first = claim(journal)
    journal.unclear(first.key, "timeout")
    second = claim(journal, ignored_keys={first.key: "unclear"})
    assert (
        journal.published(first.key, ID, "/image/x").state == "refused"
    )  # it may be the second's, which is being sent
    journal.not_sent(second.key, "no connection")
    assert journal.published(first.key, ID, "/image/x").state == "published"


def test_an_attempt_that_could_not_be_sent_is_claimed_again_in_its_place(journal):
    first = claim(journal)
    journal.not_sent(first.key, "refused connection")
    assert journal.attempt(first.key).state == "planned"
    second = claim(journal)
    assert [(it.key, it.state, it.answer) for it in journal.attempts()] == [(second.key, "sending", "")]


def test_a_refusal_stands_in_the_way_until_it_is_looked_for(journal):
    key = claim(journal).key
    journal.refused(key, "Too many requests")
    with pytest.raises(PublishError, match="Too many requests"):
        claim(journal)
    claim(journal, ignored_keys={key: "refused"})


def test_one_image_belongs_to_one_attempt(journal):
    first, second = claim(journal), claim(journal, b'{"note":"another"}')
    twin, other = "1" * 24, "2" * 24
    assert journal.published(first.key, ID, f"/image/{ID}", duplicates=[twin]).receipt.duplicates == (twin,)
    for taken in (ID, twin):
        assert journal.published(second.key, taken, f"/image/{taken}").state == "unclear"
        assert taken in journal.attempt(second.key).answer
    kept = journal.published(second.key, other, f"/image/{other}", duplicates=[twin, ID])
    assert (kept.state, kept.image_id, kept.duplicates) == ("published", other, ())
    assert journal.image_ids(PLACE[0]) == {ID, twin, other} and twin in journal.attempt(first.key).answer


def test_the_id_of_another_apis_image_is_free(journal):
    journal.published(claim(journal).key, ID, f"/image/{ID}")
    elsewhere = journal.claim("https://y.org", *PLACE[1:], BODY)
    assert journal.published(elsewhere.key, ID, f"/image/{ID}").state == "published"


def test_history_is_newest_first_and_a_table(journal):
    assert "Nothing" in history()._repr_html_()
    journal.published(claim(journal).key, ID, "/image/x")
    journal.refused(claim(journal, b'{"note":"second"}').key, "<i>no</i>")
    assert [attempt.note for attempt in history()] == ["second", "M 51 – <b>"]
    assert [attempt.note for attempt in history(limit=1)] == ["second"]
    shown = history()._repr_html_()
    assert "M 51 – &lt;b&gt;" in shown and "&lt;i&gt;no" in shown and f"https://x.org/image/{ID}" in shown
    assert "<b>" not in shown


def test_nothing_takes_longer_with_many_earlier_attempts(journal):
    numbers = itertools.count()

    def publish(url: str) -> None:
        number = next(numbers)
        body = b'{"content": {}, "text": "%d"}' % number
        attempt = journal.claim(*PLACE[:2], url.format(number), body, unique=True)
        journal.published(attempt.key, f"{number:024x}", f"/image/{number:024x}")

    def look_up() -> None:
        found = journal.related_to_each(*PLACE[:2], [("0", "0"), ("0", "https://example.org/0.png")])
        assert [len(each) for each in found] == [0, 1]

    work = {
        "image": lambda: publish("https://example.org/{}.png"),
        "scene": lambda: publish(""),
        "related": look_up,
        "unclear": journal.unsettled,
    }
    with_few = {name: steps_of_sqlite(journal, each) for name, each in work.items()}
    for _ in range(100):
        work["image"]()
        work["scene"]()
    with_many = {name: steps_of_sqlite(journal, each) for name, each in work.items()}
    assert not {name: steps for name, steps in with_many.items() if steps > 2 * with_few[name]}, (with_few, with_many)


def steps_of_sqlite(journal: Journal, work) -> int:
    """Return how many instructions of its virtual machine SQLite needs."""
    steps = itertools.count()

    def one_more() -> None:
        next(steps)

    with journal._database.transaction() as db:
        db.set_progress_handler(one_more, 1)
    try:
        work()
    finally:
        with journal._database.transaction() as db:
            db.set_progress_handler(None, 1)
    return next(steps)


def test_one_of_many_threads_claims_an_image(journal):
    won, lost, start = [], [], threading.Barrier(20)

    def run():
        start.wait()
        try:
            won.append(claim(journal))
        except PublishError as error:
            lost.append(error)

    threads = [threading.Thread(target=run) for _ in range(20)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (len(won), len(lost)) == (1, 19)


@contextlib.contextmanager
def at_the_disk(journal):
    """A thread that stays in a transaction until this ends."""
    is_there, go_on = threading.Event(), threading.Event()

    def stay(_db):
        is_there.set()
        assert go_on.wait(10)

    slow = threading.Thread(target=journal._database.run, args=(stay,))
    slow.start()
    assert is_there.wait(10)
    try:
        yield go_on.set
    finally:
        go_on.set()
        slow.join()


def test_an_outcome_is_left_to_the_thread_that_is_at_the_disk_which_writes_it_before_anything_later(journal):
    key = claim(journal).key
    with at_the_disk(journal) as go_on:
        journal.refused(key, "Forbidden.")
        go_on()
        assert journal.attempt(key).state == "refused"


def on_disk(journal) -> list[tuple[str, str]]:
    """Keys and states, read by somebody else: the journal itself would do what is left first."""
    command = (
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT key, state FROM attempts').fetchall())"
    )
    return ast.literal_eval(subprocess.check_output([sys.executable, "-c", command, journal.path], text=True))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals between threads")
def test_a_claim_that_is_interrupted_while_it_waits_is_not_done_later_but_what_was_left_to_it_is(journal):
    key = claim(journal, b"{}").key

    def come_late():
        journal.refused(key, "Forbidden.")  # leaves it to whoever waits
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with at_the_disk(journal):
        late = threading.Timer(0.1, come_late)
        late.start()
        with pytest.raises(KeyboardInterrupt):
            claim(journal)
        late.join()
    assert on_disk(journal) == [(key, "refused")]


def interrupt_in_the_next_statement(db: sqlite3.Connection) -> None:
    """Ctrl-C comes there. Python hears of it when the statement has ended: it runs in SQLite."""
    once = itertools.chain(map(_thread.interrupt_main, [signal.SIGINT]), itertools.repeat(None))
    db.set_progress_handler(once.__next__, 1)


@pytest.fixture
def interrupted_commit(monkeypatch):
    """The next claim is interrupted while it becomes durable."""
    insert = journal_module.insert

    def insert_and_interrupt(db, *what):
        monkeypatch.setattr(journal_module, "insert", insert)
        done = insert(db, *what)
        interrupt_in_the_next_statement(db)
        return done

    monkeypatch.setattr(journal_module, "insert", insert_and_interrupt)


def test_a_claim_that_is_interrupted_while_it_becomes_durable_was_not_sent(journal, interrupted_commit):
    with pytest.raises(KeyboardInterrupt):
        claim(journal)
    ((_, state),) = on_disk(journal)
    assert state == "planned"
    claim(journal)


def test_a_claim_that_an_interrupted_thread_has_made_durable_is_its_own_threads(journal, interrupted_commit):
    claimed, database = [], journal._database
    thread = threading.Thread(target=lambda: claimed.append(claim(journal)))
    with database._leading:
        thread.start()
        while not database._waiting:
            time.sleep(0.01)
        with pytest.raises(KeyboardInterrupt):
            database._do_waiting()
    thread.join()
    assert on_disk(journal) == [(claimed[0].key, "sending")]


def test_every_thread_that_sleeps_while_others_are_at_the_disk_is_called(journal, monkeypatch):
    monkeypatch.setattr("constellations_widgets.publishing.database._LONGEST_SLEEP", None)
    database = journal._database

    def work(number: int) -> None:
        for turn in range(20):
            attempt = claim(journal, f"{number} {turn}".encode())
            if turn % 2:
                journal.unclear(attempt.key, "No answer.")  # which no thread waits for
            else:
                journal.published(attempt.key, f"{number} {turn}", "/image")

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(24)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 60
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0))
    assert not any(thread.is_alive() for thread in threads) and not database._waiting
    assert Counter(state for _, state in on_disk(journal)) == {"published": 240, "unclear": 240}


def test_a_thread_that_sleeps_is_called_by_one_that_is_interrupted(journal, monkeypatch):
    monkeypatch.setattr("constellations_widgets.publishing.database._LONGEST_SLEEP", None)
    database, claimed = journal._database, []
    thread = threading.Thread(target=lambda: claimed.append(claim(journal, b"{}")), daemon=True)

    def let_it_arrive(db: sqlite3.Connection) -> None:
        thread.start()
        while len(database._waiting) < 2:
            time.sleep(0.01)
        interrupt_in_the_next_statement(db)

    with pytest.raises(KeyboardInterrupt):
        database.run(let_it_arrive)
    thread.join(60)
    assert [(attempt.key, "sending") for attempt in claimed] == on_disk(journal) != []


def test_an_interrupt_while_others_are_at_the_disk_does_not_leave_it_locked(journal):
    claim(journal)
    interrupt_in_the_next_statement(journal._database._open())  # which waits for them
    with pytest.raises(KeyboardInterrupt):
        journal.attempts()
    assert not journal._database._open().in_transaction
    assert len(journal.attempts()) == 1


def test_an_outcome_is_written_down_even_if_that_is_interrupted(journal):
    key = claim(journal).key
    interrupt_in_the_next_statement(journal._database._open())
    with pytest.raises(KeyboardInterrupt):
        journal.refused(key, "Forbidden.")
    assert on_disk(journal) == [(key, "refused")]


CLAIM = """
import sys
from constellations_widgets.errors import PublishError
from constellations_widgets.publishing import Journal
sys.stdin.read(1)
try:
    Journal().claim("https://x.org", "me", "u", b'{"note":"x"}')
    print("won", flush=True)
except PublishError as error:
    print("lost" if "right now" in str(error) else error, flush=True)
sys.stdin.read()
"""


def test_of_many_processes_one_claims_and_they_may_all_make_the_journal():
    pipe = subprocess.PIPE
    children = [subprocess.Popen([sys.executable, "-c", CLAIM], stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for child in children:
        child.stdin.write("x")
        child.stdin.flush()
    said = sorted(child.stdout.readline().strip() for child in children)
    for child in children:
        child.communicate()
    assert said == ["lost", "lost", "won"]
    assert [attempt.state for attempt in Journal().attempts()] == ["unclear"]  # it ended without an outcome


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_nothing_is_lost_where_one_process_has_the_file_open_twice_and_another_one_closes_it(journal):
    """It once was: a second journal's opening dropped the locks of the first, and the other process swept their WAL away."""
    reads = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print(db.execute('SELECT count(*) FROM attempts')."
    command = [sys.executable, "-c", f"{reads}fetchone()[0]); db.close()", journal.path]
    claim(journal, b"{}")
    assert len(Journal().attempts()) == 1
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    claim(journal)
    assert int(subprocess.run(command, check=True, capture_output=True).stdout) == 2


def test_a_forked_child_has_a_connection_and_an_owner_of_its_own(journal):
    first = claim(journal)

    def child():
        assert journal.attempt(first.key).state == "sending"  # its sender, our parent, is alive
        claim(journal, b'{"note":"the child\'s"}')

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == 0
    assert {attempt.state for attempt in journal.attempts()} == {"sending", "unclear"}
    assert journal.attempt(first.key).state == "sending"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
def test_a_child_that_is_forked_while_a_thread_is_at_the_disk_does_not_wait_for_it(journal):
    claim(journal)
    with journal._database._leading, journal._database._queue:
        process = multiprocessing.get_context("fork").Process(target=claim, args=(journal, b"{}"))
        process.start()
    process.join(20)
    process.kill()
    assert process.exitcode == 0


def test_a_file_that_is_no_journal_stops_everything(state, journal):
    journal.path.parent.mkdir(exist_ok=True)
    journal.path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(PublishError, match="journal of publications can't be written.*CXW_STATE_DIR"):
        claim(journal)


def test_a_state_directory_that_is_a_file_stops_everything(state, monkeypatch):
    (state / "file").write_text("")
    monkeypatch.setenv("CXW_STATE_DIR", str(state / "file"))
    for use in (history, Journal):
        with pytest.raises(PublishError, match="CXW_STATE_DIR"):
            use()


def test_a_state_directory_in_an_unknown_users_home_stops_everything(monkeypatch):
    monkeypatch.setenv("CXW_STATE_DIR", "~nobody-of-that-name/state")
    with pytest.raises(PublishError, match="CXW_STATE_DIR"):
        history()


def test_a_full_disk_stops_everything(journal):
    claim(journal)
    with journal._database.transaction() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    journal._database._open().execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(PublishError, match="full"):
        claim(journal, b'{"note":"' + b"x" * 90_000 + b'"}')
    assert len(journal.attempts()) == 1


def test_what_was_published_can_be_read_from_a_full_disk(journal):
    left_by_a_dead_process = claim(journal)
    with journal._database.transaction() as db:
        db.execute("UPDATE attempts SET owner = 'nobody'")
    journal._database._open().execute("PRAGMA query_only = on")
    with pytest.raises(PublishError, match="journal of publications can't be written"):
        journal.unsettled()
    [read] = journal.attempts()
    assert (read.key, read.state) == (left_by_a_dead_process.key, "unclear")  # and not "being published right now"


@pytest.mark.parametrize("left", ["whole", "by a kernel that was killed"])
@pytest.mark.skipif(not hasattr(os, "geteuid") or (os.geteuid() == 0 and not shutil.which("setpriv")), reason="as root")
def test_a_read_only_state_directory_stops_everything_and_can_be_read(journal, left):
    journal.refused(claim(journal).key, "Forbidden.")
    if left == "whole":
        journal.close()
    for path in (*journal.path.parent.glob("journal.*"), journal.path.parent / "running", journal.path.parent):
        path.chmod(0o500)
    program = """
from constellations_widgets.publishing import Journal, history
print(history())
Journal().claim('https://x.org', 'me', '', b'{}')"""
    command = [sys.executable, "-c", program]
    if os.geteuid() == 0:  # root may write everywhere; without its capabilities it may not
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--", *command]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "refused  M 51" in ended.stdout
    assert "JournalError: The journal of publications can't be written" in ended.stderr
