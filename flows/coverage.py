"""Which ways out of a flow's actions calls have taken, and which none has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flows.actions import ACTIONS, is_decided
from flows.language import Action, Flow
from flows.runner.transcript import Visit

# They leave the flow when they succeed: their NextAction is what the designer draws, and no contact ever takes it
LEAVING = frozenset(
    {"TransferContactToQueue", "DequeueContactAndTransferToQueue", "TransferToFlow", "TransferParticipantToThirdParty"}
)
# Its conditions may never come true, and then it plays until the contact is gone
PLAYING = "MessageParticipantIteratively"
END = "end"

Branch = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Coverage:
    """A flow's branches, as (action, way), and those of them that were taken."""

    branches: tuple[Branch, ...]
    taken: frozenset[Branch]

    @property
    def missed(self) -> tuple[Branch, ...]:
        """The branches that no call took."""
        return tuple(branch for branch in self.branches if branch not in self.taken)

    def describe(self) -> str:
        """One line, and one for each branch that was missed."""
        done, total = len(self.branches) - len(self.missed), len(self.branches)
        share = 100 * done // total if total else 100
        return "\n".join(
            [f"{done} of {total} branches taken ({share} %)", *(f"  not taken: {a} -> {w}" for a, w in self.missed)]
        )


def measure_coverage(flow: Flow, visits: Iterable[Visit]) -> Coverage:
    """What the visits of some calls, among them those to other flows, have taken of a flow."""
    branches = tuple(branch for action in flow.actions for branch in find_branches(action))
    return Coverage(branches, frozenset((v.action, v.way) for v in visits if v.flow == flow.name))


def find_branches(action: Action) -> list[Branch]:
    """The ways by which an action can be left, as transcripts name them."""
    known = ACTIONS.get(action.type)
    ways = [f"{way.operator} {way.operand}".strip() for way in action.conditions]
    ways += [way.error for way in action.errors]
    is_endless = action.type == PLAYING and not action.conditions
    if action.type in LEAVING or is_endless or (known is not None and known.is_end):
        ways.append(END)
    elif action.next and not is_decided(action.type, action.parameters):
        ways.append("next")
    return [(action.identifier, way) for way in dict.fromkeys(ways)]
