"""The package as it is published."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import candado

if TYPE_CHECKING:
    from email.message import Message

ROOT = Path(__file__).parents[1]
LICENCE = (ROOT / ".." / ".." / "LICENSE").read_bytes()


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation: what builds it is among the test's own requirements.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> dict[str, bytes]:
    [path] = dist.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(wheel: dict[str, bytes]) -> Message:
    [name] = (name for name in wheel if name.endswith("/METADATA"))
    return HeaderParser().parsestr(wheel[name].decode())


def test_the_wheel_brings_licence_types_and_the_command(wheel: dict[str, bytes]) -> None:
    info = f"candado-{candado.__version__}.dist-info"
    assert wheel[f"{info}/licenses/LICENSE"] == LICENCE
    assert "candado/py.typed" in wheel
    assert b"candado-import = candado.importing:main" in wheel[f"{info}/entry_points.txt"]
    assert {name.split("/")[0] for name in wheel} == {"candado", info}


def test_the_source_distribution_brings_the_licence(dist: Path) -> None:
    with tarfile.open(dist / f"candado-{candado.__version__}.tar.gz") as archive:
        licence = archive.extractfile(f"candado-{candado.__version__}/LICENSE")
        assert licence is not None
        assert licence.read() == LICENCE


def test_the_metadata_say_what_it_is(metadata: Message) -> None:
    assert metadata["Version"] == candado.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Keywords"]
    assert "Programming Language :: Python :: 3.10" in metadata.get_all("Classifier", [])
