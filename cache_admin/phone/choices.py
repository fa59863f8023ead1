"""Which flow a call runs: one that is generated for a topic, or one that was uploaded, with whatever it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cache_admin.models import Topic, TopicLanguage, UploadedFlow
from cache_admin.phone.uploads import parse_uploaded
from cache_admin.services.topics import describe_policy
from flows.flow_error import FlowError
from flows.generate import NATIVE, POLL, QUEUE, FlowSettingsError, build_flow
from flows.language import Flow
from flows.rehearsal import EXAMPLE_ARNS

OURS, UPLOADED = "ours", "uploaded"
MODES: Final = {
    POLL: gettext_lazy("Poll: works in every type of flow"),
    NATIVE: gettext_lazy("Native: Connect waits for the Lambda"),
    QUEUE: gettext_lazy("Queue: answered while waiting in line"),
}


class ChoiceError(ValueError):
    """The call cannot be placed; the message says why."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A flow, and the modules and other flows that it may lead to, by name and by id."""

    flow: Flow
    modules: Mapping[str, Flow] = field(default_factory=dict)
    flows: Mapping[str, Flow] = field(default_factory=dict)


def list_choices() -> list[tuple[str, list[tuple[str, Any]]]]:
    """What a form's select offers, in two groups; the values are what `find_flow` takes."""
    ours = [(f"{OURS}:{mode}", label) for mode, label in MODES.items()]
    rows = UploadedFlow.objects.values_list("pk", "name")
    uploaded = [(f"{UPLOADED}:{pk}", name) for pk, name in rows]
    return [(_("Ours, for the topic"), ours), *([(_("Uploaded"), uploaded)] if uploaded else [])]


def find_flow(choice: str, *, topic: Topic, language: str) -> Chosen:
    """The flow of a choice; ChoiceError where there is none."""
    kind, _colon, name = choice.partition(":")
    if kind == OURS:
        return Chosen(generate_for(topic, mode=name, language=language, **EXAMPLE_ARNS))
    row = UploadedFlow.objects.filter(pk=name).first() if name.isdecimal() else None
    if row is None:
        raise ChoiceError(_("This flow is not here any more."))
    return _surround(row)


def generate_for(topic: Topic, *, mode: str, language: str = "", **settings: Any) -> Flow:
    """A topic's flow, with the wait policy of the language or of the topic's own; ChoiceError says what is missing.

    The flow fixes language and voice where a language is given; the other settings are flows.generate.build_flow's.
    """
    rows = topic.languages.select_related("wait_policy")
    row: TopicLanguage | None = rows.filter(language=language).first() if language else rows.first()
    if row is None:
        raise ChoiceError(_("The topic cannot be asked in %(language)s.") % {"language": language or "-"})
    policy = describe_policy(row.wait_policy, row.wait_policy.prompts.all())
    try:
        return build_flow(mode, topic=topic.name, policy=policy, language=language, **settings)
    except FlowSettingsError as error:
        raise ChoiceError(str(error)) from error


def _surround(row: UploadedFlow) -> Chosen:
    """The uploaded flow among all others, which it may invoke as modules or lead to."""
    modules: dict[str, Flow] = {}
    others: dict[str, Flow] = {}
    for other in UploadedFlow.objects.exclude(pk=row.pk):
        flow = _parse(other)
        kept = modules if flow.is_module else others
        kept |= {name: flow for name in (other.name, other.identifier, _last(other.identifier)) if name}
    return Chosen(_parse(row), modules, others)


def _last(identifier: str) -> str:
    """The id at an ARN's end, which is what flows are looked up by."""
    return identifier.rpartition("/")[2].partition(":")[0]


def _parse(row: UploadedFlow) -> Flow:
    try:
        return parse_uploaded(row)
    except FlowError as error:
        raise ChoiceError(f"{row.name}: {error}") from error
