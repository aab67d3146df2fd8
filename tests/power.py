"""A disk whose power can be cut: a file system in a file, told to stop as if the plug had been pulled.

After the cut only what was synced is there again. Each cut proves itself: bytes that were written but not synced have
to be gone, bytes that were synced have to be there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

_SHUTDOWN = 0x8004587D
"""The request that ext4, xfs and f2fs share: stop now."""
_WITHOUT_FLUSHING = 2
_IMAGE_BYTES = 400 << 20
_PROOF_BYTES = 1 << 20
# Nothing is to reach the disk by itself while a test runs.
_OPTIONS = {"ext4": "loop,commit=300", "xfs": "loop"}
KINDS = sorted(_OPTIONS)


class Disk:
    """Mounted at `folder` from the start; skips the test where this machine does not allow that."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder / "disk"
        self._image = folder / "disk.image"
        self._options = _OPTIONS[kind]
        if os.geteuid() != 0:
            pytest.skip("only root may mount the disk whose power is cut")
        if shutil.which(f"mkfs.{kind}") is None:
            pytest.skip(f"there is no mkfs.{kind}")
        self.folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(_IMAGE_BYTES)
        subprocess.run([f"mkfs.{kind}", "-q", str(self._image)], check=True)
        try:
            self._mount()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine does not mount a disk in a file: {error.stderr.strip()}")

    def cut(self) -> None:
        """Pull the plug. What was acknowledged before this call is to be there when the disk is `back`."""
        with self._synced.open("wb") as file:
            file.write(bytes(_PROOF_BYTES))
            os.fsync(file.fileno())
        self._written.write_bytes(bytes(_PROOF_BYTES))
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSHING))
        finally:
            os.close(descriptor)

    def back(self) -> None:
        """Power again. Every process that had files open there has to be gone."""
        self._unmount()
        self._mount()
        assert self._synced.stat().st_size == _PROOF_BYTES, "what was synced is there"
        assert not self._written.exists() or self._written.stat().st_size == 0, "there was no cut"
        self._synced.unlink()
        self._written.unlink(missing_ok=True)

    @property
    def _synced(self) -> Path:
        return self.folder / "synced"

    @property
    def _written(self) -> Path:
        return self.folder / "written"

    def close(self) -> None:
        if self.folder.is_mount():
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        self._image.unlink(missing_ok=True)

    def _mount(self) -> None:
        command = ["mount", "-o", self._options, str(self._image), str(self.folder)]
        subprocess.run(command, check=True, capture_output=True, text=True)

    def _unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True, capture_output=True)
