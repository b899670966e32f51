"""A small soak; `make soak` is the large one."""

from __future__ import annotations

from soak.soaking import soak


def test_each_draft_is_published_once_whatever_the_network_and_the_server_do(tmp_path):
    outcome = soak(80, seed=7, folder=tmp_path)
    assert outcome.wrongs == []
    assert len(outcome.faults) == 11, outcome  # all kinds: with this seed, each is among the first 80 requests
    assert outcome.attempts["published"] == 80
