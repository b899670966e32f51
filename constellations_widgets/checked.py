"""Fields with what the checks find in them: what a draft and a published image have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checks import Fix, Problem, by_severity, run
from .observable import ObservableFields


class CheckedFields(ObservableFields):
    """All fields of an image, and what is wrong with them."""

    def __init__(self) -> None:
        super().__init__()
        self._problems: list[Problem] | None = None  # None: to be looked for

    @property
    def name(self) -> str:
        """What people call the image."""
        raise NotImplementedError

    @property
    def locked(self) -> bool:
        """Whether widgets take no edits of it now."""
        raise NotImplementedError

    @property
    def problems(self) -> list[Problem]:
        """What the checks find: errors first, then warnings, then what is worth knowing."""
        with self._lock:
            if self._problems is None:
                self._problems = by_severity(self._find_problems())
            return list(self._problems)

    def edit(self, changes: Mapping[str, Any]) -> None:
        """As `update`, for what a person typed into a widget."""
        self.update(changes)

    def apply(self, fix: Problem | Fix) -> None:
        """Make the changes that a problem's fix proposes. Raises ValueError when it has none."""
        found = fix.fix if isinstance(fix, Problem) else fix
        if found is None:
            raise ValueError(f"There is no automatic fix for {fix}: change the field by hand")
        self.update(found.changes)

    def _find_problems(self) -> list[Problem]:
        """In any order. Called while the lock is held."""
        return run(self.values)

    def _values_changed(self) -> None:
        self._problems = None
