"""The Lambdas' zip."""

from __future__ import annotations

import json
import marshal
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lambdas import build
from lambdas.build import TASK_ROOT, build_zip
from local.lambda_service import Function, LambdaService
from tests.aws import Aws

ROOT = Path(__file__).resolve().parents[2]
UNCHECKED_HASH = b"\x01\x00\x00\x00"  # PEP 552: bit 0 hash-based, bit 1 (not set) checked against the source


@pytest.fixture(scope="module")
def code_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("build") / "lambdas.zip"
    build_zip(path)
    return path


def read_names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_the_zip_holds_the_wire_and_the_handlers_and_nothing_else(code_zip: Path) -> None:
    sources = {name for name in read_names(code_zip) if "__pycache__" not in name}
    wire = {path.relative_to(ROOT).as_posix() for path in (ROOT / "connectgenai" / "wire").glob("*.py")}
    handlers = {path.relative_to(ROOT).as_posix() for path in (ROOT / "lambdas").glob("*.py")}
    assert sources == {"connectgenai/__init__.py"} | wire | handlers - {"lambdas/build.py"}
    assert {"lambdas/producer.py", "lambdas/consumer.py", "connectgenai/wire/store.py"} <= sources


def test_every_module_is_compiled_for_use_without_a_look_at_its_source(code_zip: Path) -> None:
    with zipfile.ZipFile(code_zip) as archive:
        compiled = [name for name in archive.namelist() if name.endswith(".pyc")]
        assert len(compiled) == len([name for name in archive.namelist() if name.endswith(".py")])
        assert {archive.read(name)[4:8] for name in compiled} == {UNCHECKED_HASH}


def test_byte_code_names_the_place_in_lambda_and_no_path_of_this_machine(code_zip: Path) -> None:
    with zipfile.ZipFile(code_zip) as archive:
        tag = sys.implementation.cache_tag
        code = marshal.loads(archive.read(f"lambdas/__pycache__/producer.{tag}.pyc")[16:])
    assert code.co_filename == f"{TASK_ROOT}/lambdas/producer.py"


def test_python_runs_that_byte_code_and_does_not_read_the_source(code_zip: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(code_zip) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "connectgenai" / "wire" / "request.py").write_text("raise RuntimeError('the source was read')")
    command = [sys.executable, "-c", "import connectgenai.wire.request as r; print(r.LIVE_QUEUE)"]
    assert subprocess.check_output(command, cwd=tmp_path, text=True) == "cgai-live\n"


def test_the_same_sources_give_the_same_bytes(code_zip: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "lambdas" / "build.py"), str(tmp_path / "again.zip")]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TMPDIR": str(tmp_path)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "again.zip").read_bytes() == code_zip.read_bytes()


def test_a_files_times_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("connectgenai", "lambdas"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(build, "ROOT", tmp_path)
    build_zip(tmp_path / "one.zip")
    os.utime(tmp_path / "lambdas" / "producer.py", (1_000_000_000, 1_000_000_000))
    build_zip(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_source_that_does_not_compile_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "connectgenai").mkdir()
    (tmp_path / "connectgenai" / "__init__.py").write_text("def (:\n")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        build_zip(tmp_path / "broken.zip")


def test_the_command_lists_the_files_and_the_zips_size(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "lambdas.zip"
    printed = subprocess.check_output([sys.executable, str(ROOT / "lambdas" / "build.py"), str(out)], text=True)
    assert "lambdas/consumer.py" in printed
    assert f"{out}: {out.stat().st_size:,} bytes" in printed


@pytest.mark.parametrize("handler", ["producer", "consumer"])
def test_a_handler_runs_from_the_zip_with_the_provisioned_environment(code_zip: Path, aws: Aws, handler: str) -> None:
    function = Function(handler, f"lambdas.{handler}.handler", environment=aws.environment)
    with LambdaService(functions=[function], code_zip=code_zip) as service:
        result = service.invoke(handler, b"{}")
    assert not result.is_error, result.payload
    assert json.loads(result.payload)["statusCode"] == "400"
