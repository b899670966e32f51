"""Read files and objects into the values of a draft, with remarks about them."""
