"""Client of the Images API, an image library; uploads and downloads are streamed."""
