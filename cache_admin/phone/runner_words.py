"""What happens on a call that a flow leads, in the language of the page: the flow's runner knows English only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from cache_admin.stored_words import translate_sentence

SENTENCES = (
    _("the flow leads nowhere"),
    _("%(action)s: %(why)s, and there is no branch for it"),
    _("%(type)s is not played here: it takes its error branch"),
    _("%(type)s is not played here"),
    _("there is no action %(action)s"),
    _("the flow goes round without end: %(path)s"),
    _("it is made to fail"),
    _("it took longer than its time limit"),
    _("the reply is not an object, but %(type)s"),
    _("the reply has %(size)s bytes, more than 32 KB"),
    _("STRING_MAP takes texts only, and %(name)s is %(value)s"),
    _("Connect may not invoke %(name)s"),
    _("the Lambdas since the last prompt took 20 s together"),
    _("to a phone number"),
    _("no working queue has been set"),
    _("the queue is full"),
    _("to the flow %(flow)s, which is not here"),
    _("the module %(module)s is not here"),
    _("modules are nested more than five deep"),
    _("the call is still not over after %(seconds)s s"),
    _("Attributes is not a map"),
    _('FlowAttributes are not of the form {"name": {"Value": "text"}}'),
    _("the attributes have %(size)s bytes together, more than 32 KB"),
    _("there is no queue: QueueId is empty"),
    _("there is nothing to say: the text is empty"),
    _("%(spoken)s characters are spoken, of %(n)s: more than one prompt takes"),
    _("a recording is for voice only"),
    _("SSML has no document type"),
    _("prompts from S3 are not played in queue and whisper flows"),
    _("there is no recording: Media.Uri is %(uri)s"),
    _("SSML begins with <speak>, not with <%(tag)s>"),
    _("the SSML does not parse: %(error)s"),
    _("SSML is shown with its tags: it is for voice only"),
    _("Loop prompts is for voice only"),
    _("Loop prompts has nothing to play"),
    _("keys are for voice only; chat needs Amazon Lex here"),
    _("no key was pressed"),
    _("%(entered)s is no phone number"),
    _("what was entered is stored in the clear here, and encrypted in Connect"),
    _("the caller says nothing more"),
    _("the bot understood no intent"),
    _("the contact waits in the queue"),
    _("MaximumLength is no number: %(value)s"),
    _("LambdaInvocationAttributes is not a map"),
    _("%(function)s begins"),
    _("there is no invocation of this id"),
    _("%(function)s is still running"),
    _("the Lambda gave nothing: %(why)s"),
    _("a Wait within the Continue branch of another Wait is not supported"),
    _("a voice contact waits only in inbound flows, for an event or with a Continue branch"),
)
HEARD = ("prompt", "part", "audio", "key", "say")  # words of the flow, the answer and the caller


def tell_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with what the runner says of it translated; what is heard or done on the line stays as it was."""
    text = str(event.get("text") or "")
    return {**event} if event.get("kind") in HEARD or not text else {**event, "text": _explain(text)}


def _explain(text: str) -> str:
    return translate_sentence(text, SENTENCES, inner=_explain_inner)


def _explain_inner(text: str) -> str:
    return translate_sentence(text, SENTENCES)
