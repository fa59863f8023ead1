"""What surrounds a flow in a Connect instance, as a test says it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flows.flow_types import MODULE
from flows.language import Flow

# A recording of which nothing is known
UNKNOWN_AUDIO_SECONDS = 2.0


def find_by_name(kept: Mapping[str, Flow], identifier: str) -> Flow | None:
    """A flow or module by the id, the ARN or the name that a flow calls it by."""
    last = identifier.rpartition("/")[2].partition(":")[0]
    return kept.get(identifier) or kept.get(last)


@dataclass(frozen=True, slots=True)
class Instance:
    """Hours, figures, queues, modules and recordings; times in seconds."""

    flow_type: str = ""  # of flows.flow_types; "" takes the flow's own
    hours: Mapping[str, bool] = field(default_factory=dict)  # by id; "" is the queue's; open where nothing is said
    metrics: Mapping[str, float] = field(default_factory=dict)  # by MetricType; 0 where nothing is said
    is_queue_full: bool = False
    agent_after: float | None = None  # when an agent takes a contact that waits in the queue
    modules: Mapping[str, Flow] = field(default_factory=dict)
    flows: Mapping[str, Flow] = field(default_factory=dict)
    percentage: Callable[[], int] = lambda: 1  # 1 to 100, for Distribute by percentage
    audio_seconds: Callable[[str], float] = lambda _: UNKNOWN_AUDIO_SECONDS
    # Documented is that the Lambda's return is taken at once; whether the prompt then playing is cut is not
    cuts_prompt_on_return: bool = True
    # Action id -> the errors or results that it comes to instead of doing its work, one for each visit; "" does it
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def type_of(self, flow: Flow) -> str:
        """The type as which a flow runs; a module runs as that of its caller."""
        return self.flow_type or ("" if flow.type == MODULE else flow.type)
