"""What one server knows and shares between its requests; all of it may change while it runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from local.bedrock.calls import CallLog
from local.bedrock.faults import FaultBoard
from local.bedrock.generation import TextModel
from local.bedrock.pace import Pace
from local.bedrock.prompt_cache import PromptCache


@dataclass(slots=True)
class State:
    """The model, its pace, the faults that are switched on, and what was asked so far."""

    model: TextModel
    pace: Pace
    faults: FaultBoard = field(default_factory=FaultBoard)
    calls: CallLog = field(default_factory=CallLog)
    cache: PromptCache = field(default_factory=PromptCache)
    closing: threading.Event = field(default_factory=threading.Event)
