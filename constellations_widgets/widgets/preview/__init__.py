"""The image on the sky: pywwt's WorldWide Telescope app in a cell, which follows the draft."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from ...errors import ConstellationsError, SourceError, needs_extra
from ...outputs.exports import write_output
from ...outputs.still import wcs_figure
from ...schema.placement import URL
from ...schema.sky_view import SkyView
from ...wtml import DRAWN
from ..base import DraftObserver, Message, require_draft
from ..protocol.preview import OpenedPreview, PreviewState, SolvedStar
from ..rpc import Handler, Response, receives_while_running, require_count, require_texts
from ..wwt.app import app_files
from .drawing import NOTHING, PRIVATE, draw, image_address
from .embedded import SavedOutput, embeds_by_default, new_id
from .file_registry import FileRegistry
from .image_files import PICTURE, PIXELS, ImageFiles
from .placement_editor import PlacementEditor
from .snapshots import NO_PAGE, NO_SKY, OLD_KERNEL, OLD_KERNEL_SKY, Received, Snapshots, check_options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...draft import ImageDraft
    from ...publishing.published import PublishedImage
    from ...solving.registration import Snapped
    from ...solving.solution import Solution
    from ..wwt.api import PreviewWWT

_MOST_FILES = 1000  # in one request
_PART_BYTES = 1 << 20  # of a response: the page shows these while the kernel reads the next


class Preview(SavedOutput, DraftObserver["ImageDraft | PublishedImage | None"]):
    """A view of the sky with the draft's image on it, which follows every change of the draft.

    Parameters
    ----------
    draft : ImageDraft or None, default None
        What to show. If it has a local image, the pixels come from this machine's disk, else the page loads the image URL.
        None: the sky alone.
    height : str, default "400px"
        Height of the view, a CSS length: px, em, rem, vh or %.
    embed : bool, optional
        Whether the saved output holds the live preview itself, so that nbconvert, Jupyter Book, MkDocs and JupyterLab show it without a
        kernel and without a network. It adds about 1.1 MB and the image's files, reduced to 64 MB, to the notebook. By default,
        the environment variable CXW_EMBED_PREVIEWS decides, for a whole notebook with its panels: ``%env CXW_EMBED_PREVIEWS=1``.

    Raises
    ------
    ConstellationsError
        If the front end of the widget was never built.

    Examples
    --------
    >>> cxw.Preview(draft, height="30em")
    >>> cxw.Preview(draft, embed=True)
    """

    page = "preview"

    height = traitlets.Unicode("400px").tag(sync=True)
    embed = traitlets.Bool(False)
    _saved_as = traitlets.Unicode("").tag(sync=True)
    """Id of the page that the saved output shows without a kernel, which a live view hides."""

    def __init__(
        self, draft: ImageDraft | PublishedImage | None = None, height: str = "400px", *, embed: bool | None = None
    ):
        if draft is not None:
            require_draft(Preview, draft)
        self._shown: dict[str, Any] | None = None
        self._revision = 1
        self._served = FileRegistry()
        self._wwt: PreviewWWT | None = None
        self._wwt_lock, self._sending = threading.Lock(), threading.RLock()
        self._displayed = False
        self._view: SkyView | None = None
        self._proposed: dict[str, Any] = {}
        self._solved_stars: list[SolvedStar] = []
        self._placing = PlacementEditor(draft)
        self._image = ImageFiles(draft.local) if draft is not None and draft.local is not None else None
        if self._image is not None:
            self._served.add("image", self._image.read)
            self._served.add("pixels", self._image.read_pixels)
        self._snapshots = Snapshots(self.send)
        snapping = self._placing.snapping
        snapping.take_sky, snapping.show, snapping.changed = self._take_sky, self._show_snapped, self._send_placing
        requests: dict[str, Handler] = {
            "open": self._on_open,
            "app": self._app_files,
            "files": self._files,
            "all_files": self._all_files,
            "fits_pixels": self._fits_pixels,
            "retry": self._on_retry,
            "app_messages": self._app_messages,
            "place": self._on_place,
            "save_html": self._on_save_html,
            "snapshot_part": self._snapshots.on_part,
        }
        messages: dict[str, Callable[[Message], object]] = {
            "view_state": self._on_view_state,
            "from_app": self._on_app_message,
            **dict.fromkeys(snapping.messages, snapping.on_message),
        }
        once = ("place", "save_html")
        super().__init__(draft, messages=messages, requests=requests, once=once, height=height, _saved_as=new_id())
        self.embed = embeds_by_default() if embed is None else embed

    @traitlets.validate("height")
    def _check_height(self, proposal: dict[str, Any]) -> str:
        if not re.fullmatch(r"\d+(\.\d+)?(px|em|rem|vh|%)", proposal["value"]):
            raise traitlets.TraitError(f"height is a CSS length such as '400px', not {proposal['value']!r}")
        return str(proposal["value"])

    @property
    def revision(self) -> int:
        """Revision of the image: it grows with each change of what is drawn."""
        return self._revision

    @property
    def view(self) -> SkyView | None:
        """The part of the sky that the page shows: center, height and roll in degrees, and aspect ratio.

        None before a page has shown it, and while it shows a planet, a panorama or the Solar System. The roll is relative to
        equatorial north, in galactic and local-horizon mode too. If a page has several views, it is the one that moved last.
        `cxw.publish_scene` takes it.
        """
        return self._view

    @property
    def placing(self) -> PlacementEditor:
        """Editor of the image's placement, as in “Adjust placement”: move, rotate, align stars, undo and redo."""
        return self._placing

    def go_to_image(self) -> None:
        """Move the view to the image, as the button “Go to image” does."""
        self.send({"kind": "go_to_image"})

    def show_solution(self, solution: Solution | None) -> None:
        """Show the image where a solution would place it, with its matched stars; the draft is not changed.

        Crosses are the stars of the image, rings their catalog positions, and lines the residuals, enlarged.

        Parameters
        ----------
        solution : Solution or None
            What `draft.solve` returned; None shows the draft's own placement again.

        Raises
        ------
        SourceError
            If the solution is of a picture of another size.
        """
        from ...solving.acceptance import placement_by, solved_stars

        changes = {}
        if solution is not None and self._draft is not None:
            local = self._draft.local
            changes = placement_by(solution, self._draft.values, local.size if local is not None else None)
        self._propose(changes, solved_stars(solution))

    def _propose(self, changes: dict[str, Any], marks: Iterable[tuple[Any, Any]]) -> None:
        """Show the image with other values than the draft's, and marks: where the image would have them, and where they are."""
        self._proposed = changes
        self._solved_stars = [{"seen": seen, "there": there} for seen, there in marks]
        self._count_change()
        self._send_paced()
        self.send({"kind": "solution", "stars": self._solved_stars})

    def to_html(self, path: str | Path, **options: Any) -> Path:
        """Write the preview as one HTML file that any browser opens, offline and without a kernel.

        Parameters and errors are those of `save_html`.

        Examples
        --------
        >>> preview.to_html("m51.html")
        """
        from .stand_alone import save_html

        if self._draft is None:
            raise ConstellationsError("This preview has no image: there is nothing to write as a page.")
        return save_html(self._draft, path, **options)

    def figure(self) -> Figure:
        """Return the image on the sky, north up with a grid, as a matplotlib figure with one `WCSAxes`.

        Raises
        ------
        ConstellationsError
            If there is no image, its placement is incomplete or not on a plane, or its file can't be read.
            Also if matplotlib is not installed.

        Examples
        --------
        >>> preview.figure().savefig("m51.pdf")
        """
        if self._draft is None:
            raise ConstellationsError("This preview has no image: there is nothing to draw.")
        return wcs_figure(self._draft)

    async def snapshot(
        self,
        path: str | Path,
        *,
        width: int = 2048,
        grid: bool = False,
        scale_bar: bool = False,
        compass: bool = False,
        timeout: float = 60.0,
    ) -> Path:
        """Save what a page shows now as a PNG, in any resolution, once all of its tiles are there.

        Parameters
        ----------
        path : str or Path
            The file to write; it is replaced if it exists.
        width : int, default 2048
            Width in pixels, 64 to 4096. The height follows from the shape of the view.
        grid, scale_bar, compass : bool, default False
            What to draw on it.
        timeout : float, default 60
            Seconds to wait for the picture.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ConstellationsError
            If no page shows the preview, it can't draw the picture or does not send it in time, or the width is out of range.
        SourceError
            If the file is no PNG or can't be written.

        Examples
        --------
        >>> await preview.snapshot("m51.png", width=4096, grid=True)
        """
        target = check_options(path, width)
        if not self._displayed or not self._may_be_viewed:
            raise ConstellationsError(NO_PAGE)
        if not receives_while_running():
            raise ConstellationsError(OLD_KERNEL)
        self._catch_up()
        options = {"width": width, "grid": grid, "scale_bar": scale_bar, "compass": compass}
        write_output(target, await self._snapshots.take(timeout, **options), "snapshot")
        return target

    @property
    def wwt(self) -> PreviewWWT:
        """Python API of pywwt for this view: annotations, layers, surveys, the camera and the clock.

        pywwt is imported on first use, which takes seconds. Commands can be given before a page shows the preview: every view
        receives them when it opens.

        Raises
        ------
        ConstellationsError
            If pywwt is not installed.

        Examples
        --------
        >>> wwt = await cxw.Preview().wwt.becomes_ready()
        >>> wwt.add_circle(SkyCoord(10.68, 41.27, unit="deg"), radius=1 * u.deg)
        """
        with self._wwt_lock:
            if self._wwt is None:
                with needs_extra("wwt", "preview.wwt"):
                    from ..wwt.api import PreviewWWT
                from ..wwt.files import PublishedFiles

                self._wwt = PreviewWWT(self, PublishedFiles(self._served))
            return self._wwt

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        self._displayed = True
        return super()._repr_mimebundle_(**kwargs)

    def _embedded(self) -> tuple[ImageDraft | PublishedImage | None, str, str]:
        return self._draft, self.height if self.embed else "", self._saved_as

    def _show_once(self) -> None:
        """Show this under the running cell, if it was never shown."""
        from IPython import get_ipython
        from IPython.display import display

        if not self._displayed and get_ipython() is not None:
            display(self)  # type: ignore[no-untyped-call]

    # -- to and from the page, in any thread

    def _take_sky(self, timeout: float, cancelled: threading.Event, **camera: Any) -> Received:
        if not self._displayed or not self._may_be_viewed:
            raise ConstellationsError(NO_SKY)
        if threading.current_thread() is threading.main_thread() and not receives_while_running():
            raise ConstellationsError(OLD_KERNEL_SKY)
        return self._snapshots.take_sky(timeout, cancelled, **camera)

    def _show_snapped(self, found: Snapped | None) -> None:
        from ...solving.snap import marks_of, placement_of

        if found is None or self._draft is None:
            self._propose({}, [])
        else:
            self._propose(placement_of(found, self._draft.values), marks_of(found))

    def _send_placing(self) -> None:
        self.send({"kind": "placing", "placing": self._placing.status()})

    def _track(self, changed: frozenset[str]) -> None:
        if changed & DRAWN.keys():
            self._placing.snapping.on_placed()

    def close(self) -> None:
        """Stop following the draft, and close the preview in every page."""
        if hasattr(self, "_placing"):  # not if the arguments were refused
            self._placing.snapping.close()
        super().close()

    def _push(self, changed: frozenset[str]) -> None:
        if changed & (DRAWN.keys() | {URL}):
            self._count_change()
            self._pace.request()
        elif changed & {"locked", "receipt"}:
            self._send_placing()

    def _count_change(self) -> None:
        with self._viewing:
            self._revision += 1

    def _send_paced(self) -> None:
        with self._sending:  # of two threads, the one that reads last sends last
            self.send({"kind": "imageset", **self._state()})

    def _on_app_message(self, message: Message) -> None:
        if self._wwt is not None:
            self._wwt.on_message(message.get("message"))

    def _on_view_state(self, message: Message) -> None:
        if message.get("sky") is False:
            self._view = None
            return
        values = [message.get(field.name) for field in dataclasses.fields(SkyView)]
        numbers = [float(value) for value in values if isinstance(value, (int, float)) and math.isfinite(value)]
        if len(numbers) == len(values):
            self._view = SkyView(*numbers)

    def _on_open(self, _request: Message) -> Response:
        self._displayed = True
        self._catch_up()  # the state of a revision that pages know must not have newer values
        opened: OpenedPreview = {
            **self._state(),
            "title": self._draft.name if self._draft is not None else "",
            "wwt": self._wwt is not None,
            "awaited": self._wwt is not None and self._wwt.awaited,
            "scene": None,
            "solution": self._solved_stars,
        }
        return opened, []

    def _app_messages(self, _request: Message) -> Response:
        return self._wwt.everything() if self._wwt is not None else {"last": 0, "messages": []}, []

    def _on_retry(self, _request: Message) -> Response:
        """Read the files again, because the user has restored one, and update every view."""
        if self._image is not None:
            self._image.state(fresh=True)
        self._count_change()
        self._send_paced()
        return {}, []

    def _on_place(self, request: Message) -> Response:
        message = self._placing.on_request(request)
        self._pace.flush()  # the page draws its own edits from what it is sent
        return {"message": message, "placing": self._placing.status()}, []

    def _on_save_html(self, _request: Message) -> Response:
        """Write a page to the kernel's folder, which is the notebook's, under a name that no file has."""
        from ...hosting.collect import slug_of

        stem = slug_of(self._draft.name) if self._draft is not None else ""
        names = itertools.chain([f"{stem}.html"], (f"{stem}-{number}.html" for number in itertools.count(2)))
        path = next(path for path in map(Path.cwd().joinpath, names) if not path.exists())
        return {"path": str(self.to_html(path))}, []

    def _state(self) -> PreviewState:
        # The revision is read before the values are, which a change can renew between the two: its own revision follows.
        revision, drawing = self._revision, NOTHING
        if self._draft is not None:
            local, values, image = self._draft.local, {**self._draft.values, **self._proposed}, self._image
            drawing, self._shown = draw(
                values,
                image_address(local, values.get(URL)),
                revision,
                last=self._shown,
                size=local.size if local is not None else None,
                picture=image.reduced_picture(f"{PRIVATE}/pixels/{PICTURE}") if image is not None else None,
                pixels=image.reduced_pixels(f"{PRIVATE}/pixels/{PIXELS}") if image is not None else None,
                only_pixels=image is not None and not image.picture,
            )
        return {
            "revision": revision,
            **drawing,
            "files": self._image.state() if self._image is not None else None,
            "placing": self._placing.status(),
        }

    def _app_files(self, _request: Message) -> Response:
        names, contents = zip(*app_files(), strict=True)
        return {"names": names}, list(contents)

    def _files(self, request: Message) -> Iterator[Response]:
        paths = require_texts(request, "paths", _MOST_FILES)
        start, size, contents, faults = 0, 0, list[bytes | None](), dict[str, str]()
        for path in paths:
            if size >= _PART_BYTES:
                yield _part(start, contents, faults)
                start, size, contents, faults = start + len(contents), 0, [], {}
            try:
                content = self._served.read(path)
                contents.append(content)
                size += len(content or b"")
            except SourceError as error:
                contents.append(None)
                faults[path] = str(error)
        yield _part(start, contents, faults)

    def _all_files(self, request: Message) -> Response:
        start = require_count(request, "start")
        if self._image is None:
            return {"key": "", "complete": False, "names": [], "next": None}, []
        contents, further, complete = self._image.part(start)
        # After they were read: it differs if the files were changed meanwhile.
        key = self._image.state(fresh=True)["key"]
        names = [f"image/{name}" for name in contents]
        return {"key": key, "complete": complete, "names": names, "next": further}, list(contents.values())

    def _fits_pixels(self, _request: Message) -> Response:
        if self._image is None:
            raise ConstellationsError("This image has no FITS pixels.")
        return self._image.stretch(), []


def _part(start: int, contents: list[bytes | None], faults: Mapping[str, str]) -> Response:
    """Return the part of a response with the requested files from number `start` on."""
    found = [content is not None for content in contents]
    return {"start": start, "found": found, "faults": faults}, [content for content in contents if content is not None]
