"""Source documents' texts: from S3 by content hash, kept in memory."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from connectgenai.wire.items import document_text_key
from jobs.bedrock import PermanentModelError, RetryableModelError
from jobs.prompt import Document

KEPT_CHARACTERS = 50_000_000


class DocumentLibrary:
    """Loads texts once and keeps the last used; safe to use from many threads."""

    def __init__(self, s3: Any, *, bucket: str, kept_characters: int = KEPT_CHARACTERS) -> None:
        self._s3, self._bucket, self._limit = s3, bucket, kept_characters
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}

    def load(self, listed: Sequence[str]) -> list[Document]:
        """The documents of a topic item ("<sha256> <title>" each).

        PermanentModelError("document_missing") when one is not there or is not what its hash says, RetryableModelError
        when S3 does not serve.
        """
        return [
            Document(title=title, text=self._text(sha256))
            for sha256, _, title in (entry.partition(" ") for entry in listed)
        ]

    def _text(self, sha256: str) -> str:
        with self._lock:
            if sha256 in self._texts:
                self._texts.move_to_end(sha256)
                return self._texts[sha256]
            loading = self._loading.setdefault(sha256, threading.Lock())
        with loading:  # of many jobs at once only one fetches
            with self._lock:
                if sha256 in self._texts:
                    return self._texts[sha256]
            text = self._fetch(sha256)
            with self._lock:
                self._keep(sha256, text)
                self._loading.pop(sha256, None)
            return text

    def _keep(self, sha256: str, text: str) -> None:
        self._texts[sha256] = text
        while len(self._texts) > 1 and sum(map(len, self._texts.values())) > self._limit:
            self._texts.popitem(last=False)

    def _fetch(self, sha256: str) -> str:
        try:
            content: bytes = self._s3.get_object(Bucket=self._bucket, Key=document_text_key(sha256))["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404", "NoSuchBucket", "AccessDenied"):
                raise PermanentModelError("document_missing") from error
            raise RetryableModelError("network") from error
        except (BotoCoreError, OSError) as error:
            raise RetryableModelError("network") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PermanentModelError("document_missing")
        return content.decode()
