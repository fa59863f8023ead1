"""Topics as a YAML file: import and export, with their documents, wait policies and sounds (docs/topics-file.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import models, transaction

from cache_admin.models import SourceDocument, Topic, TopicLanguage, WaitPolicy, WaitPrompt
from cache_admin.services.audio import AudioError, measure_recording
from cache_admin.services.documents import DocumentError, extract_text, keep_text
from cache_admin.services.topics import describe_policy, publish_topic
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import find_policy_faults

VERSION = 1
_NUMBERS = ("hold_seconds", "first_prompt_after_seconds", "interval_seconds", "max_wait_seconds", "max_silence_seconds")
_PHRASES = ("estimate_text", "apology", "patience_text", "restart_text")
_POLICY_KEYS = {"name", "prompts", "comfort_audio", "say_estimate", *_NUMBERS, *_PHRASES}
_TOPIC_TEXTS = ("title", "instructions", "model_id", "sharing", "guardrail")
_TOPIC_KEYS = {
    "name", "max_tokens", "temperature", "ttl_hours", "enabled", "hold_until_checked", "documents", "languages", *_TOPIC_TEXTS,
}  # fmt: skip


class TopicsFileError(ValueError):
    """The file cannot be imported; the message names the file, the place in it, and what is wrong."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The names of what was imported."""

    policies: list[str]
    topics: list[str]


def import_topics(path: Path, *, store: AnswerStore, now: datetime) -> ImportReport:
    """Creates and updates by name, deletes nothing, all or nothing; then publishes. Doing it twice changes nothing more.

    TopicsFileError when anything in the file is wrong, and nothing is kept; StoreError when it could not be published.
    """
    plain = _read(path)
    with transaction.atomic():
        policies = [_import_policy(entry, path) for entry in _entries(plain, "wait_policies", path)]
        topics = [_import_topic(entry, path) for entry in _entries(plain, "topics", path)]
    for topic in topics:  # outside the transaction: no database is held while DynamoDB is asked
        publish_topic(topic, store=store, now=now)
    return ImportReport([p.name for p in policies], [t.name for t in topics])


def _read(path: Path) -> dict[str, Any]:
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TopicsFileError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise TopicsFileError(f"{path}: is not YAML: {error}") from error
    if not isinstance(plain, dict) or plain.get("version") != VERSION:
        raise TopicsFileError(f"{path}: must begin with `version: {VERSION}`")
    _refuse_unknown(plain, {"version", "wait_policies", "topics"}, str(path))
    return plain


def _entries(plain: Mapping[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    entries = plain.get(name) or []
    if not isinstance(entries, list) or not all(
        isinstance(e, dict) and isinstance(e.get("name"), str) for e in entries
    ):
        raise TopicsFileError(f"{path}: `{name}` must be a list of entries with a `name` each")
    return entries


def _refuse_unknown(entry: Mapping[str, Any], known: set[str], place: str) -> None:
    unknown = sorted(str(key) for key in entry.keys() - known)
    if unknown:
        raise TopicsFileError(f"{place}: unknown key `{unknown[0]}`; known are {', '.join(sorted(known))}")


def _import_policy(entry: dict[str, Any], path: Path) -> WaitPolicy:
    place = f"{path}: wait policy {entry['name']}"
    _refuse_unknown(entry, _POLICY_KEYS, place)
    policy = WaitPolicy.objects.filter(name=entry["name"]).first() or WaitPolicy(name=entry["name"])
    for name in _NUMBERS:
        setattr(policy, name, _number(entry.get(name, _default(WaitPolicy, name)), f"{place}: `{name}`"))
    for name in _PHRASES:
        setattr(policy, name, str(entry.get(name, "")).strip())
    policy.say_estimate = bool(entry.get("say_estimate", False))
    _import_comfort(policy, entry.get("comfort_audio"), path, place)
    _check(policy, place)
    policy.save()
    policy.prompts.all().delete()
    prompts = [
        _import_prompt(policy, number, prompt, path, place)
        for number, prompt in enumerate(entry.get("prompts") or [], 1)
    ]
    faults = find_policy_faults(describe_policy(policy, prompts))
    if faults:
        raise TopicsFileError(f"{place}: {faults[0]}")
    return policy


def _import_comfort(policy: WaitPolicy, relative: object, path: Path, place: str) -> None:
    if not relative:
        policy.comfort_audio, policy.comfort_seconds = "", 0.0
        return
    content = _load(relative, path, place)
    policy.comfort_seconds = _measure(content, str(relative), place)
    policy.comfort_audio = _keep_file(policy.comfort_audio, content, Path(str(relative)).name)


def _import_prompt(policy: WaitPolicy, position: int, prompt: object, path: Path, place: str) -> WaitPrompt:
    given = {"text": prompt} if isinstance(prompt, str) else prompt
    if not isinstance(given, dict) or len(given) != 1 or not given.keys() <= {"text", "ssml", "audio"}:
        raise TopicsFileError(f"{place}: prompt {position} must be a text, or one of `ssml` and `audio`")
    row = WaitPrompt(policy=policy, position=position, text=given.get("text", ""), ssml=given.get("ssml", ""))
    if "audio" in given:
        content = _load(given["audio"], path, place)
        _measure(content, str(given["audio"]), place)
        row.audio = _keep_file(row.audio, content, Path(str(given["audio"])).name)
    row.save()
    return row


def _import_topic(entry: dict[str, Any], path: Path) -> Topic:
    place = f"{path}: topic {entry['name']}"
    _refuse_unknown(entry, _TOPIC_KEYS, place)
    topic = Topic.objects.filter(name=entry["name"]).first() or Topic(name=entry["name"])
    for name in _TOPIC_TEXTS:
        setattr(topic, name, str(entry.get(name, _default(Topic, name))).strip())
    for name in ("max_tokens", "ttl_hours"):
        setattr(topic, name, round(_number(entry.get(name, _default(Topic, name)), f"{place}: `{name}`")))
    topic.temperature = _decimal(entry.get("temperature", 0), place)
    topic.enabled = bool(entry.get("enabled", True))
    topic.hold_until_checked = bool(entry.get("hold_until_checked", False))
    _check(topic, place)
    topic.save()
    _import_languages(topic, entry.get("languages"), place)
    _import_documents(topic, entry.get("documents") or [], path, place)
    return topic


def _import_languages(topic: Topic, languages: object, place: str) -> None:
    if not isinstance(languages, dict) or not languages:
        raise TopicsFileError(
            f"{place}: `languages` must name at least one language and its wait policy, such as en-US: calm"
        )
    topic.languages.all().delete()
    for position, (language, name) in enumerate(languages.items(), 1):
        policy = WaitPolicy.objects.filter(name=name).first()
        if policy is None:
            raise TopicsFileError(f"{place}: there is no wait policy `{name}`")
        row = TopicLanguage(topic=topic, language=str(language), wait_policy=policy, position=position)
        _check(row, place)
        row.save()


def _import_documents(topic: Topic, listed: object, path: Path, place: str) -> None:
    if not isinstance(listed, list):
        raise TopicsFileError(f"{place}: `documents` must be a list of files")
    kept = []
    for relative in listed:
        content, name = _load(relative, path, place), Path(str(relative)).name
        try:
            text = extract_text(ContentFile(content), name=name)
        except DocumentError as error:
            raise TopicsFileError(f"{place}: {error}") from error
        sha256 = keep_text(text)
        document = topic.documents.filter(title=name, sha256=sha256).first()
        if document is None:
            document = SourceDocument(topic=topic, title=name, sha256=sha256, words=len(text.split()))
            document.file.save(name, ContentFile(content), save=False)
            document.save()
        kept.append(document.pk)
    topic.documents.exclude(pk__in=kept).delete()


def _load(relative: object, path: Path, place: str) -> bytes:
    folder = path.parent.resolve()
    file = (folder / str(relative)).resolve()
    if not file.is_relative_to(folder):
        raise TopicsFileError(f"{place}: {relative} lies outside the file's folder")
    try:
        return file.read_bytes()
    except OSError as error:
        raise TopicsFileError(f"{place}: {relative} cannot be read: {error.strerror}") from error


def _measure(content: bytes, name: str, place: str) -> float:
    try:
        return measure_recording(ContentFile(content), name=name)
    except AudioError as error:
        raise TopicsFileError(f"{place}: {error}") from error


def _keep_file(present: Any, content: bytes, name: str) -> str:
    """The stored file's name: the present one if it is the same recording."""
    if present and default_storage.exists(present.name):
        with default_storage.open(present.name) as file:
            if file.read() == content:
                return str(present.name)
    return default_storage.save(f"audio/{name}", ContentFile(content))


def _check(row: models.Model, place: str) -> None:
    try:
        row.clean_fields()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise TopicsFileError(f"{place}: `{field}`: {messages[0]}") from error


def _default(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name).get_default() or ""


def _number(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TopicsFileError(f"{place} must be a number")
    return float(value)


def _decimal(value: object, place: str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise TopicsFileError(f"{place}: `temperature` must be a number") from None


def export_topics(path: Path) -> ImportReport:
    """Writes all topics and wait policies, and the files they use beside the YAML file."""
    policies, topics = list(WaitPolicy.objects.all()), list(Topic.objects.all())
    plain = {
        "version": VERSION,
        "wait_policies": [_export_policy(policy, path) for policy in policies],
        "topics": [_export_topic(topic, path) for topic in topics],
    }
    path.write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    return ImportReport([p.name for p in policies], [t.name for t in topics])


def _export_policy(policy: WaitPolicy, path: Path) -> dict[str, Any]:
    prompts = [_export_prompt(prompt, path) for prompt in policy.prompts.all()]
    comfort = _export_file(policy.comfort_audio, "sounds", path) if policy.comfort_audio else ""
    plain = {"name": policy.name, **{name: getattr(policy, name) for name in (*_NUMBERS, *_PHRASES)}}
    return _without_blanks({**plain, "say_estimate": policy.say_estimate, "comfort_audio": comfort, "prompts": prompts})


def _export_prompt(prompt: WaitPrompt, path: Path) -> str | dict[str, str]:
    if prompt.audio:
        return {"audio": _export_file(prompt.audio, "sounds", path)}
    return {"ssml": prompt.ssml} if prompt.ssml else prompt.text


def _export_topic(topic: Topic, path: Path) -> dict[str, Any]:
    plain = {
        "name": topic.name,
        **{name: getattr(topic, name) for name in (*_TOPIC_TEXTS, "max_tokens", "ttl_hours", "enabled")},
    }
    documents = [_export_file(d.file, "documents", path, name=d.title) for d in topic.documents.all()]
    languages = {row.language: row.wait_policy.name for row in topic.languages.select_related("wait_policy")}
    more = {"temperature": float(topic.temperature), "documents": documents, "languages": languages}
    return _without_blanks({**plain, "hold_until_checked": topic.hold_until_checked, **more})


def _export_file(file: File[bytes], folder: str, path: Path, *, name: str = "") -> str:
    name = Path(name or str(file.name)).name
    target = path.parent / folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with file.open("rb") as source:
        target.write_bytes(source.read())
    return f"{folder}/{name}"


def _without_blanks(plain: dict[str, Any]) -> dict[str, Any]:
    is_blank: Callable[[Any], bool] = lambda value: value in ("", [])  # noqa: E731
    return {name: value for name, value in plain.items() if not is_blank(value)}
