"""A job may end at the same step twice; a file of its own, so that it runs beside the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from failpoints import JOBS
from failpoints_in_hand import may_end_at_every_step


@pytest.mark.heavy
@pytest.mark.parametrize("job", JOBS)
def test_a_job_may_end_at_every_step_twice(tmp_path: Path, job: str) -> None:
    may_end_at_every_step(tmp_path, job, 2)
