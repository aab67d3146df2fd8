"""How often a password may be tried."""

from __future__ import annotations

from hand_clock import HandClock
from penstock.dashboard.access.attempts import ALL, PER_PEER, WITHIN, Attempts


def test_a_peer_has_so_many_and_again_when_time_has_passed() -> None:
    clock = HandClock()
    attempts = Attempts(clock)
    assert [attempts.begin("a") for _ in range(PER_PEER)] == [0] * PER_PEER
    clock.tick(60)
    assert attempts.begin("a") == WITHIN.total_seconds() - 60
    assert attempts.begin("b") == 0
    clock.tick(WITHIN.total_seconds() - 60)
    assert attempts.begin("a") == 0


def test_many_peers_together_have_so_many() -> None:
    attempts = Attempts(HandClock())
    waits = [attempts.begin(str(peer)) for peer in range(ALL + 900)]
    assert waits == [0] * ALL + [WITHIN.total_seconds()] * 900


def test_who_waits_is_not_made_to_wait_longer() -> None:
    clock = HandClock()
    attempts = Attempts(clock)
    for _ in range(1000):
        attempts.begin("a")
    clock.tick(WITHIN.total_seconds())
    assert attempts.begin("a") == 0


def test_the_right_password_clears_the_peer() -> None:
    attempts = Attempts(HandClock())
    for _ in range(PER_PEER):
        attempts.begin("a")
        attempts.begin("b")
    attempts.succeeded("a")
    assert attempts.begin("a") == 0
    assert attempts.begin("b") > 0
