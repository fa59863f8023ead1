"""Source documents: a file in, its text out, kept under the text's hash."""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import docx
import pypdf
from django.core.files.storage import Storage
from django.utils.translation import gettext as _
from docx.table import Table

from cache_admin.models import SourceDocument
from cache_admin.services.files import keep_as, keep_file
from connectgenai.wire.items import document_text_key

MAX_BYTES = 20_000_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_PAGES = 2_000
MAX_CHARACTERS = 2_000_000  # more than any model reads at once


class DocumentError(ValueError):
    """A document cannot be used; the message names the file and says why."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")


@dataclass(frozen=True, slots=True)
class DocumentText:
    """What was read from a document."""

    text: str
    kind: str

    @property
    def sha256(self) -> str:
        """The hash of the text in UTF-8, which is its name in the bucket."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(self.text.split())


def read_document(content: bytes, *, name: str) -> DocumentText:
    """The text of a txt, md, pdf or docx file; DocumentError when there is none to be had."""
    kind = PurePath(name).suffix.lower().removeprefix(".")
    if kind not in _READERS:
        raise DocumentError(name, _("this kind of file cannot be read. Upload a .txt, .md, .pdf or .docx file."))
    if len(content) > MAX_BYTES:
        raise DocumentError(name, _("it is larger than 20 MB. Split it, or save it without pictures."))
    text = _tidy(_READERS[kind](content, name))
    if not any(c.isalnum() for c in text):
        raise DocumentError(name, _("no text was found in it. A scanned document must be made searchable (OCR) first."))
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(name, _("its text has more than 2,000,000 characters, more than a model reads. Split it."))
    return DocumentText(text, kind)


def describe_document(document: SourceDocument, found: DocumentText, *, name: str) -> SourceDocument:
    """Notes in the row, which is not saved, what was found in its file."""
    document.title = find_title(document.title, name=name)
    document.sha256, document.words, document.kind = found.sha256, found.words, found.kind
    return document


def find_title(title: str, *, name: str) -> str:
    """What was written, or else the file's name without its ending."""
    return title or PurePath(name).stem[:200]


def keep_document(
    document: SourceDocument, found: DocumentText, content: bytes, *, name: str, storage: Storage
) -> SourceDocument:
    """Stores a document and its text, and describes it in its row, which is not saved. S3's errors pass."""
    keep_as(document_text_key(found.sha256), found.text.encode(), storage=storage)
    document.file = keep_file(content, folder="documents/files", name=name, storage=storage)
    return describe_document(document, found, name=name)


def read_text(sha256: str, *, storage: Storage) -> str:
    """A document's extracted text; FileNotFoundError when it is not in the bucket, S3's errors pass."""
    with storage.open(document_text_key(sha256)) as kept:
        text: str = kept.read().decode("utf-8", "replace")
    return text


def _tidy(text: str) -> str:
    """One form for the same text: composed characters, plain line ends, no controls, no blanks at line ends."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t\u00a0]+\n", "\n", text)).strip()


def _read_plain(content: bytes, name: str) -> str:
    encodings = ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0e-\x1f]", text):  # no text has these, and every program has
            return text
    raise DocumentError(name, _("it is not plain text. Save it as text in UTF-8 and upload it again."))


def _read_pdf(content: bytes, name: str) -> str:
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        # many a PDF that everybody can open is encrypted with an empty password
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError(name, _("the PDF is protected by a password. Save it without one."))
        if len(reader.pages) > MAX_PAGES:
            raise DocumentError(name, _("it has more than 2,000 pages. Split it."))
        return "\n\n".join(page.extract_text() for page in reader.pages)
    except DocumentError:
        raise
    except pypdf.errors.DependencyError as error:  # the rarer ciphers need a package of their own
        raise DocumentError(name, _("the PDF is encrypted. Save it without encryption.")) from error
    except Exception as error:  # a damaged file breaks the reader anywhere
        raise DocumentError(name, _("the PDF is damaged and cannot be read.")) from error


def _read_word(content: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise DocumentError(name, _("it unpacks to more than 200 MB."))
        return "\n\n".join(_word_blocks(docx.Document(io.BytesIO(content))))
    except DocumentError:
        raise
    except Exception as error:  # a damaged file breaks the reader anywhere
        raise DocumentError(
            name, _("it is not a Word document (.docx), or a damaged one. An old .doc must be saved as .docx.")
        ) from error


def _word_blocks(document: Any) -> Iterator[str]:
    """Paragraphs and tables in their order; headings as in Markdown, a table's row on a line."""
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield "\n".join(_row_text(row) for row in block.rows)
        elif block.text.strip():
            level = re.fullmatch(r"Heading (\d)", block.style.name if block.style else "")
            yield f"{'#' * int(level[1])} {block.text}" if level else block.text


def _row_text(row: Any) -> str:
    cells = {cell._tc: cell.text for cell in row.cells}  # a merged cell stands in each of its columns
    return ", ".join(" ".join(text.split()) for text in cells.values() if text.strip())


_READERS: dict[str, Callable[[bytes, str], str]] = {
    "txt": _read_plain,
    "md": _read_plain,
    "pdf": _read_pdf,
    "docx": _read_word,
}
