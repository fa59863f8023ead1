"""Builds the Lambdas' zip: `python lambdas/build.py [OUT]`. The same sources give the same bytes.

boto3 is not inside: the runtime brings its own. The byte code is, for /var/task is read-only, and without it Python would
compile every module (15 ms and more) at each cold start, while a caller waits. "unchecked-hash": Python uses it without
comparing the sources' times, which a zip does not keep. It lies in __pycache__, where Python looks as long as the source
lies beside it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "lambdas.zip"
RUNTIME = (3, 11)
TASK_ROOT = "/var/task"
LEFT_OUT = ("lambdas/build.py", "lambdas/template.yaml")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


def build_zip(out: Path = OUT) -> list[zipfile.ZipInfo]:
    """Writes the zip and returns its entries."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        stage = Path(name)
        for path in find_sources():
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, stage / path)
        _compile(stage)
        return _write_zip(stage, out)


def find_sources() -> Iterator[Path]:
    """The files that the Lambdas consist of, relative to the repository."""
    yield Path("connectgenai/__init__.py")
    for folder in ("connectgenai/wire", "lambdas"):
        for path in sorted((ROOT / folder).rglob("*")):
            relative = path.relative_to(ROOT)
            if path.is_file() and "__pycache__" not in path.parts and relative.as_posix() not in LEFT_OUT:
                yield relative


def _compile(stage: Path) -> None:
    # A process of its own, for the order of constant sets in byte code follows the hash seed.
    command = [sys.executable, "-P", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    places = ["-s", str(stage), "-p", TASK_ROOT, str(stage)]
    subprocess.run([*command, *places], check=True, env={"PYTHONHASHSEED": "0"})


def _write_zip(stage: Path, out: Path) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in stage.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(stage).as_posix(), date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16  # readable by the user that Lambda runs as
            archive.writestr(entry, path.read_bytes())
        return archive.infolist()


def main() -> None:
    """Builds, and prints what is inside."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    entries = build_zip(out)
    for entry in entries:
        print(f"{entry.file_size:>8,}  {entry.filename}")  # noqa: T201
    print(f"{out}: {out.stat().st_size:,} bytes, {len(entries)} files")  # noqa: T201
    if sys.version_info[:2] != RUNTIME:
        sys.stderr.write("warning: byte code of another Python than 3.11, so Lambda will compile at each cold start\n")


if __name__ == "__main__":
    main()
