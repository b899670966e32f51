"""pywwt's API on a preview, and the app that the preview shows."""
