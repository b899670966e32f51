"""Close what the package keeps open for as long as a process lives, since a test's state directory ends before that."""

from __future__ import annotations

import os
from pathlib import Path

from constellations_widgets.publishing import journal, process_lock


def close_journals(kept: Path) -> None:
    """Close the journals, and the lock files beside them, outside of the folder `kept`.

    Four files for each test with a state directory of its own add up: `select` can't wait for a file whose number is
    above 1,023.
    """
    for folder in [it for it in journal._journals if kept not in it.parents]:
        journal._journals.pop(folder).close()
    for place, lock in [*process_lock._locks.items()]:
        if place[0] == os.getpid() and kept not in lock._folder.parents:
            del process_lock._locks[place]
            process_lock.atexit.unregister(lock._leave)
            lock._leave(os.getpid())
