"""The libraries that read images are silent in the thread that reads, and in no other."""

from __future__ import annotations

import logging
import threading
import warnings

import pytest

from constellations_widgets.sources.quiet import quiet


@pytest.mark.parametrize("action", ["always", "error", "default"])
def test_warnings_of_this_thread_are_silent_and_come_again_behind_it(action):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter(action)
        for _ in range(2):
            with quiet(), quiet():
                warnings.warn("astropy corrects a header", UserWarning, stacklevel=1)
        assert heard == []
        if action == "error":
            with pytest.raises(UserWarning):
                warnings.warn("the user's own", UserWarning, stacklevel=1)
        else:
            warnings.warn("the user's own", UserWarning, stacklevel=1)
            assert [str(each.message) for each in heard] == ["the user's own"]


def test_another_threads_warnings_are_heard_and_overlapping_threads_leave_no_filter_behind():
    inside, outside = threading.Event(), threading.Event()

    def read() -> None:
        with quiet():
            inside.set()
            outside.wait(10)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        thread = threading.Thread(target=read)
        with quiet():
            thread.start()
            assert inside.wait(10)
        warnings.warn("while another thread reads", UserWarning, stacklevel=1)
        outside.set()
        thread.join()
        warnings.warn("behind both", UserWarning, stacklevel=1)
    assert [str(each.message) for each in heard] == ["while another thread reads", "behind both"]


def test_log_records_of_the_libraries_are_dropped_and_the_users_are_not(caplog):
    import astropy  # noqa: F401

    # astropy's logger has a handler of its own and does not always hand records on.
    records: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: records.append(record.getMessage())
    astropys, own = logging.getLogger("astropy"), logging.getLogger("a.users.own")
    for logger in (astropys, own):
        logger.addHandler(listener)
    try:
        with quiet():
            astropys.warning("inconsistent SIP")
            own.warning("kept")
        astropys.warning("heard again")
    finally:
        for logger in (astropys, own):
            logger.removeHandler(listener)
    assert records == ["kept", "heard again"]
