"""What the linter says of a flow, in German: every sentence that it has."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import override

from cache_admin.phone.finding_words import KINDS, explain, explain_kind
from flows.flow_types import WORDS

FLOWS = Path(settings.BASE_DIR) / "flows"
SPEAKING = [
    *sorted((FLOWS / "lint").glob("*.py")),
    *(FLOWS / f"{name}.py" for name in ("decoding", "language", "shapes")),
]


def list_sentences() -> Iterator[str]:
    """Whole sentences in the linter's source."""
    for text in list_texts(SPEAKING):
        if text.endswith(".") and text[0] not in " ;." and len(text.split()) > 2:
            yield text


def list_texts(paths: Iterable[Path]) -> Iterator[str]:
    """The texts in these sources that are no docstrings, each with 7 filled in."""
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        silent = {id(inner) for node in ast.walk(tree) for inner in _list_inner(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in silent:
                yield _fill(node)


def _list_inner(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.JoinedStr):
        yield from (inner for inner in ast.walk(node) if inner is not node)
    if isinstance(node, ast.Expr):
        yield node.value


def _fill(node: ast.Constant | ast.JoinedStr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)


def test_every_sentence_of_the_linter_is_said_in_german() -> None:
    sentences = list(list_sentences())
    assert len(sentences) > 100
    with override("de"):
        assert [sentence for sentence in sentences if explain(sentence) == sentence] == []


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            'Wait "w" is not supported in a customer queue flow.',
            'Wait "w" wird in dieser Art von Flow nicht unterstützt: Kunden-Warteschlangen-Flow.',
        ),
        (
            'LoopCount of Loop "l" is 101; Connect takes numbers from 0 to 100.',
            'LoopCount von Loop "l" ist 101; Connect nimmt Zahlen von 0 bis 100.',
        ),
        (
            "line 3, column 5: It is not JSON: Expecting value, near 'x: y'.",
            "Zeile 3, Spalte 5: Das ist kein JSON: Expecting value, bei 'x: y'.",
        ),
        ("Actions[2].Parameters: Parameters is an object.", "Actions[2].Parameters: Parameters ist ein Objekt."),
    ],
)
def test_what_is_filled_in_is_translated_too_and_what_is_quoted_stays(english: str, german: str) -> None:
    with override("de"):
        assert explain(english) == german
    assert explain(english) == english


def test_every_type_of_flow_has_a_german_name() -> None:
    assert set(WORDS.values()) == set(KINDS)
    with override("de"):
        assert explain_kind("a customer queue flow") == "Kunden-Warteschlangen-Flow"
    assert explain_kind("an inbound flow") == "inbound flow"
