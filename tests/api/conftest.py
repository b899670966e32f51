from __future__ import annotations

import pytest

from constellations_widgets.schema.images import ImageSubmission


def make_submission(**changes) -> ImageSubmission:
    body = {
        "wwt": {
            "center_x": 202.47,
            "center_y": 47.2,
            "rotation": 12.5,
            "base_degrees_per_tile": 0.5,
            "offset_x": 0.0,
            "offset_y": 0.0,
            "bottoms_up": False,
            "projection": "Tan",
            "tile_levels": 4,
            "width_factor": 2,
            "file_type": ".png",
            "quad_tree_map": "",
            "thumbnail_url": "https://example.org/m51/thumb.jpg",
        },
        "storage": {"legacy_url_template": "https://example.org/m51/{1}/{3}/{3}_{2}.png"},
        "note": "M 51 – the Whirlpool galaxy",
        "permissions": {"copyright": "Copyright 2020 Henrietta Swan Leavitt", "license": "CC-BY-4.0"},
        "alt_text": "A spiral galaxy seen from above.",
    }
    return ImageSubmission.model_validate({**body, **changes})


@pytest.fixture
def submission() -> ImageSubmission:
    return make_submission()
