"""Settings as they may be shown: every value that is a secret, or may hold one, is covered. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ByteSize

from ..settings import Settings
from .charts.formats import size

_SECRETS = ("write_key", "password", "user")
_KEPT_CHARS = 4


class Setting(NamedTuple):
    """`is_own`: it is not what it would be if nobody had said anything."""

    name: str
    value: str
    is_own: bool


def settings_shown(settings: Settings) -> list[Setting]:
    return [
        Setting(name, covered(name, value), default is not _NO_DEFAULT and value != default)
        for name, value, default in _flat("", settings)
    ]


_NO_DEFAULT = object()


def _flat(prefix: str, model: BaseModel) -> Iterator[tuple[str, Any, Any]]:
    for field, info in type(model).model_fields.items():
        value, name = getattr(model, field), f"{prefix}{info.alias or field}"
        if isinstance(value, BaseModel):
            yield from _flat(f"{name}.", value)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for nth, each in enumerate(value):
                yield from _flat(f"{name}[{nth}].", each)
        else:
            yield name, value, info.get_default(call_default_factory=True)


def covered(name: str, value: Any) -> str:
    """As text. A list or table is covered part by part."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, ByteSize):
        return size(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {covered(str(key), each)}" for key, each in value.items()) or "–"
    if isinstance(value, tuple | list):
        return ", ".join(covered(name, each) for each in value) or "–"
    text = str(value)
    if name.rpartition(".")[2] in _SECRETS:
        return masked(text)
    return _without_secrets(text)


def masked(secret: str) -> str:
    """Its start, by which its owner knows which one it is; of a short one nothing."""
    return (secret[:_KEPT_CHARS] if len(secret) >= 4 * _KEPT_CHARS else "") + "••••"


def _without_secrets(text: str) -> str:
    """A URL without user, password, query and fragment; a webhook's path is a secret too."""
    webhook = text.startswith("webhook:")
    if "://" not in text:
        return text
    start, url = ("webhook:", text.removeprefix("webhook:")) if webhook else ("", text)
    try:
        parts = urlsplit(url)
    except ValueError:
        return "••••"
    host = parts.netloc.rpartition("@")[2]
    user = "••••@" if "@" in parts.netloc else ""
    path = "/••••" if webhook and parts.path.strip("/") else parts.path
    return f"{start}{parts.scheme}://{user}{host}{path}" + ("?••••" if parts.query or parts.fragment else "")
