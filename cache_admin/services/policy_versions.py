"""A wait policy's history: what was saved, by whom, what that changed, and how to have it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cache_admin.models import WaitPolicy, WaitPolicyVersion, WaitPrompt
from cache_admin.services.policy_faults import explain_policy_faults
from cache_admin.services.topics import describe_policy, republish_users
from connectgenai.wire.store import AnswerStore

User = AbstractBaseUser | AnonymousUser | None
Content = dict[str, Any]
PROMPTS: Final = "prompts"
PROMPT_FIELDS: Final = ("text", "ssml", "audio")


class UnfitVersionError(Exception):
    """The version would break a promise that policies are held to today; `faults` are sentences."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs, in words for a supervisor."""

    label: str
    before: str
    after: str


def describe_content(policy: WaitPolicy, prompts: Iterable[WaitPrompt]) -> Content:
    """The policy and its prompts, in their order, as plain JSON values; files by their names in the bucket."""
    content = {f.name: _plain(getattr(policy, f.name)) for f in _fields()}
    return {**content, PROMPTS: [{n: _plain(getattr(p, n)) for n in PROMPT_FIELDS} for p in prompts]}


def _fields() -> list[Any]:
    return [f for f in WaitPolicy._meta.concrete_fields if f.name != "id"]


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else str(value or "")


def read_content(content: Content) -> tuple[WaitPolicy, list[WaitPrompt]]:
    """The unsaved policy and prompts; fields that are newer than the version take their defaults."""
    known = {f.name for f in _fields()}
    policy = WaitPolicy(**{name: value for name, value in content.items() if name in known})
    return policy, [WaitPrompt(position=n, **plain) for n, plain in enumerate(content.get(PROMPTS, ()))]


def keep_version(policy: WaitPolicy, *, user: User, now: datetime, note: str = "") -> WaitPolicyVersion | None:
    """Notes the saved policy as it is now, unless the latest version says the same."""
    content = describe_content(policy, policy.prompts.all())
    latest = WaitPolicyVersion.objects.filter(policy=policy).first()
    if latest is not None and latest.content == content:
        return None
    return WaitPolicyVersion.objects.create(
        policy=policy,
        number=latest.number + 1 if latest else 1,
        content=content,
        saved_at=now,
        saved_by_id=getattr(user, "pk", None),
        note=note,
    )


def find_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """What the later content says differently, in the order of the form."""
    for f in _fields():
        old, new = before.get(f.name), after.get(f.name)
        if old != new:
            yield Change(str(f.verbose_name), _show(old), _show(new))
    pairs = zip_longest(before.get(PROMPTS, ()), after.get(PROMPTS, ()))
    for number, (one, other) in enumerate(pairs, start=1):
        if one != other:
            yield Change(_("prompt %d") % number, _show_prompt(one), _show_prompt(other))


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:g}"
    return _file_name(str(value)) if value not in (None, "") else "-"


def _file_name(text: str) -> str:
    """A sound is known by its own name, not by where it lies in the bucket."""
    return text.rpartition("/")[2] if text.startswith("sounds/") else text


def _show_prompt(prompt: Mapping[str, Any] | None) -> str:
    return next((_show(prompt[name]) for name in PROMPT_FIELDS if prompt.get(name)), "-") if prompt else "-"


def restore_version(version: WaitPolicyVersion, *, store: AnswerStore, user: User, now: datetime) -> int:
    """Publishes the policy as it was, and saves it so; how many topics use it. StoreError leaves everything as it is.

    UnfitVersionError when today's rules refuse it. The name stays: topics files know the policy by it.
    """
    policy, prompts = read_content(version.content)
    present = WaitPolicy.objects.get(pk=version.policy_id)
    policy.pk, policy.name = present.pk, present.name
    faults = explain_policy_faults(describe_policy(policy, prompts))
    if faults:
        raise UnfitVersionError(faults)
    count = republish_users(policy, store=store, now=now, prompts=prompts)
    with transaction.atomic():
        policy.save()
        policy.prompts.all().delete()
        for prompt in prompts:
            prompt.policy = policy
            prompt.save()
        keep_version(policy, user=user, now=now, note=gettext_noop("as version %d again") % version.number)
    return count
