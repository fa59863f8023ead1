from __future__ import annotations

import io
import zipfile

import docx
import pypdf
import pytest
from django.core.files.storage import default_storage
from fpdf import FPDF

from cache_admin.models import SourceDocument
from cache_admin.services import documents
from cache_admin.services.documents import DocumentError, keep_document, read_document
from connectgenai.wire.items import document_text_key
from tests.aws import Aws


def make_pdf(*pages: str) -> bytes:
    pdf = FPDF()
    for page in pages:
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        pdf.multi_cell(0, 8, page)
    return bytes(pdf.output())


def encrypt(pdf: bytes, *, password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def make_word() -> bytes:
    document = docx.Document()
    document.add_heading("Opening hours", level=2)
    document.add_paragraph("We are open on Sunday.")
    table = document.add_table(rows=2, cols=2)
    for row, texts in zip(table.rows, (("Day", "Hours"), ("Sunday", "ten to four")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.add_paragraph("Come early.")
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def why_not(name: str, content: bytes) -> str:
    with pytest.raises(DocumentError) as raised:
        read_document(content, name=name)
    return str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        "Café open at ten.".encode(),
        "Café open at ten.\r\n".encode("utf-8-sig"),
        "Café open at ten.".encode("utf-16"),
        "Café open at ten.".encode("cp1252"),
        "Cafe\u0301 open at ten.  \n\n\n".encode(),
    ],
)
def test_plain_text_is_read_in_whatever_encoding_it_was_saved(content: bytes) -> None:
    assert read_document(content, name="Hours.TXT").text == "Café open at ten."


def test_markdown_stays_as_it_is() -> None:
    assert read_document(b"# Hours\n\n- ten to four", name="a.md").text == "# Hours\n\n- ten to four"


def test_the_pages_of_a_pdf_are_read_in_order() -> None:
    found = read_document(make_pdf("We are open on Sunday.", "Come between ten and four."), name="a.pdf")
    assert " ".join(found.text.split()) == "We are open on Sunday. Come between ten and four."
    assert (found.kind, found.words) == ("pdf", 10)


def test_a_word_document_keeps_headings_and_tables_in_their_place() -> None:
    found = read_document(make_word(), name="a.docx")
    assert found.text == "## Opening hours\n\nWe are open on Sunday.\n\nDay, Hours\nSunday, ten to four\n\nCome early."


def test_a_pdf_that_opens_without_a_password_is_read_though_encrypted() -> None:
    assert "Sunday" in read_document(encrypt(make_pdf("Open on Sunday."), password=""), name="a.pdf").text


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.pdf", encrypt(make_pdf("Secret."), password="secret"), "protected by a password"),
        ("a.pdf", b"%PDF-1.7\nrubbish", "the PDF is damaged"),
        ("a.pdf", make_pdf("Open.")[:400], "the PDF is damaged"),
        ("a.pdf", make_pdf(""), "no text was found"),
        ("a.docx", b"rubbish", "not a Word document"),
        ("a.docx", make_word()[:2_000], "not a Word document"),
        ("a.docx", b"\xd0\xcf\x11\xe0" + bytes(600), "An old .doc must be saved as .docx"),
        ("a.txt", b"", "no text was found"),
        ("a.txt", b" \n\t ... \n", "no text was found"),
        ("a.txt", bytes(range(256)), "not plain text"),
        ("a.md", b"\x7fELF\x02\x01\x01\x00\x00", "not plain text"),
        ("a.doc", b"whatever", "this kind of file cannot be read"),
        ("a", b"whatever", "this kind of file cannot be read"),
        ("a.xlsx", make_word(), "this kind of file cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name_and_the_reason(name: str, content: bytes, why: str) -> None:
    message = why_not(name, content)
    assert message.startswith(f"{name}: ")
    assert why in message


def test_an_empty_word_document_has_no_text() -> None:
    written = io.BytesIO()
    docx.Document().save(written)
    assert "no text was found" in why_not("a.docx", written.getvalue())


def test_a_zip_that_is_no_word_document_is_refused() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "not a Word document" in why_not("a.docx", written.getvalue())


def test_a_word_document_that_unpacks_without_end_is_refused_unread() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(21):
            archive.writestr(f"word/{number}.xml", bytes(10_000_000))
    assert len(written.getvalue()) < 1_000_000
    assert "it unpacks to more than 200 MB" in why_not("bomb.docx", written.getvalue())


def test_twenty_megabytes_are_enough() -> None:
    assert "larger than 20 MB" in why_not("a.txt", b"a" * 20_000_001)
    assert "more than 2,000,000 characters" in why_not("a.txt", b"words " * 400_000)


def test_a_pdf_of_too_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_PAGES", 2)
    assert "more than 2,000 pages" in why_not("a.pdf", make_pdf("One.", "Two.", "Three."))


def test_a_document_is_kept_with_its_text_under_the_texts_hash(site: Aws) -> None:
    content = b"We are open.\r\n"
    row = SourceDocument()
    keep_document(row, read_document(content, name="a.txt"), content, name="Our hours.txt", storage=default_storage)
    stored = site.s3.get_object(Bucket=site.bucket, Key=document_text_key(row.sha256))["Body"].read()
    assert (stored, row.title, row.words, row.kind) == (b"We are open.", "Our hours", 3, "txt")
    assert site.s3.get_object(Bucket=site.bucket, Key=row.file.name)["Body"].read() == content


def test_the_same_document_is_kept_once(site: Aws) -> None:
    for _ in range(2):
        found = read_document(b"We are open.", name="a.txt")
        keep_document(SourceDocument(), found, b"We are open.", name="a.txt", storage=default_storage)
    assert site.s3.list_objects_v2(Bucket=site.bucket)["KeyCount"] == 2


@pytest.mark.parametrize("name", ["../../etc/passwd.txt", "a/b\\c.txt", "   .txt", "ü b&<c>.txt", "x" * 300 + ".txt"])
def test_any_name_is_stored_under_a_harmless_one(site: Aws, name: str) -> None:
    row = keep_document(
        SourceDocument(), read_document(b"Open.", name=name), b"Open.", name=name, storage=default_storage
    )
    folder, _digest, rest = str(row.file.name).removeprefix("documents/").split("/")
    assert (folder, rest.count(".."), len(rest) < 100, rest.endswith(".txt")) == ("files", 0, True, True)
