"""Settings from file, environment and flags; whatever is wrong is named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import SettingsError
from penstock.hosts.process import hand_down, handed_down
from penstock.objects import local_path
from penstock.settings import Settings, load


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("PENSTOCK_")]:
        monkeypatch.delenv(name)


def written(text: str, name: str = "penstock.toml") -> Path:
    path = Path(name)
    path.write_text(text)
    return path


def test_the_defaults_are_one_machine() -> None:
    settings = load()
    assert settings.data == Path("penstock-data")
    assert settings.collect.host == "127.0.0.1"
    assert settings.collect.port == 8787
    assert settings.sources == ()
    assert settings.stream_url == f"sqlite://{Path.cwd()}/penstock-data/stream"
    assert settings.lake_url == f"file://{Path.cwd()}/penstock-data"
    assert settings.gold_path == Path.cwd() / "penstock-data" / "gold" / "rollups.db"


def test_every_setting_says_what_it_is() -> None:
    undescribed = []
    for name, field in Settings.model_fields.items():
        section = getattr(field.annotation, "model_fields", {"": field})
        undescribed += [f"{name}.{inner}" for inner, one in section.items() if not one.description]
    assert undescribed == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("nonsense = 1", "nonsense"),
        ("[collct]\nport = 1", "collct"),
        ("[collect]\nprot = 1", "collect.prot"),
        ("[collect]\nport = 70000", "collect.port"),
        ("[collect]\nport = -1", "collect.port"),
        ("[collect]\nport = 1.5", "collect.port"),
        ("[collect]\nport = true", "collect.port"),
        ("[collect]\nport = 'http'", "collect.port"),
        ("[collect]\nport = []", "collect.port"),
        ("[collect]\nhost = 5", "collect.host"),
        ("[collect]\nprocesses = 0", "collect.processes"),
        ("[collect]\nprocesses = 1000", "collect.processes"),
        ("collect = 5", "collect"),
        ("data = 5", "data"),
        ("lake = 'lake'", "lake"),
        ("lake = '/lake'", "lake"),
        ("[stream]\nurl = 'kafka'", "stream.url"),
        ("[stream]\nretention_hours = 0", "stream.retention_hours"),
        ("[stream]\nretention_hours = 100000000", "stream.retention_hours"),
        ("[stream]\nmax_bytes = 0", "stream.max_bytes"),
        ("[stream]\nmax_bytes = -5", "stream.max_bytes"),
        ("[stream]\nmax_bytes = '-16MB'", "stream.max_bytes"),
        ("[stream]\nmax_bytes = '16 elephants'", "stream.max_bytes"),
        ("[stream]\nmax_bytes = '1e3'", "stream.max_bytes"),
        ("[stream]\nmax_bytes = nan", "stream.max_bytes"),
        ("[stream]\nmax_bytes = true", "stream.max_bytes"),
        ("[deliver]\nseconds = 0", "deliver.seconds"),
        ("[deliver]\nseconds = nan", "deliver.seconds"),
        ("[deliver]\nseconds = inf", "deliver.seconds"),
        ("[deliver]\nbytes = 0", "deliver.bytes"),
        ("[refine]\nbatch_bytes = ''", "refine.batch_bytes"),
        ("[refine]\nmemory_limit = 'lots'", "refine.memory_limit"),
        ("[refine]\nmemory_limit = 5", "refine.memory_limit"),
        ("[dashboard]\nzone = 'Atlantis'", "dashboard.zone"),
        ("[dashboard]\nzone = '../../etc/passwd'", "dashboard.zone"),
        ("[dashboard]\nhosts = ['https://a.test']", "dashboard.hosts.0"),
        ("[dashboard]\nhosts = ['*']", "dashboard.hosts.0"),
        ("[dashboard]\npassword = 'opensesame'", "dashboard.password"),
        ("[dashboard]\npassword = ''", "dashboard.password"),
        ("[dashboard]\nsession_days = 0", "dashboard.session_days"),
        ("[dashboard]\nproxies = ['8.8.8.8']", "dashboard.proxies.0"),
        ("[dashboard]\nproxies = ['0.0.0.0/0']", "dashboard.proxies.0"),
        ("[dashboard]\nproxies = ['nginx']", "dashboard.proxies.0"),
        ("[dashboard]\ntrusted_proxy_header = 'Remote-User'", "dashboard"),
        ("[dashboard]\ntrusted_proxy_header = 'a b'\nproxies = ['::1']", "dashboard.trusted_proxy_header"),
        ("[dashboard]\nframe_ancestors = ['*']", "dashboard.frame_ancestors.0"),
        ("[dashboard]\nframe_ancestors = ['https://a.test; script-src *']", "dashboard.frame_ancestors.0"),
        ("sources = 5", "sources"),
        ("[[drops]]\nurl = 'drop'", "drops.0.url"),
        ("[[drops]]\nurl = 'file:///drop'\nsource = 'a b'", "drops.0.source"),
        ("[[drops]]\nurl = 'file:///drop'\nsettle_seconds = -1", "drops.0.settle_seconds"),
        ("[[drops]]\nurl = 'file:///drop'\n[[drops]]\nurl = 'file:///drop/'", "drops"),
        ("data = '/a b'\n[[drops]]\nurl = 'file:///a%20b/drop'", "drops"),
        ("data = '/a b/data'\n[[drops]]\nurl = 'file:///a b'", "drops"),
        ("lake = 's3://b/lake'\n[[drops]]\nurl = 's3://b'", "drops"),
        ("[[sources]]\nname = 'a'", "sources.0.write_key"),
        ("[[sources]]\nname = 'a'\nwrite_key = 'short'", "sources.0.write_key"),
        ("[[sources]]\nname = 'a'\nwrite_key = ''", "sources.0.write_key"),
        ("[[sources]]\nname = 'a b'\nwrite_key = 'long enough'", "sources.0.name"),
        ("[[sources]]\nname = ''\nwrite_key = 'long enough'", "sources.0.name"),
        ("[[sources]]\nname = \"a\\n\"\nwrite_key = 'long enough'", "sources.0.name"),
        ("[[sources]]\nname = 'a'\nwrite_key = 'long enough'\nenabled = 'perhaps'", "sources.0.enabled"),
        ("[[sources]]\nname = 'a'\nwrite_key = 'long enough'\nkey = 1", "sources.0.key"),
        ("[[sources]]\nname = 'a'\nwrite_key = 'long enough'\norigins = 'https://a.b'", "sources.0.origins"),
    ],
)
def test_a_wrong_value_names_its_key(text: str, key: str) -> None:
    with pytest.raises(SettingsError, match=f"'{key}'") as caught:
        load(written(text))
    assert caught.value.hint


def test_a_write_key_is_never_shown() -> None:
    key = "a secret, and a long one"
    for text in (f"name = 'a b'\nwrite_key = '{key}'", f"name = 'a'\nwrite_key = ['{key}']"):
        with pytest.raises(SettingsError) as caught:
            load(written("[[sources]]\n" + text))
        assert key not in str(caught.value) + caught.value.hint


def test_a_password_is_never_shown() -> None:
    with pytest.raises(SettingsError, match="dashboard-password") as caught:
        load(written("[dashboard]\npassword = 'opensesame'"))
    assert "opensesame" not in str(caught.value) + caught.value.hint


def test_two_sources_cannot_share_a_key() -> None:
    two = "".join(f"[[sources]]\nname = '{name}'\nwrite_key = 'the same key'\n" for name in "ab")
    with pytest.raises(SettingsError, match="'sources'") as caught:
        load(written(two))
    assert "the same key" not in str(caught.value)


@pytest.mark.parametrize("text", ["a = [", "\x00", "[collect\nport = 1", "a = 1\na = 2", "= 5"])
def test_a_file_that_cannot_be_read_says_where(text: str) -> None:
    with pytest.raises(SettingsError, match=r"settings file.*(line|document|declar|overwrite)"):
        load(written(text))


def test_a_file_that_is_not_text() -> None:
    Path("penstock.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="settings file"):
        load()


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_is_asked_for_has_to_be_there(name: str) -> None:
    with pytest.raises(SettingsError, match="no settings file"):
        load(Path(name))


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("PENSTOCK_COLLECT__PORT", "http", "collect.port"),
        ("PENSTOCK_COLLECT__PORT", "", "collect.port"),
        ("PENSTOCK_COLLECT__PORT", "1e3", "collect.port"),
        ("PENSTOCK_COLLECT__PROT", "1", "collect.prot"),
        ("PENSTOCK_COLECT__PORT", "1", "PENSTOCK_COLECT__PORT"),
        ("PENSTOCK_PORT", "1", "PENSTOCK_PORT"),
        ("penstock_port", "1", "penstock_port"),
        ("PENSTOCK_", "1", "PENSTOCK_"),
        ("PENSTOCK_COLLECT", "not JSON", "collect"),
        ("PENSTOCK_SOURCES", "[", "sources"),
        ("PENSTOCK_STREAM__MAX_BYTES", "lots", "stream.max_bytes"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"['\"]{named}['\"]"):
        load()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("16MB", 16_000_000), ("16MiB", 16 << 20), ("16 MB", 16_000_000), ("2GiB", 2 << 30), ("1048576", 1 << 20)],
)
def test_sizes_may_have_a_unit(text: str, expected: int) -> None:
    assert load(written(f"[stream]\nmax_bytes = '{text}'")).stream.max_bytes == expected


def test_a_size_may_be_a_number() -> None:
    assert load(written("[deliver]\nbytes = 5000000")).deliver.bytes == 5_000_000


FILE = "data = 'from file'\n[collect]\nport = 1\nhost = 'from.file'\nprocesses = 3\n"


def test_the_file_here_is_read() -> None:
    written(FILE)
    assert load().collect.port == 1
    assert load().data == Path("from file")


def test_a_file_that_is_named_is_read_instead() -> None:
    written(FILE)
    settings = load(written("[collect]\nport = 2", "other.toml"))
    assert settings.collect.port == 2
    assert settings.data == Path("penstock-data")


def test_environment_wins_over_file_and_flag_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    written(FILE)
    monkeypatch.setenv("PENSTOCK_DATA", "from environment")
    monkeypatch.setenv("PENSTOCK_COLLECT__PORT", "2")
    monkeypatch.setenv("PENSTOCK_COLLECT__HOST", "from.environment")
    settings = load()
    assert settings.data == Path("from environment")
    assert (settings.collect.port, settings.collect.host, settings.collect.processes) == (2, "from.environment", 3)
    settings = load(data=Path("from flag"), collect={"port": 4})
    assert settings.data == Path("from flag")
    assert (settings.collect.port, settings.collect.host, settings.collect.processes) == (4, "from.environment", 3)


def test_a_flag_that_was_not_given_changes_nothing() -> None:
    written(FILE)
    assert load(data=None).data == Path("from file")


def test_sources_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_SOURCES", '[{"name": "web", "write_key": "12345678", "origins": ["https://a.b"]}]')
    [source] = load().sources
    assert (source.name, source.write_key, source.enabled, source.origins) == (
        "web",
        "12345678",
        True,
        ("https://a.b",),
    )


def test_other_variables_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCKS_PORT", "1")
    monkeypatch.setenv("MY_PENSTOCK_PORT", "1")
    monkeypatch.setenv("PENSTOCK_HANDED_DOWN", "{}")
    assert load().collect.port == 8787


@pytest.mark.parametrize("name", ["plain", "with space", "ünï", "100%", "a#b?c"])
def test_the_data_folder_may_have_any_name(name: str) -> None:
    settings = load(data=Path(name))
    assert local_path(settings.lake_url) == Path.cwd() / name
    assert local_path(settings.stream_url.replace("sqlite:", "file:")) == Path.cwd() / name / "stream"


def test_a_lake_elsewhere_leaves_the_rest_here() -> None:
    settings = load(written("lake = 's3://bucket/prefix/'"))
    assert settings.lake_url == "s3://bucket/prefix"
    assert settings.stream_url.startswith("sqlite:///")


def test_settings_do_not_change() -> None:
    settings: Any = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.data = Path("other")
    with pytest.raises(ValueError, match="frozen"):
        settings.collect.port = 1


ALERT = """
[[alerts]]
name = "sales"
report = "events"
column = "events"
when = "below"
value = 5
"""
MAIL = "[mail]\nhost = 'smtp.example'\n"


def test_alerts_from_the_file_reach_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    text = MAIL + "from = 'p@shop.example'\n" + ALERT + "to = ['log', 'mailto:a@b.example']\nask = {event = 'purchase'}"
    settings = load(written(text))
    for name, value in hand_down(settings).items():
        monkeypatch.setenv(name, value)
    assert handed_down().model_dump() == settings.model_dump()
    assert (settings.alerts[0].every, settings.alerts[0].repeat, settings.mail.port) == ("5m", "6h", 587)
    assert (settings.alerts[0].ask, settings.mail.sender) == ({"event": "purchase"}, "p@shop.example")


def test_the_password_of_the_mail_server_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_MAIL_PASSWORD", "of the server")
    assert "of the server" not in load().model_dump_json()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (ALERT + "every = '5'", "alerts.0.every"),
        (ALERT + "every = '0m'", "alerts.0.every"),
        (ALERT + "repeat = 'often'", "alerts.0.repeat"),
        (ALERT + "last = '-1h'", "alerts.0.last"),
        (ALERT + "anomaly = true", "alerts.0"),
        (ALERT + "ask = {since = '7d'}", "alerts.0"),
        (ALERT + "ask = {whole = true}", "alerts.0"),
        (ALERT.replace("value = 5", ""), "alerts.0"),
        (ALERT.replace("value = 5", "value = nan"), "alerts.0.value"),
        (ALERT.replace("value = 5", "value = true"), "alerts.0.value"),
        (ALERT.replace("below", "under"), "alerts.0.when"),
        (ALERT.replace('"sales"', '"a\\nb"'), "alerts.0.name"),
        (ALERT + ALERT, "alerts"),
        (ALERT + "to = []", "alerts.0.to"),
        *(
            (ALERT + f"to = [{target}]", "alerts.0.to.0")
            for target in (
                "'mail'", "'webhook:'", "'webhook:file:///etc/passwd'", "'webhook:ftp://h/'", "'webhook:https://h/ x'", "'webhook:https://u:p@h/'",
                '"webhook:https://h/\\r\\nX: y"', "'webhook:https://hö.example/'", "'mailto:'", "'mailto:a'",
                "'mailto:a@b,c@d'", "'mailto:a@b?subject=x'", "'mailto:<a@b>'", '"mailto:a@b\\nBcc: c@d"',
                '"mailto:a@b\\n"', '"log\\n"',
            )
        ),
        (ALERT + "to = ['mailto:a@b.example']", "alerts"),
        ("[mail]\nhost = 'a b'", "mail.host"),
        ("[mail]\nfrom = \"a@b\\nBcc: c@d\"", "mail.from"),
        ("[mail]\nuser = 'me'\nstarttls = false", "mail"),
        ("[webhooks]\nallow_private = 'sometimes'", "webhooks.allow_private"),
    ],
)  # fmt: skip
def test_alerts_that_cannot_be(text: str, key: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(written(text))
    assert f"setting {key!r}" in str(raised.value)


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1:8787"), ("0.0.0.0", "127.0.0.1:8787"), ("::", "[::1]:8787"), ("::1", "[::1]:8787")],
)
def test_what_listens_everywhere_is_reached_on_this_machine(host: str, address: str) -> None:
    collect = load(collect={"host": host}).collect
    assert (collect.address, collect.url) == (address, f"http://{address}")
