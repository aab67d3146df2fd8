"""A Spark session in this process, on two threads; one for all tests of a run, as it takes seconds to start.

It listens on loopback only and has no page. Without Java the tests that ask for it are skipped.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_CONF = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.session.timeZone": "UTC",
    # for some thousand rows, each further partition or look at what a stage gave costs more than it saves
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.default.parallelism": "2",
    # with statements of this size, to compile code takes longer than to run it
    "spark.sql.codegen.wholeStage": "false",
    "spark.log.level": "ERROR",
}


def java_or_skip() -> None:
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and (Path(home) / "bin" / "java").exists())):
        pytest.skip("no Java here, so Spark was not tested: apt-get install default-jre-headless")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A SparkSession, of the process if it has one. Of its settings a test may change those that it sets back."""
    java_or_skip()
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.master("local[2]").appName("penstock-test")
    for name, value in {**_CONF, "spark.local.dir": folder, "spark.sql.warehouse.dir": folder / "tables"}.items():
        builder = builder.config(name, str(value))
    made = builder.getOrCreate()
    yield made
    made.stop()
