"""The client of the Images API, the library of images: streamed both ways."""
