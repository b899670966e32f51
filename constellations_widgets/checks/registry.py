"""The registry of rules: small named functions over a draft's plain values.

A rule reads the flat values (``wwt.rotation`` → 12.5, whatever the user typed) and yields each finding as a `Fault`: the field, a message,
and changes that fix it. Its code and severity are given when it is registered:

    @rule("CXW403", WARNING)
    def public_domain_has_its_license(values): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..schema.placement import Fault, Values

Severity = Literal["error", "warning", "info"]
ERROR: Severity = "error"
WARNING: Severity = "warning"
INFO: Severity = "info"
_ORDER = {ERROR: 0, WARNING: 1, INFO: 2}

UNSAVED = "CXW902"
"""Code of the warning that edits can't be saved to disk. It is of this kernel's draft, not of the image that is published."""
IMAGE_SIZE = "image.size"
"""Path under which rules find width and height of the image in pixels; it is no field, and None where they are not known."""
IMAGE_FILE = "image.file"
"""Path under which rules find the name of the file that the draft was made from, without its folder; "" for a draft without a file."""

Found = Fault | Iterable[Fault] | None
Check = Callable[[Values], Found]


@dataclass(frozen=True)
class Fix:
    """Changes (path → new value) that fix a problem, and the label of the button that applies them.

    Examples
    --------
    >>> for problem in draft.problems:
    ...     if problem.fix:
    ...         draft.update(problem.fix.changes)
    """

    label: str
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """One finding of a rule.

    Attributes
    ----------
    code : str
        The rule's name, such as "CXW208"; it never changes its meaning.
    severity : str
        "error": can't be published. "warning": most likely wrong. "info": worth knowing.
    field : str
        Path of the field, such as "wwt.rotation"; "" for the draft as a whole.
    message : str
        What is wrong with the field, why, and what to do.
    fix : Fix or None
        Changes that fix it: `draft.apply(problem)`.

    Examples
    --------
    >>> for problem in draft.problems:
    ...     print(problem.code, problem.severity, problem.field, problem.message)
    """

    code: str
    severity: Severity
    field: str
    message: str
    fix: Fix | None = None

    def __str__(self) -> str:
        hint = f" (fix: {self.fix.label})" if self.fix else ""
        return f"{self.code} {self.severity} {self.field}: {self.message}{hint}"


@dataclass(frozen=True)
class Rule:
    """A registered check; `summary` is the first line of its docstring."""

    code: str
    severity: Severity
    check: Check
    summary: str

    def problems(self, values: Values) -> list[Problem]:
        """Return the problems that this rule finds in `values`."""
        found = self.check(values)
        if found is None:
            return []
        faults = (found,) if isinstance(found, Fault) else found
        return [
            Problem(self.code, self.severity, f.field, f.message, Fix(f.label, dict(f.changes)) if f.changes else None)
            for f in faults
        ]


RULES: dict[str, Rule] = {}


def rule(code: str, severity: Severity) -> Callable[[Check], Check]:
    """Register a check under its code."""

    def register(check: Check) -> Check:
        if code in RULES:
            raise ValueError(f"{code} is taken by {RULES[code].check.__name__}")
        summary = (check.__doc__ or check.__name__.replace("_", " ")).strip().splitlines()[0]
        RULES[code] = Rule(code, severity, check, summary)
        return check

    return register


def run(values: Values) -> list[Problem]:
    """Return all problems of a draft's flat `values`: errors first, then warnings, then information."""
    return by_severity(problem for each in RULES.values() for problem in each.problems(values))


def by_severity(problems: Iterable[Problem]) -> list[Problem]:
    """Sort problems: errors first, then warnings, then information."""
    return sorted(problems, key=lambda problem: _ORDER[problem.severity])
