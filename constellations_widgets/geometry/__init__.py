"""Geometry of images on the sky: pure functions of numbers, in degrees and pixels.

`js/geometry` holds the same for the page; both are tested against `tests/geometry/cases.json`.
"""
