"""`snippet`."""

from __future__ import annotations

import pytest

from penstock.collect.snippet import snippets
from penstock.collect.tracker import script

from .conftest import Cli


def test_all_of_them(cli: Cli) -> None:
    printed = cli.out("snippet", "--url", "https://site.test", "--site", "key-of-site")
    for text in snippets("https://site.test", site="key-of-site").values():
        assert text in printed


@pytest.mark.parametrize("kind", ["plain", "sri", "noscript", "react", "nginx", "caddy"])
def test_only_one(cli: Cli, kind: str) -> None:
    printed = cli.out("snippet", "--url", "https://site.test", "--for", kind)
    assert printed.strip("\n") == snippets("https://site.test")[kind]


def test_settings_say_where_and_under_which_prefix(cli: Cli) -> None:
    (cli.folder / "other.toml").write_text('[collect]\nport = 9000\nprefix = "/stats"\n')
    printed = cli.out("snippet", "--config", str(cli.folder / "other.toml"))
    assert 'src="http://127.0.0.1:9000/stats/analytics.js"' in printed
    assert 'data-endpoint="http://127.0.0.1:9000/stats/e"' in printed
    assert "location /stats/ {\n    proxy_pass http://127.0.0.1:9000;" in printed
    assert script().integrity in printed


@pytest.mark.parametrize("prefix", ["a", "/", "/a/", "/a?b", "//a", "/a b"])
def test_prefix_has_to_be_a_path(cli: Cli, prefix: str) -> None:
    (cli.folder / "other.toml").write_text(f'[collect]\nprefix = "{prefix}"\n')
    assert cli("snippet", "--config", str(cli.folder / "other.toml")).exit_code == 2
