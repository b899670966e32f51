"""The publisher of many images: a table of drafts, shared fields, review, progress, receipts."""

from __future__ import annotations

import functools
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from ...api.addresses import handle_name
from ...checks.address import counts_at
from ...draft import ImageDraft
from ...errors import ConstellationsError, PublishError
from ...publishing._arguments import require_client
from ...publishing.batch import MOST_THREADS
from ...schema.fields import fields
from ...schema.placement import web_address_fault
from ...sources.reading import ParsedImage
from ...state import user_path
from ..base import Message, apply_fix, placeholder, problems_of, synced_dict
from ..form import CreditsWidget, ImageForm, kept_credits, licenses
from ..lifetime import VIEW
from ..pending_attempts import NONE_PENDING, PendingAttempts
from ..protocol.drafts import DraftState, HostingState
from ..protocol.publishing import BatchDetails, BatchMetadata, BatchPositions, BatchRow, BatchStatus, PendingState
from ..review import REVIEW
from ..rpc import Response
from ..thumbnails import thumbnail
from .edits import names_of
from .folder import Skipped, read_source
from .hosting import BatchHosting
from .metadata_offer import MetadataOffer
from .positions import PositionSearch
from .row_form import RowForm
from .rows import BatchRows, review_of, with_titles
from .run import BatchRun
from .uploads import BatchUploads

if TYPE_CHECKING:
    from ...api import Constellations
    from ...publishing import Batch, Journal
    from ...schema.records import Receipt
    from ...solving.solution import Solution
    from ..preview import Preview

SHARED = ("permissions.copyright", "permissions.credits", "permissions.license", "note", "alt_text")
"""Fields that the page offers to copy."""
_MESSAGES = ("choose", "decide", "copy", "host", "fix_row", "repeat", "save", "restore", "edit_row", "show_position")
_MOST_THUMBNAILS = 64  # in one answer

_runs: weakref.WeakSet[BatchRun] = weakref.WeakSet()


class BatchPublisher(CreditsWidget[ImageDraft]):
    """Publishes many drafts: a table of them, shared fields, a review, progress, receipts.

    Publishing continues while no page shows the widget, and a cell that is run again shows the batch that it began. After
    a restart of the kernel, the same cell continues where it stopped: the journal knows what was published.

    Parameters
    ----------
    source : str, Path, wwt_data_formats Folder, or iterable of ImageDraft, str or Path
        A folder of pictures, or with an ``index_rel.wtml``; a WTML file or text; or drafts and files: see `drafts_from`.
    client : Constellations
        Where to publish; signed in.
    handle : str
        Handle under which to publish; the account must own it.
    threads : int, optional
        Number of images that are sent at the same time, 1 to 32. Default 32.
    probe : bool, optional
        Whether a check loads each draft's first tile and thumbnail from the web. Default True.
    journal : Journal, optional
        By default the one in the user's state directory.
    host : str, Path, HostingProfile or Sandbox, optional
        Where to upload files that are not on the web yet, before they are checked, as for `host_all`; each image gets a
        folder of its own below it. By default nothing is uploaded.
    public_url : str, optional
        The address under which browsers find that place, if it does not follow from it.
    credentials : dict, optional
        Keys or a password for that place; by default those of the environment.
    metadata : str, Path, pandas.DataFrame, astropy Table, or list of dict, optional
        A table with a row for each image: see `drafts_from`. The page shows what its columns are for, and what does not fit;
        a button (or `apply_metadata`) applies it.

    Attributes
    ----------
    drafts : list of ImageDraft
        The drafts, one for each row.
    shared : ImageDraft
        Draft with the values that can be copied to all rows.

    Raises
    ------
    SourceError
        If no drafts can be made of `source`, or `metadata` can't be used.
    PublishError
        If the number of threads is out of range.
    InvalidError
        If there is no handle.

    Examples
    --------
    >>> cxw.BatchPublisher("images/", client, handle, metadata="metadata.csv")
    """

    page = "batch_publisher"

    fields = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    titles = traitlets.Dict().tag(sync=True)  # of all fields, by path
    status: BatchStatus = synced_dict()
    pending_attempts: PendingState = synced_dict(NONE_PENDING)
    metadata: BatchMetadata = synced_dict()
    hosting: HostingState = synced_dict()  # see `BatchUploads`
    positions: BatchPositions = synced_dict()  # see `PositionSearch`
    found_positions = traitlets.List(trait=traitlets.Dict()).tag(sync=True)

    _stop_listening: Callable[[], None] | None = None

    def __init__(
        self,
        source: Any,
        client: Constellations,
        handle: str,
        *,
        threads: int = 32,
        probe: bool = True,
        journal: Journal | None = None,
        host: Any = None,
        public_url: str | None = None,
        credentials: Mapping[str, str] | None = None,
        metadata: Any = None,
    ):
        require_client("BatchPublisher", client)
        hosting = None if host is None else BatchHosting(host, public_url, credentials)
        credentials = None  # tracebacks can show local variables
        if not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
            raise PublishError(f"threads is {threads!r}: give a whole number from 1 to {MOST_THREADS}.")
        handle = handle_name(handle)
        drafts, own, skipped = _drafts_of(source)
        options: dict[str, Any] = {"threads": threads, "probe": probe, "journal": journal, "hosting": hosting}
        self._run, self._continued = _run_of(drafts, own, client, handle, **options)
        run = self._run
        self._metadata = MetadataOffer(run, metadata, skipped)
        actions: dict[str, Callable[[], Any]] = {
            "undo": run.undo,
            "redo": run.redo,
            "discard": run.forget,
            "review": run.prepare,
            "stop": run.stop,
            "cancel": run.cancel,
            "resume": run.resume,
            "apply_metadata": self.apply_metadata,
        }
        # Attempts to publish these rows are reconciled in any case, before anything is sent.
        own_urls = {draft["storage.legacy_url_template"] or "nowhere" for draft in run.drafts}
        show = functools.partial(self.set_trait, "pending_attempts")
        self._pending = PendingAttempts(
            client, show, lambda _reconciled: run.find_published(), journal=journal, ignored_urls=own_urls
        )
        actions |= {"reconcile": self._pending.reconcile, "abandon": self._pending.abandon}
        self._rows = BatchRows(run, self._push_rows)
        self._saved: list[str] = []
        self._error = ""
        shared = ImageDraft(ParsedImage(_common(self._run.drafts), name="the chosen images"), autosave=False)
        specs = [fields()[path].to_json() for path in SHARED]
        titles = {spec.path: spec.title for spec in fields().values()}
        messages: dict[str, Callable[[Message], object]] = {kind: getattr(self, f"_on_{kind}") for kind in _MESSAGES}
        messages["confirm"] = run.on_message
        self._uploads = BatchUploads(run, functools.partial(self.set_trait, "hosting"), hosting)
        messages |= dict.fromkeys(BatchUploads.messages, self._uploads.on_message)
        self._positions = PositionSearch(
            run,
            functools.partial(self.set_trait, "positions"),
            functools.partial(self.set_trait, "found_positions"),
            self._show_solution,
        )
        messages |= dict.fromkeys(PositionSearch.messages, self._positions.on_message)
        messages |= {kind: functools.partial(self._act, action) for kind, action in actions.items()}
        requests = {
            "licenses": licenses,
            "rows": lambda request: (self._rows.chunk(int(request["start"])), []),
            "details": self._details,
            "thumbnails": self._thumbnails,
            "alive": lambda _request: ({}, []),
        }
        self._row_form = RowForm(self, run, lambda: self._rows.touch(()))
        super().__init__(
            shared,
            messages=messages,
            requests=requests,
            fields=specs,
            titles=titles,
            kept_credits=kept_credits(shared),
            metadata=self._metadata.state(),
            status=self._status(),
            hosting=self._uploads.state,
            positions=self._positions.state,
        )
        self._stop_listening = run.listen(self._rows.touch)
        self._stop_following_account = run.client.on_account_change(run.on_account_change)
        self._rows.touch(range(len(self.drafts)))
        self._pending.find()

    @property
    def drafts(self) -> list[ImageDraft]:
        """The drafts, one for each row."""
        return self._run.drafts

    @property
    def shared(self) -> ImageDraft:
        """Draft with the values that can be copied to all rows."""
        return self._draft

    @property
    def batch(self) -> Batch | None:
        """The batch that was planned last; None before, and when images have changed since."""
        return self._run.batch

    @property
    def receipts(self) -> list[Receipt]:
        """Receipts of the published rows."""
        found = (self._run.receipt_of(number) for number in range(len(self.drafts)))
        return [receipt for receipt in found if receipt]

    def copy_fields(self, values: Mapping[str, Any], rows: Iterable[int] | None = None) -> int:
        """Copy values, by path, to the chosen rows (or these); return the number of changed drafts.

        ``copy_fields({"permissions.license": "CC-BY-4.0"}, rows=range(10))``. Nothing changes while images are being sent.
        Raises KeyError if a path does not name a field.
        """
        for path in values:
            self.shared[path]  # raises KeyError, with a suggestion
        titles = ", ".join(fields()[path].title for path in values)
        return self._run.change(titles, lambda _number, draft: draft.edit(values), rows)

    def apply_metadata(self) -> int:
        """Apply the table to its rows, as one step that can be undone; return the number of changed drafts."""
        count = self._metadata.apply()
        self.metadata = self._metadata.state()
        self._update_shared()
        return count

    def edit(self, row: int | None) -> ImageForm | None:
        """Show the form of a row below the table, or with None no form; return the form.

        Raises
        ------
        ConstellationsError
            If there is no such row.
        """
        return self._row_form.open(None if row is None else self._number({"row": row}))

    def show_on_sky(self, row: int | None) -> Preview | None:
        """Show a row on the sky below the table, or with None no sky; return the preview.

        A position that was found, and waits to be accepted, is shown with its matched stars.

        Raises
        ------
        ConstellationsError
            If there is no such row.
        """
        if row is None:
            return self._row_form.show_on_sky(None)
        number = self._number({"row": row})
        preview = self._row_form.show_on_sky(number, self._positions.solution_of(number))
        self._positions.note_shown(number)
        return preview

    def undo(self) -> int:
        """Undo the last copy; return the number of changed drafts."""
        return self._run.undo()

    def redo(self) -> int:
        """Redo the last undone copy; return the number of changed drafts."""
        return self._run.redo()

    def stop(self) -> None:
        """Send nothing more. Requests that are out go on."""
        self._run.stop()

    def save_receipts(self, folder: str | Path | None = None) -> list[Path]:
        """Write the state of each row to a JSON and a CSV file; return their paths.

        Parameters
        ----------
        folder : str or Path, optional
            Folder of the files. By default the working directory, which is that of the notebook.

        Raises
        ------
        SourceError
            If they can't be written there.
        """
        paths = self._run.save_receipts(user_path(folder) if folder is not None else None)
        self._saved = [str(path) for path in paths]
        self._rows.touch(())
        return paths

    def close(self) -> None:
        """Close the table. Publishing continues."""
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_following_account()
            self._rows.close()
            self._row_form.close()
            self._uploads.close()
            self._positions.close()
        super().close()

    def __repr__(self) -> str:
        count = len(self.drafts)
        return placeholder(self, f" of {count} image{'s' * (count != 1)}, {len(self.receipts)} published")

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Show the table in a box, in which the form of a row has its place."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data and VIEW in data:
            data[VIEW] = {**data[VIEW], "model_id": self._row_form.box.model_id}
        return bundle

    # -- to the page

    def _push_rows(self, rows: list[BatchRow], revision: int) -> None:
        if rows and self._may_be_viewed:
            self.send({"kind": "rows", "rows": rows, "revision": revision})
        elif not rows:
            self.status = self._status()

    def _state(self) -> DraftState:
        """Return the state of the shared fields; an empty one is not a problem here."""
        state = super()._state()
        return {**state, "problems": [it for it in state["problems"] if state["values"].get(it["field"])]}

    def _status(self) -> BatchStatus:
        run, batch, review = self._run, self._run.batch, self._run.review
        earlier = {number: it for number, it in run.edits.earlier.items() if not run.drafts[number].receipt}
        return {
            "phase": run.phase,
            "revision": self._rows.revision,
            "acknowledged": self._rows.acknowledged,
            "total": len(run.drafts),
            "open": sum(not run.drafts[number].receipt for number in run.chosen),
            "counts": self._rows.counts(),
            "sent": dict(Counter(run.state_of(number)[0] for number in run.planned)),
            "handle": run.handle,
            "api_url": run.client.api_url,
            "message": self._error or run.message,
            "progress": run.progress,
            "continued": self._continued,
            "review": review_of(batch, review) if run.phase == REVIEW and batch and review else None,
            "undo": run.shared.undoable,
            "redo": run.shared.redoable,
            "earlier": {"saved": run.edits.saved, "count": len(earlier), "fields": _titles(earlier)}
            if earlier
            else None,
            "saved": self._saved,
            "edited": self._row_form.row,
            "on_sky": self._row_form.on_sky,
            "edits": self._row_form.has_place,
        }

    def _details(self, request: Mapping[str, Any]) -> Response:
        """Respond with the problems of a row, and why it is in its state if they don't say so."""
        number = self._number(request)
        draft, row = self.drafts[number], self._run.row_of(number)
        reason, known = self._run.state_of(number)[1], {f"{it.field or 'draft'}: {it.message}" for it in draft.problems}
        of_plan = row is not None and reason == " ".join(row.step.reasons)
        why = [it for it in row.step.reasons if it not in known] if row and of_plan else [reason] if reason else []
        problems = problems_of(draft, with_fixes=not draft.locked)
        details: BatchDetails = {
            "problems": [it for it in problems if counts_at(it["code"], self._run.client.api_url)],
            "why": [*map(with_titles, why)],
            "url": str(draft.values["storage.legacy_url_template"] or ""),
        }
        return details, []

    def _thumbnails(self, request: Mapping[str, Any]) -> Response:
        wanted = [number for number in request["rows"] if isinstance(number, int) and 0 <= number < len(self.drafts)]
        found = [thumbnail(self.drafts[number]) for number in wanted[:_MOST_THUMBNAILS]]
        return {"types": [it and it.content_type for it in found]}, [it.content for it in found if it]

    # -- from the page

    def _number(self, message: Mapping[str, Any]) -> int:
        number = message.get("row")
        if not isinstance(number, int) or not 0 <= number < len(self.drafts):
            raise ConstellationsError(f"Unknown row {str(number)[:20]}.")
        return number

    def _numbers(self, message: Mapping[str, Any]) -> list[int]:
        rows = message.get("rows")
        return [number for number in rows if isinstance(number, int)] if isinstance(rows, list) else []

    def _on_choose(self, message: Mapping[str, Any]) -> None:
        self._on_click(message, self._run.choose)

    def _on_decide(self, message: Mapping[str, Any]) -> None:
        self._on_click(message, self._run.decide)

    def _on_click(self, message: Mapping[str, Any], act: Callable[[list[int], bool], object]) -> None:
        page, click = str(message.get("page"))[:40], message.get("click")
        do = functools.partial(act, self._numbers(message), message.get("on") is True)
        if isinstance(click, int):
            self._rows.carry_out(page, click, do)
        else:
            do()

    def _on_copy(self, message: Mapping[str, Any]) -> None:
        path = message.get("path")
        if path in SHARED and not any(it.field == path and it.severity == "error" for it in self.shared.problems):
            self.copy_fields({path: self.shared[path]})

    def _on_host(self, message: Mapping[str, Any]) -> None:
        base = str(message.get("base", "")).strip()
        if not web_address_fault(base):
            self._run.change("Addresses", lambda _number, draft: draft.host_at(base))

    def _on_fix_row(self, message: Mapping[str, Any]) -> None:
        self._run.change("Fix", lambda _number, draft: apply_fix(draft, message), [self._number(message)])

    def _on_repeat(self, message: Mapping[str, Any]) -> None:
        if (what := message.get("what")) in ("retry", "check", "resend"):
            self._run.repeat(what)

    def _on_save(self, _message: Mapping[str, Any]) -> None:
        try:
            self.save_receipts()
            self._error = ""
        except ConstellationsError as error:
            self._error = str(error)
            self._rows.touch(())

    def _on_restore(self, _message: Mapping[str, Any]) -> None:
        self._run.restore()
        self._update_shared()

    def _on_edit_row(self, message: Mapping[str, Any]) -> None:
        self.edit(message.get("row"))

    def _on_show_position(self, message: Message) -> None:
        self.show_on_sky(message.get("row"))

    def _show_solution(self, row: int, solution: Solution | None) -> None:
        """Show on the sky, if the row is there, what waits for it."""
        preview = self._row_form.preview
        if preview is not None and row == self._row_form.on_sky:
            preview.show_solution(solution)

    def _update_shared(self) -> None:
        """Fill shared fields that are empty with values that all rows have."""
        self.shared.update({path: value for path, value in _common(self.drafts).items() if not self.shared[path]})

    def _act(self, action: Callable[[], Any], _message: Message) -> None:
        self._error = ""
        action()


def _drafts_of(source: Any) -> tuple[list[ImageDraft], bool, list[Skipped]]:
    """Return the drafts, whether they were made here, and the files of which none was made."""
    if isinstance(source, Iterable) and not isinstance(source, str | Path) and not hasattr(source, "to_xml"):
        source = list(source)
    # Edits are saved in one file for all rows, rather than in one for each.
    drafts, skipped = read_source(source, autosave=False)
    given = source if isinstance(source, list) else [source]
    return drafts, not any(isinstance(one, ImageDraft) for one in given), skipped


def _run_of(
    drafts: list[ImageDraft], own: bool, client: Constellations, handle: str, **options: Any
) -> tuple[BatchRun, bool]:
    """Return the batch of these drafts, and whether it is one that is running already."""
    for run in list(_runs):
        if run.busy and (run.client.api_url, run.handle) == (client.api_url, handle):
            same = run.edits.names == names_of(drafts) if own else [*map(id, run.drafts)] == [*map(id, drafts)]
            if same:
                return run, True
    run = BatchRun(drafts, client, handle, **options)
    _runs.add(run)
    return run, False


def _common(drafts: list[ImageDraft]) -> dict[str, Any]:
    """Return the values of shared fields that are the same in all drafts."""
    found = {path: {repr(draft[path]): draft[path] for draft in drafts} for path in SHARED}
    return {path: next(iter(values.values())) for path, values in found.items() if len(values) == 1}


def _titles(edits: Mapping[int, Mapping[str, Any]]) -> list[str]:
    paths = {path for values in edits.values() for path in values}
    return [spec.title for spec in fields().values() if spec.path in paths]
