"""Threads and their replacement in a browser: tasks of the event loop, and executors and locks without threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import re
import threading
from pathlib import Path

import httpcore
import pytest

from constellations_widgets import errors, fetch, http, runtime, tasks
from constellations_widgets.network import Deadline

PACKAGE = Path(runtime.__file__).parent
STARTS = re.compile(r"\b(threading\.(Thread|Timer)|ThreadPoolExecutor)\(")
OWN_PROCESS = {"solving/engine.py"}  # runs as a program, which a browser can't start


@pytest.fixture
def in_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this Python for one in a browser without stack switching."""
    monkeypatch.setattr(runtime, "IN_BROWSER", True)
    monkeypatch.setattr(runtime, "can_switch", lambda: False)


def test_one_module_starts_threads():
    files = (path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "sandbox")
    found = {path.relative_to(PACKAGE).as_posix() for path in files if STARTS.search(path.read_text("utf-8"))}
    assert found == {"runtime.py"} | OWN_PROCESS


def test_a_thread_is_named_and_does_not_keep_the_process_alive():
    seen: list[threading.Thread] = []
    thread = runtime.start_thread("look", lambda: seen.append(threading.current_thread()))
    thread.join()
    assert [(it.name, it.daemon) for it in seen] == [("constellations-look", True)] and not thread.is_alive()


def test_without_a_browser_there_are_threads_locks_and_events():
    done = threading.Event()
    runtime.start_timer(0.0, done.set)
    assert runtime.wait(done, 60) and not runtime.can_switch()
    with runtime.new_pool(2, "pool") as pool, runtime.new_workers(2, "work") as workers:
        assert isinstance(pool, concurrent.futures.ThreadPoolExecutor)
        assert [*pool.map(abs, [-1, -2])] == [1, 2] and workers.submit(abs, -3).result() == 3
    with runtime.new_lock(), runtime.new_rlock() as held:
        assert held


@pytest.mark.usefixtures("in_browser")
def test_in_a_browser_work_becomes_a_task_after_the_present_one(caplog: pytest.LogCaptureFixture):
    async def cell() -> list[str]:
        said: list[str] = []
        task = runtime.start_thread("say", said.append, "task")
        runtime.start_thread("fail", lambda: 1 / 0)
        future = runtime.new_workers(4, "say").submit(lambda: said.append("worker"))
        dropped = runtime.start_timer(0.0, said.append, "dropped")
        dropped.cancel()
        runtime.start_timer(0.01, said.append, "timer")
        said.append("cell")
        assert task.is_alive() and not future.done()
        await asyncio.sleep(0.1)
        assert future.done() and not task.is_alive()
        task.join()
        return said

    assert asyncio.run(cell()) == ["cell", "task", "worker", "timer"]
    assert "division by zero" in caplog.text  # as at the end of a thread


@pytest.mark.usefixtures("in_browser")
def test_in_a_browser_a_pool_does_the_work_at_once():
    with runtime.new_pool(8, "pool") as pool:
        assert [*pool.map(abs, [-1, -2])] == [1, 2]
        failed = pool.submit(int, "no number")
        assert concurrent.futures.wait([failed]).done == {failed} and isinstance(failed.exception(), ValueError)


@pytest.mark.usefixtures("in_browser")
def test_in_a_browser_dropped_work_is_never_done():
    async def cell() -> bool:
        workers, done = runtime.new_workers(1, "work"), []
        future = workers.submit(done.append, 1)
        workers.shutdown(wait=False, cancel_futures=True)
        await asyncio.sleep(0.05)
        return future.cancelled() and not done

    assert asyncio.run(cell())


@pytest.mark.usefixtures("in_browser")
def test_a_wait_that_nothing_can_end_is_an_error_not_a_stopped_page():
    assert not runtime.wait(threading.Event(), 0.05)
    with pytest.raises(RuntimeError, match="stack switching"):
        runtime.wait(threading.Event())
    lock, again = runtime.new_lock(), runtime.new_rlock()
    with lock, pytest.raises(RuntimeError, match="stack switching"), lock:
        pass
    with lock, again, again:
        pass
    with again, pytest.raises(RuntimeError):
        tasks._new_owner().run(again.__enter__)  # of another task


@pytest.mark.usefixtures("in_browser")
def test_a_browser_that_cannot_wait_says_so_before_it_sends():
    with pytest.raises(httpcore.ConnectError, match="JSPI"):
        fetch.fetch("POST", "https://example.org", [], b"{}", None, Deadline(None))
    client = http.new_client(http.new_transport(), 10)
    with pytest.raises(http.NEVER_SENT, match="current Chrome or Edge"):
        http.send(client, client.build_request("POST", "https://example.org/x", content=b"{}"))


def test_what_a_browser_lacks_is_named(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(errors.SourceError, match=r"^Reading a picture needs pillow, .*: pip install pillow$"):
        read_without("PIL.Image")
    errors.needs_computer("The sandbox server", errors.SandboxError, instead="…")  # a computer has all
    monkeypatch.setattr(runtime, "IN_BROWSER", True)
    with pytest.raises(errors.SourceError, match="run %pip install astropy in a cell"):
        read_without("astropy")
    with pytest.raises(errors.SandboxError, match="can't run in a browser"):
        errors.needs_computer("The sandbox server", errors.SandboxError, instead="Start it on a computer.")


def read_without(module: str) -> None:
    with errors.needs_package("Reading a picture", errors.SourceError):
        raise ModuleNotFoundError(name=module)
