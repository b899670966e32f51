"""Every verdict of the real server that was recorded: the sandbox gives the same, over a real socket."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

PATH = "/handle/sandbox/image"
JSON = {"Content-Type": "application/json"}


def stored(client: httpx.Client, id: str) -> dict[str, Any]:
    record = client.get(f"/image/{id}").json()
    return {name: record[name] for name in ("wwt", "storage", "note", "alt_text", "permissions") if name in record}


def send(client: httpx.Client, method: str, path: str, body: Any) -> httpx.Response:
    """With lone surrogates escaped, as the recorded requests had them."""
    return client.request(method, path, content=json.dumps(body).encode(), headers=JSON)


def test_licenses_are_taken_or_refused_as_by_the_real_server(owner, image, verdicts):
    wrong = []
    for verdict in verdicts["license"]:
        image["permissions"]["license"] = verdict["in"]
        answer = send(owner, "POST", PATH, image)
        if (answer.status_code == 200) != verdict["pinned"]:
            wrong.append(verdict)
    assert not wrong


def test_credits_are_kept_as_by_the_real_server(owner, image, verdicts):
    wrong = []
    for verdict in verdicts["credits"]:
        image["permissions"]["credits"] = verdict["in"]
        id = send(owner, "POST", PATH, image).json()["id"]
        kept = stored(owner, id)["permissions"]["credits"]
        if kept != verdict["out"].replace("\ud800", "\ufffd"):
            wrong.append((verdict, kept))
    assert not wrong


def test_bodies_get_the_real_server_s_status_message_and_record(owner, verdicts):
    wrong = []
    for verdict in verdicts["bodies"]:
        if "raw" in verdict:
            answer = owner.post(PATH, content=verdict["raw"].encode("utf-8", "surrogatepass"), headers=JSON)
        else:
            answer = send(owner, "POST", PATH, verdict["body"])
        seen: dict[str, Any] = {"status": answer.status_code}
        if verdict.get("html"):
            seen["html"] = answer.headers["content-type"] == "text/html; charset=utf-8"
        else:
            seen["message"] = answer.json().get("message")
        if "stored" in verdict:
            seen["stored"] = stored(owner, answer.json()["id"])
        if any(verdict[name] != value for name, value in seen.items()):
            wrong.append((verdict, seen))
    assert not wrong


@pytest.fixture
def clients(owner, other, anyone) -> dict[str, httpx.Client]:
    return {"owner": owner, "other": other, "anon": anyone}


def test_changes_get_the_real_server_s_status_message_and_record(clients, add, verdicts):
    wrong = []
    for verdict in verdicts["patches"]:
        id = add()
        answer = send(clients[verdict["as"]], "PATCH", f"/image/{id}", verdict["body"])
        seen: dict[str, Any] = {"status": answer.status_code, "message": answer.json().get("message")}
        if "stored" in verdict:
            kept = stored(clients["owner"], id)
            seen["stored"] = {name: kept[name] for name in verdict["stored"]}
        if any(verdict[name] != value for name, value in seen.items()):
            wrong.append((verdict, seen))
    assert not wrong
