"""The fields as a form sees them, and that the models have the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from constellations_widgets.schema.fields import fields, flatten, nest
from constellations_widgets.schema.images import ImageSubmission, ImageWwt
from constellations_widgets.schema.placement import PROJECTIONS


def test_there_are_the_13_of_wwt_and_six_more():
    assert len([path for path in fields() if path.startswith("wwt.")]) == len(ImageWwt.model_fields) == 13
    assert {path for path in fields() if not path.startswith("wwt.")} == {
        "storage.legacy_url_template",
        "note",
        "permissions.copyright",
        "permissions.credits",
        "permissions.license",
        "alt_text",
    }


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("permissions.copyright", "Copyright"),
        ("permissions.credits", "Credit line"),
        ("permissions.license", "License"),
        ("note", "Title (public)"),
        ("alt_text", "Alt text"),
        ("storage.legacy_url_template", "Image address"),
        ("wwt.center_x", "Center X (RA)"),
        ("wwt.center_y", "Center Y (Dec)"),
        ("wwt.rotation", "Rotation"),
        ("wwt.base_degrees_per_tile", "Scale (base_degrees_per_tile)"),
    ],
)
def test_fields_have_the_names_that_people_look_for(path, title):
    assert fields()[path].title == title


@pytest.mark.parametrize("spec", fields().values(), ids=list(fields()))
def test_every_field_has_a_title_of_its_own_and_a_sentence_on_its_meaning(spec):
    assert [other.path for other in fields().values() if other.title == spec.title] == [spec.path]
    assert len(spec.description) > 10 and spec.description.endswith(".")


@pytest.mark.parametrize("path", ["wwt.offset_x", "wwt.offset_y"])
def test_the_unit_of_the_offsets_depends_on_the_projection(path):
    assert fields()[path].unit == {"Tan": "degrees", "SkyImage": "pixels"}


def test_angles_are_in_degrees_and_the_scale_of_a_single_file_is_for_each_pixel():
    assert {fields()[f"wwt.{name}"].unit for name in ("center_x", "center_y", "rotation")} == {"degrees"}
    assert fields()["wwt.base_degrees_per_tile"].unit == {"Tan": "degrees", "SkyImage": "degrees per pixel"}


def test_kinds_and_limits_are_those_of_the_models():
    kinds = {path.rpartition(".")[2]: spec.kind for path, spec in fields().items()}
    assert kinds["rotation"] == "number" and kinds["tile_levels"] == "integer" and kinds["bottoms_up"] == "boolean"
    assert kinds["license"] == "license" and kinds["credits"] == "credits" and kinds["legacy_url_template"] == "url"
    ra, dec, scale = (fields()[f"wwt.{name}"] for name in ("center_x", "center_y", "base_degrees_per_tile"))
    assert (ra.minimum, ra.maximum, dec.minimum, dec.maximum) == (0, 360, -90, 90)
    assert (scale.above, scale.minimum, scale.maximum) == (0, None, None)
    assert (fields()["note"].limit, fields()["alt_text"].limit) == (500, 5000)
    assert fields()["wwt.projection"].choices == PROJECTIONS
    assert [path for path, spec in fields().items() if not spec.required] == ["permissions.credits", "alt_text"]


def fields_of(model: type[BaseModel], prefix: str = "") -> dict[str, FieldInfo]:
    """The fields of a model and of the models in it, by path."""
    found: dict[str, FieldInfo] = {}
    for name, info in model.model_fields.items():
        inner = info.annotation
        is_model = isinstance(inner, type) and issubclass(inner, BaseModel)
        found |= fields_of(inner, f"{prefix}{name}.") if is_model else {prefix + name: info}
    return found


def test_the_models_have_these_fields_with_their_titles_and_limits():
    models = fields_of(ImageSubmission)
    assert list(models) == list(fields())  # in the order of the request, too
    for spec, info in zip(fields().values(), models.values(), strict=True):
        limits = {name: getattr(it, name) for it in info.metadata for name in ("ge", "gt", "le") if hasattr(it, name)}
        of_spec = {"ge": spec.minimum, "gt": spec.above, "le": spec.maximum}
        assert limits == {name: limit for name, limit in of_spec.items() if limit is not None}, spec.path
        assert (info.title, info.description, info.is_required()) == (spec.title, spec.description, spec.required)


def test_the_page_gets_them_as_json():
    for spec in fields().values():
        assert json.loads(json.dumps(spec.to_json()))["path"] == spec.path


NAMES = st.text("abc_", min_size=1, max_size=4)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3),
)


@given(st.dictionaries(NAMES, NESTED, max_size=4))
def test_what_was_flattened_is_nested_again_as_it_was(nested):
    flat = flatten(nested)
    assert nest(flat) == nested
    assert not any(isinstance(value, dict) for value in flat.values())
