"""Files that no supervisor would upload: changed in single bytes or parts, cut short, or noise."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import yaml
from fpdf import FPDF
from hypothesis import strategies as st

from benchmarks.proofs.trying import TEXTS, Tally, change_bytes, change_json, try_many
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt
from flows.flow_error import FlowError
from flows.generate import POLL, build_flow
from flows.language import parse_flow
from flows.linter import lint

DEMO = Path(__file__).resolve().parent.parent.parent / "local" / "demo"


@dataclass(frozen=True, slots=True)
class Samples:
    """Good files to begin with."""

    pdf: bytes
    word: bytes
    flow: str


def make_samples() -> Samples:
    """Small files of each kind, the flow one that the product generates."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.multi_cell(0, 8, "We are open on Sunday.")
    word, written = docx.Document(), io.BytesIO()
    word.add_paragraph("We are open on Sunday.")
    word.save(written)
    return Samples(bytes(pdf.output()), written.getvalue(), _make_flow())


def _make_flow() -> str:
    producer = "arn:aws:lambda:us-east-1:111122223333:function:connectgenai-producer"
    policy = WaitPolicy(prompts=(WaitPrompt(text="One moment please."),))
    queue = "arn:aws:connect:us-east-1:111122223333:instance/i/queue/q"
    return build_flow(POLL, topic="faq", policy=policy, producer_arn=producer, queue_arn=queue).to_json()


def fuzz_uploads(samples: Samples, *, examples: int) -> dict[str, Tally]:
    """Offers this many files of each kind to what reads them; whatever is not the reader's own refusal is a crash.

    Django must be set up.
    """
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        readers = _make_readers(Path(name))
        recording = (DEMO / "sounds" / "comfort.wav").read_bytes()
        topics = yaml.safe_load((DEMO / "topics.yaml").read_text())
        kinds: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
            "pdf": ("document", change_bytes(samples.pdf).map(lambda content: ("a.pdf", content))),
            "word": ("document", change_bytes(samples.word).map(lambda content: ("a.docx", content))),
            "text": (
                "document",
                (st.binary(max_size=300) | TEXTS.map(_encode)).map(lambda content: ("a.txt", content)),
            ),
            "recording": ("recording", change_bytes(recording)),
            "topics file": ("topics", change_json(topics).map(_to_yaml) | change_bytes(_to_yaml(topics))),
            "flow": ("flow", change_json(json.loads(samples.flow)).map(_to_json) | change_bytes(samples.flow.encode())),
        }
        return {kind: _fuzz(readers[reader], values, examples) for kind, (reader, values) in kinds.items()}


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _to_yaml(plain: Any) -> bytes:
    return _encode(yaml.safe_dump(plain))


def _to_json(plain: Any) -> bytes:
    return _encode(json.dumps(plain))


def _make_readers(home: Path) -> dict[str, Callable[[Any], bool]]:
    """Each reads a file as the site does; False when the reader refused it with its own error."""
    from cache_admin.services.audio import AudioError
    from cache_admin.services.audio_conversion import convert_recording
    from cache_admin.services.documents import DocumentError, read_document
    from cache_admin.services.topics_reading import TopicsFileError, read_topics_file

    shutil.copytree(DEMO, home, dirs_exist_ok=True)  # the file names documents and recordings beside it

    def read_topics(content: bytes) -> None:
        (home / "topics.yaml").write_bytes(content)
        read_topics_file(home / "topics.yaml")

    def accepts(read: Callable[[Any], object], refusal: type[Exception]) -> Callable[[Any], bool]:
        def is_read(value: Any) -> bool:
            try:
                read(value)
            except refusal:
                return False
            return True

        return is_read

    return {
        "document": accepts(lambda file: read_document(file[1], name=file[0]), DocumentError),
        "recording": accepts(lambda content: convert_recording(content, name="a.wav"), AudioError),
        "topics": accepts(read_topics, TopicsFileError),
        "flow": accepts(lambda content: lint(parse_flow(content)), FlowError),
    }


def _fuzz(is_read: Callable[[Any], bool], values: st.SearchStrategy[Any], examples: int) -> Tally:
    tally = Tally()

    def offer(value: Any) -> None:
        try:
            tally.count("read" if is_read(value) else "refused")
        except Exception as error:  # noqa: BLE001 - what a reader must never raise
            tally.count_broken(f"{type(error).__name__}: {error}: {value!r:.300}")

    try_many(values, offer, examples=examples)
    return tally
