"""Source documents: a file in, its text out, kept under its hash."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import PurePath
from typing import IO

import docx
import pypdf
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from docx.opc.exceptions import PackageNotFoundError
from pypdf.errors import PyPdfError

from connectgenai.wire.items import document_text_key

MAX_BYTES = 20_000_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_CHARACTERS = 2_000_000  # more than any model's context


class DocumentError(ValueError):
    """A document cannot be used; the message names the file and says why."""


def extract_text(file: IO[bytes], *, name: str) -> str:
    """The text of a txt, md, pdf or docx file; DocumentError when there is none to be had."""
    reader = _READERS.get(PurePath(name).suffix.lower())
    if reader is None:
        raise DocumentError(f"{name}: this kind of file cannot be read. Upload a .txt, .md, .pdf or .docx file.")
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DocumentError(f"{name}: larger than {MAX_BYTES // 1_000_000} MB. Split it, or save it without pictures.")
    text = reader(content, name).replace("\x00", "").strip()
    if not text:
        raise DocumentError(f"{name}: no text was found in it. A scanned document must be made searchable (OCR) first.")
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(
            f"{name}: its text is longer than {MAX_CHARACTERS:,} characters, more than a model can read. Split it."
        )
    return text


def keep_text(text: str) -> str:
    """Stores the text in the bucket under its hash, once; the hash."""
    content = text.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    if not default_storage.exists(document_text_key(sha256)):
        default_storage.save(document_text_key(sha256), ContentFile(content))
    return sha256


def _read_plain(content: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DocumentError(f"{name}: the text is not in UTF-8. Save it as UTF-8 and upload it again.")


def _read_pdf(content: bytes, name: str) -> str:
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError(f"{name}: the PDF is protected by a password. Save it without one.")
        return "\n\n".join(page.extract_text() for page in reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"{name}: the PDF is damaged and cannot be read ({type(error).__name__}).") from error


def _read_word(content: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise DocumentError(f"{name}: it unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB.")
        document = docx.Document(io.BytesIO(content))
    except (zipfile.BadZipFile, PackageNotFoundError, KeyError, ValueError, OSError) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(
            f"{name}: not a Word document (.docx), or a damaged one. An old .doc must be saved as .docx."
        ) from error
    rows = [" ".join(cell.text for cell in row.cells) for table in document.tables for row in table.rows]
    return "\n\n".join([*(p.text for p in document.paragraphs if p.text.strip()), *rows])


_READERS: dict[str, Callable[[bytes, str], str]] = {
    ".txt": _read_plain,
    ".md": _read_plain,
    ".pdf": _read_pdf,
    ".docx": _read_word,
}
