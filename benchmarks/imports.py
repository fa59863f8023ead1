"""`python -m benchmarks.imports`: 100,000 rows previewed from each kind of file: seconds, memory, and a worker killed half-way.

Each reading is a process of its own on a SQLite file, with no AWS: a preview needs the mirror only.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import RESULTS, Figure, Figures, Say, save_figures
from benchmarks.report import to_text

ROWS = 100_000
OUT = RESULTS.with_name("imports.json")
NOWHERE = "http://127.0.0.1:9/nowhere"
COLUMNS = ("question", "answer", "topic", "language")


def measure(say: Say, *, rows: int = ROWS) -> Figures:
    """Seconds and megabytes of a preview for each kind of file, and what a kill half-way leaves behind."""
    figures: Figures = {}
    with TemporaryDirectory() as folder:
        for kind in ("csv", "xlsx", "json"):
            home = Path(folder) / kind
            home.mkdir()
            _prepare(home, kind, rows)
            seconds, cpu_seconds, megabytes = _read_whole(home, kind)
            say(f"{kind}: {rows:,} rows in {seconds:.1f} s ({cpu_seconds:.1f} s of CPU), {megabytes:.0f} MB")
            figures[f"import_{kind}_preview_seconds"] = Figure(seconds, None, "s", rows, bound="ours <= 30")
            figures[f"import_{kind}_preview_cpu_seconds"] = Figure(cpu_seconds, None, "s", rows)
            figures[f"import_{kind}_preview_mb"] = Figure(megabytes, None, "MB", rows, bound="ours <= 300")
        home = Path(folder) / "killed"
        home.mkdir()
        _prepare(home, "csv", rows)
        found, distinct = _kill_and_resume(home, rows, say)
        figures["import_killed_rows_lost"] = Figure(rows - distinct, None, "rows", rows, bound="ours <= 0")
        figures["import_killed_rows_doubled"] = Figure(found - distinct, None, "rows", rows, bound="ours <= 0")
    return figures


def _prepare(home: Path, kind: str, rows: int) -> None:
    _write_file(home / f"upload.{kind}", rows)
    _run(home, "prepare", kind)


def _make_rows(count: int) -> Iterator[tuple[str, ...]]:
    for n in range(count):
        # in letters: a question with a long number in it is a caller's own, and never shared
        name = "".join(chr(97 + n // 26**place % 26) for place in range(5))
        yield f"How much does the {name} of the catalogue cost?", f"The {name} costs {n % 97} dollars.", "faq", "en-US"


def _write_file(path: Path, count: int) -> None:
    if path.suffix == ".json":
        path.write_text(json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in _make_rows(count)]))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *_make_rows(count)])
    else:
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in (COLUMNS, *_make_rows(count)):
            sheet.append(row)
        book.save(path)


def _read_whole(home: Path, kind: str) -> tuple[float, float, float]:
    """Seconds from the start of the worker's step to the preview, of the clock and of CPU, and the process's largest memory."""
    told = json.loads(_run(home, "read", kind))
    return float(told["seconds"]), float(told["cpu_seconds"]), float(told["megabytes"])


def _kill_and_resume(home: Path, rows: int, say: Say) -> tuple[int, int]:
    with subprocess.Popen(_command("read", "csv"), cwd=home, env=_environment(home)) as worker:
        while (done := int(_run(home, "count", "csv").split()[0])) < rows // 3:
            time.sleep(0.2)
        worker.send_signal(signal.SIGKILL)
    say(f"killed after {done:,} rows")
    _run(home, "read", "csv")
    found, distinct = map(int, _run(home, "count", "csv").split())
    say(f"resumed: {found:,} rows, {distinct:,} questions")
    return found, distinct


def _command(*wish: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.imports", *wish]


def _run(home: Path, *wish: str) -> str:
    done = subprocess.run(_command(*wish), cwd=home, env=_environment(home), stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()


def _environment(home: Path) -> dict[str, str]:
    queues = {f"CONNECTGENAI_{name}_QUEUE_URL": NOWHERE for name in ("LIVE", "PREWARM", "HOUSEKEEPING", "DEAD_LETTER")}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECTGENAI_"))},
        **queues,
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "DJANGO_SETTINGS_MODULE": "connectgenai.settings",
        "DATABASE_URL": f"sqlite:///{home / 'db.sqlite3'}",
        "CONNECTGENAI_SECRET_KEY": "only-for-this-measurement-0123456789",
        "CONNECTGENAI_DEBUG": "0",
        "CONNECTGENAI_ALLOWED_HOSTS": "127.0.0.1",
        "CONNECTGENAI_TABLE": "nowhere",
        "CONNECTGENAI_BUCKET": "nowhere",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


# -- in the process that reads


def _work(wish: str, kind: str) -> None:
    import django

    django.setup()
    {"prepare": _migrate, "read": _drive, "count": _count}[wish](kind)


def _migrate(kind: str) -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from cache_admin.models import Topic, TopicLanguage, WaitPolicy, WarmBatch

    call_command("migrate", verbosity=0)
    topic = Topic.objects.create(name="faq", sharing="everyone", published_at=timezone.now(), model_id="m")
    TopicLanguage.objects.create(topic=topic, language="en-US", wait_policy=WaitPolicy.objects.create(name="calm"))
    name = f"upload.{kind}"
    WarmBatch.objects.create(kind="answers", name=name, file=name, created_at=timezone.now())


def _drive(_kind: str) -> None:
    from django.core.files.storage import FileSystemStorage
    from django.utils import timezone

    from cache_admin.models import WarmBatch
    from cache_admin.warming.driving import read_batch

    batch, began, began_cpu = WarmBatch.objects.get(), time.monotonic(), time.process_time()
    read_batch(batch, FileSystemStorage(Path.cwd()), clock=timezone.now)
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - began_cpu
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "megabytes": kilobytes / 1024}))


def _count(_kind: str) -> None:
    from cache_admin.models import WarmRow

    rows = WarmRow.objects.order_by()
    print(rows.count(), rows.values("key").distinct().count())


def main() -> None:
    """Measures and writes the figures; with a wish, is one of the processes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    parser.add_argument("wish", nargs="*")
    wish = parser.parse_args().wish
    if wish:
        return _work(*wish)
    figures = measure(print)
    save_figures(figures, path=OUT)
    print(to_text(figures))
    return None


if __name__ == "__main__":
    main()
