"""What a saved notebook shows in place of a widget of one draft: a picture and the values, or the live preview as a page."""

from __future__ import annotations

import contextlib
import html
import os
import secrets
from typing import TYPE_CHECKING, Any

from ...errors import ConstellationsError
from ...outputs.still import alt_text, with_still
from ..lifetime import VIEW, ClosedByItsCell

if TYPE_CHECKING:
    from ...draft import ImageDraft
    from ...publishing.published import PublishedImage

_PRINT = """
@media print { .cxw-saved > iframe { display: none } }
@media not print { .cxw-saved > .cxw-still { display: none } }
"""

# JupyterLab shows an error in place of a widget whose kernel is gone. The page below takes its place, and that of the widget's empty
# text; while JupyterLab looks for the widget, neither shows: the page would start an engine for a moment.
_BESIDE_WIDGET = """
.jp-OutputArea-child:has(+ .jp-OutputArea-child > .jp-OutputArea-output > [data-cxw-saved])
  > .jp-OutputArea-output:is(.jupyter-widgets:not(:has(*)), .jp-RenderedText),
.jp-OutputArea-child:has(> .lm-Panel.jp-OutputArea-output:not(.jupyter-widgets))
  + .jp-OutputArea-child > .jp-OutputArea-output > [data-cxw-saved] { display: none }
"""


def embeds_by_default() -> bool:
    """Return whether the previews of this notebook are embedded: the setting CXW_EMBED_PREVIEWS."""
    return os.environ.get("CXW_EMBED_PREVIEWS", "") not in ("", "0")


def new_id() -> str:
    """Return an id by which a live preview finds and hides the saved page of the same output."""
    return secrets.token_hex(8)


class SavedOutput(ClosedByItsCell):
    """Mixin of a widget of one draft whose saved output shows the image where there is no kernel.

    The output holds a picture and the values. If the preview is embedded, they are an output of their own below the widget's, with the
    live preview as a page: JupyterLab ignores all else in an output with a widget, and converters show a saved model of a widget
    with scripts from a CDN. Where the widget is live, it hides the page. A batch run has no widget, and so one output.
    """

    def _embedded(self) -> tuple[ImageDraft | PublishedImage | None, str, str]:
        """Return the draft, the height of its embedded preview, "" if it is not to be embedded, and the id of the saved page."""
        raise NotImplementedError

    def _frame(self, still: str, *, beside_widget: bool) -> str:
        """Return the live preview as HTML; "" if it is not or can't be embedded: `still`, the picture and the values, says why."""
        draft, height, saved_as = self._embedded()
        if draft is not None and height:
            from .stand_alone import page_of

            with contextlib.suppress(ConstellationsError):
                return _framed(
                    page_of(draft, height), alt_text(draft), height, still, saved_as if beside_widget else ""
                )
        return ""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = with_still(super()._repr_mimebundle_(**kwargs), self._embedded()[0])
        data = bundle[0] if isinstance(bundle, tuple) else {}
        if VIEW not in data and (frame := self._frame(data.get("text/html", ""), beside_widget=False)):
            data["text/html"] = frame
        return bundle

    def _ipython_display_(self) -> None:
        bundle = self._repr_mimebundle_() if self._embedded()[1] else None
        data, metadata = bundle if isinstance(bundle, tuple) else ({}, {})
        frame = self._frame(data.get("text/html", ""), beside_widget=True) if VIEW in data else ""
        if not frame:
            raise NotImplementedError  # IPython goes on with _repr_mimebundle_
        from IPython.display import publish_display_data

        publish_display_data({"text/plain": "", VIEW: data.pop(VIEW)})  # type: ignore[no-untyped-call]
        publish_display_data({**data, "text/html": frame}, metadata)  # type: ignore[no-untyped-call]


def _framed(page: str, title: str, height: str, still: str, saved_as: str) -> str:
    """Return a page as a frame that can stand in another page, such as a converted notebook.

    The frame needs its parent's origin: a browser isolates the engine's frame from one without, and the page makes its frame as high
    as itself. The page's policy forbids all scripts but its own. `still` is for paper, and for what removes frames and styles:
    JupyterLab does so in a notebook that is not trusted.
    """
    about = f' data-cxw-saved="{saved_as}"' if saved_as else ""
    return (
        f'<div class="cxw-saved"{about}><style>{_PRINT}{_BESIDE_WIDGET if saved_as else ""}</style>'
        f'<iframe title="{html.escape(title)}" srcdoc="{html.escape(page)}" loading="lazy" '
        'sandbox="allow-scripts allow-same-origin allow-popups allow-downloads" allowfullscreen '
        f'style="width: 100%; height: calc({height} + 12em); border: 0"></iframe>'
        f'<div class="cxw-still">{still}</div></div>'
    )
