"""Drafts of files, and their problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checks import ERROR
from ..errors import SourceError
from .output import print_json

if TYPE_CHECKING:
    from ..draft import ImageDraft


def drafts_of(files: Iterable[str]) -> Iterator[tuple[str, ImageDraft]]:
    """Yield each image of the files, with the name of its file: a WTML file may have several."""
    from ..draft import ImageDraft
    from ..widgets.publish_source import draft_of

    for file in files:
        if Path(file).suffix.lower() in (".wtml", ".wwtl") and Path(file).is_file():
            yield from ((file, draft) for draft in ImageDraft.all_from_wtml(file))
        else:
            yield file, draft_of(file)


def check(files: list[str], *, as_json: bool) -> int:
    """Print the problems of the files' images; return 1 if there is an error."""
    found = [image for file in files for image in _checked(file)]
    if as_json:
        print_json(found)
    else:
        for image in found:
            problems = image["problems"] or [None]
            for problem in problems:
                print(f"{image['file']}: {_line(problem) if problem else 'no problems'}")
    return int(any(problem["severity"] == ERROR for image in found for problem in image["problems"]))


def _checked(file: str) -> Iterator[dict[str, Any]]:
    try:
        drafts = list(drafts_of([file]))
    except SourceError as error:
        yield {
            "file": file,
            "name": "",
            "problems": [{"code": "", "severity": ERROR, "field": "", "message": str(error)}],
        }
        return
    for _, draft in drafts:
        yield {"file": file, "name": draft.name, "problems": [asdict(problem) for problem in draft.problems]}


def _line(problem: dict[str, Any]) -> str:
    about = " ".join(filter(None, (problem["code"], problem["severity"], problem["field"])))
    fix = f" (fix: {problem['fix']['label']})" if problem.get("fix") else ""
    return f"{about}: {problem['message']}{fix}"
