"""The protocol between kernel and page: js/protocol.ts is current, and widgets send what it declares."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from widgets.conftest import shape_error

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_protocol", ROOT / "tools" / "generate_protocol.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_protocol_ts_is_what_the_generator_writes(generator):
    generated = generator.generate(generator.read_sources())
    assert generator.TARGET.read_text(encoding="utf-8") == generated, "run: python tools/generate_protocol.py"


def test_each_kind_of_annotation_becomes_its_type(generator):
    source = '''
class Base(TypedDict):
    """About `it`."""
    a: str | int | float | None
    """One of them."""
    b: NotRequired[list[str | None]]
class Other(Base):
    c: Literal["x", "y"]
    d: dict[str, tuple[int, Base]]
Both = Base | Other
'''
    assert generator.generate(source).partition("\n\n")[2] == (
        "/** About it. */\nexport interface Base {\n  /** One of them. */\n  a: string | number | null;\n"
        "  b?: (string | null)[];\n}\n\n"
        'export interface Other extends Base {\n  c: "x" | "y";\n  d: Record<string, [number, Base]>;\n}\n\n'
        "export type Both = Base | Other;\n"
    )
    with pytest.raises(ValueError, match="set\\[str\\]"):
        generator.generate("class A(TypedDict):\n    a: set[str]\n")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"kind": "go_to_image"}, ""),
        ({"kind": "go_to_image", "where": 1}, "not declared"),
        ({"kind": "come"}, "Input should be 'go_to_image'"),
        ({}, "Field required"),
    ],
)
def test_a_message_of_another_shape_is_found(content, error):
    assert error in shape_error("GoToImageEvent", content)
    assert bool(error) == bool(shape_error("GoToImageEvent", content))
