"""Passwords and their hashes."""

from __future__ import annotations

import pytest

from dashboard_in_hand import cheap
from penstock.dashboard.access.password import LONGEST, hashed, matches
from penstock.setting_sections import DashboardSettings


def test_what_is_hashed_matches_and_may_stand_in_the_settings() -> None:
    stored = hashed("grüße an alle")
    assert DashboardSettings(password=stored).password == stored
    assert matches("grüße an alle", stored)
    assert not matches("grüße an alle ", stored)


def test_a_hash_of_another_program_with_less_work_matches() -> None:
    assert matches("abc", cheap("abc"))


def test_the_same_password_never_gives_the_same_hash() -> None:
    assert hashed("a password") != hashed("a password")


@pytest.mark.parametrize("wrong", ["", "ABC", "abc\0", "abc" * LONGEST, "\ud800"])
def test_what_does_not_match(wrong: str) -> None:
    assert not matches(wrong, cheap("abc"))
