"""The interface in use: Python, the command line, or a page. A message that says what to do names what is there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

Result = TypeVar("Result")

PYTHON, COMMAND, PAGE = "python", "command", "page"

_of_process = PYTHON
_of_context: ContextVar[str] = ContextVar("interface", default="")


@contextlib.contextmanager
def command_line() -> Iterator[None]:
    """Let messages name the commands and options of the command line, in all threads."""
    global _of_process
    before, _of_process = _of_process, COMMAND
    try:
        yield
    finally:
        _of_process = before


def carried(*task: Any) -> tuple[Any, ...]:
    """Return a task for an executor, a function and its arguments, so that its messages are for the interface in use here."""
    now = _in_use()
    return task if now == PYTHON else (call_from, now, *task)


def call_from(interface: str, function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function in another thread, or in another process, with messages for this interface."""
    token = _of_context.set(interface)
    try:
        return function(*arguments)
    finally:
        _of_context.reset(token)


def in_terms(python: str, command: str, page: str | None = None) -> str:
    """Return the words of the interface in use; those of Python in a page that has none of its own."""
    now = _in_use()
    if now == PAGE and page is not None:
        return page
    return command if now == COMMAND else python


def option(name: str, field: str | None = None) -> str:
    """Return an option as the interface in use writes it: "public_url=" or "--public-url"; in a page, the name of its field."""
    return in_terms(f"{name}=", f"--{name.replace('_', '-')}", field)


def run_again() -> str:
    """Return how to repeat what was interrupted or has failed, in the words of the interface in use."""
    return in_terms("call again", "run the same command again", "try again")


def _in_use() -> str:
    return _of_context.get() or _of_process
