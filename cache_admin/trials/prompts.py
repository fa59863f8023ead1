"""The prompt that the model would get for a question, from the code that the workers run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import Storage
from django.utils.translation import gettext as _

from cache_admin.services.documents import read_text
from connectgenai.wire.items import TopicItem
from connectgenai.wire.prompt import Document, build_prompt

SHOWN_CHARACTERS = 3_000


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the prompt: what it is, its text as far as it is shown, and how many characters are left out."""

    name: str
    text: str
    left_out: int = 0


def show_prompt(question: str, *, topic: TopicItem, language: str, storage: Storage) -> list[Block]:
    """The prompt piece by piece, long ones cut short; FileNotFoundError when a document's text is not in the bucket."""
    prompt = build_prompt(topic, _read_documents(topic, storage), question=question, language=language)
    return [*_list_blocks(prompt, [entry.partition(" ")[2] for entry in topic.documents]), _show_settings(prompt)]


def _read_documents(topic: TopicItem, storage: Storage) -> list[Document]:
    entries = [entry.partition(" ") for entry in topic.documents]
    return [Document(title=title, text=read_text(sha256, storage=storage)) for sha256, _blank, title in entries]


def _list_blocks(prompt: dict[str, Any], titles: list[str]) -> Iterator[Block]:
    names = iter([_("Instructions"), *(_("Document “%s”") % title for title in titles)])
    for block in prompt["system"]:
        if "text" in block:
            yield _cut(next(names), block["text"])
        else:
            yield Block(
                _("Cache point"), _("What stands above is the same for each question, and paid for once in a while.")
            )
    yield _cut(_("The caller's question"), _join(part["text"] for part in prompt["messages"][0]["content"]))


def _cut(name: str, text: str) -> Block:
    return Block(name, text[:SHOWN_CHARACTERS], max(len(text) - SHOWN_CHARACTERS, 0))


def _join(texts: Iterable[str]) -> str:
    return "\n".join(texts)


def _show_settings(prompt: dict[str, Any]) -> Block:
    settings = prompt["inferenceConfig"]
    lines = [
        _("Model: %s") % prompt["modelId"],
        _("Longest answer in tokens: %s") % settings["maxTokens"],
        _("Temperature: %s") % settings["temperature"],
    ]
    if guardrail := prompt.get("guardrailConfig"):
        named = f"{guardrail['guardrailIdentifier']}:{guardrail['guardrailVersion']}"
        lines.append(_("Guardrail: %s") % named)
    return Block(_("Settings"), "\n".join(lines))
