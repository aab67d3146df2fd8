"""What may start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboard_in_hand import cheap
from penstock.dashboard.access import check
from penstock.errors import SettingsError
from penstock.setting_sections import DashboardSettings
from penstock.settings import Settings

STORED = cheap("a password")


def settings(**dashboard: Any) -> Settings:
    return Settings(dashboard=DashboardSettings(**dashboard))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "stats.test", ""])
def test_what_others_reach_needs_a_password(host: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="password") as caught:
        check(settings(host=host), tmp_path / "none.toml")
    assert "penstock dashboard-password" in caught.value.hint
    check(settings(host=host, password=STORED), tmp_path / "none.toml")
    check(settings(host=host, trusted_proxy_header="Remote-User", proxies=["10.0.0.1"]), tmp_path / "none.toml")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_this_machine_it_may_be_open(host: str, tmp_path: Path) -> None:
    assert check(settings(host=host), tmp_path / "none.toml") == []


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True), (0o644, True)])
def test_a_hash_that_others_can_read(mode: int, warned: bool, tmp_path: Path) -> None:
    file = tmp_path / "penstock.toml"
    file.touch()
    file.chmod(mode)
    assert any("chmod 600" in warning for warning in check(settings(password=STORED), file)) is warned
    assert check(settings(), file) == []


def test_plain_text_is_warned_of(tmp_path: Path) -> None:
    told = {"host": "0.0.0.0", "password": STORED}
    assert any("TLS" in warning for warning in check(settings(**told), tmp_path / "none.toml"))
    assert check(settings(**told, proxies=["127.0.0.1"]), tmp_path / "none.toml") == []
