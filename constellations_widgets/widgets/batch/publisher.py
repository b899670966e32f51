"""The publisher of many images: a table of drafts, fields that they share, the plan, progress, receipts."""

from __future__ import annotations

import functools
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import traitlets

from ...api.addresses import handle_name
from ...draft import ImageDraft
from ...errors import ConstellationsError, PublishError, SourceError
from ...publishing.batch import MOST_THREADS
from ...publishing.given import require_client
from ...schema.fields import fields
from ...sources.reading import Reading
from ..answering import Answerer
from ..draft_widget import DraftWidget
from ..form import kept_credits, licenses
from ..leftovers import NO_LEFTOVERS, Leftovers
from ..static import built
from .edits import names_of
from .review import review_of
from .rows import BatchRows, with_titles
from .run import REVIEW, BatchRun
from .thumbnails import thumbnail

if TYPE_CHECKING:
    from ...api import Constellations
    from ...publishing import Batch, Journal
    from ...schema.records import Receipt

SHARED = ("permissions.copyright", "permissions.credits", "permissions.license", "note", "alt_text")
"""Fields that the page offers to copy."""
_MOST_THUMBNAILS = 64  # in one answer

_runs: weakref.WeakSet[BatchRun] = weakref.WeakSet()


class BatchPublisher(DraftWidget):
    """Publishes many drafts: a table of them, fields that they share, what would happen, progress, receipts.

    What is under way goes on while no page looks, and a cell that is run again shows the batch that it began. After a
    kernel was restarted, the same cell goes on where it stopped: the journal knows what was published.

    Parameters
    ----------
    source : str, Path, wwt_data_formats Folder, or iterable of ImageDraft
        A WTML file, a folder with an ``index_rel.wtml``, WTML text; or the drafts.
    client : Constellations
        Where to; signed in.
    handle : str
        Under which handle; the account must own it.
    threads : int, optional
        How many images are sent at the same time, 1 to 32. Default 16.
    probe : bool, optional
        Whether a plan asks the web for each draft's first tile and thumbnail. Default True.
    journal : Journal, optional
        By default that of the user's state directory.

    Attributes
    ----------
    drafts : list of ImageDraft
        One for each row.
    shared : ImageDraft
        Holds the values that the page offers to copy.

    Raises
    ------
    SourceError
        When no drafts can be made of `source`.
    PublishError
        With a wrong number of threads.
    InvalidError
        Without a handle.
    """

    messages = frozenset(
        {"edit", "fix", "choose", "decide", "copy", "host", "mend", "confirm", "again", "save", "restore"}
    )

    fields = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    titles = traitlets.Dict().tag(sync=True)  # of all fields, by path
    kept_credits = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    leftovers = traitlets.Dict(NO_LEFTOVERS).tag(sync=True)

    _stop_listening: Callable[[], None] | None = None

    def __init__(
        self,
        source: Any,
        client: Constellations,
        handle: str,
        *,
        threads: int = 16,
        probe: bool = True,
        journal: Journal | None = None,
    ):
        require_client("BatchPublisher", client)
        if not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
            raise PublishError(f"threads is {threads!r}: give a whole number from 1 to {MOST_THREADS}.")
        handle = handle_name(handle)
        self._esm, self._css = built("batch_publisher.js"), built("batch_publisher.css")
        drafts, own = _drafts_of(source)
        self._run, self._again = _run_of(drafts, own, client, handle, threads=threads, probe=probe, journal=journal)
        run = self._run
        self._acts: dict[Any, Callable[[], Any]] = {
            "undo": run.undo,
            "redo": run.redo,
            "forget": run.forget,
            "look": run.look,
            "stop": run.stop,
            "leave": run.leave_plan,
            "go_on": run.go_on,
        }
        # Its own rows it looks for in any case, before anything is sent.
        own_urls = {draft["storage.legacy_url_template"] or "nowhere" for draft in run.drafts}
        show = functools.partial(self.set_trait, "leftovers")
        found = Leftovers(client, show, lambda _found: run.remember(), journal=journal, passed_over=own_urls)
        self._acts |= {"settle": found.look, "give_up": found.forget}
        self._rows = BatchRows(run, self._tell)
        self._saved: list[str] = []
        self._said = ""
        shared = ImageDraft(Reading(_common(self._run.drafts), name="the chosen images"), autosave=False)
        specs = [fields()[path].to_json() for path in SHARED]
        titles = {spec.path: spec.title for spec in fields().values()}
        super().__init__(shared, fields=specs, titles=titles, kept_credits=kept_credits(shared), status=self._status())
        self._stop_listening = run.listen(self._rows.touch)
        self._rows.touch(range(len(self.drafts)))
        answers = {
            "licenses": licenses,
            "rows": lambda request: (self._rows.chunk(int(request["start"])), []),
            "details": self._details,
            "thumbnails": self._thumbnails,
            "alive": lambda _request: ({}, []),
        }
        self.on_msg(Answerer(answers, self.send).receive)
        found.find()

    @property
    def drafts(self) -> list[ImageDraft]:
        return self._run.drafts

    @property
    def shared(self) -> ImageDraft:
        return self._draft

    @property
    def batch(self) -> Batch | None:
        """What the last plan led to; None before, and when images were changed since."""
        return self._run.batch

    @property
    def receipts(self) -> list[Receipt]:
        """The receipts of the rows that are published."""
        found = (self._run.receipt_of(number) for number in range(len(self.drafts)))
        return [receipt for receipt in found if receipt]

    def copy_fields(self, values: Mapping[str, Any], rows: Iterable[int] | None = None) -> int:
        """Give the chosen rows (or these) the values, by path; gives how many drafts have changed.

        ``copy_fields({"permissions.license": "CC-BY-4.0"}, rows=range(10))``. Nothing changes while something is sent.
        Raises KeyError when a path names no field.
        """
        for path in values:
            self.shared[path]  # raises KeyError, and says what was meant
        titles = ", ".join(fields()[path].title for path in values)
        return self._run.change(titles, lambda _number, draft: draft.edit(values), rows)

    def undo(self) -> int:
        """Take back what was copied last; gives how many drafts have changed."""
        return self._run.undo()

    def redo(self) -> int:
        """Copy again what was undone last; gives how many drafts have changed."""
        return self._run.redo()

    def stop(self) -> None:
        """Send nothing more. What is under way ends."""
        self._run.stop()

    def save_receipts(self, folder: str | Path | None = None) -> list[Path]:
        """Write what became of each row to a JSON and a CSV file; gives their paths.

        Parameters
        ----------
        folder : str or Path, optional
            Where to. By default the kernel's folder: that of the notebook.

        Raises
        ------
        SourceError
            If they can't be written there.
        """
        paths = self._run.save_receipts(Path(folder).expanduser() if folder is not None else None)
        self._saved = [str(path) for path in paths]
        self._rows.touch(())
        return paths

    def close(self) -> None:
        if self._stop_listening is not None:
            self._stop_listening()
            self._rows.close()
        super().close()

    def __repr__(self) -> str:
        count = len(self.drafts)
        return f"<BatchPublisher of {count} image{'s' * (count != 1)}, {len(self.receipts)} published: run the cell to see it>"

    # -- what the page is told

    def _tell(self, rows: list[dict[str, Any]], news: int) -> None:
        if rows and (self._views or self._never_seen):
            self.send({"kind": "rows", "rows": rows, "news": news})
        elif not rows:
            self.status = self._status()

    def _state(self) -> dict[str, Any]:
        """Of the fields that images share; one that is left empty here is no fault."""
        state = super()._state()
        return state | {"problems": [it for it in state["problems"] if state["values"].get(it["field"])]}

    def _draft_changed(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        with self._showing, self.hold_sync():
            if "permissions.credits" in changed:
                self.kept_credits = kept_credits(draft)
            super()._draft_changed(draft, changed)

    def _status(self) -> dict[str, Any]:
        run, batch = self._run, self._run.batch
        earlier = {number: it for number, it in run.edits.earlier.items() if not run.drafts[number].receipt}
        return {
            "phase": run.phase,
            "news": self._rows.news,
            "heard": self._rows.heard,
            "total": len(run.drafts),
            "open": sum(not run.drafts[number].receipt for number in run.chosen),
            "counts": self._rows.counts(),
            "sent": dict(Counter(run.state_of(number)[0] for number in run.planned)),
            "handle": run.handle,
            "api_url": run.client.api_url,
            "message": self._said or run.message,
            "progress": run.progress,
            "continued": self._again,
            "review": review_of(batch, run.ticket) if run.phase == REVIEW and batch else None,
            "undo": run.shared.undoable,
            "redo": run.shared.redoable,
            "earlier": {"saved": run.edits.saved, "count": len(earlier), "fields": _titles(earlier)}
            if earlier
            else None,
            "saved": self._saved,
        }

    def _details(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """Problems of a row, and why it is in its state where they don't say so."""
        number = self._number(request)
        draft, row = self.drafts[number], self._run.row_of(number)
        problems = [
            {"code": it.code, "severity": it.severity, "field": it.field, "message": it.message}
            | {"fix": it.fix.label if it.fix and not draft.locked else None}
            for it in draft.problems
        ]
        reason, told = self._run.state_of(number)[1], {f"{it.field or 'draft'}: {it.message}" for it in draft.problems}
        of_plan = row is not None and reason == " ".join(row.step.reasons)
        why = [it for it in row.step.reasons if it not in told] if row and of_plan else [reason] if reason else []
        url = str(draft.values["storage.legacy_url_template"] or "")
        return {"problems": problems, "why": [*map(with_titles, why)], "url": url}, []

    def _thumbnails(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        wanted = [number for number in request["rows"] if isinstance(number, int) and 0 <= number < len(self.drafts)]
        found = [thumbnail(self.drafts[number]) for number in wanted[:_MOST_THUMBNAILS]]
        return {"types": [it and it[1] for it in found]}, [it[0] for it in found if it]

    # -- what the page asks for

    def _number(self, message: Mapping[str, Any]) -> int:
        number = message.get("row")
        if not isinstance(number, int) or not 0 <= number < len(self.drafts):
            raise ConstellationsError(f"There is no row {str(number)[:20]}.")
        return number

    def _numbers(self, message: Mapping[str, Any]) -> list[int]:
        rows = message.get("rows")
        return [number for number in rows if isinstance(number, int)] if isinstance(rows, list) else []

    def _on_choose(self, message: Mapping[str, Any]) -> None:
        self._run.choose(self._numbers(message), message.get("on") is True)
        self._took(message)

    def _on_decide(self, message: Mapping[str, Any]) -> None:
        self._run.decide(self._numbers(message), message.get("on") is True)
        self._took(message)

    def _took(self, message: Mapping[str, Any]) -> None:
        if isinstance(click := message.get("click"), int):
            self._rows.took(str(message.get("page"))[:40], click)

    def _on_copy(self, message: Mapping[str, Any]) -> None:
        path = message.get("path")
        if path in SHARED and not any(it.field == path and it.severity == "error" for it in self.shared.problems):
            self.copy_fields({path: self.shared[path]})

    def _on_host(self, message: Mapping[str, Any]) -> None:
        base = str(message.get("base", "")).strip()
        if base.startswith(("https://", "http://")):
            self._run.change("Addresses", lambda _number, draft: draft.host_at(base))

    def _on_mend(self, message: Mapping[str, Any]) -> None:
        """The fix of a row's problem; where there is none any more, nothing happens."""

        def mend(_number: int, draft: ImageDraft) -> None:
            for problem in draft.problems:
                if problem.fix and (problem.code, problem.field) == (message.get("code"), message.get("field")):
                    draft.edit(problem.fix.changes)
                    return

        self._run.change("A fix", mend, [self._number(message)])

    def _on_confirm(self, message: Mapping[str, Any]) -> None:
        self._run.confirm(str(message.get("ticket")))

    def _on_again(self, message: Mapping[str, Any]) -> None:
        if (what := message.get("what")) in ("retry", "look", "resend"):
            self._run.again(what)

    def _on_save(self, _message: Mapping[str, Any]) -> None:
        try:
            self.save_receipts()
            self._said = ""
        except ConstellationsError as error:
            self._said = str(error)
            self._rows.touch(())

    def _on_restore(self, _message: Mapping[str, Any]) -> None:
        self._run.restore()
        self.shared.update({path: value for path, value in _common(self.drafts).items() if not self.shared[path]})

    def _received(self, widget: Any, message: Any, buffers: Any) -> None:
        kind = message.get("kind") if isinstance(message, dict) else None
        act = self._acts.get(kind) if isinstance(kind, str) else None
        if act is None:
            super()._received(widget, message, buffers)
            return
        self._said = ""
        act()


def _drafts_of(source: Any) -> tuple[list[ImageDraft], bool]:
    """The drafts, and whether they were made here."""
    if hasattr(source, "to_xml"):
        source = ElementTree.tostring(source.to_xml(), encoding="unicode")
    if isinstance(source, str | Path):
        # What is typed into the rows is kept in one file for all of them, rather than in one for each.
        return ImageDraft.all_from_wtml(source, autosave=False), True
    drafts = list(source) if isinstance(source, Iterable) else [source]
    if wrong := [type(draft).__name__ for draft in drafts if not isinstance(draft, ImageDraft)]:
        raise SourceError(f"BatchPublisher takes a WTML file, folder or text, or drafts, not a {wrong[0]}.")
    return list(dict.fromkeys(drafts)), False


def _run_of(
    drafts: list[ImageDraft], own: bool, client: Constellations, handle: str, **options: Any
) -> tuple[BatchRun, bool]:
    """The batch of these drafts: one that is under way already goes on, so that a cell can be run again at any time."""
    for run in list(_runs):
        if run.busy and (run.client.api_url, run.handle) == (client.api_url, handle):
            same = run.edits.names == names_of(drafts) if own else [*map(id, run.drafts)] == [*map(id, drafts)]
            if same:
                return run, True
    run = BatchRun(drafts, client, handle, **options)
    _runs.add(run)
    return run, False


def _common(drafts: list[ImageDraft]) -> dict[str, Any]:
    """The values of shared fields in which all drafts agree."""
    found = {path: {repr(draft[path]): draft[path] for draft in drafts} for path in SHARED}
    return {path: next(iter(values.values())) for path, values in found.items() if len(values) == 1}


def _titles(edits: Mapping[int, Mapping[str, Any]]) -> list[str]:
    paths = {path for values in edits.values() for path in values}
    return [spec.title for spec in fields().values() if spec.path in paths]
