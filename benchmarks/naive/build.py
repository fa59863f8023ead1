"""Builds the naive Lambdas' zip, byte code inside like ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = ("__init__.py", *(f"naive/{name}.py" for name in ("__init__", "producer", "consumer", "reply")))


def build_naive_zip(out: Path) -> Path:
    """Writes the zip and returns its path; its handlers are benchmarks.naive.producer.handler and .consumer.handler."""
    with tempfile.TemporaryDirectory() as name:
        stage = Path(name)
        for file in FILES:
            target = stage / "benchmarks" / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / "benchmarks" / file, target)
        compiling = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(stage)]
        subprocess.run(compiling, check=True)
        return Path(shutil.make_archive(str(out.with_suffix("")), "zip", stage))
