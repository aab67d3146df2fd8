"""Setup gives what to paste, says whether it works, and shows no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.collect import Request
from penstock.collect.tracker import script
from penstock.dashboard.redact import covered, masked, settings_shown
from penstock.pipeline import Pipeline
from penstock.settings import Settings, load
from site_in_hand import Seen, visit

KEY = "wk_live_0123456789abcdef"
SECRETS = {
    "sources": [{"name": "web", "write_key": KEY}, {"name": "app", "write_key": "another-key-0000"}],
    "alerts": [{"name": "a", "anomaly": True, "to": ["webhook:https://hooks.example.com/services/T0/SECRET?x=SECRET"]}],
    "drops": [{"url": "s3://user:SECRET@bucket/prefix?secret=SECRET"}],
    "mail": {"host": "mail.example.com", "user": "SECRET"},
    "dashboard": {"password": f"scrypt:14:8:1:{'S' * 22}:{'S' * 43}"},
}


@pytest.fixture
def plain(tmp_path: Path) -> Settings:
    return load(data=tmp_path / "data")


def texts(settings: Settings, address: str = "/setup") -> str:
    with visit(settings) as client:
        answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return "\n".join(Seen(answer.text).texts)


def test_what_to_paste(plain: Settings) -> None:
    told = texts(plain)
    assert '<script defer src="http://127.0.0.1:8787/a/analytics.js"' in told
    assert f'integrity="{script().integrity}"' in told
    assert "curl http://127.0.0.1:8787/v1/events" in told
    assert "host: 'http://127.0.0.1:8787'" in told
    assert "proxy_pass http://127.0.0.1:8787;" in told


def test_the_address_is_what_browsers_see(plain: Settings) -> None:
    told = texts(plain, "/setup?url=https://events.example.com/")
    assert 'src="https://events.example.com/a/analytics.js"' in told
    assert "apiHost: 'events.example.com/v1', protocol: 'https'" in told
    for bad in ("javascript:alert(1)", "https://x/'</script>", "//x", "http://"):
        assert "curl http://127.0.0.1:8787/v1" in texts(plain, f"/setup?url={bad}")


def test_write_keys_are_covered_until_they_are_asked_for(tmp_path: Path) -> None:
    settings = load(data=tmp_path / "data", sources=SECRETS["sources"])
    told = texts(settings)
    assert KEY not in told
    assert 'data-site="wk_l••••"' in told
    told = texts(settings, "/setup?show=key")
    assert f'data-site="{KEY}"' in told
    assert f"X-Write-Key: {KEY}" in told
    assert "another-key-0000" in texts(settings, "/setup?show=key&source=app")


def test_waiting_then_received(plain: Settings) -> None:
    with visit(plain) as client:
        seen = Seen(client.get("/setup").text)
        assert [each for each in seen.all("p") if "data-waiting" in each]
        way = Pipeline(plain)
        request = Request("POST", "/v1/events", "", {}, b'{"event_type":"hello"}')
        way.stream.append(way.collector.receive(request).records)
        way.close()
        seen = Seen(client.get("/setup").text)
        assert [each for each in seen.all("p") if "data-received" in each]
        assert not [each for each in seen.all("p") if "data-waiting" in each]


def test_no_secret_is_shown(tmp_path: Path) -> None:
    settings = load(data=tmp_path / "data", **SECRETS)  # type: ignore[arg-type]
    shown = {each.name: each.value for each in settings_shown(settings)}
    assert not [text for text in shown.values() if "SECRET" in text or "S" * 22 in text or KEY in text]
    assert shown["sources[0].name"] == "web"
    assert shown["sources[0].write_key"] == "wk_l••••"
    assert shown["alerts[0].to"] == "webhook:https://hooks.example.com/••••?••••"
    assert shown["drops[0].url"] == "s3://••••@bucket/prefix?••••"
    own = {each.name for each in settings_shown(settings) if each.is_own}
    assert "mail.host" in own
    assert "collect.port" not in own


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("a", None, "–"),
        ("a", True, "true"),
        ("a", (), "–"),
        ("a", ("x", "y"), "x, y"),
        ("a", {"password": "SECRET"}, "password = ••••"),
        ("x.password", "SECRET", "••••"),
        ("a", "http://[", "••••"),
        ("a", "no url", "no url"),
    ],
)
def test_covered(name: str, value: object, shown: str) -> None:
    assert covered(name, value) == shown


def test_masked_says_little() -> None:
    assert masked("12345678") == "••••"
    assert masked(KEY) == "wk_l••••"
