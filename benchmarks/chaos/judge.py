"""What must never happen, looked for in all that callers heard: lost callers, stale texts, wrong texts, wasted generations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.chaos.callers import Call
from benchmarks.chaos.script import Spoken, read_sentences

ANSWERED, PARTS = "200", ("200", "206")
HAND_OVERS = ("408", "429", "500")
RESTARTS = ("Sorry, let me start again.",)
Author = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """From `ended` on nobody may hear what was begun about the case before `began`; an edit brings its own text."""

    case: str
    began: float
    ended: float
    by: Author | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; each list holds a sentence for each finding."""

    lost: list[str]
    stale: list[str]
    wrong: list[str]
    answered: int
    handed_over: Mapping[str, int]
    extra_generations: int
    most_per_question: int
    most_requests_per_question: int


def judge(
    calls: Sequence[Call],
    *,
    withdrawals: Iterable[Withdrawal],
    begun: Mapping[Author, tuple[str, float]],
    generations: Iterable[tuple[str, float]],
    requests: Iterable[tuple[str, float]],
) -> Verdict:
    """`begun` says of each text's author what about and when; `generations` (case, start) are the requests that the model
    served well, `requests` those that were made to fail as well.
    """
    by_case: dict[str, list[Withdrawal]] = defaultdict(list)
    for withdrawal in withdrawals:
        by_case[withdrawal.case].append(withdrawal)
    windows = count_windows(generations, by_case)
    return Verdict(
        lost=[fault for call in calls if (fault := find_lost(call))],
        stale=[fault for call in calls for fault in find_stale(call, by_case[call.case], begun)],
        wrong=[fault for call in calls for fault in find_wrong(call)],
        answered=sum(call.end == ANSWERED for call in calls),
        handed_over=Counter(call.replies[-1].reason for call in calls if call.end in HAND_OVERS),
        extra_generations=sum(count - 1 for count in windows.values()),
        most_per_question=max(windows.values(), default=0),
        most_requests_per_question=max(count_windows(requests, by_case).values(), default=0),
    )


def find_lost(call: Call) -> str:
    """A caller who was left without an answer and without a hand-over that says something and names its reason."""
    if call.error:
        return f"{call.case}: {call.error}"
    if call.end == ANSWERED or (call.end in HAND_OVERS and call.replies[-1].text and call.replies[-1].reason):
        return ""
    return f"{call.case}: left with {call.end or 'nothing'}, and no reason or no words"


def find_stale(call: Call, withdrawals: Iterable[Withdrawal], begun: Mapping[Author, tuple[str, float]]) -> list[str]:
    """Texts that were begun before a withdrawal and heard in a reply that began after it."""
    faults = []
    for reply in call.replies:
        spoken, _ = read_sentences(reply.text)
        for author in {sentence.author for sentence in spoken}:
            _, when = begun[author]
            over = [w for w in withdrawals if w.by != author and when < w.began and w.ended < reply.began]
            if over:
                faults.append(f"{call.case}: {author} was heard {reply.began - over[-1].ended:.2f} s after its end")
    return faults


def find_wrong(call: Call) -> list[str]:
    """Texts about another case, pieces of two texts in one, pieces left out or out of order, and ends that are none."""
    faults: list[str] = []
    heard: list[Spoken] = []
    for reply in call.replies:
        spoken, rest = read_sentences(reply.text)
        faults += [f"{call.case}: heard about case {s.case}" for s in spoken if s.case != call.case]
        if reply.status not in PARTS:
            faults += [f"{call.case}: heard {s} with status {reply.status}" for s in spoken]
            continue
        if rest and rest not in RESTARTS:
            faults.append(f"{call.case}: heard {rest!r}")
        if spoken and heard and (rest or spoken[0].author != heard[-1].author):
            if not rest:
                faults.append(f"{call.case}: {spoken[0].author} went on where {heard[-1].author} had stopped")
            heard = []
        heard += spoken
        if [(s.author, s.part) for s in heard] != [(heard[0].author, n + 1) for n in range(len(heard))]:
            faults.append(f"{call.case}: pieces are missing or out of order")
            break
        if reply.status == "200" and (not heard or heard[-1].part != heard[-1].parts):
            faults.append(f"{call.case}: cut off after part {heard[-1].part if heard else 0}")
    return faults


def count_windows(
    generations: Iterable[tuple[str, float]], withdrawals: Mapping[str, Sequence[Withdrawal]]
) -> Counter[tuple[str, int]]:
    """How often the model answered each case between two of its withdrawals; once is what is needed."""
    windows: Counter[tuple[str, int]] = Counter()
    for case, started in generations:
        windows[case, sum(w.began < started for w in withdrawals.get(case, ()))] += 1
    return windows
