"""Uploaded files in the bucket, each under its content's hash: the same file is stored once, and never written over."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.utils.text import get_valid_filename


def keep_file(content: bytes, *, folder: str, name: str, storage: Storage) -> str:
    """The stored file's name: "<folder>/<hash>/<name>". S3's errors pass."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    return keep_as(f"{folder}/{digest}/{_safe(name)}", content, storage=storage)


def keep_as(path: str, content: bytes, *, storage: Storage) -> str:
    """Stores under this very path, which must follow from the content, unless it is there."""
    if not storage.exists(path):
        storage.save(path, ContentFile(content))
    return path


def _safe(name: str) -> str:
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    return (
        f"{get_valid_filename(stem)[:80] if stem.strip('. ') else 'file'}{get_valid_filename(suffix) if suffix else ''}"
    )
