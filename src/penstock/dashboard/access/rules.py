"""What decisions are made from: the settings, what is kept, the key of the cookies, the tries of passwords."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ...clock import Clock, utc_now
from ...setting_sections import DashboardSettings
from ...settings import Settings
from ..saved import Saved, Share
from . import signed
from .attempts import Attempts
from .key import SigningKey
from .origins import is_loopback

COOKIE = "penstock"
_OVER_TLS = "__Host-"
"""Browsers take a cookie with this start over TLS only, and from nobody but this very host."""


@dataclass(frozen=True)
class Rules:
    settings: DashboardSettings
    saved: Saved
    key: SigningKey
    attempts: Attempts
    clock: Clock

    @property
    def open(self) -> bool:
        """Whether everybody on this machine may see it, without a login."""
        told = self.settings
        return told.password is None and told.trusted_proxy_header is None and is_loopback(told.host)

    # cookies

    def owner_cookie(self) -> str:
        until = self.clock() + timedelta(days=self.settings.session_days)
        return signed.sign(self.key.current(), "owner", until, self.settings.password or "")

    def is_owner(self, cookie: str) -> bool:
        password = self.settings.password
        return password is not None and signed.is_good(self.key.current(), cookie, "owner", self.clock(), password)

    def share_cookie(self, share: Share) -> str:
        return signed.sign(self.key.current(), f"share-{share.id}", share.expires, share.password or "")

    def may_see(self, share: Share, cookie: str) -> bool:
        who, now = f"share-{share.id}", self.clock()
        return share.password is None or signed.is_good(self.key.current(), cookie, who, now, share.password)


def rules_of(settings: Settings, saved: Saved, clock: Clock = utc_now) -> Rules:
    key = SigningKey(settings.data.absolute() / "dashboard.key")
    return Rules(settings.dashboard, saved, key, Attempts(clock), clock)


def cookie_name(https: bool, share: Share | None = None) -> str:
    """Of the login, or of one shared page that has a password."""
    return (_OVER_TLS if https else "") + COOKIE + (f"-share-{share.id}" if share is not None else "")


def cookie_names(https: bool, share: Share | None = None) -> tuple[str, ...]:
    """Where it is looked for. Who comes by TLS has no use for the other, which a neighbour could have set."""
    return (cookie_name(True, share),) if https else (cookie_name(True, share), cookie_name(False, share))
