"""A file or an object → the values of a draft, and what has to be said about them."""
