"""pywwt's Python API on a preview: imported when a program first asks for `Preview.wwt`, since importing pywwt takes seconds."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from astropy.time import Time
from pywwt.core import BaseWWTWidget, ViewerNotAvailableError
from pywwt.imagery import ImageryLayers
from pywwt.instruments import Instruments
from pywwt.logger import logger
from pywwt.solar_system import SolarSystem
from pywwt.traits import Float, Unicode
from traitlets import HasTraits

from ...errors import ConstellationsError
from .circles import Circles
from .files import PublishedFiles, instruments, survey_names
from .layers import PreviewImageLayer, PreviewLayers
from .link import Link
from .menus import SkyMenus

if TYPE_CHECKING:
    from ..preview import Preview

# What the preview shows of itself, by names that pywwt's `background` and `foreground` take; the page knows them.
OFFLINE_SKY = "Offline sky"
DRAFT_IMAGE = "Image of the draft"

_THREAD = "pywwt-"  # how the questions to the app begin that are answered to us
_VIEW = ("raRad", "decRad", "fovDeg", "rollDeg", "engineClockRateFactor")
_CLOCKS = ("engineClockISOT", "systemClockISOT")

# Where the app begins with another value than pywwt, and pywwt says nothing as long as its own is not changed: said along with these.
_COLORS = {
    "showConstellationFigures": "constellation_figure_color",
    "showConstellationBoundries": "constellation_boundary_color",
    "showConstellationSelection": "constellation_selection_color",
}


class NotShownError(ConstellationsError, ViewerNotAvailableError, TimeoutError):
    """No page has shown the preview yet, and so nobody knows what its view is."""


class PreviewInstruments(Instruments):
    """The outlines of telescopes' fields of view that come with the preview."""

    def __init__(self) -> None:
        self.entry = instruments()
        self.available = list(self.entry)

    def __getattr__(self, name: str) -> str:
        if name in ("entry", "available") or name not in self.available:
            raise AttributeError(f"{name!r} is not one of the instruments: {', '.join(self.available)}")
        return name


class PreviewWWT(BaseWWTWidget):
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
        # Not BaseWWTWidget's own: it asks the network for two lists, and waits for them.
        HasTraits.__init__(self)
        self.observe(self._on_trait_change, type="change")
        self._preview = preview
        self._publish = publish
        self._link = Link(preview.send)
        self._circles = Circles()
        self._seqNum = 0
        self._numbers = itertools.count(1)
        self._futures = {}
        self._startupMessageQueue = None
        self._available_layers = dict.fromkeys([OFFLINE_SKY, DRAFT_IMAGE, *survey_names()], {"thumbnail": None})
        self._available_hips_catalog_names = []
        self.imagery = ImageryLayers(survey_names())
        self.solar_system = SolarSystem(self)
        self._instruments = PreviewInstruments()
        self.current_mode = "sky"
        self._paused = False
        self._last_sent_view_mode = "sky"
        self.layers = PreviewLayers(parent=self)
        self._annotation_set = set()
        self._callbacks = {}
        self._menus: SkyMenus | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._lock = threading.Lock()
        self._loop = _running_loop()
        self._link.announce()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self._preview._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        return f"<pywwt on {self._preview!r}>"

    # What pywwt says.

    def _send_msg(self, **message: Any) -> None:
        middle = math.degrees(self._raRad), math.degrees(self._decRad)
        for said in self._translated(message):
            for corrected in self._circles.corrected(said, middle):
                self._link.tell(corrected)

    def _actually_send_msg(self, payload: Mapping[str, Any]) -> None:
        self._link.tell(payload)

    def _next_seq(self) -> str:
        return f"{_THREAD}{next(self._numbers)}"

    def _translated(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """`message` in words that the preview's page can follow, and what has to be said before it."""
        event = message.get("event")
        if event in ("set_background_by_name", "set_foreground_by_name") and message["name"] in survey_names():
            yield self._collection(self._publish.surveys())
        elif event == "set_viewer_mode" and message["mode"] == "sky":
            yield {"event": "set_background_by_name", "name": self.background}
            yield {"event": "set_foreground_by_name", "name": self.foreground}
            message = {"event": "set_foreground_opacity", "value": self.foreground_opacity * 100}
        elif event == "set_viewer_mode":
            three_d = message["mode"] == "3D Solar System View"
            yield self._collection(self._publish.modes() if three_d else self._publish.catalog())
            yield {"event": "setting_set", "setting": "actualPlanetScale", "value": self.actual_planet_scale}
        elif event == "setting_set" and message["setting"] in _COLORS:
            name = _COLORS[message["setting"]]
            color = self.trait_metadata(name, "wwt")
            yield {"event": "setting_set", "setting": color, "value": getattr(self, name)}
        elif event in ("image_layer_create", "load_tour"):
            message = {**message, "url": self._publish.remote(message["url"])}
        yield message

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
        It returns at once; what is said later about the collection's images waits in the page until they are there.
        """
        if not url.startswith(self._publish.prefix):
            if not remote_only:
                self._available_layers.update(dict.fromkeys(self._publish.names_in(url), {"thumbnail": None}))
                if self._menus is not None:
                    self._menus.list_anew()
            url = self._publish.collection(url, recursive)
        self._send_msg(**self._collection(url, recursive))

    def _serve_file(self, filename: str, extension: str = "") -> str:
        return self._publish.file(filename, extension)

    def _serve_tree(self, path: str) -> str:
        return self._publish.tree(path)

    def _create_image_layer(self, **kwargs: Any) -> PreviewImageLayer:
        return PreviewImageLayer(parent=self, **kwargs)

    @property
    def layer_controls(self) -> Any:
        """Menus of what the sky can show, and a slider between them: an ipywidget."""
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
        """What a page says to an app that has just begun; from now on the view can be asked."""
        self._become_alive()
        return self._link.all()

    def heard(self, message: Any) -> None:
        """Take in what a page heard the app say. What is malformed is dropped."""
        if not isinstance(message, dict):
            return
        kind = message.get("type")
        if kind == "wwt_view_state":
            self._see(message)
        elif kind == "wwt_application_state":
            names = message.get("hipsCatalogNames")
            if isinstance(names, list):
                self._available_hips_catalog_names = [name for name in names if isinstance(name, str)]
        elif kind == "wwt_selection_state":
            self._select(message)
        asked = self._futures.pop(message.get("threadId"), None) if isinstance(message.get("threadId"), str) else None
        if asked is not None:
            _resolve(asked, message)

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

    def _select(self, message: Mapping[str, Any]) -> None:
        changed = []
        if isinstance(message.get("mostRecentSource"), dict):
            self._most_recent_source = message["mostRecentSource"]
            changed.append("most_recent_source")
        if isinstance(message.get("selectedSources"), list):
            self._selected_sources = message["selectedSources"]
            changed.append("selected_sources")
        callback = self._callbacks.get("wwt_selection_state")
        if callback is None:
            return
        if self._loop is not None and self._loop.is_running():
            # A program's own code need not be thread-safe.
            self._loop.call_soon_threadsafe(self._call_back, callback, changed)
        else:
            self._call_back(callback, changed)

    def _call_back(self, callback: Any, changed: list[str]) -> None:
        try:
            callback(self, changed)
        except Exception:
            logger.exception("an error in a selection callback")

    # Readiness.

    async def becomes_ready(self, timeout: float = 30) -> PreviewWWT:
        """Wait until a page shows the view; show it under this cell if nobody has done so yet.

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
        On ipykernel 6, which hears nothing while a cell runs, it returns at once: what is said is kept for the page.
        """
        with self._lock:
            if self._appAlive:
                return self
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
        self._preview._show_once()
        self._link.announce(awaited=True)
        if not _kernel_hears_while_it_runs():
            return self
        try:
            await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            raise NotShownError(
                f"No page has shown the preview within {timeout:g} s. Put the preview at the end of a cell, run it, and wait for "
                "WWT in the next cell. Nothing of what was said is lost: the page hears it when it comes."
            ) from None
        return self

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for a page to show the view."""
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
    """Give `future` its value on its own loop; nobody minds if that is gone, or no longer waits."""
    try:
        future.get_loop().call_soon_threadsafe(lambda: future.done() or future.set_result(value))
    except RuntimeError:
        pass


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _kernel_hears_while_it_runs() -> bool:
    """Whether messages of a page come through while a cell runs: from ipykernel 7 on."""
    try:
        import ipykernel
    except ImportError:
        return True
    return ipykernel.version_info[0] >= 7
