"""Signing in: ways to get a token, keeping it, and renewing it."""
