"""`make model`: the answer protocol's game at length, and what finds each guard's absence.

`python -m benchmarks.proofs.model [EXAMPLES]` plays as many games with one question, and as many with two.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.proofs.tables import Say, make_say, show, to_table
from local.emulator import start_emulator
from local.provision import create_table, local_client
from tests.wire.guard_scenarios import SCENARIOS, Scene
from tests.wire.protocol_model import DIRECTED_MUTANTS, MUTANTS, LaggingDynamoDB, LaggingEmulator, play

EXAMPLES, ON_EMULATOR, FOR_MUTANTS, STEPS = 2_500, 100, 4_000, 40
ONE, SEVERAL = ("What is new?",), ("What is new?", "What is old?")
NOT_FOUND = "-"


@dataclass(frozen=True, slots=True)
class Round:
    """Games that were played with all guards, and won."""

    where: str
    questions: int
    is_shared: bool  # and approval comes to be needed, and not to be, as the game goes on
    games: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Mutant:
    """What noticed that a guard was missing; "-" and 0 seconds when the game did not."""

    guard: str
    game: str
    game_seconds: float
    story: str
    story_found: bool


def play_rounds(say: Say, *, examples: int) -> list[Round]:
    """Plays in memory and on the emulator; AssertionError when a game is lost."""
    rounds = []
    for questions, is_shared in ((ONE, False), (SEVERAL, False), (ONE, True), (SEVERAL, True)):
        say(f"{examples:,} games in memory, {len(questions)} question(s), {'shared' if is_shared else 'not shared'}")
        rounds.append(_play("memory", questions, examples, LaggingDynamoDB, is_shared=is_shared))
    with (
        tempfile.TemporaryDirectory(prefix="model-") as name,
        start_emulator(state_dir=None, log=Path(name) / "emulator.log") as emulator,
    ):
        client = local_client("dynamodb", emulator.url)
        create_table(client, name="game")
        for questions in (ONE, SEVERAL):
            say(f"{ON_EMULATOR} games on the emulator, {len(questions)} question(s)")
            rounds.append(_play("emulator", questions, ON_EMULATOR, lambda: LaggingEmulator(client, table="game")))
    return rounds


def _play(
    where: str,
    questions: tuple[str, ...],
    games: int,
    open_dynamodb: Callable[[], LaggingDynamoDB],
    *,
    is_shared: bool = False,
) -> Round:
    began = time.monotonic()
    play(examples=games, questions=questions, steps=STEPS, is_shared=is_shared, open_dynamodb=open_dynamodb)
    return Round(where, len(questions), is_shared, games, round(time.monotonic() - began, 1))


def try_mutant(guard: str) -> Mutant:
    """Switches one guard off, and plays the game and the guard's own story."""
    with (MUTANTS | DIRECTED_MUTANTS)[guard]():
        began = time.monotonic()
        game = _play_without(guard) if guard in MUTANTS else ""
        seconds = time.monotonic() - began if game else 0.0
        story = _find_failure(lambda: SCENARIOS[guard](Scene(LaggingDynamoDB())))
    return Mutant(guard, game or NOT_FOUND, round(seconds, 1), SCENARIOS[guard].__name__, bool(story))


def _play_without(guard: str) -> str:
    is_shared = guard.startswith("approval")
    return _find_failure(lambda: play(examples=FOR_MUTANTS, questions=ONE, steps=STEPS, is_shared=is_shared))


def _find_failure(act: Callable[[], None]) -> str:
    """The broken invariant's own words; "" when nothing broke."""
    try:
        act()
    except AssertionError as error:
        return str(error).partition("\n")[0].partition(": text ")[0] or "an assertion"
    return ""


def main() -> int:
    """Plays and shows; 1 when a missing guard was not found."""
    logging.getLogger("connectgenai").setLevel(logging.ERROR)
    say = make_say()
    rounds = play_rounds(say, examples=int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES)
    mutants = []
    for guard in SCENARIOS:
        mutants.append(try_mutant(guard))
        say(f"without {guard}: {mutants[-1].game}")
    played = to_table(
        ("DynamoDB", "questions", "shared", "games", "steps each", "lost", "s"),
        [
            (r.where, r.questions, "yes" if r.is_shared else "no", f"{r.games:,}", f"<= {STEPS}", 0, r.seconds)
            for r in rounds
        ],
    )
    found = to_table(
        ("guard switched off", "the game's invariant that broke", "s", "the directed story that failed"),
        [
            (m.guard, m.game, m.game_seconds or "-", m.story.replace("_", " ") if m.story_found else "-")
            for m in mutants
        ],
    )
    figures = {
        "games": sum(r.games for r in rounds),
        "mutants": len(mutants),
        "found_by_the_game": sum(m.game != NOT_FOUND for m in mutants),
        "found_by_a_story": sum(m.story_found for m in mutants),
        "rounds": [asdict(r) for r in rounds],
        "table": [asdict(m) for m in mutants],
    }
    show("model", figures, played, found)
    return 0 if all(m.story_found and (m.game != NOT_FOUND or m.guard in DIRECTED_MUTANTS) for m in mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
