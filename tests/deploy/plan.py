"""Terraform, if it and its provider for AWS are on this machine: its checks, and a plan as resources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "deploy/aws/terraform"
_PROVIDER = "registry.terraform.io/hashicorp/aws"
_HOW = (
    "get it with: terraform providers mirror FOLDER (in deploy/aws/terraform, where there is a network),"
    " then TF_PLUGIN_DIR=FOLDER make test"
)


@cache
def plugins() -> Path | None:
    """The folder with the provider: what TF_PLUGIN_DIR says, or where such folders usually are."""
    home = Path.home()
    usual = [
        *Path("/opt").glob("*"), Path("/usr/local/share/terraform/plugins"), Path("/usr/share/terraform/plugins"),
        home / ".terraform.d/plugins", home / ".local/share/terraform/plugins",
    ]  # fmt: skip
    given = os.environ.get("TF_PLUGIN_DIR")
    return next((folder for folder in ([Path(given)] if given else usual) if (folder / _PROVIDER).is_dir()), None)


def needed() -> None:
    """Skips, saying how to get what is missing."""
    if shutil.which("terraform") is None:
        pytest.skip("SKIPPED LOUDLY: no terraform on PATH; install it from its vendor's packages, 1.9 or newer")
    if plugins() is None:
        pytest.skip(f"SKIPPED LOUDLY: Terraform's provider for AWS is not on this machine; {_HOW}")


class Terraform:
    """A copy of the folder, initialised; nothing is written into the repository."""

    def __init__(self, folder: Path, endpoint: str, **environment: str) -> None:
        self.folder = folder
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        given = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        self._environment = {
            **given,
            "CHECKPOINT_DISABLE": "1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": endpoint,
            **environment,
        }
        self("init", "-input=false", f"-plugin-dir={plugins()}")

    def __call__(self, *arguments: str, timeout: float = 300) -> str:
        done = subprocess.run(
            ["terraform", *arguments, *(() if arguments[0] in ("fmt", "show") else ("-no-color",))],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, f"terraform {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def plan(self, variables: dict[str, str]) -> list[dict[str, Any]]:
        """Resources that would be made: address, type, and the values that are known before."""
        self("plan", "-input=false", "-refresh=false", "-out=plan", *given(variables))
        shown = json.loads(self("show", "-json", "plan"))
        return [
            {"address": one["address"], "type": one["type"], **one["change"]["after"]}
            for one in shown["resource_changes"]
            if one["mode"] == "managed"
        ]


def given(variables: dict[str, str]) -> list[str]:
    return [f"-var={name}={value}" for name, value in variables.items()]
