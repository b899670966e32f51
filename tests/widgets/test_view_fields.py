"""The view of a scene in the numbers that people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets import SkyView
from constellations_widgets.widgets.view_fields import ViewFields, summary_of, texts_of

VIEW = SkyView(202.4696, 47.1952, 0.5, 1.6, 20.0)

views = st.builds(
    SkyView,
    st.floats(0, 359.9),
    st.floats(-89, 89),
    st.floats(0.01, 60),
    st.floats(0.1, 10),
    st.floats(-179, 179),
)


@given(views)
def test_what_is_shown_is_understood_and_means_the_same_view(view: SkyView):
    fields, read = ViewFields(), view
    for name, text in texts_of(view).items():
        read = fields.take(read, name, text)
    assert fields.faults == [] and read is not None
    assert read.height == pytest.approx(view.height, rel=1e-3)
    # Near RA 0 the rounded text may be that of a full turn.
    assert (read.ra - view.ra + 180) % 360 - 180 == pytest.approx(0, abs=view.height / 100)
    assert read.dec == pytest.approx(view.dec, abs=view.height / 100)
    assert read.aspect == pytest.approx(view.aspect, rel=1e-3)
    assert read.roll == pytest.approx(view.roll, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "typed", "field", "value"),
    [
        ("ra", "13h29m52.7s +47d11m43s", "dec", 47.19527778),
        ("ra", "10.5", "ra", 10.5),
        ("dec", "−5° 23′", "dec", -5.38333333),
        ("height", "20", "height", 20 / 60),  # in the unit that is shown
        ("height", "2 deg", "height", 2.0),
        ("roll", "270", "roll", -90.0),
        ("aspect", "1,5", "aspect", 1.5),
    ],
)
def test_numbers_are_taken_as_people_write_them(name: str, typed: str, field: str, value: float):
    assert getattr(ViewFields().take(VIEW, name, typed), field) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("dec", "95"),
        ("ra", "400"),
        ("height", "0"),
        ("height", "361°"),
        ("aspect", "11"),
        ("roll", "north"),
        ("ra", "x"),
    ],
)
def test_what_is_out_of_range_leaves_the_view_and_is_said(name: str, typed: str):
    fields = ViewFields()
    assert fields.take(VIEW, name, typed) == VIEW
    (state,) = [field for field in fields.state(VIEW) if field["error"]]
    assert (state["name"], state["typed"]) == (name, typed) and "has not changed" in state["error"]
    assert fields.take(VIEW, name, texts_of(VIEW)[name]) is not None and fields.faults == []


def test_a_page_can_set_nothing_else():
    fields = ViewFields()
    assert fields.take(VIEW, "height", 5) == fields.take(VIEW, "__class__", "x") == VIEW
    assert summary_of(None) == "none" and fields.take(None, "ra", "10") == SkyView(10.0, 0.0, 60.0)
