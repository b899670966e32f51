"""A solution as values of a draft, and as marks on the sky."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import SourceError
from ..geometry.plane import check_size, width_factor_of
from ..geometry.sphere import Place
from ..schema.placement import is_tan, number
from .solution import Solution

_MOST_MARKS = 200


def placement_by(solution: Solution, values: Mapping[str, Any], size: tuple[int, int] | None) -> dict[str, Any]:
    """Return the changes to a draft's values that place its image as a solution says; of tiles, too.

    Parameters
    ----------
    solution : Solution
    values : mapping
        The draft's values.
    size : (int, int) or None
        Width and height of the draft's image in pixels, if known.

    Raises
    ------
    SourceError
        If the solution is of a picture of another size, or mirrored and the image is tiled.
    """
    if size is not None and tuple(size) != tuple(solution.size):
        raise SourceError(
            f"The solution is of a picture of {solution.size[0]} × {solution.size[1]} pixels, and the image has "
            f"{size[0]} × {size[1]}: find the position of the image itself"
        )
    if not is_tan(values):
        return solution.values()
    check_size(values, solution.size, "The picture that was solved")
    levels = number(values, "wwt.tile_levels")
    return solution.plane.tiled(solution.size, width_factor_of(values), int(levels) if levels else None)


def solved_stars(solution: Solution | None) -> list[tuple[Place, Place]]:
    """Return, for the brightest matched stars, where the image would have them and where the catalog does: RA and Dec, degrees."""
    if solution is None:
        return []
    height = solution.size[1]
    marks = []
    for star in solution.stars[:_MOST_MARKS]:
        ra, dec = solution.plane.sky(star.x, height - star.y)
        marks.append(((float(ra), float(dec)), (star.ra, star.dec)))
    return marks
