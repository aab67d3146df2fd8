"""Every job may end at any step, as often as it likes: nothing is lost, nothing is there twice, no reader notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from failpoints import JOBS
from failpoints_in_hand import may_end_at_every_step


@pytest.mark.heavy
@pytest.mark.parametrize("job", JOBS)
def test_a_job_may_end_at_every_step(tmp_path: Path, job: str) -> None:
    may_end_at_every_step(tmp_path, job, 1)
