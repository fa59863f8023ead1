"""What loads what: import-linter's contracts, and the proof by import in a process of its own."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectgenai.wire.config import EXAMPLES

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"connectgenai.wire": "connectgenai/wire", "lambdas": "lambdas", "flows": "flows"}
OURS = {"connectgenai", "lambdas", "flows"}
# boto3, and what it brings into every Lambda runtime; certifi it takes where it finds it, as in the site's own requirements
BOTO = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six", "certifi"}
ALSO_IN_FLOWS = {"yaml", "_yaml"}

LOADER = """
import importlib, json, sys
loaded = {}
for name in sys.argv[1:]:
    before = set(sys.modules)
    importlib.import_module(name)
    loaded[name] = sorted({module.partition(".")[0] for module in set(sys.modules) - before})
print(json.dumps(loaded))
"""


def find_modules(package: str) -> Iterator[tuple[str, Path]]:
    """Each module of a package: its name and its file."""
    folder = ROOT / PACKAGES[package]
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        yield ".".join((package, *(part for part in parts if part != "__init__"))), path


def find_loaded(package: str) -> dict[str, set[str]]:
    """What importing each module of the package loads, in a Python that has loaded nothing else."""
    names = [name for name, _ in find_modules(package)]
    environment = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1", **EXAMPLES}
    command = [sys.executable, "-c", LOADER, *names]
    printed = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
    return {name: set(modules) for name, modules in json.loads(printed).items()}


def find_imported(path: Path) -> set[str]:
    """The top-level names that a file imports anywhere, inside its functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_neither_django_nor_celery_is_loaded(package: str) -> None:
    for name, modules in find_loaded(package).items():
        assert not modules & {"django", "celery", "kombu", "jobs", "cache_admin", "local"}, name


@pytest.mark.parametrize("package", ["connectgenai.wire", "lambdas"])
def test_only_the_standard_library_and_boto3_are_loaded(package: str) -> None:
    for name, modules in find_loaded(package).items():
        assert modules <= sys.stdlib_module_names | BOTO | {"connectgenai", "lambdas"}, name


@pytest.mark.parametrize("package", PACKAGES)
def test_not_even_a_function_imports_anything_else(package: str) -> None:
    allowed = sys.stdlib_module_names | {"boto3", "botocore"} | OURS | (ALSO_IN_FLOWS if package == "flows" else set())
    for name, path in find_modules(package):
        assert find_imported(path) <= allowed, name


def run_linter(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter's verdict on a copy of the source."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the source, to be spoiled."""
    for name in ("jobs", "cache_admin", "flows", "lambdas", "connectgenai", "local"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_imports_go_the_way_they_should(source: Path) -> None:
    verdict = run_linter(source)
    assert verdict.returncode == 0, verdict.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("connectgenai/wire/phrases.py", "import lambdas.desk", "Imports go one way"),
        ("flows/caller.py", "import django.conf", "What runs in Lambda"),
        ("lambdas/desk.py", "import connectgenai.settings", "What runs in Lambda"),
        ("jobs/reading.py", "import local.provision", "What plays AWS on a laptop is no part of the product"),
        ("local/provision.py", "import jobs.reading", "What plays AWS on a laptop needs"),
        ("cache_admin/gateways.py", "import cache_admin.services.mirror", "Inside the supervisors' app"),
        ("jobs/bedrock.py", "import jobs.services", "Inside the worker"),
    ],
)
def test_an_import_the_other_way_is_found(source: Path, file: str, line: str, contract: str) -> None:
    with (source / file).open("a") as spoiled:
        spoiled.write(f"{line}\n")
    verdict = run_linter(source)
    assert verdict.returncode != 0
    assert any(found.startswith(contract) and " BROKEN" in found for found in verdict.stdout.splitlines())
