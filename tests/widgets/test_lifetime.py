"""Widgets go with the cell that showed them, and their models with them: the kernel holds as much after eight runs as after four."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from examples import TILED
from ipywidgets import Layout, VBox
from ipywidgets.widgets import widget as registry
from widgets.real_kernel import Kernel

import constellations_widgets as cxw
from constellations_widgets.draft import ImageDraft
from constellations_widgets.sources.reading import ParsedImage

WTML = """<Folder><ImageSet Name="M 51" Url="https://example.org/m51/{1}/{3}/{3}_{2}.png" Projection="Tan" TileLevels="4"
 BaseDegreesPerTile="0.5" CenterX="202.47" CenterY="47.2" FileType=".png" WidthFactor="2"/></Folder>"""
SETUP = f"""
import gc, threading, constellations_widgets as cxw
from collections import Counter
from ipywidgets.widgets import widget as registry
WTML = {WTML!r}
def models():
    gc.collect()
    return sum(Counter(type(it).__name__ for it in registry._instances.values()).values())
def alive():
    for thread in threading.enumerate():  # a check for pending attempts holds its widget until it ends
        if thread.name.startswith("constellations-") and not thread.name.startswith("constellations-answer"):
            thread.join(60)
    gc.collect()
    wanted = "PublishPanel", "Preview", "ImageForm", "Publisher", "ImageDraft", "Layout", "Comm"
    return dict(Counter(type(it).__name__ for it in gc.get_objects() if type(it).__name__ in wanted))
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXW_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        patch.delenv("CXW_SANDBOX", raising=False)
        kernel = Kernel()
        kernel.run(SETUP)
        yield kernel
        kernel.stop()


@pytest.fixture
def cell(request: pytest.FixtureRequest) -> str:
    return request.node.name


SHOWN = ["cxw.publish(WTML)", "panel = cxw.publish(WTML)\npanel", "display(cxw.publish(WTML))",
         "draft = cxw.ImageDraft.from_wtml(WTML, autosave=False)\ndisplay(cxw.Preview(draft), cxw.ImageForm(draft))"]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "named"),
    [*((code, True) for code in SHOWN), (SHOWN[0], False), (SHOWN[3], False)],
    ids=lambda value: value if isinstance(value, str) else "a cell with an id" if value else "a host without ids",
)
def test_a_cell_that_is_run_eight_times_leaves_one_panel(kernel, cell, code, named):
    def run(times: int) -> list[Any]:
        for _ in range(times - 1):
            kernel.run(code, cell if named else None)
        return kernel.run(code, cell if named else None, "(models(), alive())")

    before = run(4)  # IPython has variables for the last three outputs
    kernel.closed.clear()
    assert run(4) == before
    assert len(kernel.closed) >= 4 * 2


def test_what_another_cell_shows_or_a_variable_holds_stays(kernel, cell):
    kept = "(first.comm is not None, first.preview.comm is not None)"
    kernel.run("first = second = cxw.publish(WTML)\nfirst", cell)
    assert kernel.run("second = cxw.publish(WTML)\nsecond", cell, kept) == [True, True]
    assert kernel.run("panels = [first]; second = first; del first", f"{cell} 2", "panels[0].comm is not None")
    assert kernel.run("second = cxw.publish(WTML)\nsecond", cell, "panels[0].comm is not None")
    kernel.run("display(panels[0])", f"{cell} 3")
    kernel.run("import weakref\nit = weakref.ref(panels.pop())", f"{cell} 4")
    assert kernel.run("second = cxw.publish(WTML)\nsecond", cell, "it().comm is not None")
    assert kernel.run("None", f"{cell} 3", "it() is None or it().comm is None")


def test_a_part_that_is_shown_elsewhere_keeps_its_panel(kernel, cell):
    kernel.run("cxw.publish(WTML)", cell)
    kernel.run("import weakref\nit = weakref.ref(_); display(it().preview)", f"{cell} 2")
    assert kernel.run("cxw.publish(WTML)", cell, "it().preview.comm is not None")


def test_a_widget_that_its_own_cell_shows_again_stays(kernel, cell):
    kernel.run("shown = cxw.publish(WTML)", f"{cell} 0")
    for _ in range(3):
        assert kernel.run("shown", cell, "shown.comm is not None")


# Closed by hand: 100 widgets, none of which leaves a model


def made() -> dict[str, Callable[[Any], Any]]:
    draft = ImageDraft(ParsedImage(TILED, name="M 51"), autosave=False)
    return {
        "preview": lambda box: cxw.Preview(draft),
        "form": lambda box: cxw.ImageForm(draft),
        "publisher": lambda box: cxw.Publisher(draft, box.client(), handle=box.handle),
        "panel": lambda box: cxw.publish(draft, box.client(), handle=box.handle),
        "panel at a sandbox": lambda box: cxw.publish(draft),
        "batch": lambda box: cxw.BatchPublisher([draft], box.client(), box.handle),
        "images of a handle": lambda box: cxw.HandleImages(box.client(), box.handle),
        "library": lambda box: cxw.ImageLibrary(box.images_client()),
        "sign-in": lambda box: cxw.SignIn(box.api_url),
    }


@pytest.mark.parametrize("kind", made())
def test_100_widgets_made_and_closed_leave_no_model(box, kind):
    make = made()[kind]
    make(box).close()
    before = set(registry._instances)
    for _ in range(12):
        widget = make(box)
        assert len(registry._instances) > len(before)
        widget.close()
        widget.close()  # twice does no harm
    left = {name: it for name, it in registry._instances.items() if name not in before}
    assert left == {}


@pytest.mark.parametrize("kind", ["preview", "form", "publisher", "panel"])
def test_nothing_holds_a_closed_widget(box, kind):
    widget = made()[kind](box)
    gone = weakref.ref(widget)
    widget.close()
    del widget
    ends = time.monotonic() + 120
    while gone() is not None and time.monotonic() < ends:  # a thread that checks for pending attempts may be on its way
        time.sleep(0.05)
        gc.collect()
    assert gone() is None


def test_a_layout_that_is_shared_is_not_closed():
    draft = ImageDraft(ParsedImage(TILED, name="M 51"), autosave=False)
    shared, form = Layout(width="50%"), cxw.ImageForm(draft)
    form.layout = shared
    box = VBox([form])
    form.close()
    assert shared.comm is not None and box.layout.comm is not None
