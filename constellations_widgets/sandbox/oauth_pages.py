"""Requests and responses of an identity provider: forms, redirects, OAuth errors, and simple pages with buttons."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

__all__ = ["form_of", "oauth_error", "page", "redirect"]


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, each with its first value."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def redirect(target: str, query: dict[str, str]) -> Response:
    """Return a redirect to `target`, with further query parameters."""
    joint = "&" if urlsplit(target).query else "?"
    return RedirectResponse(f"{target}{joint}{urlencode(query)}", status_code=302)


def oauth_error(code: str, description: str, status: int = 400) -> Response:
    """Return an OAuth error as JSON."""
    return JSONResponse({"error": code, "error_description": description}, status)


def page(
    text: str,
    *,
    fields: Sequence[str] = (),
    hidden: Mapping[str, str] = MappingProxyType({}),
    buttons: Mapping[str, str] = MappingProxyType({}),
    status: int = 200,
) -> Response:
    """Return a page with text, and a form if there are fields or buttons."""
    inputs = [f'<input name="{name}" aria-label="{name}">' for name in fields]
    inputs += [f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in hidden.items()]
    inputs += [f'<button name="{name}" value="1">{label}</button>' for name, label in buttons.items()]
    form = f'<form method="post">{" ".join(inputs)}</form>' if inputs else ""
    title = "Sandbox sign-in"
    return HTMLResponse(f'<!DOCTYPE html><html lang="en"><title>{title}</title><p>{text}</p>{form}</html>', status)
