"""Plan a publication: what would be sent, and why, before anything is sent. Planning only reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..api.addresses import handle_name
from ..api.constellations import Constellations
from ..checks import UNSAVED
from ..checks.address import counts_at
from ..errors import ApiError, DraftError, NotFoundError
from ..schema.html_repr import LIMIT, capped, html_block, html_table, html_text
from ..schema.records import ImageRecord, ImageSummary
from ._arguments import require_client, require_unpublished
from .attempts import Attempt
from .image_source import EarlierPublication, ImageSource
from .journal import Journal, default_journal, reconcile_first
from .matching import same_placement, same_placement_sent
from .probes import Target, look_at, placed_size, targets

if TYPE_CHECKING:
    from ..checks import Problem
    from ..draft import ImageDraft

PUBLISH, DECIDE, SKIP, BLOCKED = "publish", "decide", "skip", "blocked"
_WEIGHT = [PUBLISH, DECIDE, SKIP, BLOCKED]
THREADS = 16
"""Number of parallel requests to the server."""

OnAsked = Callable[[str, int, int], Any]
"""Called with what was asked ("server" or "web"), the number of answers and the number wanted, one call at a time. An exception
in it cancels the plan."""

Finding = tuple[str, str]
"""A decision, and the reason for it."""

_OTHER_PLACEMENT = (
    "{} has the same image URL and another placement. The site tells images by their URL and would draw this one where that one "
    "is. Give the corrected image another address (rename its files or their folder), then publish it from there."
)


@dataclass(frozen=True, repr=False)
class Step:
    """Planned publication of one draft. The body is fixed here: later changes of the draft do not affect it.

    Attributes
    ----------
    draft : ImageDraft
        The draft.
    decision : str
        "publish"; "decide": the reasons need a decision; "skip": it is there already; "blocked": it can't be published.
    reasons : tuple of str
        The reasons for the decision, one sentence each.
    api_url, handle : str
        Destination of the image.
    url : str
        Its image URL, "" if it has none.
    body : bytes or None
        The exact body of the request; None while the draft has errors.
    existing : tuple of ImageSummary
        Images with this URL that the server has already, under any handle.
    earlier : tuple of Attempt
        The journal's attempts to publish the same body at the same place, at the time of planning.
    problems : tuple of Problem
        The draft's problems.
    source : ImageSource or None
        What the draft was read from, as it was at the time of planning.
    """

    draft: ImageDraft
    decision: str
    reasons: tuple[str, ...]
    api_url: str
    handle: str
    url: str
    body: bytes | None
    existing: tuple[ImageSummary, ...]
    earlier: tuple[Attempt, ...]
    problems: tuple[Problem, ...]
    source: ImageSource | None = None

    def __repr__(self) -> str:
        return f"<Step {self.decision}: {self.name!r} to the {self.destination}>"

    @property
    def name(self) -> str:
        """Short name of the image."""
        return self.draft.name

    @property
    def body_sha256(self) -> str:
        """SHA-256 of the body, hexadecimal; "" while there is none."""
        return hashlib.sha256(self.body).hexdigest() if self.body is not None else ""

    @property
    def request(self) -> dict[str, Any] | None:
        """The request's body as an object, None while the draft has errors."""
        return json.loads(self.body) if self.body is not None else None

    @property
    def destination(self) -> str:
        """The destination in words."""
        return f"handle {self.handle!r} at {self.api_url}"


class Plan(list[Step]):
    """Steps, one for each draft, in the same order. `display_name` is the handle's, or "" if it has no display name."""

    def __init__(self, steps: Iterable[Step], api_url: str, handle: str, display_name: str):
        super().__init__(steps)
        self.api_url, self.handle, self.display_name = api_url, handle, display_name

    def __str__(self) -> str:
        lines = [f"To the handle {self.handle!r} at {self.api_url}:"]
        steps, others = self._shown()
        for step in steps:
            lines += [f"  {step.decision}: {step.name}", *(f"    {reason}" for reason in step.reasons)]
        return "\n".join([*lines, *filter(None, [others])])

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{count} {decision}" for decision in _WEIGHT if (count := sum(s.decision == decision for s in self))
        )
        return f"<Plan for {self.handle!r} at {self.api_url}: {counts or 'nothing'}>"

    def _repr_html_(self) -> str:
        steps, others = self._shown()
        rows = ((step.decision, html_text(step.name), "<br>".join(map(html_text, step.reasons))) for step in steps)
        where = f"To the handle {html_text(self.handle)} at {html_text(self.api_url)}:"
        table = html_table(("What", "Image", "Why"), rows)
        return html_block(f"<p>{where}</p>", table, f"<p>{others}</p>" if others else "")

    def _shown(self) -> tuple[Sequence[Step], str]:
        """Return as many steps as can be shown; if that is not all, those with reasons come first."""
        steps = sorted(self, key=lambda step: not step.reasons) if len(self) > LIMIT else self
        return capped(steps, "first", "The plan is a list of all.")


def plan(
    drafts: ImageDraft | Iterable[ImageDraft],
    client: Constellations,
    handle: str,
    *,
    journal: Journal | None = None,
    probe: bool = True,
    on_progress: OnAsked | None = None,
) -> Plan:
    """Return what would happen if these drafts were published now. Nothing is changed at the server.

    Parameters
    ----------
    drafts : ImageDraft or iterable of ImageDraft
        What to publish.
    client : Constellations
        Client of the API to publish to.
    handle : str
        Handle to publish under.
    journal : Journal, optional
        By default that of the user's state directory.
    probe : bool, optional
        Whether to request the first tile (or the image) and the thumbnail of each publishable draft from the web, to
        check that they exist and may be shown by others. Takes at most 5 s an address, 16 in parallel. Default True.
    on_progress : callable, optional
        Called as ``on_progress("server" or "web", done, total)``; an exception in it cancels the plan.

    Returns
    -------
    Plan
        A list of `Step`, one for each draft.

    Raises
    ------
    ApiError
        If the server can't be reached.
    PublishError
        If the journal can't be used.
    TypeError
        If these are no drafts, or no client.
    """
    require_client("Publishing", client)
    drafts = list(drafts) if isinstance(drafts, Iterable) else [drafts]
    for draft in drafts:
        require_unpublished("Publishing", draft)
    survey = _Survey(client, handle_name(handle), journal or default_journal())
    display_name = survey.ask_about_handle()
    cases = [_Case.of(draft, client.api_url) for draft in drafts]
    tell = on_progress or (lambda *_told: None)
    survey.ask_about([case for case in cases if case.body is not None], tell)
    for case in cases:
        survey.judge(case)
    if probe:
        _ask_the_web([case for case in cases if case.decision in (PUBLISH, DECIDE)], tell, client.api_url)
    return Plan(
        [case.step(client.api_url, survey.handle) for case in cases], client.api_url, survey.handle, display_name
    )


@dataclass
class _Case:
    """Draft, and the findings about it so far."""

    draft: ImageDraft
    problems: tuple[Problem, ...]
    url: str
    body: bytes | None = None
    targets: list[Target] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    body_sha256: str = ""
    existing: tuple[ImageSummary, ...] = ()
    attempts: list[Attempt] = field(default_factory=list)
    earlier: tuple[Attempt, ...] = ()
    source: ImageSource | None = None
    from_source: list[EarlierPublication] = field(default_factory=list)

    @classmethod
    def of(cls, draft: ImageDraft, api_url: str) -> _Case:
        """Return the case of a draft, with the findings of its own checks that count at this API."""
        problems = tuple(draft.problems)
        try:
            submission = draft.submission()
        except DraftError as error:
            url = str(draft.values.get("storage.legacy_url_template") or "")
            return cls(
                draft, problems, url, findings=[(BLOCKED, _format_problem(problem)) for problem in error.problems]
            )
        body, url = submission.to_json(), submission.storage.legacy_url_template
        warnings = [
            (DECIDE, _format_problem(problem))
            for problem in problems
            if problem.severity == "warning" and problem.code != UNSAVED and counts_at(problem.code, api_url)
        ]
        return cls(draft, problems, url, body, targets(submission, placed_size(draft)), warnings)

    @property
    def request(self) -> dict[str, Any]:
        request: dict[str, Any] = json.loads(self.body or b"{}")
        return request

    @property
    def decision(self) -> str:
        return max((decision for decision, _ in self.findings), key=_WEIGHT.index, default=PUBLISH)

    def was_sent_by(self, attempt: Attempt, handle: str) -> bool:
        """Return whether this attempt sent the same body to the same handle."""
        return (attempt.body_sha256, attempt.handle) == (self.body_sha256, handle)

    def step(self, api_url: str, handle: str) -> Step:
        """Return the step that the findings lead to."""
        reasons = tuple(dict.fromkeys(reason for _, reason in self.findings)) or ("Nothing stands in the way.",)
        return Step(
            draft=self.draft,
            decision=self.decision,
            reasons=reasons,
            api_url=api_url,
            handle=handle,
            url=self.url,
            body=self.body,
            existing=self.existing,
            earlier=self.earlier,
            problems=self.problems,
            source=self.source,
        )


@dataclass
class _Survey:
    """Requests to the server and the journal for one plan, each made once."""

    client: Constellations
    handle: str
    journal: Journal
    _place_faults: list[str] = field(default_factory=list)
    _existing: dict[str, tuple[ImageSummary, ...]] = field(default_factory=dict)
    _not_asked: dict[str, ApiError] = field(default_factory=dict)  # by URL: why the server could not be queried
    _records: dict[str, ImageRecord | ApiError] = field(default_factory=dict)
    _seen: dict[str | bytes, _Case] = field(default_factory=dict)
    _sources: dict[str, _Case] = field(default_factory=dict)

    def ask_about_handle(self) -> str:
        """Note what prevents publishing under the handle; return its display name."""
        try:
            found = self.client.handle(self.handle)
            if not self.client.signed_in:
                self._place_faults.append("You are not signed in.")
            elif not self.client.may_add_images(self.handle):
                self._place_faults.append(f"This account may not add images to the handle {self.handle!r}.")
            return found.display_name or found.handle
        except NotFoundError:
            self._place_faults.append(
                f"There is no handle {self.handle!r} at {self.client.api_url}. Capital letters matter."
            )
            return ""

    def ask_about(self, cases: list[_Case], tell: OnAsked) -> None:
        """Find the images that the server has with the URLs of these cases, and the journal's related attempts.

        A URL about which the server can't be asked is noted, and so is a record that can't be read. Raises ApiError if
        it can't be asked about any.
        """
        urls = dict.fromkeys(case.url for case in cases)
        with runtime.new_pool(THREADS, "plan") as pool:
            for number, (url, found) in enumerate(zip(urls, pool.map(self._find, urls), strict=True), 1):
                if isinstance(found, ApiError):
                    self._not_asked[url] = found
                else:
                    self._existing[url] = tuple(found)
                tell("server", number, len(urls))
            if urls and len(self._not_asked) == len(urls):
                raise next(iter(self._not_asked.values()))
            ids = dict.fromkeys(image.id for found in self._existing.values() for image in found)
            self._records = dict(zip(ids, pool.map(self._read, ids), strict=True))
            sources = list(pool.map(ImageSource.of, [case.draft for case in cases]))
        for case in cases:
            case.body_sha256 = hashlib.sha256(case.body or b"").hexdigest()
        wanted = [(case.body_sha256, case.url) for case in cases]
        attempts = self.journal.related_to_each(self.client.api_url, self.handle, wanted)
        for case, related in zip(cases, attempts, strict=True):
            case.attempts = related
        earlier = self.journal.published_from(self.client.api_url, sources)
        for case, source, published in zip(cases, sources, earlier, strict=True):
            case.source, case.from_source = source, published

    def _find(self, url: str) -> list[ImageSummary] | ApiError:
        try:
            return self.client.find_images(url)
        except ApiError as error:
            return error

    def _read(self, id: str) -> ImageRecord | ApiError:
        try:
            return self.client.image(id)
        except ApiError as error:
            return error

    def judge(self, case: _Case) -> None:
        """Note the reasons against publishing a case, beyond the draft's own. Cases come in their order."""
        found: list[Finding] = [(BLOCKED, fault) for fault in self._place_faults]
        if case.body is not None:
            case.existing = self._existing.get(case.url, ())
            case.earlier = tuple(it for it in case.attempts if case.was_sent_by(it, self.handle))
            found += self._about_batch(case)
            found += self._about_server(case)
            readable = {it.id for it in case.existing if not isinstance(self._records[it.id], ApiError)}
            found += _about_journal(case, self.handle, readable)
            found += self._about_source(case)
        case.findings[:0] = found

    def _about_batch(self, case: _Case) -> Iterator[Finding]:
        if twin := self._seen.get(case.body or b""):
            yield SKIP, f"The same as {twin.draft.name!r}, which is in this plan already."
        elif twin := self._seen.get(case.url):
            if same_placement_sent(case.request, twin.request):
                yield SKIP, f"Has the same image URL as {twin.draft.name!r}, which is in this plan already."
            else:
                yield BLOCKED, _OTHER_PLACEMENT.format(f"{twin.draft.name!r}, which is in this plan already,")
        self._seen.setdefault(case.body or b"", case)
        self._seen.setdefault(case.url, case)

    def _about_source(self, case: _Case) -> Iterator[Finding]:
        """Yield what was published from the same source under another address; the same address is found otherwise."""
        for earlier in case.from_source:
            if earlier.attempt.url != case.url:
                yield DECIDE, str(earlier)
        if case.source is None:
            return
        for mark in filter(None, (case.source.origin, case.source.digest)):
            twin = self._sources.setdefault(mark, case)
            if twin.url != case.url:
                noun = case.source.noun
                yield DECIDE, f"Made from the same {noun} as {twin.draft.name!r}, which is in this plan already."
                return

    def _about_server(self, case: _Case) -> Iterator[Finding]:
        if error := self._not_asked.get(case.url):
            yield DECIDE, f"Whether the server has this image already could not be asked: {error}"
        for image in case.existing:
            record = self._records[image.id]
            if isinstance(record, ApiError):
                yield (
                    DECIDE,
                    f"Image {image.id} has the same image URL, and its record can't be read ({record.message.rstrip('.')}): it "
                    "may be the same image, or place it differently.",
                )
            elif not same_placement(record, case.request):
                yield BLOCKED, _OTHER_PLACEMENT.format(f"Image {image.id} of the handle {record.handle.handle!r}")
            elif record.handle.handle == self.handle:
                yield SKIP, f"There already: image {image.id} of this handle has the same image URL."
            else:
                yield DECIDE, f"The handle {record.handle.handle!r} has an image with the same image URL ({image.id})."


def _ask_the_web(cases: list[_Case], tell: OnAsked, api_url: str) -> None:
    """Note what others could not see at the addresses of these cases. It blocks nothing: files may follow later."""
    wanted = (target for case in cases for target in case.targets)
    faults = look_at(wanted, lambda done, total: tell("web", done, total), api_url=api_url)
    for case in cases:
        case.findings += [(DECIDE, fault) for target in case.targets for fault in faults[target]]


def _about_journal(case: _Case, handle: str, seen: set[str]) -> Iterator[Finding]:
    """Yield what the journal's attempts mean for a case; `seen` are the images whose records the server has shown."""
    may_be_sent = any(it.state == "unclear" and case.was_sent_by(it, handle) for it in case.attempts)
    for attempt in case.attempts:
        when = f"{attempt.planned:%Y-%m-%d %H:%M} UTC"
        if attempt.handle != handle:
            when += f" under the handle {attempt.handle!r}"
        same = case.was_sent_by(attempt, handle)
        elsewhere = not same and attempt.kind == "image" and not same_placement_sent(case.request, attempt.request)
        # Under the same handle it would be the same image with another text, and no warning to be overridden.
        second = SKIP if attempt.handle == handle else DECIDE
        if attempt.state == "sending":
            yield (
                BLOCKED if same or elsewhere else second,
                "An image with this URL is being published right now elsewhere. Wait for its outcome.",
            )
        elif attempt.state == "unclear" and elsewhere:
            yield (
                BLOCKED,
                f"An attempt of {when} with the same image URL and another placement may have succeeded. "
                f"{reconcile_first()}",
            )
        elif attempt.state == "unclear" and same:
            yield DECIDE, f"An attempt of {when} may have succeeded: the server is checked before anything is sent."
        elif attempt.state == "unclear":
            yield (
                DECIDE if may_be_sent else second,
                f"An attempt of {when} with the same image URL may have succeeded, and this would be a second image. "
                f"{reconcile_first()}",
            )
        elif attempt.state == "published" and attempt.image_id not in seen:
            if elsewhere:
                yield BLOCKED, _OTHER_PLACEMENT.format(f"Image {attempt.image_id}, published at {when},")
            else:
                yield (
                    second,
                    f"The journal says: published at {when} as {attempt.image_id}. The server does not show it now; it may be "
                    "late.",
                )


def _format_problem(problem: Problem) -> str:
    return f"{problem.field or 'draft'}: {problem.message}"
