"""Files on the web, in a page: upload files of drafts, write them to a folder, test an address."""

from __future__ import annotations

import contextlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..auth.credentials import Secret
from ..checks.address import is_on_this_computer
from ..errors import ConstellationsError, HostingError, SandboxError
from ..hosting import HostingProgress, check_address, host, hosting_profiles, save_hosting_profile
from ..schema.placement import URL
from .worker import Job, Worker

if TYPE_CHECKING:
    from ..api import Constellations
    from ..draft import ImageDraft
    from .base import Message

SANDBOX, OTHER, PROFILE = "sandbox", "other", "profile:"
_LONGEST = 2000  # characters of what is typed
_PACE = 0.2  # seconds between two reports of progress

NO_HOSTING: dict[str, Any] = {
    "phase": "idle",
    "blocked": "",
    "places": [],
    "progress": None,
    "message": "",
    "test": None,
}

# Which credentials the page asks for, and what the services call them.
_CREDENTIALS = {
    "s3": {"name": "access_key_id", "secret": "secret_access_key"},
    "az": {"name": "account_name", "secret": "account_key"},
    "sftp": {"name": "username", "secret": "password"},
    "webdav": {"name": "username", "secret": "password"},
    "webdavs": {"name": "username", "secret": "password"},
}


def sandbox_of(client: Constellations) -> Any:
    """Return the sandbox that a client publishes to, if it is known here; files can be uploaded to it."""
    if is_on_this_computer(client.api_url):
        with contextlib.suppress(SandboxError):  # its packages are not installed, say
            from ..sandbox import sandbox_at

            return sandbox_at(client.api_url)
    return None


class Uploads(ABC):
    """Worker that uploads files to a place that the page chooses.

    Keys and passwords travel once, in a message from the page, and are held by the upload that needs them only.

    Parameters
    ----------
    show : callable
        Called with the state at every change, from any thread. It has the keys of `NO_HOSTING`.
    sandbox : Sandbox or JoinedSandbox, optional
        A sandbox to offer as the first place.
    """

    def __init__(self, show: Callable[[dict[str, Any]], object], sandbox: Any = None):
        self._show, self._sandbox = show, sandbox
        self._lock = threading.RLock()
        self._worker = Worker("file-hosting", self._on_error)
        self._progress_shown = 0.0
        self.state = NO_HOSTING | {"blocked": self._blocked(), "places": self._places()}

    @abstractmethod
    def _blocked(self) -> str:
        """Return why nothing can be uploaded, "" if it can."""

    @abstractmethod
    def _host(self, target: Any, job: Job, **arguments: Any) -> None:
        """Upload with these arguments of `host`, and show the outcome. Raises HostingError if that fails."""

    def close(self) -> None:
        """Stop what is running."""
        self._worker.drop()

    # -- jobs

    def _begin_upload(self, message: Message) -> None:
        try:
            target, options = self._target(message)
        except ConstellationsError as error:
            self._update(phase="failed", message=str(error))
            return
        public_url, name = _text(message, "public_url"), _text(message, "save_as")
        scheme = str(getattr(target, "target", target)).partition("://")[0]
        given = {key: Secret(_text(message, key)) for key in ("name", "secret")}
        names = _CREDENTIALS.get(scheme, {})
        credentials = {names[key]: value for key, value in given.items() if value and key in names}

        mode = "overwrite" if message.get("replace") is True else "create"

        def upload(job: Job) -> None:
            where = public_url or None
            self._host(target, job, public_url=where, mode=mode, options=options, credentials=credentials)
            if name and isinstance(target, str):
                save_hosting_profile(name, target, public_url, **options)
                self._update()

        self._start("uploading", upload)

    def _target(self, message: Message) -> tuple[Any, dict[str, str]]:
        """Return the target that the page names, and settings of the service."""
        place = _text(message, "place")
        if place == SANDBOX and self._sandbox is not None:
            return self._sandbox, {}
        if place.startswith(PROFILE):
            profile = self._read_profiles().get(place.removeprefix(PROFILE))
            if profile is None:
                raise HostingError(f"There is no profile {place.removeprefix(PROFILE)!r} any more")
            return profile, {}
        target = _text(message, "target")
        if not target:
            raise HostingError("Enter where to upload the files: a folder, or an address such as s3://bucket/folder")
        options = {key: value for key in ("endpoint", "region") if (value := _text(message, key))}
        return target, options

    def _start(self, phase: str, run: Callable[[Job], object]) -> None:
        with self._lock:
            if self._worker.busy:
                return
            self._update(
                phase=phase, message="", progress=None, test=None if phase == "testing" else self.state["test"]
            )
            self._worker.start(run)

    def _on_error(self, error: Exception) -> None:
        # The text of an unexpected error, which is a bug, may hold what was typed.
        known = isinstance(error, ConstellationsError)
        message = str(error) if known else f"The program failed ({type(error).__name__})."
        self._update(phase="failed", message=message, progress=None)

    # -- what the page shows

    def _tell(self, progress: HostingProgress) -> None:
        now = time.monotonic()
        if progress.stage == "uploading" and now - self._progress_shown < _PACE:
            return
        self._progress_shown = now
        shown = {"text": str(progress), "done": progress.bytes, "total": progress.total_bytes}
        self._update(phase="uploading", progress=shown)

    def _update(self, **changes: Any) -> None:
        with self._lock:
            places = {"blocked": self._blocked(), "places": self._places()}
            self.state = {**self.state, **places, **changes}
            self._show(self.state)

    def _places(self) -> list[dict[str, str]]:
        sandbox = [{"id": SANDBOX, "label": "This sandbox"}] if self._sandbox is not None else []
        profiles = [
            {"id": PROFILE + name, "label": name, "scheme": _scheme(it.target)}
            for name, it in self._read_profiles().items()
        ]
        return [*sandbox, *profiles]

    def _read_profiles(self) -> dict[str, Any]:
        try:
            return hosting_profiles()
        except HostingError:
            return {}


class FileHosting(Uploads):
    """Worker of the form's section "Files on the web".

    Parameters
    ----------
    draft : ImageDraft
    show, sandbox
        As for `Uploads`. With a sandbox addresses on this machine are tested, too.
    """

    messages: ClassVar[frozenset[str]] = frozenset({"host", "host_folder", "host_cancel", "test_address"})

    def __init__(self, draft: ImageDraft, show: Callable[[dict[str, Any]], object], sandbox: Any = None):
        self._draft = draft
        super().__init__(show, sandbox)

    def on_message(self, message: Message) -> None:
        """Carry out what the page asks for."""
        kind = message.get("kind")
        if kind == "host_cancel":
            self._worker.cancel()
        elif kind == "test_address":
            field = _text(message, "field") or URL
            self._start("testing", lambda _job: self._test(field))
        elif kind == "host_folder":
            self._start("uploading", lambda job: self._host(None, job))
        elif kind == "host":
            self._begin_upload(message)

    def _blocked(self) -> str:
        if self._draft.locked:
            return "The image is published: its address cannot be changed."
        if self._draft.local is None:
            return "The image was not made from a file on this machine, so there is nothing to upload."
        return ""

    def _host(self, target: Any, job: Job, **arguments: Any) -> None:
        done = host(self._draft, target, on_progress=self._tell, cancel=job.cancelled, **arguments)
        if done.advice:
            message = f"{done.advice}."
        else:
            there = f", {done.kept} were there already" if done.kept else ""
            message = f"{done.sent} files uploaded{there}. Checked: they load."
        self._update(phase="done", message=message, progress=None)

    def _test(self, field: str) -> None:
        found = check_address(self._draft, field, private=self._sandbox is not None)
        test = {
            "field": field,
            "url": found.url,
            "status": found.status,
            "content_type": found.content_type,
            "kind": found.kind,
            "size": list(found.size) if found.size else None,
            "shared": found.shared,
            "faults": list(found.faults),
            "file_url": found.file_url,
        }
        self._update(phase="idle", test=test)


def _scheme(target: str) -> str:
    return target.partition("://")[0] if "://" in target else ""


def _text(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""
