from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.db.models import F

from cache_admin.audit.chain import append
from cache_admin.audit.verifying import Anchor, BrokenError, verify_chain
from cache_admin.models import AuditEntry, AuditHead
from tests.cache_admin.conftest import NOW

ROOT = Path(__file__).parents[2]
GUARDS = import_module("cache_admin.migrations.0011_audit_trail")
AFTER = 1_000_000  # out of the way while numbers change places
pytestmark = pytest.mark.django_db


def make_entry(number: int = 0, **facts: Any) -> AuditEntry:
    return AuditEntry(at=NOW + timedelta(seconds=number), verb="answer.edited", object_id=str(number), **facts)


def write(count: int) -> Anchor:
    append([make_entry(number) for number in range(1, count + 1)])
    return verify_chain()[1]


def renumber(old: int, new: int) -> None:
    AuditEntry.objects.filter(sequence=old).update(sequence=new)


def change(_: Anchor) -> None:
    AuditEntry.objects.filter(sequence=3).update(user_name="somebody else")


def remove(_: Anchor) -> None:
    AuditEntry.objects.filter(sequence=3).delete()


def remove_unnoticed(_: Anchor) -> None:
    remove(_)
    for number in range(4, 7):
        renumber(number, number - 1)


def make_room(_: Anchor) -> AuditEntry:
    for number in range(6, 2, -1):
        renumber(number, number + 1)
    return AuditEntry.objects.get(sequence=2)


def insert(anchor: Anchor) -> None:
    forged = make_room(anchor)
    forged.sequence, forged.previous, forged.digest, forged.verb = 3, forged.digest, "f" * 64, "policy.saved"
    forged.save(force_insert=True)


def insert_copy(anchor: Anchor) -> None:
    copy = make_room(anchor)
    copy.sequence = 3
    copy.save(force_insert=True)


def reorder(_: Anchor) -> None:
    for old, new in ((3, AFTER), (4, 3), (AFTER, 4)):
        renumber(old, new)


def cut_off(_: Anchor) -> None:
    AuditEntry.objects.filter(sequence__gt=2).delete()


def cut_off_with_head(_: Anchor) -> None:
    cut_off(_)
    last = AuditEntry.objects.get(sequence=2)
    AuditHead.objects.update(sequence=2, digest=last.digest)


def remove_the_beginning(_: Anchor) -> None:
    AuditEntry.objects.filter(sequence__lt=3).delete()


@pytest.mark.parametrize(
    ("meddle", "kind", "sequence"),
    [
        (change, "changed", 3),
        (remove, "removed", 3),
        (remove_unnoticed, "removed", 3),
        (insert, "inserted", 3),
        (insert_copy, "inserted", 3),
        (reorder, "reordered", 3),
        (cut_off, "truncated", 3),
        (cut_off_with_head, "truncated", 3),
        (remove_the_beginning, "removed", 1),
    ],
)
def test_the_first_wrong_entry_is_named_with_what_is_wrong(
    meddle: Callable[[Anchor], None], kind: str, sequence: int
) -> None:
    anchor = write(6)
    meddle(anchor)
    with pytest.raises(BrokenError) as broken:
        verify_chain(anchor=anchor)
    assert (broken.value.kind, broken.value.sequence) == (kind, sequence)


@pytest.mark.parametrize(
    "name", ["at", "address", "verb", "kind", "object_id", "label", "topic", "before", "after", "why", "deed"]
)
def test_nothing_in_an_entry_can_be_changed_unnoticed(name: str) -> None:
    write(1)
    AuditEntry.objects.update(**{name: NOW if name == "at" else "x"})
    with pytest.raises(BrokenError, match="its seal does not fit"):
        verify_chain()


def test_an_anchor_of_another_chain_does_not_fit() -> None:
    write(3)
    with pytest.raises(BrokenError, match="of which the anchor was taken"):
        verify_chain(anchor=Anchor(2, "0" * 64))


def test_a_chain_goes_on_under_a_new_key_and_needs_the_old_one(settings: Any) -> None:
    settings.AUDIT_KEY = ["the old key"]
    write(2)
    settings.AUDIT_KEY = ["the new key", "the old key"]
    append([make_entry()])
    assert verify_chain()[0] == 3
    settings.AUDIT_KEY = ["the new key"]
    with pytest.raises(BrokenError, match="which CONNECTGENAI_AUDIT_KEY does not have") as broken:
        verify_chain()
    assert (broken.value.kind, broken.value.sequence) == ("key", 1)


def test_the_command_keeps_the_end_and_proves_by_it_that_nothing_was_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(4)
    call_command("verify_audit", write_anchor=tmp_path / "anchor")
    call_command("verify_audit", since=3, anchor=tmp_path / "anchor")
    assert "Intact: 2 entries. The end: 4 " in capsys.readouterr().out
    cut_off_with_head(Anchor(0, ""))
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", anchor=tmp_path / "anchor")
    assert ended.value.code == 1
    assert capsys.readouterr().out == "Entry 3 is truncated: the anchor knows entries up to 4\n"


def test_a_file_that_holds_no_anchor_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no anchor"):
        call_command("verify_audit", anchor=tmp_path / "none")


def test_a_decision_that_is_rolled_back_leaves_no_gap() -> None:
    write(2)
    with transaction.atomic():
        append([make_entry()])
        transaction.set_rollback(True)
    append([make_entry()])
    assert verify_chain()[0] == 3


@pytest.mark.parametrize(
    "meddle", ["UPDATE cache_admin_auditentry SET why = 'x'", "DELETE FROM cache_admin_auditentry"]
)
def test_the_database_refuses_to_change_or_delete_entries(meddle: str) -> None:
    with connection.cursor() as cursor:  # no schema editor: SQLite's cannot be used within a test's transaction
        GUARDS.install_guards(None, SimpleNamespace(connection=connection, execute=cursor.execute))
    write(2)
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(meddle)
    assert verify_chain()[0] == 2


WRITE = """
import django; django.setup()
from tests.cache_admin.test_audit_chain import make_entry
from cache_admin.audit.chain import append
for number in range(30): append([make_entry(number), make_entry(number)])
"""
MEDDLE = """
import django; django.setup()
from cache_admin.models import AuditEntry
AuditEntry.objects.filter(sequence=60).delete()
"""


def test_in_an_installation_processes_write_one_chain_and_none_can_take_from_it(tmp_path: Path) -> None:
    """On a SQLite file, as installed; the next test does the same on PostgreSQL."""
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/db", "DJANGO_SETTINGS_MODULE": "tests.settings"}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, *command]
        return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)

    assert run("manage.py", "migrate", "-v0").returncode == 0
    with ThreadPoolExecutor(2) as pool:
        assert [done.stderr for done in pool.map(lambda _: run("-c", WRITE), range(2))] == ["", ""]
    assert "only added to" in run("-c", MEDDLE).stderr
    assert run("manage.py", "verify_audit").stdout.startswith("Intact: 120 entries.")


@pytest.mark.django_db(transaction=True)
def test_threads_that_append_at_once_make_one_chain_on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a SQLite database in memory has one writer")

    def write_some(_: int) -> None:
        for number in range(40):
            append([make_entry(number)])
        connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write_some, range(6)))
    assert verify_chain()[0] == 240


def test_a_hundred_thousand_entries_are_verified_in_time() -> None:
    """The bound is for 100,000; a tenth is looked at here."""
    append([make_entry(number, after='{"text": "We are open from ten to four."}') for number in range(10_000)])
    began = time.monotonic()
    assert verify_chain()[0] == 10_000
    assert time.monotonic() - began < 10
    assert AuditHead.objects.get(sequence=F("sequence")).sequence == 10_000
