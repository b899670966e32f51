"""Clients of the services. httpx is touched in this folder only."""
