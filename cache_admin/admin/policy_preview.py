"""What is typed into a policy's form -> what callers would hear of it, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from cache_admin.admin.inlines import kept_forms
from cache_admin.admin.sounds import make_uri, measure_stored
from cache_admin.models import Topic, WaitPolicy, WaitPrompt
from cache_admin.phone.lambdas import find_sound
from cache_admin.previews.examples import find_example
from cache_admin.previews.waiting import ANSWER_SECONDS, Preview, preview_wait
from cache_admin.services.policy_faults import explain_policy_faults
from cache_admin.services.topics import describe_policy
from connectgenai.wire.waiting import WaitPolicy as WirePolicy

UNSAVED: Final = "unsaved/"  # what a file is called that lies in the form only; then follows its field's name
USUAL_SECONDS: Final = 15  # where no topic has timed its answers yet
LANGUAGE: Final = "en-US"


def preview_saved(policy: WaitPolicy, *, language: str) -> dict[str, Any]:
    """The timelines of a policy as it is saved."""
    return describe_timelines(policy, policy.prompts.all(), {}, language=language)


def preview_form(admin: Any, request: HttpRequest, policy: WaitPolicy | None, *, language: str) -> dict[str, Any]:
    """The timelines of what the form holds, or {"errors": {id of the field: sentences}} where it cannot be read."""
    is_change = policy is not None
    form = admin.get_form(request, policy, change=is_change)(request.POST, request.FILES, instance=policy)
    form.is_valid()
    formset = admin._create_formsets(request, form.instance, change=is_change)[0][0]
    formset.is_valid()
    errors = find_errors(form, formset)
    if errors:
        return {"errors": errors}
    prompts = sorted(kept_forms(formset), key=lambda one: one.instance.position)
    lengths = _name_uploads(form, prompts)
    return describe_timelines(form.instance, [one.instance for one in prompts], lengths, language=language)


def find_errors(form: Any, formset: Any) -> dict[str, list[str]]:
    """What stands in the way of a preview; the name does not, and neither does a broken promise: that is to be heard."""
    found = {form[name].auto_id: list(map(str, errors)) for name, errors in form.errors.items() if name in form.fields}
    found.pop(form["name"].auto_id if "name" in form.fields else "", None)
    for part in formset.forms:
        if not formset._should_delete_form(part):
            # what is wrong with a prompt as a whole is said at its text
            named = {name if name in part.fields else "text": errors for name, errors in part.errors.items()}
            found |= {part[name].auto_id: list(map(str, errors)) for name, errors in named.items()}
    return found


def _name_uploads(form: Any, prompts: Iterable[Any]) -> dict[str, float]:
    """Gives files that are not stored yet a name by which the page finds them; their seconds by URI."""
    lengths = {}
    for one, field in [(form, "comfort_audio"), *((prompt, "audio") for prompt in prompts)]:
        if one.upload:
            name = f"{UNSAVED}{one.add_prefix(field)}"
            setattr(one.instance, field, name)
            lengths[make_uri(name)] = one.upload[1]
    return lengths


def describe_timelines(
    policy: WaitPolicy, prompts: Iterable[WaitPrompt], lengths: Mapping[str, float], *, language: str
) -> dict[str, Any]:
    """Timelines for each answer, and the promises that the policy breaks."""
    wire = describe_policy(policy, prompts)
    previews = [_preview(wire, seconds, policy, lengths, language) for seconds in ANSWER_SECONDS]
    return {
        "language": language,
        "max_silence": wire.max_silence,
        "faults": explain_policy_faults(wire),
        "timelines": [_describe(one) for one in previews],
    }


def _preview(
    wire: WirePolicy, seconds: float, policy: WaitPolicy, lengths: Mapping[str, float], language: str
) -> Preview:
    return preview_wait(
        wire,
        answer_seconds=seconds,
        language=language,
        answer=find_example(language),
        usual_seconds=_find_usual_seconds(policy),
        sound_seconds=_measure_with(lengths),
    )


def _find_usual_seconds(policy: WaitPolicy) -> int:
    topics = Topic.objects.filter(languages__wait_policy=policy.pk) if policy.pk else Topic.objects.none()
    return topics.aggregate(most=Max("estimate_seconds"))["most"] or USUAL_SECONDS


def _measure_with(lengths: Mapping[str, float]) -> Callable[[str], float]:
    return lambda uri: lengths[uri] if uri in lengths else measure_stored(find_sound(uri))


def _describe(preview: Preview) -> dict[str, Any]:
    plain = preview.to_dict()
    return {**plain, "bars": [{**bar, **_find_source(bar["audio"])} for bar in plain["bars"]]}


def _find_source(uri: str) -> dict[str, str]:
    """Where the page finds the sound: under a URL, or in one of its own fields."""
    unsaved = make_uri(UNSAVED)
    if uri.startswith(unsaved):
        return {"input": uri.removeprefix(unsaved)}
    if not find_sound(uri):
        return {}
    return {"sound": f"{reverse('admin:cache_admin_waitpolicy_sound')}?{urlencode({'uri': uri})}"}
