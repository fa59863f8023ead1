"""A wait policy -> what a caller hears until the answer comes, by the flow and the Consumer themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from cache_admin.previews.quiet import keep_quiet
from cache_admin.previews.scripted_store import ScriptedStore
from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.flow import KEEP_WAITING, LAST_PART, MORE_PARTS
from connectgenai.wire.items import TopicItem
from connectgenai.wire.waiting import WaitPolicy, policies_to_json
from flows.generate import POLL, build_flow
from flows.rehearsal import EXAMPLE_ARNS
from flows.runner.contact import Caller
from flows.runner.engine import run_flow
from flows.runner.instance import Instance
from flows.runner.lambdas import Functions
from flows.runner.transcript import Event, Transcript
from flows.runner.virtual_clock import VirtualClock
from flows.stage import CALLER_KEYS, CONSUMER, PRODUCER

ANSWER_SECONDS: Final = (5.0, 20.0, 60.0)
LAMBDA_SECONDS: Final = 0.05  # what a warm Lambda takes
TOPIC: Final = "preview"
PLACES: Final[dict[str, Any]] = dict(EXAMPLE_ARNS)  # of no instance: nothing is ever invoked there
PROMPT, COMFORT, SILENCE, ANSWER, HAND_OVER = "prompt", "comfort", "silence", "answer", "hand-over"


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the call, in seconds since the question: what sounds, or that nothing does."""

    at: float
    seconds: float
    kind: str
    text: str = ""
    ssml: str = ""
    audio: str = ""
    number: int = 0  # of a prompt, from 1


@dataclass(frozen=True, slots=True)
class Preview:
    """One call. Seconds count from the question; the answer itself is not waiting, so what follows it is left out."""

    answer_seconds: float
    bars: tuple[Bar, ...]
    seconds: float
    first_words: float | None  # None: the caller was handed over before there was an answer
    longest_silence: float
    total_silence: float
    polls: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def preview_wait(
    policy: WaitPolicy,
    *,
    answer_seconds: float,
    language: str,
    answer: str,
    usual_seconds: int,
    sound_seconds: Callable[[str], float],
) -> Preview:
    """What a caller hears of this policy when the first words of the answer are there after `answer_seconds`.

    `usual_seconds` is what the policy's sentence for the usual wait would say; `sound_seconds` is the length of a
    recording by its URI.
    """
    topic = TopicItem(
        name=TOPIC,
        revision=1,
        sharing="everyone",
        policies=policies_to_json({language: policy}),
        estimate_seconds=usual_seconds,
    )
    store = ScriptedStore(topic, chunks=(answer,), after_seconds=answer_seconds)
    transcript = _call(policy, store, language=language, sound_seconds=sound_seconds)
    return _read(transcript, policy, answer_seconds)


def _call(
    policy: WaitPolicy, store: ScriptedStore, *, language: str, sound_seconds: Callable[[str], float]
) -> Transcript:
    with VirtualClock() as clock:
        desk = AnswerDesk(
            store=store,
            send=lambda _request: None,
            caller_keys=CALLER_KEYS,
            now_ms=lambda: _tell(store, clock.now_ms()),
            sleep=clock.sleep,
        )

        def serve(answer: Callable[[object], Any]) -> Callable[[dict[str, Any]], Any]:
            def run(event: dict[str, Any]) -> Any:
                clock.sleep(LAMBDA_SECONDS)
                with keep_quiet():
                    return answer(event).to_map()

            return run

        return run_flow(
            build_flow(POLL, topic=TOPIC, policy=policy, **PLACES),
            caller=Caller(language=language, attributes={"question": "Are you open on Sunday?"}),
            invoke=Functions({PRODUCER: serve(desk.ask), CONSUMER: serve(desk.poll)}),
            clock=clock,
            instance=Instance(audio_seconds=sound_seconds),
        )


def _tell(store: ScriptedStore, now_ms: int) -> int:
    """The time, which the store learns by the way."""
    store.set_now(now_ms)
    return now_ms


def _read(transcript: Transcript, policy: WaitPolicy, answer_seconds: float) -> Preview:
    bars = tuple(_until_answer(_find_bars(transcript.events, policy)))
    answer = next((bar for bar in bars if bar.kind == ANSWER), None)
    silences = [bar.seconds for bar in bars if bar.kind == SILENCE]
    return Preview(
        answer_seconds=answer_seconds,
        bars=bars,
        seconds=max((bar.at + bar.seconds for bar in bars), default=0.0),
        first_words=answer.at if answer else None,
        longest_silence=max(silences, default=0.0),
        total_silence=round(sum(silences), 3),
        polls=sum(event.kind == "invoke" and CONSUMER in event.function for event in transcript.events),
    )


def _find_bars(events: Iterable[Event], policy: WaitPolicy) -> Iterator[Bar]:
    """What sounds, each named by the reply that the flow had before it, and the silences between."""
    status, prompts = "", 0
    for event in sorted(events, key=lambda e: (e.at, e.kind == "play")):
        if event.kind == "invoke":
            status = str((event.reply or {}).get("statusCode", ""))
        elif event.kind == "silence":
            yield Bar(event.at, event.seconds, SILENCE)
        elif event.kind == "play" and (event.text or event.audio):
            kind = _name_kind(status, event, policy)
            prompts += kind == PROMPT
            number = prompts if kind == PROMPT else 0
            yield Bar(event.at, event.seconds, kind, event.text, event.ssml, event.audio, number)


def _name_kind(status: str, event: Event, policy: WaitPolicy) -> str:
    if status in (LAST_PART, MORE_PARTS):
        return ANSWER
    if status != KEEP_WAITING:
        return HAND_OVER
    return COMFORT if event.audio and event.audio == policy.comfort_audio else PROMPT


def _until_answer(bars: Iterable[Bar]) -> Iterator[Bar]:
    """Waiting ends with the first words that are none of a wait."""
    for bar in bars:
        yield bar
        if bar.kind in (ANSWER, HAND_OVER):
            return
