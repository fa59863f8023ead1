"""Topics as a YAML file with its documents and sounds beside it: import and export (docs/topics-file.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

import yaml
from django.core.files.storage import Storage
from django.db import models, transaction
from django.db.models.fields.files import FieldFile

from cache_admin.models import SourceDocument, Topic, TopicLanguage, WaitPolicy, WaitPrompt
from cache_admin.services.audio import keep_recording
from cache_admin.services.document_history import retire_documents
from cache_admin.services.documents import keep_document
from cache_admin.services.topics import publish_topic, republish_users
from cache_admin.services.topics_reading import (
    POLICY_KEYS,
    TOPIC_KEYS,
    VERSION,
    PolicyPlan,
    TopicPlan,
    read_topics_file,
)
from connectgenai.wire.store import AnswerStore


@dataclass(frozen=True, slots=True)
class FileReport:
    """The names of what was imported or exported."""

    policies: list[str]
    topics: list[str]


def import_topics(path: Path, *, store: AnswerStore, storage: Storage, now: datetime) -> FileReport:
    """Creates and updates by name; topics and policies that the file does not name stay as they are. Then publishes.

    All or nothing: TopicsFileError before anything is written when anything in the file is wrong. StoreError when a topic
    could not be published; the rows are there then, and importing again goes on from there.
    """
    plan = read_topics_file(path)
    documents = {topic.topic.name: _keep_documents(topic, storage) for topic in plan.topics}
    for policy in plan.policies:
        _keep_sounds(policy, storage)
    with transaction.atomic():
        policies = {row.policy.name: _save_policy(row) for row in plan.policies}
        topics = [_save_topic(row, policies, documents[row.topic.name], now=now) for row in plan.topics]
    for topic in topics:  # after the transaction: no database waits while DynamoDB is asked
        publish_topic(topic, store=store, now=now)
    for policy_row in policies.values():
        republish_users(policy_row, store=store, now=now, but={topic.pk for topic in topics})
    return FileReport(list(policies), [topic.name for topic in topics])


def _keep_documents(plan: TopicPlan, storage: Storage) -> list[SourceDocument]:
    return [
        keep_document(SourceDocument(), found, file.content, name=file.name, storage=storage)
        for file, found in plan.documents
    ]


def _keep_sounds(plan: PolicyPlan, storage: Storage) -> None:
    if plan.comfort:
        plan.policy.comfort_audio, _ = keep_recording(plan.comfort.content, name=plan.comfort.name, storage=storage)
    for number, file in plan.recordings.items():
        plan.prompts[number].audio, _ = keep_recording(file.content, name=file.name, storage=storage)


def _save_policy(plan: PolicyPlan) -> WaitPolicy:
    policy = plan.policy
    policy.pk = WaitPolicy.objects.filter(name=policy.name).values_list("pk", flat=True).first()
    policy.save()
    if _said(policy.prompts.all()) != _said(plan.prompts):
        policy.prompts.all().delete()
        for prompt in plan.prompts:
            prompt.policy = policy
            prompt.save()
    return policy


def _said(prompts: Any) -> list[tuple[str, str, str]]:
    return [(prompt.text, prompt.ssml, prompt.audio.name or "") for prompt in prompts]


def _save_topic(
    plan: TopicPlan, policies: dict[str, WaitPolicy], documents: list[SourceDocument], *, now: datetime
) -> Topic:
    topic = Topic.objects.filter(name=plan.topic.name).first() or plan.topic
    for key in TOPIC_KEYS.keys() - {"languages", "documents"}:
        setattr(topic, key, getattr(plan.topic, key))
    topic.save()
    topic.languages.exclude(language__in=plan.languages).delete()
    for position, (language, name) in enumerate(plan.languages.items()):
        values = {"wait_policy": policies[name], "position": position}
        TopicLanguage.objects.update_or_create(topic=topic, language=language, defaults=values)
    _save_documents(topic, documents, now=now)
    return topic


def _save_documents(topic: Topic, documents: list[SourceDocument], *, now: datetime) -> None:
    gone = topic.documents.exclude(sha256__in=[document.sha256 for document in documents])
    retire_documents(gone, by=None, now=now)
    for position, document in enumerate(documents):
        values = {name: getattr(document, name) for name in ("title", "file", "kind", "words")}
        SourceDocument.objects.update_or_create(
            topic=topic, sha256=document.sha256, defaults={**values, "position": position}
        )


def export_topics(path: Path) -> FileReport:
    """Writes all wait policies and topics, and beside the YAML file the documents and sounds that they use."""
    policies, topics = list(WaitPolicy.objects.prefetch_related("prompts")), list(Topic.objects.all())
    plain = {
        "version": VERSION,
        "wait_policies": [_export_policy(policy, path) for policy in policies],
        "topics": [_export_topic(topic, path) for topic in topics],
    }
    path.write_text(yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    return FileReport([policy.name for policy in policies], [topic.name for topic in topics])


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as it reads."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def _export_policy(policy: WaitPolicy, path: Path) -> dict[str, Any]:
    sound = _export_file(policy.comfort_audio, "sounds", "", path) if policy.comfort_audio else ""
    prompts = [_export_prompt(prompt, path) for prompt in policy.prompts.all()]
    return _without_defaults(policy, POLICY_KEYS, comfort_audio=sound, prompts=prompts)


def _export_prompt(prompt: WaitPrompt, path: Path) -> str | dict[str, str]:
    if prompt.audio:
        return {"audio": _export_file(prompt.audio, "sounds", "", path)}
    return {"ssml": prompt.ssml} if prompt.ssml else prompt.text


def _export_topic(topic: Topic, path: Path) -> dict[str, Any]:
    documents = [_export_file(d.file, f"documents/{topic.name}", d.title, path) for d in topic.documents.all()]
    languages = {row.language: row.wait_policy.name for row in topic.languages.select_related("wait_policy")}
    temperature = float(topic.temperature)
    return _without_defaults(topic, TOPIC_KEYS, documents=documents, languages=languages, temperature=temperature)


def _export_file(file: FieldFile, folder: str, title: str, path: Path) -> str:
    """Writes the file under its title, which an import takes from there again; the path for the YAML file."""
    own = PurePath(file.name or "")
    name = "".join("-" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in title or own.stem).strip(". ") or "file"
    with file.open("rb") as source:
        content: bytes = source.read()
    target = path.parent / folder / f"{name}{own.suffix}"
    if target.exists() and target.read_bytes() != content:
        target = target.with_stem(f"{name}-{hashlib.sha256(content).hexdigest()[:8]}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target.relative_to(path.parent).as_posix()


def _without_defaults(row: models.Model, keys: dict[str, tuple[type, ...]], **own: Any) -> dict[str, Any]:
    fresh, blank = type(row)(), {"prompts": [], "documents": [], "comfort_audio": "", "languages": {}}
    plain = {key: own[key] if key in own else getattr(row, key) for key in keys}
    return {
        key: value for key, value in plain.items() if value != (blank[key] if key in blank else getattr(fresh, key))
    }
