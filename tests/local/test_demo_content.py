from __future__ import annotations

import math
import re
import struct
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectgenai.wire.items import TopicItem
from connectgenai.wire.speech import speech_seconds, split_sentences
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt, find_policy_faults
from local.demo.make_comfort_sound import encode_mulaw

DEMO = Path(__file__).resolve().parents[2] / "local" / "demo"
HANDBOOK = DEMO / "documents" / "harbour-ferries-handbook.md"
FAQ = DEMO / "documents" / "corner-store-faq.md"
COMFORT = DEMO / "sounds" / "comfort.wav"
EXPLAINED = DEMO.parents[1] / "docs" / "topics-file.md"
CONTENT: dict[str, Any] = yaml.safe_load((DEMO / "topics.yaml").read_text(encoding="utf-8"))
POLICIES: list[dict[str, Any]] = CONTENT["wait_policies"]
TOPICS: list[dict[str, Any]] = CONTENT["topics"]
DOCUMENTS = [pytest.param(path, id=path.stem) for path in (HANDBOOK, FAQ)]
IN_SECONDS = {
    "hold": "hold_seconds",
    "first_prompt_after": "first_prompt_after_seconds",
    "interval": "interval_seconds",
    "max_wait": "max_wait_seconds",
    "max_silence": "max_silence_seconds",
}
FIGURE = re.compile(r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|one|half|free|closed)\b")


def paragraphs_of(document: Path) -> list[str]:
    blocks = document.read_text(encoding="utf-8").split("\n\n")
    return [" ".join(block.split()) for block in blocks if block.strip() and not block.startswith("#")]


def sentences_of(document: Path) -> list[str]:
    return list(chain.from_iterable(split_sentences(paragraph + "\n\n")[0] for paragraph in paragraphs_of(document)))


def policy_of(plain: dict[str, Any]) -> WaitPolicy:
    return WaitPolicy(
        prompts=tuple(WaitPrompt(text=text) for text in plain["prompts"]),
        comfort_audio=plain.get("comfort_audio", ""),
        **{name: plain[key] for name, key in IN_SECONDS.items() if key in plain},
    )


def chunks_of(wav: bytes) -> dict[str, bytes]:
    chunks, place = {}, 12
    while place < len(wav):
        name, size = wav[place : place + 4].decode("ascii"), struct.unpack_from("<I", wav, place + 4)[0]
        chunks[name] = wav[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
    return chunks


def decode_mulaw(byte: int) -> int:
    """The other direction of ITU-T G.711, written apart from the encoder that it checks."""
    inverted = byte ^ 0xFF
    magnitude = ((((inverted & 0x0F) << 3) + 0x84) << ((inverted & 0x70) >> 4)) - 0x84
    return -magnitude if inverted & 0x80 else magnitude


def loudness_db(samples: list[int]) -> float:
    """RMS in dB below full scale."""
    return 20 * math.log10(max(1e-9, math.sqrt(sum(s * s for s in samples) / len(samples)) / 32_768))


# the documents


def test_the_handbook_is_long_enough_that_its_summary_takes_a_while() -> None:
    assert len(HANDBOOK.read_text(encoding="utf-8").split()) >= 9_000


def test_the_faq_is_a_page_or_two() -> None:
    assert 900 <= len(FAQ.read_text(encoding="utf-8").split()) <= 1_200


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_sentence_is_said_twice(document: Path) -> None:
    sentences = sentences_of(document)
    assert sorted(sentences) == sorted(set(sentences))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_sentence_can_be_quoted_without_the_one_before_it(document: Path) -> None:
    leaning = re.compile(r"(?:It|Its|They|Their|This|These|That|Those|He|She|Such|Both|However|Otherwise|There)\b")
    assert [said for said in sentences_of(document) if leaning.match(said)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_quoted_sentence_takes_at_most_fifteen_seconds_to_say(document: Path) -> None:
    assert [said for said in sentences_of(document) if speech_seconds(said) > 15] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_paragraph_is_prose_that_ends_in_a_full_stop(document: Path) -> None:
    assert [p for p in paragraphs_of(document) if not p.endswith(".") or p.startswith(("-", "*", "|"))] == []


@pytest.mark.parametrize(
    "subject",
    [
        "luggage", "bicycle", "dog", "refund", "delay", "weather", "freight", "dangerous goods", "wheelchair",
        "lost property", "group", "Saver ticket", "Flexible ticket", "caravan", "check in", "restaurant", "wifi",
        "complaint", "alarm signal", "passenger list", "cabin", "resident",
    ],
)  # fmt: skip
def test_the_handbook_gives_facts_on_what_callers_ask_about(subject: str) -> None:
    facts = [said for said in sentences_of(HANDBOOK) if subject.lower() in said.lower() and FIGURE.search(said)]
    assert facts


@pytest.mark.parametrize("day", ["Monday to Thursday", "Friday", "Saturday", "Sunday"])
def test_the_faq_says_in_one_sentence_when_the_store_is_open_on_a_day(day: str) -> None:
    opens = re.compile(rf"Corner Store is open (?:on |from ){day} between \d+ am and \d+ pm\.")
    assert len([said for said in sentences_of(FAQ) if opens.fullmatch(said)]) == 1


# topics.yaml


def test_the_topics_file_holds_both_topics() -> None:
    assert CONTENT["version"] == 1
    assert {topic["name"]: topic["max_tokens"] for topic in TOPICS} == {"store-faq": 400, "ferry-handbook": 900}


def test_every_file_that_the_topics_name_lies_inside_the_demo() -> None:
    named = [*chain.from_iterable(topic["documents"] for topic in TOPICS), *(p["comfort_audio"] for p in POLICIES)]
    assert [name for name in named if not (DEMO / name).resolve().is_relative_to(DEMO)] == []
    assert [name for name in named if not (DEMO / name).is_file()] == []


def test_every_language_of_a_topic_has_a_wait_policy() -> None:
    used = set(chain.from_iterable(topic["languages"].values() for topic in TOPICS))
    assert used == {policy["name"] for policy in POLICIES}


def test_both_topics_share_their_answers_in_two_kinds_of_english() -> None:
    assert [(t["sharing"], list(t["languages"])) for t in TOPICS] == [("everyone", ["en-US", "en-GB"])] * 2


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic["name"])
def test_every_key_of_a_topic_is_one_that_a_published_topic_has(topic: dict[str, Any]) -> None:
    elsewhere = {"ttl_hours", "languages"}  # published as ttl_seconds and policies
    assert set(topic) - elsewhere <= set(TopicItem.__slots__)


@pytest.mark.parametrize("plain", POLICIES, ids=lambda plain: plain["name"])
def test_the_wait_policies_can_keep_their_promises(plain: dict[str, Any]) -> None:
    assert find_policy_faults(policy_of(plain)) == []


@pytest.mark.parametrize("plain", POLICIES, ids=lambda plain: plain["name"])
def test_each_policy_has_four_short_prompts(plain: dict[str, Any]) -> None:
    seconds = [speech_seconds(text) for text in plain["prompts"]]
    assert len(set(plain["prompts"])) == 4
    assert all(2.0 <= s <= 3.5 for s in seconds), seconds


@pytest.mark.parametrize("plain", POLICIES, ids=lambda plain: plain["name"])
def test_who_gets_no_answer_hears_words_that_lead_to_a_person(plain: dict[str, Any]) -> None:
    assert all("connect you" in plain[key] for key in ("apology", "patience_text"))


def test_the_policy_that_the_docs_show_can_keep_its_promise() -> None:
    shown = re.search(r"```yaml\n(.*?)```", EXPLAINED.read_text(encoding="utf-8"), re.S)
    assert shown is not None
    assert find_policy_faults(policy_of(yaml.safe_load(shown[1])["wait_policies"][0])) == []


def test_the_docs_explain_every_key_of_the_demo_file() -> None:
    keys = set(chain.from_iterable([*POLICIES, *TOPICS]))
    explained = set(re.findall(r"^\| `(\w+)` \|", EXPLAINED.read_text(encoding="utf-8"), re.M))
    assert keys - explained == set()


# the comfort sound


def test_the_comfort_sound_is_the_8_khz_mono_mulaw_that_connect_plays() -> None:
    wav = COMFORT.read_bytes()
    assert (wav[:4], struct.unpack_from("<I", wav, 4)[0], wav[8:12]) == (b"RIFF", len(wav) - 8, b"WAVE")
    tag, channels, rate, bytes_a_second, block, bits, extra = struct.unpack("<HHIIHHH", chunks_of(wav)["fmt "])
    assert (tag, channels, rate, bytes_a_second, block, bits, extra) == (7, 1, 8_000, 8_000, 1, 8, 0)


def test_the_comfort_sound_lasts_as_long_as_its_header_says() -> None:
    chunks = chunks_of(COMFORT.read_bytes())
    assert list(chunks) == ["fmt ", "fact", "data"]
    assert struct.unpack("<I", chunks["fact"]) == (len(chunks["data"]),) == (9_600,)  # 1.2 s


def test_the_comfort_sound_is_soft_and_fades_at_both_ends() -> None:
    samples = [decode_mulaw(byte) for byte in chunks_of(COMFORT.read_bytes())["data"]]
    assert -32 < loudness_db(samples[3_200:6_400]) < -20
    assert loudness_db(samples[:160]) < -50  # the first and the last 20 ms
    assert loudness_db(samples[-160:]) < -50


def test_the_script_makes_the_very_file_that_the_demo_plays(tmp_path: Path) -> None:
    made = tmp_path / "comfort.wav"
    subprocess.run([sys.executable, "-m", "local.demo.make_comfort_sound", made], cwd=DEMO.parents[1], check=True)
    assert made.read_bytes() == COMFORT.read_bytes()


@pytest.mark.parametrize(
    ("sample", "byte"), [(0, 0xFF), (32_767, 0x80), (-32_768, 0x00), (1_000, 0xCE), (-1_000, 0x4E)]
)
def test_mulaw_bytes_are_those_of_g711(sample: int, byte: int) -> None:
    assert encode_mulaw(sample) == byte


def test_decoding_gives_back_every_sample_within_its_step() -> None:
    for sample in range(-32_768, 32_768, 7):
        assert abs(decode_mulaw(encode_mulaw(sample)) - sample) <= max(8, abs(sample) // 16)
