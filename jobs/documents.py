"""Source documents' texts: from S3 by content hash, kept in memory."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from connectgenai.wire.items import document_text_key
from connectgenai.wire.prompt import Document
from jobs.bedrock import PermanentModelError, RetryableModelError

KEPT_BYTES = 100_000_000
WAIT_SECONDS = 60.0
# S3 answers 403, not 404, for a missing key to whoever may not list the bucket.
_MISSING_CODES = ("NoSuchKey", "NoSuchBucket", "404", "AccessDenied", "403")


class DocumentLibrary:
    """Loads texts once and keeps the last used; safe to use from many threads."""

    def __init__(self, s3: Any, *, bucket: str, kept_bytes: int = KEPT_BYTES) -> None:
        self._s3, self._bucket, self._limit = s3, bucket, kept_bytes
        self._kept: OrderedDict[str, tuple[str, int]] = (
            OrderedDict()
        )  # text and bytes by hash, the last used at the end
        self._size = 0
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}

    def load(self, listed: Sequence[str]) -> list[Document]:
        """The documents of a topic item ("<sha256> <title>" each).

        PermanentModelError("document_missing") when one is not there or is not what its hash says, RetryableModelError
        when S3 does not serve.
        """
        entries = [entry.partition(" ") for entry in listed]
        return [Document(title=title, text=self._load_text(sha256)) for sha256, _, title in entries]

    def _load_text(self, sha256: str) -> str:
        text = self._find(sha256)
        if text is not None:
            return text
        with self._take_turn(sha256):  # of many jobs at once only one fetches
            text = self._find(sha256)
            return self._fetch(sha256) if text is None else text

    def _find(self, sha256: str) -> str | None:
        with self._lock:
            if sha256 not in self._kept:
                return None
            self._kept.move_to_end(sha256)
            return self._kept[sha256][0]

    @contextmanager
    def _take_turn(self, sha256: str) -> Iterator[None]:
        with self._lock:
            turn = self._loading.setdefault(sha256, threading.Lock())
        if not turn.acquire(timeout=WAIT_SECONDS):
            raise RetryableModelError("network")
        try:
            yield
        finally:
            with self._lock:
                self._loading.pop(sha256, None)
            turn.release()

    def _fetch(self, sha256: str) -> str:
        content = self._read(document_text_key(sha256))
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PermanentModelError("document_missing")
        text = content.decode("utf-8", "replace")
        with self._lock:
            self._keep(sha256, text, len(content))
        return text

    def _read(self, key: str) -> bytes:
        try:
            content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING_CODES:
                raise PermanentModelError("document_missing") from error
            raise RetryableModelError("network") from error
        except (BotoCoreError, OSError) as error:
            raise RetryableModelError("network") from error
        return content

    def _keep(self, sha256: str, text: str, size: int) -> None:
        if sha256 not in self._kept:
            self._kept[sha256] = (text, size)
            self._size += size
        while self._size > self._limit and len(self._kept) > 1:
            self._size -= self._kept.popitem(last=False)[1][1]
