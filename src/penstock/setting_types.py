"""What values of settings look like: types that say what is wrong with one, for settings.py."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from .clock import duration
from .errors import PenstockError

_PASSWORD_HASH = re.compile(r"scrypt:1[4-7]:8:[1-9]:[A-Za-z0-9_-]{22}:[A-Za-z0-9_-]{43}")


def _is_duration(text: str) -> str:
    try:
        if duration(text):
            return text
    except PenstockError as error:
        raise ValueError(f"{error}; {error.hint}") from None
    raise ValueError("it is to be longer than nothing")


def _is_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, KeyError):
        raise ValueError("it is to be a zone such as Europe/Berlin") from None


def _is_private(text: str) -> str:
    if not ipaddress.ip_network(text).is_private:
        raise ValueError("it is to be an address, or a network, of this machine or a private one")
    return text


def _is_password_hash(text: str) -> str:
    if not _PASSWORD_HASH.fullmatch(text):
        raise ValueError("it is to be what `penstock dashboard-password` prints, not the password itself")
    return text


Port = Annotated[int, Field(ge=0, le=65535)]
TableName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$")]
"""Of DynamoDB."""
Url = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*:")]
Paths = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
Duration = Annotated[str, AfterValidator(_is_duration)]
Zone = Annotated[str, AfterValidator(_is_zone)]
Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")]
Address = Annotated[str, Field(pattern=r"^[^\s@,;:<>()\[\]\"\\\x00-\x1f\x7f]+@[A-Za-z0-9._-]+$", max_length=254)]
"""One of e-mail, nothing around it."""
Target = Annotated[
    str,
    Field(
        pattern=r"^(log|webhook:https?://[A-Za-z0-9.:\[\]_-]+([/?#][!-~]*)?|mailto:[!#-'*+./0-9=?A-Z^_`a-z{|}~-]+@[A-Za-z0-9._-]+)$",
        max_length=2000,
    ),
]
HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=253)]
Ancestor = Annotated[str, Field(pattern=r"^('self'|https?://(\*\.)?[A-Za-z0-9_.-]+(:[0-9]+)?)$", max_length=300)]
"""What may stand in a policy's frame-ancestors."""
Private = Annotated[str, AfterValidator(_is_private)]
PasswordHash = Annotated[str, AfterValidator(_is_password_hash)]


class Section(BaseModel):
    """Settings that belong together. Unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_not_one(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation is not bool:
            raise ValueError("true and false are no value here")
        return value
