"""Find where on the sky a picture is: plate solving, and registration with a picture whose place is known."""

from .downloads import IndexDownload, index_download
from .many import solve_all
from .nova import nova_key
from .solution import MatchedStar, Solution
from .solver import Solving, find_position

__all__ = [
    "IndexDownload",
    "MatchedStar",
    "Solution",
    "Solving",
    "find_position",
    "index_download",
    "nova_key",
    "solve_all",
]
