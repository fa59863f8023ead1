from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection, connections

from cache_admin.models import CachedAnswer, Call
from cache_admin.services.mirror import apply_items
from tests.cache_admin.test_mirror import answer_item, call_item
from tests.postgres import find_binaries, running_postgres

HERE = Path(__file__).parent


@pytest.mark.timeout(900)
def test_all_of_this_folder_holds_on_postgresql_too() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("this is the run on PostgreSQL")
    if find_binaries() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE)]
    with running_postgres() as url:
        env = {**os.environ, "DATABASE_URL": url}
        done = subprocess.run(command, cwd=HERE.parents[1], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 250


@pytest.mark.django_db(transaction=True)
def test_many_mirrors_at_once_leave_the_highest_versions_and_the_right_counts() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a SQLite database in memory has one writer")
    items = [answer_item(v, f"faq.{k}") for k in range(4) for v in range(1, 6)]
    items += [call_item(v, f"c{c}", f"faq.{c % 4}") for c in range(8) for v in range(1, 4)]  # type: ignore[misc]

    def mirror(seed: int) -> None:
        mixed = random.Random(seed).sample(items * 2, k=len(items) * 2)
        for start in range(0, len(mixed), 7):
            apply_items(mixed[start : start + 7])
        connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(mirror, range(6)))
    assert set(CachedAnswer.objects.values_list("version", "calls")) == {(5, 2)}
    assert set(Call.objects.values_list("version", flat=True)) == {3}
