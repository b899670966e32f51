"""Tile and host many images at once: in threads, in processes, or on the machines of a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..interface import carried, option
from ..outcomes import OnDone, Outcome, executor_or_threads, outcome_of
from ..outputs.tiling import SplitTiling, split_tiling, tile
from ..sources.paths import file_path
from ..text import stem_of
from .collect import INDEX, slug_of
from .host import Hosted, host, require_draft, set_addresses
from .profiles import HostingProfile
from .sandbox_store import UploadSandbox, is_sandbox
from .stores import require_address

if TYPE_CHECKING:
    from ..draft import ImageDraft


def tile_all(
    sources: Iterable[Any],
    out: str | Path,
    *,
    executor: Executor | None = None,
    on_done: OnDone | None = None,
    **options: Any,
) -> list[Outcome]:
    """Cut many images into tiles, each into a folder of its own below `out`. One that fails does not stop the others.

    Run again, it makes what is missing: tiles that are newer than their image are kept. To make them with another
    placement, remove them first.

    Parameters
    ----------
    sources : iterable of str, Path, ImageDraft or (path, dict)
        Sources as for `tile`; a pair has the placement of this image in its dict.
    out : str or Path
        A folder; made if it is missing. With workers on other machines, one that all of them share.
    executor : concurrent.futures.Executor, optional
        Executor that runs the tasks: a `ProcessPoolExecutor`, ``distributed.Client(…).get_executor()`` of a Dask cluster,
        and the like. A task cuts one image, or 8192 x 8192 pixels of a picture of more than 16,384 pixels a side; the
        tiles are the same. Each of these reads the picture's file from the top to its part, unless that is a tiled TIFF.
        By default two threads of this process, one image each.
    on_done : callable, optional
        Called as ``on_done(outcome, done, total)`` after each image, in the thread that called.
    **options
        Further arguments of `tile` for all images.

    Returns
    -------
    list of Outcome
        In the order of the sources; `result` is the folder of an image.

    Examples
    --------
    >>> cxw.tile_all(["m51.fits"], "tiles")
    """
    folder = file_path(out, "folder").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(
            f"The folder {folder} can't be made ({error.strerror or error}): choose another one as {option('out')}"
        ) from None
    tasks = []
    for source in sources:
        path, placement = source if isinstance(source, tuple) else (source, {})
        draft = _saved(path)
        name = draft["name"] if draft else stem_of(Path(path).name)
        tasks.append((name, (draft or str(path), options | placement)))
    places = _folders([name for name, _ in tasks])
    return _run(
        [
            (name, (_tile_one, payload, str(folder / place), executor is not None))
            for (name, payload), place in zip(tasks, places, strict=True)
        ],
        executor,
        on_done,
    )


def host_all(
    drafts: Iterable[ImageDraft],
    target: str | Path | HostingProfile | UploadSandbox,
    public_url: str | None = None,
    *,
    executor: Executor | None = None,
    on_done: OnDone | None = None,
    **options: Any,
) -> list[Outcome]:
    """Upload the files of many drafts, each into a folder of its own below the target. One that fails does not stop the others.

    Parameters
    ----------
    drafts : iterable of ImageDraft
        Their addresses are set as `host` sets them.
    target, public_url
        As for `host`, for the folder above those of the images.
    executor, on_done
        As for `tile_all`.
    **options
        Further arguments of `host`: ``mode``, ``credentials``, ``options``; with threads also ``cancel``.

    Returns
    -------
    list of Outcome
        In the order of the drafts; `result` is a `Hosted`.

    Raises
    ------
    HostingError
        If `target` is neither a folder or an address, nor a sandbox, or one of `drafts` is no draft.

    Examples
    --------
    >>> cxw.host_all(drafts, "public_html", "https://example.org/images/")  # doctest: +SKIP
    """
    if isinstance(target, HostingProfile):
        public_url = public_url or target.public_url or None
        options["options"] = {**target.options, **(options.get("options") or {})}
        target = target.target
    if not is_sandbox(target):
        require_address(target)
    drafts = list(drafts)
    for draft in drafts:
        require_draft(draft)
    places = _folders([draft.name for draft in drafts])
    tasks = []
    for draft, place in zip(drafts, places, strict=True):
        address = public_url and f"{public_url.rstrip('/')}/{place}/"
        below = target if is_sandbox(target) else f"{str(target).rstrip('/')}/{place}"
        tasks.append((draft.name, (_host_one, draft.to_saved(), below, address, options)))
    outcomes = _run(tasks, executor, on_done)
    for draft, outcome in zip(drafts, outcomes, strict=True):
        if isinstance(outcome.result, Hosted):
            set_addresses(draft, target, outcome.result.url, outcome.result.thumbnail_url)
    return outcomes


def _saved(source: Any) -> dict[str, Any] | None:
    return source.to_saved() if hasattr(source, "to_saved") else None


def _folders(names: list[str]) -> list[str]:
    """Return a folder's name for each image; those of the same name are numbered."""
    taken: set[str] = set()
    found = []
    for name in names:
        slug, number = slug_of(name), 1
        while (place := slug if number == 1 else f"{slug}-{number}") in taken:
            number += 1
        taken.add(place)
        found.append(place)
    return found


def _draft_of(saved: Mapping[str, Any]) -> ImageDraft:
    from ..draft import ImageDraft

    return ImageDraft.from_saved(saved, autosave=False)


def _tile_one(payload: tuple[Any, dict[str, Any]], folder: str, may_split: bool) -> Path | SplitTiling:
    """Cut one image; if `may_split`, only prepare a large one to be cut in several tasks."""
    source, options = payload
    index = Path(folder, INDEX)
    if isinstance(source, Mapping):
        image: Any = _draft_of(source)
        file = image.local and image.local.where(image.local.template)
    else:
        image = file = file_path(source, "image")
    if file and index.exists() and file.exists() and index.stat().st_mtime_ns > file.stat().st_mtime_ns:
        return index.parent  # made by an earlier call, or by a worker that died before it could report
    return (may_split and split_tiling(image, folder, **options)) or tile(image, folder, **options).result()


def _host_one(saved: Mapping[str, Any], target: Any, public_url: str | None, options: Mapping[str, Any]) -> Hosted:
    return host(_draft_of(saved), target, public_url, **options)


def _run(tasks: list[tuple[str, tuple[Any, ...]]], executor: Executor | None, on_done: OnDone | None) -> list[Outcome]:
    """Run each task, a function and its arguments; return what became of each, in order.

    The `SplitTiling` that a task returns becomes further tasks: its subtrees, and then what finishes it.
    """
    outcomes: dict[int, Outcome] = {}
    splits: dict[int, SplitTiling] = {}
    with executor_or_threads(executor) as workers, contextlib.ExitStack() as cleanup:
        pending: dict[Future[Any], int] = {
            workers.submit(*carried(*task)): number for number, (_, task) in enumerate(tasks)
        }
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                number = pending.pop(future)
                if number in outcomes:
                    continue  # another part of this image has failed
                outcome = outcome_of(tasks[number][0], future)
                if isinstance(split := outcome.result, SplitTiling):
                    splits[number] = split
                    cleanup.callback(split.discard)
                    pending |= {workers.submit(split.write, subtree): number for subtree in split.subtrees}
                    continue
                others = [each for each, owner in pending.items() if owner == number]
                if outcome.error:
                    for each in others:
                        each.cancel()
                elif number in splits and outcome.result is None:  # one of its subtrees is cut
                    if not others:
                        pending[workers.submit(splits[number].finish)] = number
                    continue
                outcomes[number] = outcome
                if on_done is not None:
                    on_done(outcome, len(outcomes), len(tasks))
    return [outcomes[number] for number in range(len(tasks))]
