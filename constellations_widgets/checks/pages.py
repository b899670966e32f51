"""Recognize addresses of web pages where the address of a file is wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

_OF_FILE = "use the address of the file itself"
_NOT_SERVED = "{} serves no files to pages of other sites: upload the file to a web server"


@dataclass(frozen=True)
class PageAddress:
    """An address of a web page about a file instead of the file.

    Attributes
    ----------
    service : str
        Service that the page belongs to.
    file_url : str
        The address of the file itself; "" if the service gives none that pages of other sites may load.
    advice : str
        What to do.
    """

    service: str
    file_url: str
    advice: str


def page_address(url: str) -> PageAddress | None:
    """Return what is known about an address that leads to a page instead of a file; None if it may be a file's.

    Parameters
    ----------
    url : str
        A web address, also a template of tile addresses.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host, path = (parts.hostname or "").lower().removeprefix("www."), parts.path
    if host in ("github.com", "gitlab.com"):
        found = re.match(r"/([^/]+)/([^/]+)(/-)?/(blob|raw)/(.+)", path)
        if found and host == "github.com":
            owner, name, rest = found[1], found[2], found[5]
            raw = f"https://raw.githubusercontent.com/{owner}/{name}/{rest}"
            return PageAddress("GitHub", raw, "use the address of the raw file")
        if found and found[4] == "blob":
            return PageAddress("GitLab", "", "GitLab sends no CORS header for raw files: use GitLab Pages")
        return None
    if host in ("drive.google.com", "docs.google.com", "photos.google.com", "photos.app.goo.gl"):
        return PageAddress("Google Drive", "", _NOT_SERVED.format("Google Drive"))
    if host == "dropbox.com":
        query = {key: values[-1] for key, values in parse_qs(parts.query).items() if key not in ("dl", "raw")}
        raw = urlunsplit(("https", "dl.dropboxusercontent.com", path, urlencode(query), ""))
        return PageAddress("Dropbox", raw, _OF_FILE)
    if host.endswith(("1drv.ms", "onedrive.live.com", "sharepoint.com")):
        return PageAddress("OneDrive", "", _NOT_SERVED.format("OneDrive"))
    if (
        host in ("flickr.com", "imgur.com")
        or host.endswith("wikipedia.org")
        or (host == "commons.wikimedia.org" and "/wiki/" in path and "/Special:FilePath/" not in path)
    ):
        name = {"flickr.com": "Flickr", "imgur.com": "Imgur"}.get(host, "Wikimedia Commons")
        if "/File:" in path:
            file = f"https://commons.wikimedia.org/wiki/Special:FilePath/{path.rpartition('/File:')[2]}"
            return PageAddress(name, file, _OF_FILE)
        return PageAddress(name, "", "open the image itself in the browser and copy that address")
    if host == "zenodo.org" and (found := re.match(r"/records?/(\d+)/preview/(.+)", path)):
        return PageAddress("Zenodo", f"https://zenodo.org/records/{found[1]}/files/{found[2]}", _OF_FILE)
    if host == "huggingface.co" and (found := re.match(r"/(.+)/blob/(.+)", path)):
        return PageAddress("Hugging Face", f"https://huggingface.co/{found[1]}/resolve/{found[2]}", _OF_FILE)
    # With a query it may be an image.
    if not parts.query and re.search(r"\.(html?|php|aspx?|jsp)$", path, re.IGNORECASE):
        return PageAddress("a web site", "", "give the address of the image file itself")
    return None
