"""Sessions of visitors of the site, which limit what the counters of scenes count."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict

__all__ = ["COOKIE", "Visit", "Visits", "new_session"]

COOKIE = "cxsession"

_SETTLING_TIME = 0.5  # seconds that a session must exist before what it does counts
_IMPRESSION_EVERY = 10.0  # seconds between two impressions of one scene that count
_MOST = 10_000  # sessions kept in memory; the oldest are dropped


class Visit:
    """Session of one visitor: the scenes seen lately and the scenes liked. Thread-safe."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._seen: dict[str, float] = {}
        self._liked: set[str] = set()
        self._lock = threading.Lock()

    @property
    def settled(self) -> bool:
        """Whether the session is old enough for its actions to count."""
        return time.monotonic() > self._started + _SETTLING_TIME

    def restart(self) -> None:
        """Begin the settling time again."""
        self._started = time.monotonic()

    def likes(self, scene_id: str) -> bool:
        """Return whether the visitor likes the scene."""
        return scene_id in self._liked

    def impress(self, scene_id: str) -> bool:
        """Record that the scene was seen; return whether it counts."""
        with self._lock:
            now = time.monotonic()
            last = self._seen.get(scene_id)
            counts = self.settled and (last is None or last + _IMPRESSION_EVERY < now)
            if counts:
                self._seen[scene_id] = now
            return counts

    def like(self, scene_id: str) -> bool:
        """Record a like; return whether it counts."""
        with self._lock:
            counts = self.settled and scene_id not in self._liked
            if counts:
                self._liked.add(scene_id)
            return counts

    def unlike(self, scene_id: str) -> bool:
        """Remove a like; return whether there was one."""
        with self._lock:
            liked = scene_id in self._liked
            self._liked.discard(scene_id)
            return liked


class Visits:
    """Started sessions, by the value of their cookie."""

    def __init__(self) -> None:
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, session: str) -> bool:
        return session in self._visits

    def get(self, session: str) -> Visit | None:
        """Return the session of this cookie; None if it was not started."""
        return self._visits.get(session)

    def start(self, session: str) -> None:
        """Start a session; one that exists begins its settling time again, and keeps its likes."""
        with self._lock:
            visit = self._visits.setdefault(session, Visit())
            visit.restart()
            while len(self._visits) > _MOST:
                self._visits.popitem(last=False)


def new_session() -> str:
    """Return the value of a new session's cookie."""
    return f"s%3A{secrets.token_urlsafe(24)}"
