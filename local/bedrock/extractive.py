"""The honest offline model: it says what the documents say, in their own sentences, or that it does not know."""

from __future__ import annotations

import threading
from functools import lru_cache

from local.bedrock.answering import find_answer
from local.bedrock.index import Index
from local.bedrock.passages import read_sentences
from local.bedrock.prompt import Document, Prompt
from local.bedrock.summary import asks_summary, summarize
from local.bedrock.words import tokenize

DOES_NOT_KNOW = {
    "en": "I am sorry, I do not know that. I could not find it in the information that I have.",
    "de": "Es tut mir leid, das wei\u00df ich nicht. In meinen Unterlagen habe ich dazu nichts gefunden.",
    "es": "Lo siento, eso no lo s\u00e9. No lo he encontrado en la informaci\u00f3n que tengo.",
    "fr": "Je suis d\u00e9sol\u00e9, je ne le sais pas. Je ne l'ai pas trouv\u00e9 dans les informations dont je dispose.",
}
# Words that give a language away.
TELLTALES = {
    "en": "the what when where how is are do you can i my of to and a",
    "de": "der die das wie wann wo wer ist sind haben sie ich ihr und ein eine kann was gibt",
    "es": "el los las qu\u00e9 cu\u00e1ndo d\u00f3nde c\u00f3mo es son tienen yo mi y un una puedo hay",
    "fr": "le les quand o\u00f9 comment est sont vous je mon ma et un une puis que quel quelle avez",
}

_thinking = threading.Lock()


def answer(prompt: Prompt) -> str:
    """What the model says to a prompt; the same for the same prompt, and never empty."""
    # One at a time: a hundred callers of a new text must not read it a hundred times side by side.
    with _thinking:
        return _think(prompt)


@lru_cache(maxsize=64)
def _think(prompt: Prompt) -> str:
    index = _read(prompt.documents)
    find = summarize if asks_summary(prompt.question, index) else find_answer
    return find(prompt.question, index) or does_not_know(prompt.question)


@lru_cache(maxsize=32)
def _read(documents: tuple[Document, ...]) -> Index:
    return Index(read_sentences(documents))


def does_not_know(question: str) -> str:
    """The admission that the documents hold no answer, in the question's language."""
    words = set(tokenize(question))
    return DOES_NOT_KNOW[max(TELLTALES, key=lambda language: len(words.intersection(TELLTALES[language].split())))]
