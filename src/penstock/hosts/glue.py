"""The door for programs that Spark starts: AWS Glue 5, EMR, Databricks, or `spark-submit`. One run of refine by Spark.

The program is two lines:

    from penstock.hosts.glue import main
    main()

It is told the lake (`--lake s3://bucket`) and, if it is not beside it, the settings' file (`--config`). What else the
command line has is Glue's own (`--JOB_NAME`, `--TempDir` …) and passed over. It takes what is announced in bronze,
batch after batch, until nothing is left; a run that was killed is finished by the next one. Spark's session is the one
that the starter prepared.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import PenstockError
from ..pipeline import Pipeline
from ..settings import Settings, load


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a line of JSON for each batch. Ends with exit code 1, a failed run to its starter, if it cannot go on."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--lake", help="URL of the lake; default as in the settings")
    parser.add_argument("--config", type=Path, help="settings' file; default ./penstock.toml")
    told, _ = parser.parse_known_args(arguments)
    try:
        with TemporaryDirectory(prefix="penstock-") as scratch:
            _refine(load(told.config, data=Path(scratch), lake=told.lake, refine={"engine": "spark"}))
    except PenstockError as error:
        sys.exit(f"error: {error}\n{error.hint}".strip())


def _refine(settings: Settings) -> None:
    if settings.lake is None:
        raise PenstockError("there is no lake", hint="write --lake s3://bucket, or lake = in the settings")
    pipeline = Pipeline(settings)
    try:
        batches = 0
        while (done := pipeline.refine()) is not None:
            batches += 1
            _say({"batch": done.batch, "files": done.files, **done.events, "damaged": done.damaged})
        _say({"batches": batches})
    finally:
        pipeline.close()


def _say(told: Mapping[str, int]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
