"""The library of images: the widget, its grid, uploads, and what can be done with an image."""
