"""What the light functions need → `hot.zip`, ready to be deployed: `python -m penstock.hosts.awslambda.package OUT`.

The same sources and the same wheel of msgspec give the same bytes. boto3 is not in it: AWS's runtime has it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from importlib.metadata import requires
from pathlib import Path
from tempfile import TemporaryDirectory

from ...collect.tracker import SLIM, slim, written

NAME = "hot.zip"
MOST_BYTES = 1_000_000
FUNCTIONS = ("collect", "deliver", "count", "page_views", "aggregate", "transform")
_OURS = Path(__file__).parents[2]
_WANTED = (
    "__init__.py", "adapters.py", "clock.py", "errors.py", "event.py",
    "stream/__init__.py", "stream/kinesis.py", "stream/sqs.py", "stream/_*.py",
    "collect/*.py", "collect/dialects/*.py",
    "bronze/__init__.py", "bronze/layout.py", "bronze/documents.py",
    "hosts/__init__.py", "hosts/awslambda/*.py",
)  # fmt: skip
_LEFT_OUT = ("hosts/awslambda/refine.py", "hosts/awslambda/package.py", "collect/snippet.py", "stream/_shard.py")
_OF_WHEEL = (".py", ".so")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}


def build(out: Path, *, arch: str | None = "arm64", python: str = "3.13") -> Path:
    """Write `hot.zip` into the folder `out`. `arch` None is for the Python that runs this, to try it here."""
    out.mkdir(parents=True, exist_ok=True)
    target = out / NAME
    with TemporaryDirectory(prefix="penstock-") as temporary:
        _install(Path(temporary), arch, python)
        files = {**dict(_ours()), **dict(_of_wheel(Path(temporary)))}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)  # neither time nor owner of the files here
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            made.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    return target


def _ours() -> Iterator[tuple[str, bytes]]:
    for pattern in _WANTED:
        for path in _OURS.glob(pattern):
            if (inner := path.relative_to(_OURS).as_posix()) not in _LEFT_OUT:
                yield f"penstock/{inner}", path.read_bytes()
    # As a text only: the package that makes it slim stays here.
    yield f"penstock/collect/{SLIM}", slim(written()).encode()


def _of_wheel(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.glob("msgspec/**/*"):
        if path.suffix in _OF_WHEEL:
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _install(folder: Path, arch: str | None, python: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "install",
        "--target",
        str(folder),
    ]
    if arch is not None:
        command += ["--platform", _PLATFORMS[arch], "--python-version", python, "--only-binary", ":all:"]
    subprocess.run([*command, "--no-deps", "--no-compile", _msgspec()], check=True)


def _msgspec() -> str:
    """As our own package asks for it."""
    return next((want for want in requires("penstock") or () if want.startswith("msgspec")), "msgspec")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m penstock.hosts.awslambda.package", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the zip")
    parser.add_argument("--arch", choices=sorted(_PLATFORMS), default="arm64", help="of the functions; default arm64")
    parser.add_argument("--python", default="3.13", help="of the runtime; default 3.13")
    asked = parser.parse_args(arguments)
    made = build(asked.out, arch=asked.arch, python=asked.python)
    with zipfile.ZipFile(made) as found:
        unpacked = sum(entry.file_size for entry in found.infolist())
    sys.stdout.write(f"{made}: {made.stat().st_size:,} bytes, {unpacked:,} unpacked, {asked.arch}, {asked.python}\n")
    if made.stat().st_size > MOST_BYTES:
        sys.exit(f"it is to have at most {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
