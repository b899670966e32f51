"""Find the position of a picture in a worker process, with progress, cancellation and a time limit."""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..errors import NoIndexError, SolveError, SourceError, needs_computer
from ..geometry.engine import base_of_scale
from ..schema.placement import shown
from ..sources.paths import file_path
from . import nova
from .hints import angle_range, near_hint
from .solution import Solution

if TYPE_CHECKING:
    from ..sources.local import LocalImage
    from .detection import DetectedStars

TIMEOUT = 120.0
"""Seconds after which a search is given up, by default."""

SPREAD = 1.5
"""Factor by which the width may differ from width= or pixel_scale=."""

_RADIUS = 10.0  # degrees around near= that are searched by default
_LIKELY_SPREAD = 1.05  # factor by which it may differ from likely_width=
_POLL = 0.1  # seconds until a cancel is noticed


Ask = Callable[["DetectedStars", Mapping[str, Any], Callable[[float, str], Any], threading.Event], Solution]
"""Requests the solution of detected stars from a service; takes them, the hints, a callback for progress, and an event that stops it."""


class Solving:
    """A search for a picture's position, as `find_position` starts it.

    >>> solving = cxw.find_position("m51.jpg", timeout=60)  # doctest: +SKIP
    >>> solving.progress, solving.text  # doctest: +SKIP
    >>> solving.cancel()  # doctest: +SKIP

    Attributes
    ----------
    progress : float
        From 0 to 1: the part of all attempts that was made. It ends early when a match is found.
    text : str
        What is being done.
    """

    def __init__(
        self,
        request: dict[str, Any],
        timeout: float,
        on_progress: Callable[[float, str], Any] | None,
        ask: Ask | None = None,
    ):
        needs_computer(
            "The search for a position by stars", SolveError, instead="Use a Jupyter kernel on your computer."
        )
        self._ask, self._request = ask, request
        self._interrupt = threading.Event()
        self.progress, self.text = 0.0, "Starting"
        self._timeout, self._on_progress = timeout, on_progress
        self._ended, self._stopped = threading.Event(), ""
        self._lock = threading.Lock()
        self._result: Future[Solution] = Future()
        self._name = Path(request["path"]).name
        self._process = subprocess.Popen(
            [sys.executable, "-m", "constellations_widgets.solving.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            # Ctrl-C in a terminal would reach the worker, too: it is stopped by its parent alone.
            start_new_session=True,
        )
        timer = runtime.start_timer(timeout, self._stop, self._too_long())
        runtime.start_thread("solving", self._run, timer)

    @property
    def done(self) -> bool:
        """Whether it has ended: with a solution, with an error, or because it was cancelled."""
        return self._result.done()

    def cancel(self) -> None:
        """Stop at once."""
        self._stop(f"The search for the position of {self._name} was cancelled")

    def result(self, timeout: float | None = None) -> Solution:
        """Wait for the solution. An interrupt (Ctrl-C) cancels the search.

        Parameters
        ----------
        timeout : float, optional
            Longest wait in seconds. Default: until the search ends, which has a time limit of its own.

        Raises
        ------
        SolveError
            If there is none, or the search was cancelled; the message says why, and what to try.
        SourceError
            If the picture can't be read.
        TimeoutError
            If it takes longer.
        """
        try:
            return self._result.result(timeout)
        except KeyboardInterrupt:
            self.cancel()
            raise

    def __repr__(self) -> str:
        state = f"{100 * self.progress:.0f} %" if not self.done else "failed" if self._result.exception() else "done"
        return f"<Solving {self._name}: {state}>"

    def _too_long(self) -> str:
        return (
            f"No match for {self._name} was found within {self._timeout:g} s: give hints, which make it fast "
            "(near=(ra, dec), width=), or more time (timeout=)"
        )

    def _stop(self, why: str) -> None:
        with self._lock:
            self._stopped = self._stopped or why
            if why:
                self._interrupt.set()
            self._process.kill()

    def _run(self, timer: runtime.Timer) -> None:
        process, answer = self._process, dict[str, Any]()
        try:
            process.stdin.write(json.dumps(self._request) + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            for line in process.stdout or ():
                message = json.loads(line)
                if "progress" not in message:
                    answer = message
                    break
                self._report(message["progress"], message["text"])
        except (OSError, ValueError):
            pass  # it was stopped, or has crashed: there is no answer
        except Exception as error:  # of on_progress  # noqa: BLE001
            self._result.set_exception(error)
        finally:
            if "stars" not in answer:
                timer.cancel()
            self._stop("")
            for pipe in (process.stdin, process.stdout):
                _close(pipe)
            process.wait()
        if "stars" in answer and not self._result.done():
            self._ask_service(answer["stars"])
            timer.cancel()
        elif not self._result.done():
            self._finish(answer)

    def _ask_service(self, stars: dict[str, Any]) -> None:
        from .detection import DetectedStars
        from .nova import StoppedError

        ask = self._ask
        assert ask is not None
        try:
            self._result.set_result(ask(DetectedStars.from_json(stars), self._request, self._report, self._interrupt))
        except StoppedError:
            self._finish({})
        except Exception as error:  # of on_progress, too  # noqa: BLE001
            self._result.set_exception(error)

    def _report(self, progress: float, text: str) -> None:
        self.progress, self.text = progress, text
        if self._on_progress:
            self._on_progress(progress, text)

    def _finish(self, answer: dict[str, Any]) -> None:
        if "solution" in answer:
            self._result.set_result(Solution.from_json(answer["solution"]))
        elif "error" in answer:
            kind = {"SolveError": SolveError, "NoIndexError": NoIndexError}.get(answer.get("kind", ""), SourceError)
            self._result.set_exception(kind(answer["error"]))
        else:
            crashed = f"The process that searched for the position of {self._name} ended without an answer: try again"
            self._result.set_exception(SolveError(self._stopped or crashed))


def _close(pipe: Any) -> None:
    with contextlib.suppress(OSError):  # it is broken, since the process was stopped
        pipe.close()


def find_position(
    path: str | Path,
    *,
    near: Any = None,
    radius: Any = None,
    width: Any = None,
    pixel_scale: Any = None,
    likely_width: Any = None,
    parity: int | None = None,
    timeout: float | None = None,
    hdu: int | str | tuple[str, int] | None = None,
    online: bool = False,
    progress: Callable[[float, str], Any] | None = None,
) -> Solving:
    """Start to search for the position of a picture, by its stars, in a process of its own.

    Nothing leaves this machine, unless `online` is given. The extra ``solve`` and index files of astrometry.net are needed; see
    `index_download`.

    >>> solving = cxw.find_position("m51.jpg", near="13h29m53s +47d12m", width=0.5)  # doctest: +SKIP
    >>> print(solving.result())  # doctest: +SKIP

    Parameters
    ----------
    path : str or Path
        A JPEG, PNG, TIFF or FITS file.
    near : (float, float), str or astropy SkyCoord, optional
        A position in or near the picture, degrees or text, or the name of an object of the Messier, NGC and IC catalogs, which is
        looked up on this machine: "M 51", "NGC 5194", "Whirlpool Galaxy". It makes the search much faster.
    radius : float or astropy Quantity, default 10
        How far the picture's stars may be from `near`, in degrees.
    width : float, (float, float) or astropy Quantity, optional
        Width of the picture's longer side in degrees, roughly (a factor of 1.5 either way), or its smallest and largest value.
    pixel_scale : float, (float, float) or astropy Quantity, optional
        Seconds of arc per pixel, instead of `width`.
    likely_width : float, (float, float) or astropy Quantity, optional
        A width in degrees (a factor of 1.05 either way), or its smallest and largest value, that is tried first; the others follow. It
        may be wrong. Ignored with `width`, `pixel_scale` or `online`.
    parity : {1, -1}, optional
        1 for a picture as seen in the sky, -1 for a mirrored one. Default: both are tried.
    timeout : float, default 120, or 600 with `online`
        Seconds after which the search is given up.
    hdu : int, str or (str, int), optional
        Number or name of the HDU of a FITS file, or its EXTNAME and EXTVER: ``("SCI", 2)``.
    online : bool, default False
        Whether nova.astrometry.net searches, with your key there (see `nova_key`). It gets the positions of up to 100 stars, the
        picture's size in pixels and the hints, about 2 kB, and not the picture. No index files are needed.
    progress : callable, optional
        Called in a thread with a number from 0 to 1 and a text.

    Returns
    -------
    Solving
        Returned immediately; its `result()` waits for the `Solution`.

    Raises
    ------
    SourceError
        If a hint is invalid, or there is no such file.
    SolveError
        If `online` is given, and there is no key.
    """
    timeout = timeout if timeout is not None else nova.TIMEOUT if online else TIMEOUT
    file = file_path(path, "picture").absolute()
    if not file.is_file():
        raise SourceError(f"There is no file {file}: check the name")
    if parity not in (None, 1, -1):
        raise SourceError(f"parity= is 1 (as seen in the sky) or -1 (mirrored), not {shown(parity)}")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
        raise SourceError(f"timeout= is a number of seconds above 0, not {shown(timeout)}")
    if width is not None and pixel_scale is not None:
        raise SourceError("Give the size of the picture on the sky once: width= or pixel_scale=")
    request: dict[str, Any] = {"path": str(file), "hdu": hdu, "parity": parity}
    if (place := near_hint(near, radius, _RADIUS)) is not None:
        request["near"] = place
    if width is not None:
        request["widths"] = angle_range(width, "width=", "deg", spread=SPREAD)
    elif pixel_scale is not None:
        request["widths"] = _widths(angle_range(pixel_scale, "pixel_scale=", "arcsec", spread=SPREAD), file, hdu)
    if likely_width is not None:
        request["likely_widths"] = angle_range(likely_width, "likely_width=", "deg", spread=_LIKELY_SPREAD)
    if not online:
        return Solving(request, timeout, progress)
    key = nova.require_key()

    def ask(stars: DetectedStars, hints: Mapping[str, Any], report: Any, stop: threading.Event) -> Solution:
        return nova.solve_online(stars, hints, key, report, stop, nova.ADDRESS)

    return Solving({**request, "online": True}, timeout, progress, ask)


def _widths(scales: tuple[float, float], file: Path, hdu: int | str | tuple[str, int] | None) -> tuple[float, float]:
    from .detection import size_of

    side = max(size_of(file, hdu))
    low, high = (base_of_scale(scale / 3600, side) for scale in scales)
    return low, high


def result_unless(solving: Solving, cancelled: threading.Event) -> Solution:
    """Wait for the solution of a search, which is cancelled when the event is set; raises the errors of `Solving.result`."""
    try:
        while not solving.done and not runtime.wait(cancelled, _POLL):
            pass
    finally:
        solving.cancel()
    return solving.result()


def find_position_of(local: LocalImage | None, **options: Any) -> Solving:
    """Start to search for the position of a draft's image; `options` and errors are those of `find_position`.

    Raises
    ------
    SourceError
        If the image's picture is not one file on this machine.
    """
    path, hdu = picture_file(local)
    return find_position(path, **{"hdu": hdu, **options})


def picture_file(local: LocalImage | None) -> tuple[Path, int | None]:
    """Return the file of a draft's picture, and the number of its HDU.

    Raises
    ------
    SourceError
        If it is not one file on this machine.
    """
    if local is None:
        raise SourceError(
            "The image's file is not on this machine: find the position of a copy, and accept it: draft.accept(solution)"
        )
    if local.tiled and local.pixels is None:
        raise SourceError(
            "This image is cut into tiles: find the position of the picture that they were cut from, and accept it: "
            "draft.accept(cxw.find_position(picture).result())"
        )
    return local.pixels or local.where(local.template), local.hdu


def reliable(solution: Solution, name: str) -> Solution:
    """Return a solution that nothing speaks against.

    Raises
    ------
    SolveError
        If there are doubts; the message says which.
    """
    if solution.doubts:
        raise SolveError(
            f"A position of {name} was found, and it may be wrong: {'; '.join(solution.doubts)}. Look at it on the sky before you take "
            f"it: solution = draft.solve(), then draft.accept(solution). {solution}"
        )
    return solution
