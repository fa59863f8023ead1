"""What a Converse request says: the documents in it, and the caller's question."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

DOCUMENT = re.compile(r"<document\b([^>]*)>(.*?)</document>", re.S)
TITLE = re.compile(r"""\btitle\s*=\s*(?:"([^"]*)"|'([^']*)')""")
QUESTION = re.compile(r"<question\b[^>]*>(.*?)</question>", re.S)


@dataclass(frozen=True, slots=True)
class Document:
    """One source text, as plain text or markdown."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request as the model reads it."""

    documents: tuple[Document, ...]
    question: str


def read_prompt(request: Mapping[str, Any]) -> Prompt:
    """The documents in the system text (or in the last message), and what is asked in the last user message."""
    asked = next((_join(m["content"]) for m in reversed(request["messages"]) if m["role"] == "user"), "")
    documents = find_documents(f"{_join(request.get('system') or [])}\n{asked}")
    return Prompt(documents, find_question(asked))


def find_documents(text: str) -> tuple[Document, ...]:
    """The `<document title="...">` elements of a text; their words are escaped as in XML."""
    return tuple(Document(_title(found[1]), html.unescape(found[2])) for found in DOCUMENT.finditer(text))


def _title(attributes: str) -> str:
    found = TITLE.search(attributes)
    return html.unescape(found[1] or found[2] or "") if found else ""


def find_question(text: str) -> str:
    """What the last `<question>` holds, or the whole text when there is none."""
    marked = QUESTION.findall(text)
    return html.unescape(marked[-1] if marked else DOCUMENT.sub(" ", text)).strip()


def block_text(block: Mapping[str, Any]) -> str:
    """The words of a content block, whether or not a guardrail is asked to assess them."""
    if "guardContent" in block:
        return str(block["guardContent"].get("text", {}).get("text", ""))
    return str(block.get("text", ""))


def _join(blocks: Iterable[Mapping[str, Any]]) -> str:
    return "\n".join(filter(None, map(block_text, blocks)))
