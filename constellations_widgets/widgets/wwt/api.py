"""pywwt's Python API on a preview: imported when a program first uses `Preview.wwt`, since importing pywwt takes seconds."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from astropy.time import Time
from astropy.units import Quantity
from pywwt.core import BaseWWTWidget, ViewerNotAvailableError
from pywwt.imagery import ImageryLayers
from pywwt.logger import logger
from pywwt.solar_system import SolarSystem
from pywwt.traits import Float, Unicode
from traitlets import HasTraits

from ...errors import ConstellationsError, SourceError
from ..rpc import receives_while_running
from .files import PublishedFiles, survey_names
from .instruments import PreviewInstruments
from .layers import PreviewImageLayer, PreviewLayers
from .link import Link
from .menus import SkyMenus
from .stand_in import PreviewStandIn

if TYPE_CHECKING:
    from ..preview import Preview

# What the preview shows of itself, by names that pywwt's `background` and `foreground` take; the page knows them.
OFFLINE_SKY = "Offline sky"
DRAFT_IMAGE = "Image of the draft"

SOLAR_SYSTEM = "3D Solar System View"  # as the engine calls it

_THREAD = "pywwt-"  # how the questions to the app begin that are answered to us
_VIEW = ("raRad", "decRad", "fovDeg", "rollDeg", "engineClockRateFactor")
_CLOCKS = ("engineClockISOT", "systemClockISOT")

# Settings that the app begins with at another value than pywwt's. pywwt sends a setting only when its value changes, so these are
# sent along with the setting that makes them visible.
_LOCATION = ("location_latitude", "location_longitude", "location_altitude")
_ALONG = {
    "showConstellationFigures": ("constellation_figure_color",),
    "showConstellationBoundries": ("constellation_boundary_color",),
    "showConstellationSelection": ("constellation_selection_color",),
    "showEclipticGrid": ("ecliptic_grid_color",),
    "showAltAzGrid": _LOCATION,
    "localHorizonMode": _LOCATION,
}


class NotShownError(ConstellationsError, ViewerNotAvailableError, TimeoutError):
    """No page has shown the preview yet, so its view is unknown."""


class PreviewWWT(BaseWWTWidget, PreviewStandIn):
    """pywwt's own API, for the view of one preview.

    It is made by `Preview.wwt`. All of pywwt's documentation holds, with these differences: nothing waits for the page (what is
    said before a page is there, it hears when it comes); the view begins with the preview's own sky and image; a survey is fetched
    from the network when the program names it, and not before.

    Parameters
    ----------
    preview : Preview
        The preview to control.
    publish : PublishedFiles
        Where its page finds files.
    """

    background = Unicode(OFFLINE_SKY, help="The layer to show in the background (`str`)").tag(wwt=None, wwt_reset=True)
    foreground = Unicode(DRAFT_IMAGE, help="The layer to show in the foreground (`str`)").tag(wwt=None, wwt_reset=True)
    foreground_opacity = Float(1.0, help="The opacity of the foreground layer (`float`)").tag(wwt=None, wwt_reset=True)

    def __init__(self, preview: Preview, publish: PublishedFiles):
        # Not BaseWWTWidget's own, which asks the network for two lists and waits for them; nor Widget's, which opens a comm.
        HasTraits.__init__(self)
        self.observe(self._on_trait_change, type="change")
        self._preview = preview
        self._publish = publish
        self._link = Link(preview.send)
        self._seqNum = 0
        self._numbers = itertools.count(1)
        self._futures: dict[Any, Any] = {}
        self._startupMessageQueue = None
        self._available_layers = _layers([OFFLINE_SKY, DRAFT_IMAGE, *survey_names()])
        self._available_hips_catalog_names: list[str] = []
        self._catalogs_loaded = False
        self.imagery = ImageryLayers(survey_names())
        self.solar_system = SolarSystem(self)
        self._instruments = PreviewInstruments()
        self.current_mode = "sky"
        self._paused = False
        self._last_sent_view_mode = "sky"
        self.layers = PreviewLayers(parent=self)
        self._annotation_set: set[Any] = set()
        self._callbacks: dict[Any, Any] = {}
        self._menus: SkyMenus | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._lock = threading.Lock()
        self._loop = _running_loop()
        publish.report = lambda message: preview.send({"kind": "note", "message": message})
        self._link.announce()

    def __repr__(self) -> str:
        return f"<pywwt on {self._preview!r}>"

    # What pywwt says.

    def _send_msg(self, **message: Any) -> None:
        for translated in self._translated(message):
            self._link.tell(translated)

    def _actually_send_msg(self, payload: Mapping[str, Any]) -> None:
        self._link.tell(payload)

    def _next_seq(self) -> str:
        return f"{_THREAD}{next(self._numbers)}"

    def _translated(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the messages to the preview's page that a message of pywwt means."""
        event = message.get("event")
        if event in ("set_background_by_name", "set_foreground_by_name") and message["name"] in survey_names():
            yield self._collection(self._publish.surveys())
        elif event == "set_viewer_mode" and message["mode"] == "sky":
            yield {"event": "set_background_by_name", "name": self.background}
            yield {"event": "set_foreground_by_name", "name": self.foreground}
            message = {"event": "set_foreground_opacity", "value": self.foreground_opacity * 100}
        elif event == "set_viewer_mode":
            three_d = message["mode"] == SOLAR_SYSTEM
            yield self._collection(self._publish.modes() if three_d else self._publish.catalog())
            yield {"event": "setting_set", "setting": "actualPlanetScale", "value": self.actual_planet_scale}
        elif event == "setting_set" and message["setting"] in _ALONG:
            for name in _ALONG[message["setting"]]:
                value = getattr(self, name)
                value = value.value if isinstance(value, Quantity) else value
                yield {"event": "setting_set", "setting": self.trait_metadata(name, "wwt"), "value": value}
        elif event in ("image_layer_create", "load_tour"):
            url = message["url"]
            message = {**message, "url": self._publish.tour(url) if event == "load_tour" else self._publish.remote(url)}
        yield message
        if event == "annotation_create" and message["shape"] == "circle":
            # Every page puts a circle without a center where pywwt does: in the middle of the view, as it is known here.
            ra, dec = math.degrees(cast(float, self._raRad)), math.degrees(cast(float, self._decRad))
            yield {"event": "circle_set_center", "id": message["id"], "ra": ra, "dec": dec}
        elif event == "set_viewer_mode" and message.get("mode") == SOLAR_SYSTEM:
            # What the view shows besides: the sky behind the Milky Way, and the surfaces of the planets. It begins without.
            yield self._collection(self._publish.surveys())
            yield self._collection(self._publish.catalog())

    def _collection(self, url: str, recursive: bool = False) -> dict[str, Any]:
        return {
            "event": "load_image_collection",
            "url": url,
            "loadChildFolders": recursive,
            "threadId": self._next_seq(),
        }

    def load_image_collection(self, url: str, recursive: bool = False, remote_only: bool = False) -> None:
        """Make the images of a WTML collection known to the view.

        Parameters
        ----------
        url : str
            Address of the WTML; or the path of one on this machine, or of a folder of tiles with an ``index_rel.wtml``.
        recursive : bool, default False
            Load the folders that it refers to as well.
        remote_only : bool, default False
            Don't look into the collection now, so that `available_layers` stays as it is.

        Raises
        ------
        SourceError
            If it can't be fetched, or is no WTML; with `remote_only`, only if a path leads to no file.

        Notes
        -----
        It returns at once; later messages about the collection's images wait in the page until it is loaded.
        """
        if not url.startswith(self._publish.prefix):
            if not remote_only:
                self._available_layers.update(_layers(self._publish.names_in(url)))
                if self._menus is not None:
                    self._menus.list_anew()
            url = self._publish.collection(url, recursive)
        self._send_msg(**self._collection(url, recursive))

    @property
    def available_hips_catalog_names(self) -> list[str]:
        """Names of the HiPS catalogs that WWT offers. Their list is fetched from WWT's server when this is first read.

        Without a network it is empty, and a warning says why.
        """
        if not self._catalogs_loaded:
            try:
                names = self._publish.catalog_names()
            except SourceError as error:
                warnings.warn(f"No HiPS catalogs: {error}", stacklevel=2)
            else:
                self._catalogs_loaded = True
                self._available_hips_catalog_names = names
                self._send_msg(**self._collection(self._publish.catalogs(), recursive=True))
        return sorted(self._available_hips_catalog_names)

    def _serve_file(self, filename: str, extension: str = "") -> str:
        return self._publish.file(filename, extension)

    def _serve_tree(self, path: str) -> str:
        return self._publish.tree(path)

    def _create_image_layer(self, **kwargs: Any) -> PreviewImageLayer:
        return PreviewImageLayer(parent=self, **kwargs)

    @property
    def layer_controls(self) -> Any:
        """Menus for the background and the foreground, and a slider for the opacity: an ipywidget."""
        if self._menus is None:
            self._menus = SkyMenus(self)
        return self._menus.box

    def _serialize_state(self, *args: Any) -> dict[str, Any]:
        state = super()._serialize_state(*args)
        shown = state["foreground_settings"]
        for place in ("background", "foreground"):  # a page elsewhere knows nothing of the preview's own
            if shown[place] in (OFFLINE_SKY, DRAFT_IMAGE):
                shown[place] = BaseWWTWidget.background.default_value
        return state

    # What the page says. It may run in any thread.

    def everything(self) -> dict[str, Any]:
        """Return the messages for an app that has just started. From now on the view can be queried."""
        self._become_alive()
        return self._link.all()

    def on_message(self, message: Any) -> None:
        """Process a message of the app; a malformed one is dropped."""
        if not isinstance(message, dict):
            return
        kind, changed = message.get("type"), list[str]()
        if kind == "wwt_view_state":
            self._see(message)
        elif kind == "wwt_application_state":
            names = message.get("hipsCatalogNames")
            if isinstance(names, list):  # of this page, which may not have loaded the list yet
                found = {name for name in names if isinstance(name, str)}
                self._available_hips_catalog_names = sorted(found.union(self._available_hips_catalog_names))
        elif kind == "wwt_selection_state":
            changed = self._select(message)
        asked = self._futures.pop(message.get("threadId"), None) if isinstance(message.get("threadId"), str) else None
        if asked is not None:
            _resolve(asked, message)
        callback = self._callbacks.get(kind) if isinstance(kind, str) else None
        if callback is not None:
            self._call_back(callback, changed)

    def _see(self, message: Mapping[str, Any]) -> None:
        numbers = [message.get(name) for name in _VIEW]
        if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
            return
        try:
            clocks = [Time(str(message.get(name)).rstrip("Z"), format="isot") for name in _CLOCKS]
        except ValueError:
            return
        self._raRad, self._decRad, self._fovDeg, self._rollDeg, self._timeRate = numbers
        self._engineTime, self._systemTime = clocks

    def _select(self, message: Mapping[str, Any]) -> list[str]:
        """Store the selection; return the names of what has changed, as a callback gets them."""
        changed = []
        if isinstance(message.get("mostRecentSource"), dict):
            self._most_recent_source = message["mostRecentSource"]
            changed.append("most_recent_source")
        if isinstance(message.get("selectedSources"), list):
            self._selected_sources = message["selectedSources"]
            changed.append("selected_sources")
        return changed

    def _call_back(self, callback: Any, changed: list[str]) -> None:
        """Call a program's own function on the loop of its thread, if that runs: the function need not be thread-safe."""

        def call() -> None:
            try:
                callback(self, changed)
            except Exception:  # noqa: BLE001  (the function is the user's)
                logger.exception("unhandled exception in a callback of pywwt's API")

        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(call)
        else:
            call()

    # Readiness.

    async def becomes_ready(self, timeout: float = 30) -> PreviewWWT:
        """Wait until a page shows the view; show it under this cell if it is not displayed yet.

        Parameters
        ----------
        timeout : float, default 30
            Seconds to wait.

        Returns
        -------
        PreviewWWT
            This object.

        Raises
        ------
        NotShownError
            If no page shows it in time.

        Notes
        -----
        ipykernel 6 receives no messages while a cell runs, so there it returns at once; messages are kept for the page.
        """
        with self._lock:
            if self._appAlive:
                return self
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
        self._preview._show_once()
        self._link.announce(awaited=True)
        if not receives_while_running():
            return self
        try:
            await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            raise NotShownError(
                f"No page has shown the preview within {timeout:g} s. Put the preview at the end of a cell, run it, and wait for "
                "WWT in the next cell. No message is lost: the page receives them when it opens."
            ) from None
        return self

    @property
    def awaited(self) -> bool:
        """Whether a program waits for a page to show the view."""
        return any(not waiter.done() for waiter in self._waiting)

    def _become_alive(self) -> None:
        with self._lock:
            self._appAlive = self._readinessAchieved = True
            waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            _resolve(waiter, None)

    def _get_view_data(self, field: str) -> Any:
        if not self._appAlive:
            raise NotShownError(
                "No page has shown the preview yet, so its view is not known. Put the preview at the end of a cell, and run "
                "“await preview.wwt.becomes_ready()” before you ask."
            )
        return super()._get_view_data(field)


def _resolve(future: asyncio.Future[Any], value: Any) -> None:
    """Set the result of `future` on its own loop, if that exists and still waits."""

    def resolve() -> None:
        if not future.done():
            future.set_result(value)

    with contextlib.suppress(RuntimeError):
        future.get_loop().call_soon_threadsafe(resolve)


def _layers(names: Iterable[str]) -> dict[str, dict[str, None]]:
    """Return pywwt's description of layers without thumbnails."""
    return {name: {"thumbnail": None} for name in names}


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
