"""A model's growing text -> chunks to speak, each as soon as its sentences are complete."""

from __future__ import annotations

import re

from connectgenai.wire.speech import Chunker, make_speakable, split_sentences

_FENCE = "```"
# A heading or a list's item on a line of its own, without a full stop: a voice would run on into the next.
_ITEM = re.compile(r"^([ \t]*(?:#{1,6}|[-*+\u2022]|\d{1,3}[.)])[ \t]+.*[\w)\]*_`\"'])[ \t]*\n", re.M)
_MAY_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f\n]")
_GIVEN = "\u3002"  # a full stop that ends a sentence whatever follows
# What is left of markup that spans sentences, of which the first may have been given already.
_STRAY_MARKUP = re.compile(r"(?<![\w*])[*_]{1,3}(?=\w)|(?<=[\w.,;:!?])[*_]{1,3}(?![\w*])|\[")


class SpeechReader:
    """Takes a text in pieces. Unless its markdown is broken, what comes out does not depend on where the pieces were cut.

    Markdown means something only within its paragraph: a list's marks stand at the beginnings of lines, emphasis may span
    sentences. So the paragraph that is being written is read anew each time a sentence may have ended in it, and what has
    been given out of it is counted.
    """

    def __init__(self) -> None:
        self._paragraph, self._may_end = "", False
        self._sentences: list[str] = []  # the paragraph's, as they were given
        self._chunker = Chunker()

    def read(self, piece: str) -> list[str]:
        """The chunks that are complete with this piece."""
        piece = piece.replace("\r", "")
        self._paragraph = (self._paragraph + piece).lstrip("\n")
        may_end, self._may_end = self._may_end, _MAY_END.search(piece) is not None
        if not (may_end or self._may_end):
            return []
        chunks = [*self._close_paragraphs(), *self._take_sentences(self._paragraph, is_whole=False)]
        self._forget_given()
        return chunks

    def finish(self) -> list[str]:
        """The last chunks: the text ends here."""
        return [*self._take_sentences(self._paragraph, is_whole=True), *self._chunker.flush()]

    def _close_paragraphs(self) -> list[str]:
        chunks: list[str] = []
        while (end := _find_paragraph_end(self._paragraph)) >= 0:
            chunks += self._take_sentences(self._paragraph[: end + 1], is_whole=True)
            self._paragraph, self._sentences = self._paragraph[end:].lstrip("\n"), []
        return chunks

    def _forget_given(self) -> None:
        """Plain sentences that have been given need not be read again; a mark for them keeps the rest within its line."""
        written, rest = split_sentences(self._paragraph)
        if written and written == self._sentences:
            self._paragraph, self._sentences = _GIVEN + rest, [_GIVEN]

    def _take_sentences(self, text: str, *, is_whole: bool) -> list[str]:
        sentences, rest = split_sentences(_STRAY_MARKUP.sub("", make_speakable(_ITEM.sub(r"\1.\n", text))))
        if is_whole:
            sentences = [*sentences, " ".join(rest.split())]
        fresh, self._sentences = sentences[len(self._sentences) :], max(self._sentences, sentences, key=len)
        return [chunk for sentence in fresh for chunk in self._chunker.add(sentence)]


def _find_paragraph_end(text: str) -> int:
    """Where the first blank line begins that does not stand inside fenced code; -1 if there is none."""
    end = text.find("\n\n")
    while end >= 0 and text.count(_FENCE, 0, end) % 2:
        end = text.find("\n\n", end + 1)
    return end
