"""Output of the commands: results to stdout, progress and questions to stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

ShowProgress = Callable[[int, int, str], Any]
"""Called with the finished steps, all steps, and a short text."""


def print_json(content: Any) -> None:
    """Print a result as JSON, in ASCII: a terminal or a pipe may have any encoding."""
    print(json.dumps(content, indent=1, default=str))


def print_error(text: str) -> None:
    """Print a message to stderr."""
    print(text, file=sys.stderr, flush=True)


def confirm(question: str) -> bool:
    """Ask a question at the terminal; return whether the answer is yes. Without an answer it is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def has_terminal() -> bool:
    """Return whether a question can be answered."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())


@contextlib.contextmanager
def progress_bar(title: str, total: int) -> Iterator[ShowProgress]:
    """Show a progress bar on a terminal; elsewhere, such as in a log, show nothing. NO_COLOR removes its colors."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total, words="")
        yield lambda done, total, words: bar.update(task, completed=done, total=total, words=words)
