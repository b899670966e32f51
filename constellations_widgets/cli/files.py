"""Tile images, upload their files, and download index files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..hosting import Outcome, host_all, hosting_profiles, tile_all
from ..solving import index_download
from .checking import drafts_of
from .output import ShowProgress, confirm, has_terminal, print_error, print_json, progress_bar

if TYPE_CHECKING:
    from ..draft import ImageDraft


def tile(files: Sequence[Path], out: Path, file_type: str, placement: Mapping[str, Any]) -> int:
    """Cut images into tiles below `out`; return 1 if one failed."""
    given = {name: value for name, value in placement.items() if value is not None}
    with progress_bar("Tiling", len(files)) as tell:
        outcomes = tile_all(files, out, on_done=_shown(tell), file_type=file_type, **given)
    for outcome in outcomes:
        if not outcome.error:
            print(outcome.result)
    return _failures(outcomes)


def host(files: Sequence[str], to: str, public_url: str | None, save: Path | None, *, as_json: bool) -> int:
    """Upload the files of images; return 1 if one failed."""
    if save is not None:  # before anything is uploaded
        try:
            save.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(f"The drafts can't be saved in {save} ({error.strerror}): name another --save") from None
    drafts = [draft for _, draft in drafts_of(files)]
    target = hosting_profiles().get(to, to)
    with progress_bar("Uploading", len(drafts)) as tell:
        outcomes = host_all(drafts, target, public_url, on_done=_shown(tell))
    saved = [_save(draft, outcome, save) for draft, outcome in zip(drafts, outcomes, strict=True)]
    if as_json:
        print_json(
            [
                {"name": it.name, "error": it.error, "draft": path} | (asdict(it.result) if it.result else {})
                for it, path in zip(outcomes, saved, strict=True)
            ]
        )
    else:
        for outcome, path in zip(outcomes, saved, strict=True):
            if not outcome.error:
                print(path or outcome.result.url or outcome.result.advice)
    return _failures(outcomes)


def index_files(width: float | None, near: tuple[float, float] | None, radius: float | None, *, yes: bool) -> int:
    """Download missing index files, if the user agrees; return 1 if they were not."""
    download = index_download(width, near=near, radius=radius)
    print(download)
    if not download.files:
        return 0
    if not yes and not (has_terminal() and confirm("Download them?")):
        print_error("Nothing was downloaded. Add --yes to download them.")
        return 1
    with progress_bar("Downloading", 100) as tell:
        for path in download.run(lambda part, text: tell(int(100 * part), 100, text)):
            print(path)
    return 0


def _save(draft: ImageDraft, outcome: Outcome, folder: Path | None) -> str | None:
    """Save the draft of an uploaded image under the name of its folder at the target; return the file."""
    if folder is None or outcome.error:
        return None
    return str(draft.save(folder / f"{Path(outcome.result.target.rstrip('/')).name}.json"))


def _shown(tell: ShowProgress) -> Any:
    return lambda outcome, done, total: tell(done, total, outcome.name)


def _failures(outcomes: Sequence[Outcome]) -> int:
    for outcome in outcomes:
        if outcome.error:
            print_error(f"error: {outcome.name}: {outcome.error}")
    return int(any(outcome.error for outcome in outcomes))
