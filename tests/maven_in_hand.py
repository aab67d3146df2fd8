"""Programs from Maven Central, fetched once into a folder of the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest


def copy(part: str) -> list[str]:
    """The goal that fetches one `group:artifact:version[:packaging]`."""
    return ["dependency:copy", f"-Dartifact={part}", "-DoutputDirectory=."]


def fetched(
    name: str, goals: Sequence[list[str]], what: str, pom: str = "", unpack: Callable[[Path], None] = lambda _: None
) -> Path:
    """The folder that holds what Maven's `goals` fetch, unpacked.

    Skips, loudly, where Maven or that cannot be had: then `what` was not tested.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock-test" / name
    if shutil.which("mvn") is None:
        pytest.skip(f"no Maven here, so {what} was not tested: apt-get install maven")
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        if pom:
            (folder / "pom.xml").write_text(pom)
        for goal in goals:
            asked = ["mvn", "-q", "-B", *goal]
            done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=900)
            if done.returncode:
                said = (done.stdout + done.stderr)[-300:]
                pytest.skip(f"Maven could not fetch {name}, so {what} was not tested: {said}")
        unpack(folder)
        (folder / "complete").touch()
    return folder
