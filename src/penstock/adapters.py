"""A URL's scheme → the module of that name in a port's folder, imported only when asked for."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from .errors import SettingsError

_EXTRAS = {"kafka": "kafka", "kinesis": "aws", "sqs": "aws", "dynamodb": "aws", "spark": "spark", "athena": "aws"}


def names(port: ModuleType) -> list[str]:
    """The adapters of a port: the modules in its folder."""
    return sorted(info.name for info in pkgutil.iter_modules(port.__path__) if not info.name.startswith("_"))


def load(port: ModuleType, url: str) -> ModuleType:
    """The adapter for `url` (`scheme://...`). Raises SettingsError for an unknown scheme or a missing package."""
    scheme = url.split(":", 1)[0]
    if scheme not in names(port):
        known = ", ".join(names(port))
        raise SettingsError(f"no adapter for {scheme!r} in {port.__name__}", hint=f"known are: {known}")
    try:
        return importlib.import_module(f"{port.__name__}.{scheme}")
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(scheme)
        if extra is None or (error.name or "").startswith("penstock"):
            raise
        raise SettingsError(
            f"{port.__name__}.{scheme} needs the package {error.name!r}", hint=f"pip install 'penstock[{extra}]'"
        ) from error
