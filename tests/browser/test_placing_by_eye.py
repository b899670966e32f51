"""Placing by eye with mouse and keys: the image follows the hand, and is where astropy says that the draft now has it."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import Angle, SkyCoord
from astropy.wcs import WCS
from playwright.sync_api import FrameLocator, Locator, Page, expect

from browser.bare_page import bare_page
from browser.marked_image import HEIGHT, MARKS, SIDE, WIDTH, find_marks, sky_to_pixel
from browser.on_sky import camera, marked_draft, sky, wait_revision
from browser.watching import WatchedPage
from constellations_widgets import ImageDraft, Preview

Points = dict[str, tuple[float, float]]


class Hand:
    """A preview in the mode in which its image is placed, and a hand on mouse and keys."""

    def __init__(self, page: Page, preview: Preview, frame: FrameLocator):
        self.page, self.preview, self.draft, self.frame = page, preview, preview.draft, frame
        self.element = frame.locator(".cxw-preview")
        self.layer = frame.locator(".cxw-placing-layer")

    def button(self, name: str) -> Locator:
        return self.frame.get_by_role("button", name=name, exact=True)

    def marks(self) -> Points:
        """The marks on the screen, which must be where astropy puts them, by the draft as it is now."""
        expect(self.layer).not_to_have_attribute("aria-busy", "true")
        wait_revision(self.element, self.preview.revision)
        found, view = find_marks(sky(self.element)), camera(self.element)
        assert len(found) == 4
        for name in MARKS:
            assert math.dist(found[name], sky_to_pixel(*self.place_of(name), view)) < 1.5, name
        return found

    def place_of(self, mark: str) -> tuple[float, float]:
        """Right ascension and declination of a mark, as astropy reads the draft."""
        x, y = MARKS[mark][1]
        wcs = WCS(self.draft.to_wcs_header((WIDTH, HEIGHT)))
        ra, dec = wcs.all_pix2world(x + SIDE / 2 + 0.5, HEIGHT - y - SIDE / 2 + 0.5, 1)
        return float(ra), float(dec)

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, let_go: bool = True) -> None:
        """From one point of the view to another."""
        box = self.layer.bounding_box()
        self.page.mouse.move(box["x"] + start[0], box["y"] + start[1])
        self.page.mouse.down()
        for part in np.linspace(0, 1, 6)[1:]:
            x, y = (a + (b - a) * part for a, b in zip(start, end, strict=True))
            self.page.mouse.move(box["x"] + x, box["y"] + y)
        if let_go:
            self.page.mouse.up()

    def swipe(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """With a finger, from one point of the view to another."""
        box, session = self.layer.bounding_box(), self.page.context.new_cdp_session(self.page)
        for part in np.linspace(0, 1, 6):
            x, y = (a + (b - a) * part for a, b in zip(start, end, strict=True))
            points = [{"x": box["x"] + x, "y": box["y"] + y}]
            kind = "touchMove" if part else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def click(self, at: tuple[float, float]) -> None:
        box = self.layer.bounding_box()
        self.page.mouse.click(box["x"] + at[0], box["y"] + at[1])

    def handle(self, kind: str, index: int = 0) -> tuple[float, float]:
        box = self.layer.bounding_box()
        it = self.frame.locator(f".cxw-placing-{kind}").nth(index).bounding_box()
        return it["x"] + it["width"] / 2 - box["x"], it["y"] + it["height"] / 2 - box["y"]

    def corners(self) -> list[tuple[float, float]]:
        """Of the outline, in the view: lower left, lower right, upper right, upper left."""
        points = self.frame.locator(".cxw-placing-body").get_attribute("points").split()
        return [tuple(map(float, point.split(","))) for point in points]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@contextmanager
def placing(page: Page, draft: ImageDraft) -> Iterator[Hand]:
    watch, preview = WatchedPage(page), Preview(draft, height="400px")
    page.set_viewport_size({"width": 700, "height": 620})
    with bare_page(page, preview) as frame:
        hand = Hand(page, preview, frame)
        wait_revision(hand.element, preview.revision)
        hand.button("Adjust placement").click()
        yield hand
    assert watch.console_errors == watch.outside_requests == []


def middle(marks: Points) -> np.ndarray:
    return np.mean(list(marks.values()), axis=0)


def angle(marks: Points) -> float:
    """Of the line from the red mark to the lime one, degrees clockwise."""
    (x0, y0), (x1, y1) = marks["red"], marks["lime"]
    return math.degrees(math.atan2(y1 - y0, x1 - x0))


def size(marks: Points) -> float:
    return math.dist(marks["red"], marks["yellow"])


def same(one: Points, other: Points) -> bool:
    return all(math.dist(one[name], other[name]) < 1 for name in MARKS)


def place_by_hand(hand: Hand) -> list[Points]:
    """Move, turn and scale by mouse, nudge by keys: four steps. The marks before and after each."""
    seen = [hand.marks()]
    red = seen[0]["red"]
    hand.drag(red, (red[0] + 41, red[1] - 23))
    seen.append(hand.marks())
    assert math.dist(seen[-1]["red"], (red[0] + 41, red[1] - 23)) < 1  # what was taken hold of is where it was let go

    pivot, knob = middle(seen[-1]), hand.handle("turn")
    turn = math.radians(25)
    dx, dy = knob[0] - pivot[0], knob[1] - pivot[1]
    hand.drag(
        knob,
        (
            pivot[0] + dx * math.cos(turn) - dy * math.sin(turn),
            pivot[1] + dx * math.sin(turn) + dy * math.cos(turn),
        ),
    )
    seen.append(hand.marks())
    assert angle(seen[-1]) - angle(seen[-2]) == pytest.approx(25, abs=0.6)
    assert math.dist(middle(seen[-1]), pivot) < 1

    corner = hand.handle("scale", 1)
    hand.drag(corner, tuple(pivot + 0.8 * (np.array(corner) - pivot)))
    seen.append(hand.marks())
    assert size(seen[-1]) / size(seen[-2]) == pytest.approx(0.8, abs=0.01)
    assert math.dist(middle(seen[-1]), pivot) < 1

    hand.press("ArrowRight", "ArrowRight", "Shift+ArrowDown", "Alt+ArrowUp")
    seen.append(hand.marks())
    assert middle(seen[-1]) - middle(seen[-2]) == pytest.approx([2, 9.9], abs=0.3)
    return seen


def test_an_untiled_image_is_dragged_turned_scaled_nudged_mirrored_and_all_is_undone_and_done_again(
    page: Page, image: Path
):
    draft = marked_draft(image)
    before = {path: value for path, value in draft.values.items() if path.startswith("wwt.")}
    with placing(page, draft) as hand:
        expect(hand.layer).to_be_focused()
        seen = place_by_hand(hand)
        hand.press("m")
        seen.append(hand.marks())
        assert draft.wwt.bottoms_up is True
        # Left and right are exchanged: the red mark is where the lime one was.
        assert math.dist(seen[-1]["red"], seen[-2]["lime"]) < 2 and math.dist(seen[-1]["blue"], seen[-2]["yellow"]) < 2

        hand.press("Control+z")
        assert same(hand.marks(), seen[-2])
        hand.press("Control+z", "Control+z", "Control+z", "Control+z")
        assert same(hand.marks(), seen[0])
        now = {path: value for path, value in draft.values.items() if path.startswith("wwt.")}
        assert now == before and hand.preview.placing.undo_label == ""
        hand.button("Redo: move").click()
        assert same(hand.marks(), seen[1])
        hand.layer.focus()
        hand.press(*4 * ["Control+Shift+z"])
        assert same(hand.marks(), seen[-1])
        expect(hand.frame.locator(".cxw-placing-where")).to_contain_text("mirrored")

        # The wheel zooms the sky, over the image, too.
        fov, (x, y) = camera(hand.element)["fov"], hand.handle("body")
        box = hand.layer.bounding_box()
        hand.page.mouse.move(box["x"] + x, box["y"] + y)
        hand.page.mouse.wheel(0, -300)
        page.frames[1].wait_for_function(
            "([it, fov]) => JSON.parse(it.dataset.cxwCamera).fov < fov", arg=[hand.element.element_handle(), fov]
        )

        # The image is larger than the view now: its handles wait at the edge, and a finger moves it as a mouse does.
        knob = hand.handle("turn")
        assert 0 < knob[0] < 682 and 0 < knob[1] < 400
        hand.drag(knob, (knob[0] + 60, knob[1] + 5))
        expect(hand.button("Undo: rotation")).to_be_visible()
        red = hand.marks()["red"]
        hand.swipe(red, (red[0] + 40, red[1] - 30))
        assert math.dist(hand.marks()["red"], (red[0] + 40, red[1] - 30)) < 1

        # Close to a pole, over right ascension 0.
        draft.update(before | {"wwt.center_x": 359.9, "wwt.center_y": 89.8, "wwt.rotation": 30.0})
        wait_revision(hand.element, hand.preview.revision)
        seen_before = str(hand.element.get_attribute("data-cxw-camera"))
        hand.button("Fit to image").click()
        expect(hand.element).not_to_have_attribute("data-cxw-camera", seen_before)
        red = hand.marks()["red"]
        hand.drag(red, (red[0] - 30, red[1] + 40))
        assert math.dist(hand.marks()["red"], (red[0] - 30, red[1] + 40)) < 1
        assert 0 <= draft.wwt.center_x < 360 and -180 <= draft.wwt.rotation <= 180

        # A posted image is not moved any more.
        draft.published(object())
        expect(hand.layer).to_be_hidden()
        expect(hand.frame.get_by_text("a posted image can't be moved any more")).to_be_visible()
        hand.button("Adjust placement").click()
        expect(hand.layer).to_be_hidden()


def test_tiles_are_placed_while_the_kernel_is_busy_too_and_laid_on_two_stars(page: Page, tiles: Path):
    draft = ImageDraft.from_wtml(tiles, autosave=False)
    with placing(page, draft) as hand:
        seen = place_by_hand(hand)
        hand.button("Mirror").click()
        expect(hand.frame.get_by_text("WWT draws no mirrored tiles")).to_be_visible()
        assert same(hand.marks(), seen[-1])
        for step in ("move", "scale", "rotation", "move"):
            hand.button(f"Undo: {step}").click()
        assert same(hand.marks(), seen[0])

        # The kernel does not come to answer; the outline is where the hand is, and the image in the end, too.
        free = threading.Event()
        stop = draft.on_change(lambda *_: free.wait(30))
        red, outline = seen[0]["red"], hand.corners()
        hand.drag(red, (red[0] + 33, red[1] + 44), let_go=False)
        assert hand.corners() == pytest.approx(np.add(outline, [33, 44]), abs=1)
        hand.page.mouse.up()
        assert hand.corners() == pytest.approx(np.add(outline, [33, 44]), abs=1)
        free.set()
        assert math.dist(hand.marks()["red"], (red[0] + 33, red[1] + 44)) < 1
        assert hand.corners() == pytest.approx(np.add(outline, [33, 44]), abs=1)
        stop()

        # A drag that is given up by Escape was none.
        hand.drag((red[0] + 33, red[1] + 44), (300, 200), let_go=False)
        hand.press("Escape")
        hand.page.mouse.up()
        assert math.dist(hand.marks()["red"], (red[0] + 33, red[1] + 44)) < 1
        assert hand.preview.placing.undo_label == "move"

        # Two stars: one to a place that is typed, one to a place that is clicked.
        hand.button("Align stars").click()
        marks = hand.marks()
        aim = (marks["yellow"][0] + 15, marks["yellow"][1] - 25)
        place = SkyCoord(*hand.place_of("red"), unit="deg").directional_offset_by(1, Angle("0.03d"))
        hand.click(marks["red"])
        hand.frame.get_by_label("Star 1 on the sky").fill(place.to_string("hmsdms", precision=4))
        hand.click(marks["yellow"])
        hand.click(aim)
        hand.button("Align").click()
        expect(hand.frame.get_by_text("The image is aligned with both stars")).to_be_visible()
        hand.press("Escape")
        marks = hand.marks()
        assert math.dist(marks["red"], sky_to_pixel(place.ra.deg, place.dec.deg, camera(hand.element))) < 1
        assert math.dist(marks["yellow"], aim) < 1
        hand.press("Escape")
        expect(hand.button("Adjust placement")).to_be_focused()
