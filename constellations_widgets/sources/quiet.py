"""Silence the libraries that read images: their warnings and log records never reach the notebook.

`warnings.catch_warnings` swaps the filters of the whole process: of two threads that use it at the same time, the one
that leaves last can restore the filters of the other, and it silences the user's own code too. Here one filter stays
installed that asks which thread is speaking, so nothing has to be restored.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LIBRARIES = ("astropy", "PIL", "pyavm", "toasty", "reproject")

_thread = threading.local()


def _is_quiet() -> bool:
    return getattr(_thread, "depth", 0) > 0


class _OfThisThread(type):
    def __subclasscheck__(cls, _category: type) -> bool:
        return _is_quiet()


class _QuietWarning(Warning, metaclass=_OfThisThread):
    """Category that matches every warning while the calling thread is quiet, and none otherwise."""


def _speaks(_record: logging.LogRecord) -> bool:
    return not _is_quiet()


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings and the imaging libraries' log records of the calling thread only."""
    import astropy  # noqa: F401  # its import creates its logger, which has a class of its own

    # Moved to the front each time, since other code may have added or restored filters meanwhile.
    warnings.simplefilter("ignore", _QuietWarning)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in _LIBRARIES:
            logger.addFilter(_speaks)  # a filter that is there already is not added again
    _thread.depth = getattr(_thread, "depth", 0) + 1
    try:
        yield
    finally:
        _thread.depth -= 1
