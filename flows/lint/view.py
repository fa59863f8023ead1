"""A flow as the rules look at it: its graph, what is reachable, its type and what its actions are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flows.action_type import NO_ERROR, ActionType
from flows.actions import ACTIONS, is_decided
from flows.graph import find_cycles, find_reachable
from flows.language import Action, Flow, Transition

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}")


@dataclass(frozen=True)
class FlowView:
    """A flow and what is known around it. `channels` are those it is known to serve; empty: not known."""

    flow: Flow
    type: str = ""
    is_type_sure: bool = False
    channels: frozenset[str] = frozenset()

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """The actions, each identifier once."""
        return tuple(
            self.flow.by_id[identifier] for identifier in dict.fromkeys(a.identifier for a in self.flow.actions)
        )

    @cached_property
    def graph(self) -> dict[str, list[str]]:
        """Where each action can lead, by identifier; branches to nowhere are left out."""
        return {action.identifier: self._targets(action.transitions) for action in self.actions}

    @cached_property
    def ordinary(self) -> dict[str, list[str]]:
        """The same without the branches that are taken only when something fails."""
        return {action.identifier: self._targets(find_ordinary(action)) for action in self.actions}

    @cached_property
    def reachable(self) -> set[str]:
        """The actions that a contact can come to."""
        return find_reachable(self.graph, [self.flow.start])

    @cached_property
    def cycles(self) -> list[list[str]]:
        """The groups of actions that lead back to themselves by ordinary ways."""
        return find_cycles(self.ordinary)

    @cached_property
    def cycle_sizes(self) -> dict[str, int]:
        """For each action that can come back to itself by ordinary ways, how many actions do so with it."""
        return {node: len(cycle) for cycle in self.cycles for node in cycle}

    @cached_property
    def spellings(self) -> dict[str, str]:
        """The identifiers by their lower case, for what was meant by a wrong one."""
        return {identifier.lower(): identifier for identifier in self.flow.by_id}

    def walk(self, *kinds: str) -> Iterator[Action]:
        """The reachable actions, of these types or of all."""
        return (a for a in self.actions if a.identifier in self.reachable and (not kinds or a.type in kinds))

    def get(self, identifier: str) -> Action:
        """The action of this identifier, which exists."""
        return self.flow.by_id[identifier]

    def name(self, action: Action | str) -> str:
        """How a designer of flows knows the action: its block and its name."""
        found = self.flow.by_id[action] if isinstance(action, str) else action
        known = ACTIONS.get(found.type)
        block = known.block if known else found.type or "Action"
        if not _UUID.fullmatch(found.identifier):
            return f'{block} "{_shorten(found.identifier, 50)}"'
        text = found.parameters.get("Text")
        said = f' ("{_shorten(text, 40)}")' if isinstance(text, str) and text else ""
        return f"{block} {found.identifier[:8]}{said}"

    def names(self, identifiers: list[str]) -> str:
        """Some actions' names as a path."""
        shown = [self.name(identifier) for identifier in identifiers]
        if len(shown) > 6:
            shown = [*shown[:3], f"... {len(shown) - 5} more ...", *shown[-2:]]
        return " → ".join(shown)

    def _targets(self, ways: Iterator[Transition] | tuple[Transition, ...]) -> list[str]:
        return list(dict.fromkeys(way.target for way in ways if way.target in self.flow.by_id))


def find_ordinary(action: Action) -> Iterator[Transition]:
    """The ways out that are taken when nothing fails."""
    others = {way.target for way in action.transitions if way.kind != "next"}
    for way in action.transitions:
        repeats = way.kind == "next" and way.target in others and is_decided(action.type, action.parameters)
        if way.error != NO_ERROR and not repeats:
            yield way


def find_known(action: Action) -> ActionType | None:
    """What the table knows of the action's type."""
    return ACTIONS.get(action.type)


def _shorten(text: str, longest: int) -> str:
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"
