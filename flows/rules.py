"""Every rule of the linter: what it finds, and how grave that can be.

error: Connect refuses the flow, or a call breaks. warning: a call may break. info: worth knowing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the severities it can have, and what it finds, in one sentence."""

    severities: tuple[str, ...]
    finds: str


def _error(finds: str) -> Rule:
    return Rule(("error",), finds)


def _warning(finds: str) -> Rule:
    return Rule(("warning",), finds)


def _both(finds: str) -> Rule:
    return Rule(("error", "warning"), finds)


RULES: Final[Mapping[str, Rule]] = {
    # --- the file
    "UNREADABLE_FILE": _error("The file cannot be read, or is far larger than any flow."),
    "NOT_JSON": _error("The file, or the Content within it, is not JSON; with the line and the column."),
    "NOT_A_FLOW": _error("The file is JSON, but holds no flow."),
    "LEGACY_EXPORT": _error("The file is an export of the console before 2022, which has to be exported again."),
    "MALFORMED_ACTION": _error("An action or a branch is not shaped as the flow language has it."),
    "REPEATED_KEY": _warning("An object in the file holds a key twice; JSON keeps only the last."),
    # --- the flow as a document
    "VERSION": _error('The Version is not "2019-10-30", the only one that Connect reads.'),
    "CONTENT_OVER_256000": _both("The content has more than 256,000 characters."),
    "TOO_MANY_ACTIONS": _error("There are more than 250 actions."),
    "DUPLICATE_IDENTIFIER": _error("Two actions share an identifier."),
    "BAD_IDENTIFIER": _error(
        "An identifier is empty, longer than 50 characters, reserved, or has a refused character."
    ),
    "MISSING_START_ACTION": _error("StartAction is absent or names no action."),
    "DANGLING_TARGET": _error("A branch leads to an action that does not exist, or nowhere."),
    "UNREACHABLE_ACTION": _warning("No path from the start leads to the action."),
    # --- one action
    "UNKNOWN_ACTION": Rule(("info",), "The linter does not know the type of action; its branches are still followed."),
    "REFUSED_ACTION_TYPE": _error("The type of action is a name that Connect refuses; the right one is given."),
    "WRONG_FLOW_TYPE": _both("The action is not supported in this type of flow."),
    "MISSING_NEXT_ACTION": _error("An action that does not end the flow has no NextAction."),
    "END_WITH_TRANSITIONS": _error("An action that ends the flow has branches."),
    "MISSING_ERROR_BRANCH": _error("An error branch is absent that Connect refuses the action without."),
    "UNKNOWN_ERROR_BRANCH": _error("The action has an error branch that Connect refuses on its type."),
    "MISSING_CONDITION": _both("A condition is absent that the type of action must have."),
    "UNKNOWN_CONDITION": _both("The action has a condition that its type does not take."),
    "BAD_CONDITION": _error("A condition has an unknown operator, not one operand, or nests too deeply."),
    "NON_STRING_STATUS_COMPARE": _warning("A value is compared with a number or a boolean instead of a text."),
    "MISSING_PARAMETER": _both("A parameter is absent that the action cannot do without."),
    "REFUSED_PARAMETER": _error("A parameter has a name that Connect refuses here; the right one is given."),
    "CONFLICTING_PARAMETERS": _error("Parameters stand together of which only one is allowed."),
    "WRONG_PARAMETER_TYPE": _both("A parameter is not of the JSON type that the flow language has, mostly a text."),
    "BAD_PARAMETER_VALUE": _both("A parameter's value is not one that it can have."),
    "LOOP_COUNT": _error("A Loop counts to less than 0 or more than 100."),
    "LAMBDA_TIMEOUT": _error("A Lambda's time limit is over 8 s (60 s asynchronous), or no whole number."),
    # --- Lambda functions, time and silence
    "LAMBDA_TIMEOUT_DEFAULT_3S": _warning("A synchronous Lambda has the default 3 s: one cold start may use it up."),
    "LAMBDA_SEQ_20S": _warning("Lambdas in a row, with no prompt between, may together take over 20 s."),
    "POLL_CYCLE_WITHOUT_PROMPT": _both("A Lambda is called in a cycle in which nothing is played."),
    "POLL_CYCLE_UNBOUNDED": _warning("A Lambda is polled in a cycle that nothing in the flow ever ends."),
    "CYCLE_WITHOUT_PROMPT": _both("A cycle in which no time passes: nothing is played, asked, awaited or counted."),
    "ALIAS_ARN_OVER_140": _error("A Lambda's ARN has more than 140 characters, and cannot be associated with Connect."),
    "EXTERNAL_OVERWRITTEN_BEFORE_READ": _warning("A Lambda's result is read after another Lambda has replaced it."),
    # --- native asynchronous mode
    "WAIT_ON_VOICE_OUTSIDE_INBOUND": _warning("A Wait where a voice contact takes its error branch at once."),
    "NESTED_WAIT_IN_CONTINUE": _error("A Wait within the Continue branch of another Wait."),
    "CONTINUE_BRANCH_TERMINATES": _warning("What plays during a Wait ends the call when it has played."),
    "INVOCATION_ID_NOT_SAVED": _warning(
        "An asynchronous Lambda's invocation id is lost to the next one's, or never saved."
    ),
    # --- what is said
    "PROMPT_OVER_3000": _error("A prompt has more than 3,000 spoken or 6,000 characters in all."),
    "SSML_ON_CHAT": _warning("SSML reaches chat contacts, who see its tags."),
    "VOICE_ONLY_ON_CHAT": _warning("An action that serves only voice is reached by chat contacts."),
    "S3_PROMPT_IN_QUEUE_FLOW": _both("A prompt from S3 in a queue or whisper flow, which play library prompts only."),
}
