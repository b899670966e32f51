"""Upload a collection of files: several at once, only missing or changed ones, those that make it visible last."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from typing import Any, TypeVar

from .. import runtime
from ..errors import HostingError
from ..interface import in_terms, run_again
from .collect import INDEX, Collection, HostedFile, md5_of
from .ledger import Known, Ledger
from .progress import HostingProgress, Meter
from .stores import Store
from .verify import Sampler

_T = TypeVar("_T")
_K = TypeVar("_K", bound="Known | None")

OnProgress = Callable[[HostingProgress], Any]

_SHOWN = 5
"""Names of files in one message."""
_EARLY = 10_000
"""Most files that are found on this disk while the store lists its own."""
_PART = 100
"""Of these, how many are found between two looks at whether the list is complete."""


class CancelledError(HostingError):
    """The upload was cancelled; what had been uploaded stays, and the next call goes on from there."""


class Upload:
    """An upload of one collection to one store.

    Parameters
    ----------
    collection : Collection
    store : Store
    overwrite : bool
        Whether a file that is there and differs is replaced; otherwise nothing is sent.
    on_progress : callable
        Called after each file, one call at a time.
    cancel : threading.Event
        Set it to stop; what was sent stays.
    """

    def __init__(
        self,
        collection: Collection,
        store: Store,
        *,
        overwrite: bool,
        on_progress: OnProgress,
        cancel: threading.Event,
    ):
        self._collection, self._store, self._overwrite = collection, store, overwrite
        self._tell, self._cancel = on_progress, cancel
        self._sampler = Sampler()
        self.sent = self.kept = 0

    @property
    def sample(self) -> list[HostedFile]:
        """Return the files whose public addresses are to be verified, after `run`."""
        return self._sampler.files()

    def run(self) -> None:
        """Compare, then send missing or changed files.

        Raises
        ------
        HostingError
            If the store refuses, a file differs and may not be replaced, or the upload was cancelled.
        """
        self._tell(HostingProgress("listing"))
        ledger = self._call(Ledger, self._store)
        try:
            with runtime.new_pool(self._store.threads, "hosting") as pool:
                meter, missing = self._compare(ledger, pool)
                if missing:
                    self._send_all(ledger, meter, pool)
                else:
                    self.kept = meter.total_files
                    self._tell(meter.all_there())
            self._call(self._store.finish, "Publish image files")
        finally:
            ledger.close()

    def _compare(self, ledger: Ledger, pool: Executor) -> tuple[Meter, bool]:
        """Count the files, and note in the ledger those that the store has; return whether any has to be sent.

        Raises an error before anything is sent if files would be replaced; an index of an earlier upload may, since it
        follows the draft.
        """
        files = size = missing = 0
        own_index = False
        differing: list[str] = []

        def found() -> Iterator[tuple[HostedFile, Known]]:
            nonlocal files, size, missing, own_index
            for file, known in ledger.find(self._listed(ledger, pool)):
                files, size = files + 1, size + file.size
                self._sampler.add(file)
                if known is None:
                    missing += 1
                    continue
                own_index = own_index or (file.key == INDEX and known.unchanged)
                yield file, known

        def work(file: HostedFile, known: Known) -> bool:
            return self._is_same(file, known, ledger)

        for file, same in self._in_order(pool, found(), work, lambda file, known: known.same(file)):
            if not same:
                missing += 1
                if file.key != INDEX or not own_index:
                    differing.append(file.key)
        if differing and not self._overwrite:
            more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
            raise HostingError(
                f"{self._store.address} already has other files of the same names ({', '.join(differing[:_SHOWN])}{more}); "
                "nothing was sent. Choose another folder, or "
                + in_terms(
                    'pass mode="overwrite" to replace them',
                    "delete them there",
                    "check “Replace files of the same names”",
                )
            )
        return Meter(files, size), missing > 0

    def _listed(self, ledger: Ledger, pool: Executor) -> Iterator[HostedFile]:
        """Yield the files on this disk, the first ones found while the store lists its own."""
        listing = pool.submit(lambda: ledger.fill(self._store.listing()))
        files, early = self._collection.files(), list[HostedFile]()
        while not listing.done() and len(early) < _EARLY and (some := list(itertools.islice(files, _PART))):
            early += some
        self._result(listing)
        yield from early
        yield from files

    def _send_all(self, ledger: Ledger, meter: Meter, pool: Executor) -> None:
        """Send the tiles in any order, then the last three files one after the other."""
        waiting: deque[tuple[HostedFile, Known | None]] = deque()

        def all_but_last() -> Iterator[tuple[HostedFile, Known | None]]:
            for each in ledger.find(self._collection.files()):
                waiting.append(each)
                if len(waiting) > 3:
                    yield waiting.popleft()

        def work(file: HostedFile, known: Known | None) -> bool:
            return self._send(file, known, ledger)

        def quick(file: HostedFile, known: Known | None) -> bool | None:
            return False if known and known.same(file) else None

        for file, sent in self._in_order(pool, all_but_last(), work, quick):
            self._count(file, sent, meter)
        for file, known in waiting:
            self._stop_if_cancelled()
            sent = quick(file, known) is None and self._call(work, file, known)
            self._count(file, sent, meter)

    def _count(self, file: HostedFile, sent: bool, meter: Meter) -> None:
        self.sent += sent
        self.kept += not sent
        self._tell(meter.add(file.size, sent=sent))

    def _send(self, file: HostedFile, known: Known | None, ledger: Ledger) -> bool:
        """Send a file unless the store has the same; return whether it was sent."""
        data = file.read()
        replace = known is not None and (self._overwrite or file.key == INDEX)
        try:
            tag = self._store.put(file, data, overwrite=replace)
        except FileExistsError:  # by a concurrent upload, or a request whose response was lost
            if self._store.read(file.key) != data:
                raise
            return False
        ledger.confirm(file, "" if self._store.lists_md5 and file.about else md5_of(data), tag)
        return True

    def _is_same(self, file: HostedFile, known: Known, ledger: Ledger) -> bool:
        """Return whether the store holds a file's bytes, by its checksum, or by reading what it holds."""
        data = file.read()
        ours = md5_of(data)
        same = known.md5 == ours or (not known.is_checksum and self._store.read(file.key) == data)
        if same:
            ledger.mark_same(file, ours)
            ledger.confirm(file, ours, known.tag)
        return same

    def _in_order(
        self,
        pool: Executor,
        files: Iterator[tuple[HostedFile, _K]],
        work: Callable[[HostedFile, _K], bool],
        quick: Callable[[HostedFile, _K], bool | None],
    ) -> Iterator[tuple[HostedFile, bool]]:
        """Run `work` for every file in the pool, a bounded number at a time; yield the results.

        Where `quick` knows the result, it is yielded at once, out of turn.
        """
        running: deque[tuple[HostedFile, Future[bool]]] = deque()
        try:
            for file, known in files:
                if (result := quick(file, known)) is not None:
                    yield file, result
                    continue
                running.append((file, pool.submit(work, file, known)))
                if len(running) >= 4 * self._store.threads:
                    file, future = running.popleft()
                    yield file, self._result(future)
            while running:
                file, future = running.popleft()
                yield file, self._result(future)
        finally:
            for _, future in running:
                future.cancel()

    def _result(self, future: Future[_T]) -> _T:
        """Return a future's result; raise an error when the upload is cancelled."""
        while not future.done() and not wait([future], timeout=0.2).done:
            self._stop_if_cancelled()
        self._stop_if_cancelled()
        result: _T = self._call(future.result)
        return result

    def _stop_if_cancelled(self) -> None:
        if self._cancel.is_set():
            raise CancelledError(
                f"The upload to {self._store.address} was cancelled; {run_again()} with the same target to go on"
            )

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except HostingError:
            raise
        except FileExistsError as error:
            raise HostingError(
                f"{self._store.address} has another file of the name {error.args[0]} since just now; it was not replaced. "
                "Is another upload running?"
            ) from None
        except Exception as error:  # each service raises errors of its own  # noqa: BLE001
            raise HostingError(
                f"The upload to {self._store.address} stopped: {self._store.explain(error)}. "
                f"What was uploaded stays; {run_again()} to send only what is missing"
            ) from None
