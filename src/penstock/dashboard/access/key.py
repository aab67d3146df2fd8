"""The key that signs cookies: a file for its owner's eyes, made at the first start; a new one ends every session."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from ...objects import make_folder

_BYTES = 32


class SigningKey:
    """Where the folder cannot be written the key is in memory, and sessions end with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._in_memory: bytes | None = None

    def current(self) -> bytes:
        """Read again each time: a logout in another process counts here too."""
        if self._in_memory is not None:
            return self._in_memory
        return self._read() or self._make(only_if_missing=True)

    def renew(self) -> None:
        """No cookie that was signed so far is worth anything any more."""
        self._make(only_if_missing=False)

    def _read(self) -> bytes | None:
        """None if there is none to be used: missing, not ours, or seen by others."""
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077 == 0 and len(key := file.read(_BYTES + 1)) == _BYTES:
                    return key
        except OSError:
            return None
        self._path.unlink(missing_ok=True)
        return None

    def _make(self, *, only_if_missing: bool) -> bytes:
        key = secrets.token_bytes(_BYTES)
        try:
            make_folder(self._path.parent)
            fresh = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}.tmp")
            try:
                with open(fresh, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                    file.write(key)
                    file.flush()
                    os.fsync(file.fileno())
                if only_if_missing:
                    with contextlib.suppress(FileExistsError):  # another process was faster; its key is ours too
                        os.link(fresh, self._path)
                else:
                    fresh.replace(self._path)
            finally:
                fresh.unlink(missing_ok=True)
        except OSError:
            self._in_memory = key
            return key
        return self._read() or self._remember(key)

    def _remember(self, key: bytes) -> bytes:
        self._in_memory = key
        return key
