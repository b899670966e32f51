"""Thin anywidget classes over a draft or a client."""
