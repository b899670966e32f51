"""Find a position with the web service nova.astrometry.net, which gets positions of stars and never the picture.

Its API answers errors with status 200 and ``{"status": "error"}``, and takes lists of x and y instead of a file. A submission gets
a job once it is taken from the queue, and the job's files tell the place: ``wcs_file`` and ``corr_file``, the matched stars.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, SolveError
from ..text import one_line
from .catalog import CatalogStars, stars_around
from .indexes import index_files
from .matching import first_guess, refined, width_of

if TYPE_CHECKING:
    from ..auth.credentials import Secret
    from .detection import DetectedStars
    from .matching import FirstGuess
    from .solution import Solution

ADDRESS = "https://nova.astrometry.net"
VARIABLE = "NOVA_API_KEY"
"""Environment variable that holds the user's key."""
TIMEOUT = 600.0
"""Seconds after which a search is given up, by default: a job may wait in the server's queue."""
SENT = (
    "Sends the positions of up to 100 stars, the image's size in pixels and your hints, about 2 kB, to nova.astrometry.net, and not the "
    "image. They are marked as not public; who knows the job's number can still read them."
)
"""What leaves this machine."""

_MOST_STARS = 100
_POLL = 3.0  # seconds
_WANTED = 3  # catalog stars for each detected one
_FILE_LIMIT = 4 << 20

Report = Callable[[float, str], Any]


class StoppedError(Exception):
    """The search was stopped."""


def nova_key(key: str | None) -> None:
    """Store the key of an account at nova.astrometry.net for ``find_position(..., online=True)``, or delete it with None.

    It is stored as a sign-in is: in the keyring, or a file that only you can read. The account's page "API" shows it. The
    environment variable ``NOVA_API_KEY`` takes its place.

    >>> cxw.nova_key("your key")  # doctest: +SKIP

    Raises
    ------
    SolveError
        If it can't be a key, or can't be stored; the message does not show it.
    """
    from ..auth import TokenStore
    from ..auth.credentials import Secret, token_fault

    store = TokenStore(ADDRESS)
    if key is None:
        store.delete()
        return
    secret, key = Secret(key) if isinstance(key, str) else None, None
    if fault := token_fault(secret):
        raise SolveError(
            f"The key of nova.astrometry.net {fault}: copy it again from the page “API” of your account there"
        )
    if not store.write({"key": secret}):
        raise SolveError(f"The key can't be stored here: set the environment variable {VARIABLE} instead")


def known_key() -> Secret | None:
    """Return the key of the environment, or the stored one; None if there is none."""
    from ..auth import TokenStore
    from ..auth.credentials import Secret, token_fault

    key = os.environ.get(VARIABLE, "").strip() or (TokenStore(ADDRESS).read() or {}).get("key")
    return Secret(key) if key and not token_fault(key) else None


def require_key() -> Secret:
    """Return the key.

    Raises
    ------
    SolveError
        If there is none.
    """
    key = known_key()
    if key is None:
        raise SolveError(
            f"There is no key of nova.astrometry.net: sign in there, copy it from the page “API”, and store it with cxw.nova_key(…) or in "
            f"the environment variable {VARIABLE}"
        )
    return key


def solve_online(
    stars: DetectedStars,
    hints: Mapping[str, Any],
    key: Secret,
    report: Report,
    stop: threading.Event,
    address: str = ADDRESS,
) -> Solution:
    """Return the solution that the service finds for detected stars, fitted and judged as one that is found here.

    Raises
    ------
    SolveError
        If there is none, the key is wrong, or the service can't be reached.
    StoppedError
        If `stop` was set.
    """
    nova = _Nova(address, stop)
    report(0.1, "Signing in at nova.astrometry.net")
    session = nova.sign_in(key)
    report(0.2, f"Sending the positions of {min(len(stars), _MOST_STARS)} stars")
    submission = nova.submit(session, stars, hints)
    job = nova.job_of(submission, report)
    guess, catalog = nova.result(job)
    local = [each for each in index_files() if each.recognizes((width_of(guess.plane, stars.size),) * 2)]
    here = stars_around(guess.plane, stars.size, local, _WANTED * len(stars)) if local else None
    return refined(guess, stars, here or catalog)


class _Nova:
    """One conversation with the service."""

    def __init__(self, address: str, stop: threading.Event):
        self._address, self._stop = address.rstrip("/"), stop

    def sign_in(self, key: Secret) -> Secret:
        from ..auth.credentials import Secret

        answer = self._post("login", {"apikey": key}, [key])
        session = answer.get("session")
        if not isinstance(session, str):
            raise SolveError("nova.astrometry.net did not answer as it does: try again later")
        return Secret(session)

    def submit(self, session: Secret, stars: DetectedStars, hints: Mapping[str, Any]) -> int:
        width, height = stars.size
        content: dict[str, Any] = {
            "session": session,
            "publicly_visible": "n",
            "allow_commercial_use": "n",
            "allow_modifications": "n",
            # As in a FITS image: from the lower left corner, whose pixel has its center at (1, 1).
            "x": [round(float(x) + 0.5, 2) for x in stars.x[:_MOST_STARS]],
            "y": [round(height - float(y) + 0.5, 2) for y in stars.y[:_MOST_STARS]],
            "image_width": width,
            "image_height": height,
            "tweak_order": 0,
            "crpix_center": True,
            **_hints(hints, stars.size),
        }
        answer = self._post("upload", content, [session])
        if not isinstance(answer.get("subid"), int):
            raise SolveError("nova.astrometry.net did not accept the list of stars: try again later")
        return int(answer["subid"])

    def job_of(self, submission: int, report: Report) -> int:
        """Wait for the submission's job to succeed; return its number."""
        job: int | None = None
        while True:
            if job is None:
                report(0.3, "Waiting in the queue of nova.astrometry.net")
                answer = self._get(f"submissions/{submission}")
                if answer.get("error_message"):
                    raise SolveError(f"nova.astrometry.net failed: {_shown(answer['error_message'])}")
                job = next((each for each in answer.get("jobs") or () if isinstance(each, int)), None)
            if job is not None:
                report(0.6, "nova.astrometry.net is searching")
                status = self._get(f"jobs/{job}").get("status")
                if status == "success":
                    return job
                if status == "failure":
                    raise SolveError(
                        "nova.astrometry.net found no match either. A picture that is a drawing, is distorted, or shows few stars "
                        "can't be recognized. If the hints may be wrong, try without"
                    )
            if self._stop.wait(_POLL):
                raise StoppedError

    def result(self, job: int) -> tuple[FirstGuess, CatalogStars]:
        import numpy as np
        from astropy.io import fits

        try:
            header = fits.Header.fromstring(self._file(f"wcs_file/{job}")[: 2880 * 50].decode("ascii", "ignore"))
            with fits.open(io.BytesIO(self._file(f"corr_file/{job}"))) as hdus:
                ra, dec = (np.array(hdus[1].data[name], dtype=float) for name in ("index_ra", "index_dec"))
            guess = first_guess(header, None, "nova.astrometry.net")
        except SolveError:
            raise
        except Exception as error:  # astropy raises many kinds of errors  # noqa: BLE001
            raise SolveError(f"The result of nova.astrometry.net can't be read ({error}): try again") from None
        return guess, CatalogStars(ra, dec, np.full(len(ra), np.nan))

    def _post(self, service: str, content: dict[str, Any], secrets: list[Secret]) -> dict[str, Any]:
        from ..auth.credentials import Secret
        from ..auth.post_form import post_form

        address, form = f"{self._address}/api/{service}", {"request-json": Secret(json.dumps(content))}
        content = {}
        try:
            status, answer = post_form(address, form, what="Could not find the position")
        except ApiError as error:
            raise SolveError(str(error)) from None
        return self._checked(status, answer, secrets)

    def _get(self, service: str) -> dict[str, Any]:
        """Return what a request gives that changes nothing; it is repeated until it gives something, or the search is stopped."""
        from ..auth.post_form import get_json

        while not self._stop.is_set():
            try:
                status, answer = get_json(f"{self._address}/api/{service}")
            except ApiError:
                status, answer = 503, None
            if status < 500 and status not in (404, 429):  # a new submission may not be found at once
                return self._checked(status, answer, [])
            self._stop.wait(_POLL)
        raise StoppedError

    def _checked(self, status: int, answer: dict[str, Any] | None, secrets: list[Secret]) -> dict[str, Any]:
        if answer is None or status >= 400:
            raise SolveError(f"nova.astrometry.net can't be used now (it answers {status}): try again later")
        if answer.get("status") == "error":
            said = _shown(answer.get("errormessage"))
            for secret in secrets:
                said = said.replace(str(secret), "[key]")
            if "apikey" in said:
                raise SolveError(
                    f"nova.astrometry.net does not know this key ({said}): copy it again from the page “API” there"
                )
            raise SolveError(f"nova.astrometry.net refused the request: {said}")
        return answer

    def _file(self, name: str) -> bytes:
        from .. import http
        from ..sources import web

        if self._stop.is_set():
            raise StoppedError
        try:
            with web.get(f"{self._address}/{name}", seconds=60.0) as (response, _):
                if response.status_code != 200:
                    raise SolveError(
                        f"nova.astrometry.net does not give its result (it answers {response.status_code}): try again"
                    )
                return http.read(response, _FILE_LIMIT)
        except (http.HTTPError, http.BodyError) as error:
            raise SolveError(f"The result of nova.astrometry.net could not be fetched ({error}): try again") from None


def _hints(hints: Mapping[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if near := hints.get("near"):
        found |= {"center_ra": near[0], "center_dec": near[1], "radius": near[2]}
    if widths := hints.get("widths"):
        # The server's unit is of the width, not of the longer side.
        low, high = (width * size[0] / max(size) for width in widths)
        found |= {"scale_units": "degwidth", "scale_type": "ul", "scale_lower": low, "scale_upper": high}
    if parity := hints.get("parity"):
        found["parity"] = {1: 0, -1: 1}[parity]
    return found


def _shown(said: object) -> str:
    return one_line(str(said))[:200]
