"""pywwt's API on a preview as a widget among others: wherever ipywidgets takes a widget, it stands for its preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import Layout, Widget

if TYPE_CHECKING:
    from ..preview import Preview


class PreviewStandIn(Widget):
    """A widget without a model of its own: a page shows its preview in its place.

    It opens no comm, and its id is the preview's. So ``HBox([wwt])``, ``wwt.layout`` and ``wwt.close()`` work as with pywwt's own
    widget.
    """

    _preview: Preview

    @property
    def model_id(self) -> str:
        """Id of the preview's model in the page."""
        return self._preview.model_id

    @property
    def layout(self) -> Layout:
        """Size and place of the preview among other widgets. Its sky fills the height that is set here."""
        return self._preview.layout

    @layout.setter
    def layout(self, layout: Layout | dict[str, Any]) -> None:
        self._preview.layout = layout

    def close(self) -> None:
        """Close the preview: it is removed from every page."""
        self._preview.close()

    def __del__(self) -> None:
        """Leave the preview open: it closes itself when nothing refers to it."""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self._preview._repr_mimebundle_(**kwargs)
