"""The plan: what publishing would do, and why, before anything is sent. Making it only reads."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..api.addresses import handle_name
from ..api.constellations import Constellations
from ..errors import DraftError, NotFoundError
from ..schema.records import ImageSummary
from .attempts import Attempt
from .given import require_client, require_unpublished
from .journal import Journal, default_journal
from .probes import Target, look_at, targets
from .tables import html_table

if TYPE_CHECKING:
    from ..checks import Problem
    from ..draft import ImageDraft

PUBLISH, DECIDE, SKIP, BLOCKED = "publish", "decide", "skip", "blocked"
_WEIGHT = [PUBLISH, DECIDE, SKIP, BLOCKED]
THREADS = 16
"""Questions that a server is asked beside each other."""

OnAsked = Callable[[str, int, int], Any]
"""Is told who is asked ("server" or "web"), how many answers are there and how many are wanted, one call at a time. What it
raises calls the plan off."""

Finding = tuple[str, str]
"""A decision that something speaks for, and why."""


@dataclass(frozen=True, repr=False)
class Step:
    """What the plan says of one draft. The body is fixed here: later changes of the draft don't reach it.

    Attributes
    ----------
    draft : ImageDraft
        The draft.
    decision : str
        "publish"; "decide": somebody has to look at the reasons first; "skip": it is there already; "blocked": it can't
        be published.
    reasons : tuple of str
        Why, one sentence each.
    api_url, handle : str
        Where the image will go.
    url : str
        Its image URL, "" if it has none.
    body : bytes or None
        The exact body of the request; None while the draft has errors.
    existing : tuple of ImageSummary
        Images with this URL that the server has already, under any handle.
    earlier : tuple of Attempt
        The journal's attempts to publish the same body at the same place, as they stood.
    problems : tuple of Problem
        What the checks say of the draft.
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

    def __repr__(self) -> str:
        return f"<Step {self.decision}: {self.name!r} to the {self.destination}>"

    @property
    def name(self) -> str:
        """What people call the image."""
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
        """Where it will go, for people."""
        return f"handle {self.handle!r} at {self.api_url}"


class Plan(list[Step]):
    """The steps, one for each draft, in the same order. `display_name` is the handle's, "" if there is none."""

    def __init__(self, steps: Iterable[Step], api_url: str, handle: str, display_name: str):
        super().__init__(steps)
        self.api_url, self.handle, self.display_name = api_url, handle, display_name

    def __str__(self) -> str:
        lines = [f"To the handle {self.handle!r} at {self.api_url}:"]
        for step in self:
            lines += [f"  {step.decision}: {step.name}", *(f"    {reason}" for reason in step.reasons)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{count} {decision}" for decision in _WEIGHT if (count := sum(s.decision == decision for s in self))
        )
        return f"<Plan for {self.handle!r} at {self.api_url}: {counts or 'nothing'}>"

    def _repr_html_(self) -> str:
        rows = ((step.decision, html.escape(step.name), "<br>".join(map(html.escape, step.reasons))) for step in self)
        where = f"To the handle {html.escape(self.handle)} at {html.escape(self.api_url)}:"
        return f"<p>{where}</p>{html_table(('What', 'Image', 'Why'), rows)}"


def plan(
    drafts: ImageDraft | Iterable[ImageDraft],
    client: Constellations,
    handle: str,
    *,
    journal: Journal | None = None,
    probe: bool = True,
    on_progress: OnAsked | None = None,
) -> Plan:
    """What would happen if these drafts were published now. Nothing is sent that changes anything.

    Parameters
    ----------
    drafts : ImageDraft or iterable of ImageDraft
        What is to be published.
    client : Constellations
        Where to.
    handle : str
        Under which handle.
    journal : Journal, optional
        By default that of the user's state directory.
    probe : bool, optional
        Whether the web is asked for the first tile (or the image) and the thumbnail of what could be published: are
        they there, may others show them. Takes 5 s an address at most, 16 beside each other. Default True.
    on_progress : callable, optional
        Called as ``on_progress("server" or "web", done, total)``; what it raises calls the plan off.

    Returns
    -------
    Plan
        A list of `Step`, one for each draft.

    Raises
    ------
    ApiError
        If the server can't be asked.
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
    cases = [_Case.of(draft) for draft in drafts]
    tell = on_progress or (lambda *_told: None)
    survey.ask_about([case for case in cases if case.body is not None], tell)
    for case in cases:
        survey.judge(case)
    if probe:
        _ask_the_web([case for case in cases if case.decision in (PUBLISH, DECIDE)], tell)
    return Plan(
        [case.step(client.api_url, survey.handle) for case in cases], client.api_url, survey.handle, display_name
    )


@dataclass
class _Case:
    """A draft, and what was found out about it so far."""

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

    @classmethod
    def of(cls, draft: ImageDraft) -> _Case:
        problems = tuple(draft.problems)
        try:
            submission = draft.submission()
        except DraftError as error:
            url = str(draft.values.get("storage.legacy_url_template") or "")
            return cls(draft, problems, url, findings=[(BLOCKED, _said_of(problem)) for problem in error.problems])
        body, url = submission.to_json(), submission.storage.legacy_url_template
        warnings = [(DECIDE, _said_of(problem)) for problem in problems if problem.severity == "warning"]
        return cls(draft, problems, url, body, targets(submission), warnings)

    @property
    def decision(self) -> str:
        return max((decision for decision, _ in self.findings), key=_WEIGHT.index, default=PUBLISH)

    def step(self, api_url: str, handle: str) -> Step:
        reasons = tuple(dict.fromkeys(reason for _, reason in self.findings)) or ("Nothing stands in the way.",)
        place, known = (api_url, handle), (self.url, self.body, self.existing, self.earlier, self.problems)
        return Step(self.draft, self.decision, reasons, *place, *known)


@dataclass
class _Survey:
    """What the server and the journal are asked for one plan, each thing once."""

    client: Constellations
    handle: str
    journal: Journal
    _place_faults: list[str] = field(default_factory=list)
    _existing: dict[str, tuple[ImageSummary, ...]] = field(default_factory=dict)
    _handle_names: dict[str, str] = field(default_factory=dict)
    _names: dict[str | bytes, str] = field(default_factory=dict)

    def ask_about_handle(self) -> str:
        """Note what stands in the way of publishing there; gives the handle's display name."""
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
        """Find the images that the server has with the URLs of these, and what the journal knows of them."""
        urls = {case.url for case in cases}
        with ThreadPoolExecutor(THREADS, "constellations-plan") as pool:
            for url, found in zip(urls, pool.map(self.client.find_images, urls), strict=True):
                self._existing[url] = tuple(found)
                tell("server", len(self._existing), len(urls))
        for case in cases:
            case.body_sha256 = hashlib.sha256(case.body or b"").hexdigest()
        wanted = [(case.body_sha256, case.url) for case in cases]
        attempts = self.journal.related_to_each(self.client.api_url, self.handle, wanted)
        for case, found in zip(cases, attempts, strict=True):
            case.attempts = found

    def judge(self, case: _Case) -> None:
        """Note what speaks against publishing this, beside what the draft itself says. Drafts come in their order."""
        found: list[Finding] = [(BLOCKED, fault) for fault in self._place_faults]
        if case.body is not None:
            case.existing = self._existing[case.url]
            case.earlier = tuple(it for it in case.attempts if it.body_sha256 == case.body_sha256)
            found += self._about_batch(case)
            found += self._about_server(case.existing)
            found += _about_journal(case.attempts, case.body_sha256, {image.id for image in case.existing})
        case.findings[:0] = found

    def _about_batch(self, case: _Case) -> Iterator[Finding]:
        if case.body in self._names:
            yield SKIP, f"The same as {self._names[case.body]!r}, which is in this plan already."
        elif case.url in self._names:
            yield SKIP, f"Has the same image URL as {self._names[case.url]!r}, which is in this plan already."
        self._names.setdefault(case.body, case.draft.name)
        self._names.setdefault(case.url, case.draft.name)

    def _about_server(self, existing: tuple[ImageSummary, ...]) -> Iterator[Finding]:
        for image in existing:
            name = self._handle_of(image)
            if name == self.handle:
                yield SKIP, f"There already: image {image.id} of this handle has the same image URL."
            else:
                yield DECIDE, f"The handle {name!r} has an image with the same image URL ({image.id})."

    def _handle_of(self, image: ImageSummary) -> str:
        """The name of the handle that an image belongs to; lists don't say it, records do."""
        if image.handle_id not in self._handle_names:
            self._handle_names[image.handle_id] = self.client.image(image.id).handle.handle
        return self._handle_names[image.handle_id]


def _ask_the_web(cases: list[_Case], tell: OnAsked) -> None:
    """Note what others would miss at the addresses of these. It blocks nothing: files may follow later."""
    wanted = (target for case in cases for target in case.targets)
    faults = look_at(wanted, lambda done, total: tell("web", done, total))
    for case in cases:
        case.findings += [(DECIDE, said) for target in case.targets for said in faults[target]]


def _about_journal(attempts: Iterable[Attempt], digest: str, listed: set[str]) -> Iterator[Finding]:
    for attempt in attempts:
        when = f"{attempt.planned:%Y-%m-%d %H:%M} UTC"
        if attempt.state == "sending":
            same = attempt.body_sha256 == digest
            yield BLOCKED if same else DECIDE, "An image with this URL is being published right now elsewhere."
        elif attempt.state == "unclear":
            yield DECIDE, f"An attempt of {when} may have succeeded: the server is looked at before anything is sent."
        elif attempt.state == "published" and attempt.image_id not in listed:
            yield DECIDE, f"The journal says: published at {when} as {attempt.image_id}. The server does not list it."


def _said_of(problem: Problem) -> str:
    return f"{problem.field or 'draft'}: {problem.message}"
