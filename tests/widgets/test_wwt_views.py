"""The kernel's half of pywwt's views: modes, where they look, what is sent along with them, and `wwt` as a widget among others."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from ipywidgets import HBox, Tab
from ipywidgets.widgets.widget import _instances
from pywwt.core import BaseWWTWidget
from traitlets import TraitError
from widgets.test_wwt_api import VIEW, Page

from constellations_widgets import Preview
from constellations_widgets.schema.sky_view import SkyView
from constellations_widgets.widgets.wwt.api import PreviewWWT
from constellations_widgets.widgets.wwt.files import COLLECTION
from constellations_widgets.widgets.wwt.replay import Replay

pytestmark = pytest.mark.usefixtures("no_running_loop")

LOOKS = {"ra": 10.0, "dec": 20.0, "height": 3.0, "aspect": 2.0, "roll": 4.0}


@pytest.fixture
def page(built: None) -> Page:
    return Page(Preview())


@pytest.fixture
def wwt(page: Page) -> PreviewWWT:
    return page.preview.wwt


def collections(page: Page) -> list[str]:
    return [message["url"] for message in page.everything() if message["event"] == "load_image_collection"]


def imagesets(page: Page, url: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(page.read(url)).iter("ImageSet"))


def settings(page: Page) -> dict[str, Any]:
    return {m["setting"]: m["value"] for m in page.everything() if m["event"] == "setting_set"}


def test_every_imageset_has_an_address_of_its_own_by_which_the_engine_knows_it(
    page: Page, wwt: PreviewWWT, tmp_path: Path
):
    kinds = [
        ("Nothing", "Sky"),
        ("3D Solar System View", "SolarSystem"),
        ("Nothing else", "Sky"),
        ("Nothing", "Planet"),
    ]
    sets = "".join(f'<ImageSet Name="{name}" Url="" DataSetType="{kind}"/>' for name, kind in kinds)
    (tmp_path / "index_rel.wtml").write_text(f"<Folder>{sets}</Folder>")
    wwt.set_view("solar system")
    wwt.background = "Black Sky Background"
    wwt.load_image_collection(str(tmp_path))
    found = {}
    for url in collections(page):
        for imageset in imagesets(page, url):
            found.setdefault(imageset.get("Url"), set()).add((imageset.get("Name"), imageset.get("DataSetType")))
    assert "" not in found and None not in found
    assert all(len(same) == 1 for same in found.values())  # what has one address is one image
    without = {address: same for address, same in found.items() if "/none/" in address}
    assert {next(iter(same)) for same in without.values()} == set(kinds)  # a black sky has tiles of its own
    assert any(("Black Sky Background", "Sky") in same for same in found.values())
    assert {page.read(address) for address in without} == {None}


def test_a_folder_that_the_kernel_publishes_ends_in_its_collection(page: Page, wwt: PreviewWWT):
    wwt.set_view("solar system")
    assert all(url.endswith(f"/{COLLECTION}") for url in collections(page))


def test_the_location_that_pywwt_shows_is_the_one_that_is_used(page: Page, wwt: PreviewWWT):
    wwt.local_horizon_mode = True
    said = settings(page)
    assert said == {"locationLat": 47.633, "locationLng": 122.133333, "locationAltitude": 0, "localHorizonMode": True}
    assert list(said)[-1] == "localHorizonMode"
    wwt.location_latitude = -33 * u.deg
    wwt.location_altitude = 2 * u.km
    assert {**said, "locationLat": -33, "locationAltitude": 2000} == settings(page)
    with pytest.raises(TraitError):
        wwt.location_latitude = 3 * u.m


@pytest.mark.parametrize(
    ("shown", "along"),
    [
        ("alt_az_grid", {"locationLat", "locationLng", "locationAltitude"}),
        ("ecliptic_grid", {"eclipticGridColor"}),
        ("constellation_figures", {"constellationFigureColor"}),
    ],
)
def test_what_the_app_begins_with_otherwise_is_said_along(page: Page, wwt: PreviewWWT, shown: str, along: set[str]):
    setattr(wwt, shown, True)
    own = BaseWWTWidget.class_traits()[shown].metadata["wwt"]
    assert settings(page).keys() == {own, *along}


def test_a_late_page_gets_the_roll_that_a_later_message_left_as_it_was():
    replay = Replay()
    replay.note({"event": "center_on_coordinates", "ra": 1, "dec": 2, "fov": 3, "roll": 30, "instant": True})
    replay.note({"event": "image_layer_create", "id": "a", "url": "u"})
    replay.note({"event": "center_on_coordinates", "ra": 4, "dec": 5, "fov": 6, "instant": False})
    said = {"event": "center_on_coordinates", "ra": 4, "dec": 5, "fov": 6, "roll": 30, "instant": True}
    assert replay.messages()[-1] == said


def test_a_view_that_leaves_the_sky_is_no_view(page: Page):
    page.say(kind="view_state", **LOOKS)
    assert page.preview.view == SkyView(**LOOKS)
    page.say(kind="view_state", sky=False)
    assert page.preview.view is None
    page.say(kind="view_state", **LOOKS)
    assert page.preview.view == SkyView(**LOOKS)


def test_a_program_is_called_back_for_each_kind_of_message(page: Page, wwt: PreviewWWT):
    calls: list[Any] = []
    for kind in ("wwt_view_state", "wwt_application_state", "get_view_as_tour_reply"):
        wwt._set_message_type_callback(kind, lambda it, changed, kind=kind: calls.append((it, kind, changed)))
    page.everything()
    page.say(kind="from_app", message=VIEW)
    assert calls == [(wwt, "wwt_view_state", [])] and wwt.get_fov() == 3 * u.deg
    page.say(kind="from_app", message={"type": "wwt_application_state", "hipsCatalogNames": ["A"]})
    page.say(kind="from_app", message={"type": "get_view_as_tour_reply", "threadId": "pywwt-1"})
    page.say(kind="from_app", message={"type": ["no", "text"]})
    assert [kind for _, kind, _ in calls[1:]] == ["wwt_application_state", "get_view_as_tour_reply"]


def test_an_error_in_a_callback_is_logged_and_stops_nothing(
    page: Page, wwt: PreviewWWT, caplog: pytest.LogCaptureFixture
):
    wwt._set_message_type_callback("wwt_view_state", lambda it, changed: 1 / 0)
    page.everything()
    page.say(kind="from_app", message=VIEW)
    assert "ZeroDivisionError" in caplog.text and wwt.get_center().dec.deg == pytest.approx(
        0.5 * 180 / 3.14159265, rel=1e-6
    )


def test_it_stands_for_its_preview_among_other_widgets(page: Page, wwt: PreviewWWT):
    shown = [f"IPY_MODEL_{page.preview.model_id}"]
    assert HBox([wwt]).get_state("children")["children"] == Tab([wwt]).get_state("children")["children"] == shown
    wwt.layout.height = "600px"
    assert page.preview.layout.height == "600px"
    wwt.layout = {"width": "50%"}
    assert page.preview.layout.width == "50%" and page.preview.layout.height is None
    wwt.close()
    assert page.preview.comm is None
    wwt.center_on_coordinates(SkyCoord(1, 2, unit="deg"))  # nobody hears it


def test_as_a_widget_it_has_no_model_of_its_own_and_dies_without_its_preview(wwt: PreviewWWT):
    assert wwt.comm is None and wwt not in _instances.values()
    wwt.__del__()
    assert wwt._preview.comm is not None
