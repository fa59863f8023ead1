"""A topics file -> checked plans of what to import. Nothing is written here, neither rows nor objects in the bucket."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from django.core.exceptions import ValidationError
from django.db import models

from cache_admin.models import Topic, TopicLanguage, WaitPolicy, WaitPrompt
from cache_admin.services.audio import AudioError, measure_recording
from cache_admin.services.documents import DocumentError, DocumentText, read_document
from cache_admin.services.ssml import SsmlError, check_ssml
from cache_admin.services.topics import describe_policy
from connectgenai.wire.waiting import find_policy_faults

VERSION = 1
P = TypeVar("P", "PolicyPlan", "TopicPlan")


class TopicsFileError(ValueError):
    """The file cannot be imported; each line of the message names the file, the place in it, and what is wrong."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A document or sound beside the YAML file."""

    name: str
    content: bytes


@dataclass(slots=True)
class PolicyPlan:
    """An unsaved wait policy with its prompts; sounds still are local files, prompts' by their place in the list."""

    policy: WaitPolicy
    prompts: list[WaitPrompt]
    comfort: LocalFile | None
    recordings: dict[int, LocalFile]


@dataclass(slots=True)
class TopicPlan:
    """An unsaved topic, its languages with the names of their policies, and its documents."""

    topic: Topic
    languages: dict[str, str]
    documents: list[tuple[LocalFile, DocumentText]]


@dataclass(frozen=True, slots=True)
class FilePlan:
    """All that a topics file says."""

    policies: list[PolicyPlan]
    topics: list[TopicPlan]


TEXT, FLAG, WHOLE, NUMBER = (str,), (bool,), (int,), (int, float)
POLICY_KEYS: dict[str, tuple[type, ...]] = {
    "name": TEXT, "hold_seconds": NUMBER, "first_prompt_after_seconds": NUMBER, "interval_seconds": NUMBER,
    "max_wait_seconds": NUMBER, "max_silence_seconds": NUMBER, "say_estimate": FLAG, "estimate_text": TEXT, "apology": TEXT,
    "patience_text": TEXT, "restart_text": TEXT, "busy_text": TEXT, "comfort_audio": TEXT, "prompts": (list,),
}  # fmt: skip
TOPIC_KEYS: dict[str, tuple[type, ...]] = {
    "name": TEXT, "title": TEXT, "enabled": FLAG, "instructions": TEXT, "model_id": TEXT, "max_tokens": WHOLE,
    "temperature": NUMBER, "sharing": TEXT, "ttl_hours": WHOLE, "keep_days": WHOLE, "documents": (list,), "languages": (dict,),
    "hold_until_checked": FLAG, "guardrail": TEXT, "fallback_model_id": TEXT, "asks_per_caller": WHOLE, "asks_per_minute": WHOLE,
    "needs_approval": FLAG, "four_eyes": FLAG, "verify_days": WHOLE,
}  # fmt: skip
_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
}


def read_topics_file(path: Path) -> FilePlan:
    """The plans of a file in which everything is right; TopicsFileError with all that is wrong otherwise."""
    plain = _load_yaml(path)
    faults: list[str] = []
    policies = _plan_all(plain, "wait_policies", lambda entry: _plan_policy(entry, path), path, faults)
    topics = _plan_all(plain, "topics", lambda entry: _plan_topic(entry, path), path, faults)
    known = {plan.policy.name for plan in policies}
    faults += [
        f"{path}: topic {plan.topic.name}: `languages`: {language}: there is no wait policy “{name}” in this file"
        for plan in topics
        for language, name in plan.languages.items()
        if name not in known and not faults
    ]
    if faults:
        raise TopicsFileError("\n".join(faults))
    return FilePlan(policies, topics)


def _load_yaml(path: Path) -> dict[str, Any]:
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TopicsFileError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise TopicsFileError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(plain, dict) or plain.get("version") != VERSION:
        raise TopicsFileError(f"{path}: `version` must be {VERSION}")
    unknown = set(plain) - {"version", "wait_policies", "topics"}
    if unknown:
        raise TopicsFileError(f"{path}: unknown key `{min(map(str, unknown))}`")
    return plain


def _plan_all(
    plain: Mapping[str, Any], key: str, plan: Callable[[dict[str, Any]], P], path: Path, faults: list[str]
) -> list[P]:
    entries = plain.get(key) or []
    if not isinstance(entries, list) or not all(
        isinstance(e, dict) and isinstance(e.get("name"), str) for e in entries
    ):
        faults.append(f"{path}: `{key}` must be a list of entries, each with a `name` that is text")
        return []
    names = [entry["name"] for entry in entries]
    faults += [f"{path}: `{key}`: “{name}” is there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    plans = []
    for entry in entries:
        try:
            plans.append(plan(entry))
        except TopicsFileError as error:
            faults.append(str(error))
    return plans


def _plan_policy(entry: dict[str, Any], path: Path) -> PolicyPlan:
    place = f"{path}: wait policy {entry['name']}"
    _check_keys(entry, POLICY_KEYS, place)
    plain = {key: value for key, value in entry.items() if key not in ("prompts", "comfort_audio")}
    plan = PolicyPlan(WaitPolicy(**_stripped(plain)), [], None, {})
    if entry.get("comfort_audio"):
        plan.comfort = _load_file(entry["comfort_audio"], path, f"{place}: `comfort_audio`")
        plan.policy.comfort_seconds = _measure(plan.comfort, f"{place}: `comfort_audio`")
        plan.policy.comfort_audio = plan.comfort.name
    for number, prompt in enumerate(entry.get("prompts") or []):
        _plan_prompt(plan, number, prompt, path, f"{place}: `prompts`: number {number + 1}")
    _check_row(plan.policy, place)
    faults = find_policy_faults(describe_policy(plan.policy, plan.prompts))
    if faults:
        raise TopicsFileError("\n".join(f"{place}: {fault}" for fault in faults))
    return plan


def _plan_prompt(plan: PolicyPlan, number: int, prompt: object, path: Path, place: str) -> None:
    given = {"text": prompt} if isinstance(prompt, str) else prompt
    if not isinstance(given, dict) or len(given) != 1 or not given.keys() <= {"text", "ssml", "audio"}:
        raise TopicsFileError(f"{place}: must be a text, or one of `ssml` and `audio`")
    kind, value = next(iter(given.items()))
    if not isinstance(value, str) or not value.strip():
        raise TopicsFileError(f"{place}: `{kind}` must be text")
    row = WaitPrompt(position=number, **{kind: value.strip()})
    if kind == "audio":
        plan.recordings[number] = _load_file(value, path, place)
        _measure(plan.recordings[number], place)
    if kind == "ssml":
        _check_ssml(value, place)
    _check_row(row, place, exclude=["policy"])
    plan.prompts.append(row)


def _plan_topic(entry: dict[str, Any], path: Path) -> TopicPlan:
    place = f"{path}: topic {entry['name']}"
    _check_keys(entry, TOPIC_KEYS, place)
    plain = {key: value for key, value in entry.items() if key not in ("documents", "languages")}
    topic = Topic(**_stripped({"title": entry["name"], **plain, "temperature": str(entry.get("temperature", 0))}))
    _check_row(topic, place)
    languages = entry.get("languages") or {}
    if not languages:
        raise TopicsFileError(
            f"{place}: `languages` must name at least one language and its wait policy: {{en-US: calm}}"
        )
    for language, name in languages.items():
        _check_language(language, name, f"{place}: `languages`")
    documents = [_plan_document(listed, path, f"{place}: `documents`") for listed in entry.get("documents") or []]
    return TopicPlan(topic, languages, documents)


def _check_language(language: object, name: object, place: str) -> None:
    if not isinstance(language, str) or not isinstance(name, str):
        raise TopicsFileError(f"{place}: {language}: must be a language such as en-US and the name of a wait policy")
    _check_row(TopicLanguage(language=language), place, exclude=["topic", "wait_policy"])


def _plan_document(listed: object, path: Path, place: str) -> tuple[LocalFile, DocumentText]:
    file = _load_file(listed, path, place)
    try:
        return file, read_document(file.content, name=file.name)
    except DocumentError as error:
        raise TopicsFileError(f"{place}: {error}") from error


def _check_keys(entry: Mapping[str, Any], known: Mapping[str, tuple[type, ...]], place: str) -> None:
    for key, value in entry.items():
        if key not in known:
            raise TopicsFileError(f"{place}: unknown key `{key}`; known are {', '.join(known)}")
        is_flag_for_number = isinstance(value, bool) and bool not in known[key]
        is_endless = isinstance(value, float) and not math.isfinite(value)
        if not isinstance(value, known[key]) or is_flag_for_number or is_endless:
            raise TopicsFileError(f"{place}: `{key}` must be {_NAMES[known[key][-1]]}")


def _check_row(row: models.Model, place: str, *, exclude: Iterable[str] = ()) -> None:
    try:
        row.clean_fields(exclude=list(exclude))
    except ValidationError as error:
        lines = [f"{place}: `{key}`: {message}" for key, found in error.message_dict.items() for message in found]
        raise TopicsFileError("\n".join(lines)) from error


def _check_ssml(ssml: str, place: str) -> None:
    try:
        check_ssml(ssml)
    except SsmlError as error:
        raise TopicsFileError(f"{place}: {error}") from error


def _measure(file: LocalFile, place: str) -> float:
    try:
        return measure_recording(file.content, name=file.name)
    except AudioError as error:
        raise TopicsFileError(f"{place}: {error}") from error


def _load_file(listed: object, path: Path, place: str) -> LocalFile:
    if not isinstance(listed, str) or not listed.strip() or "\0" in listed:
        raise TopicsFileError(f"{place}: must be a file's name")
    folder = path.parent.resolve()
    file = (folder / listed).resolve()
    if not file.is_relative_to(folder):
        raise TopicsFileError(f"{place}: {listed} lies outside the folder of the file")
    try:
        return LocalFile(file.name, file.read_bytes())
    except OSError as error:
        raise TopicsFileError(f"{place}: {listed} cannot be read: {error.strerror}") from error


def _stripped(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.strip() if isinstance(value, str) else value for key, value in plain.items()}
