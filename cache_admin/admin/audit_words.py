"""What the trail's verbs mean, for people."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cache_admin.audit.verbs import UNDONE

WORDS = {
    "answer.edited": gettext_lazy("answer edited"),
    "answer.put_back": gettext_lazy("earlier text put back"),
    "answer.invalidated": gettext_lazy("answer invalidated"),
    "answer.approved": gettext_lazy("answer approved"),
    "answer.rejected": gettext_lazy("answer rejected"),
    "answer.drafted": gettext_lazy("text saved as a draft"),
    "answer.sent_back": gettext_lazy("text sent back as a draft"),
    "answer.chosen": gettext_lazy("earlier candidate chosen"),
    "answer.cared_for": gettext_lazy("owner or date of verification changed"),
    "topic.taken_in": gettext_lazy("earlier answers taken into review"),
    "answer.sent_in": gettext_lazy("answer sent in for approval"),
    "answer.verified": gettext_lazy("answer verified"),
    "answer.published": gettext_lazy("answer published"),
    "answer.assigned": gettext_lazy("answer given to somebody to look after"),
    "answer.compared": gettext_lazy("new text asked for, to compare"),
    "answer.kept": gettext_lazy("new text not taken"),
    "answer.replaced": gettext_lazy("new text published"),
    "batch.started": gettext_lazy("batch started"),
    "batch.paused": gettext_lazy("batch paused"),
    "batch.resumed": gettext_lazy("batch resumed"),
    "batch.cancelled": gettext_lazy("batch cancelled"),
    "batch.retried": gettext_lazy("failed rows tried again"),
    "data.exported": gettext_lazy("data taken away as a file"),
    "decision.unfinished": gettext_lazy("begun, outcome unknown"),
    "drift.compared": gettext_lazy("comparison asked for"),
    "drift.repaired": gettext_lazy("repair asked for"),
    "flow.added": gettext_lazy("flow uploaded"),
    "flow.changed": gettext_lazy("flow changed"),
    "flow.deleted": gettext_lazy("flow deleted"),
    "group.added": gettext_lazy("group made"),
    "group.changed": gettext_lazy("group changed"),
    "group.deleted": gettext_lazy("group deleted"),
    "incident.switched_on": gettext_lazy("incident text switched on"),
    "incident.switched_off": gettext_lazy("incident text switched off"),
    "incident.prolonged": gettext_lazy("incident's end changed"),
    "incident.resumed": gettext_lazy("incident tried again"),
    "limit.added": gettext_lazy("model limit made"),
    "limit.changed": gettext_lazy("model limit changed"),
    "limit.deleted": gettext_lazy("model limit deleted"),
    "limit.lifted": gettext_lazy("model tried again"),
    "page.submitted": gettext_lazy("form sent"),
    "parked.replayed": gettext_lazy("parked question sent back"),
    "parked.discarded": gettext_lazy("parked question discarded"),
    "person.signed_in": gettext_lazy("signed in"),
    "person.sign_in_failed": gettext_lazy("sign-in failed"),
    "person.password_changed": gettext_lazy("own password changed"),
    "person.recovery_codes_made": gettext_lazy("own codes on paper made anew"),
    "person.second_factor_removed": gettext_lazy("own second factor taken away"),
    "person.second_factor_set": gettext_lazy("own second factor set up"),
    "person.signed_out": gettext_lazy("signed out"),
    "person.locked_out": gettext_lazy("locked out"),
    "policy.saved": gettext_lazy("wait policy saved"),
    "policy.restored": gettext_lazy("earlier wait policy put back"),
    "question.prewarmed": gettext_lazy("question pre-warmed"),
    "schedule.added": gettext_lazy("schedule made"),
    "schedule.changed": gettext_lazy("schedule changed"),
    "schedule.deleted": gettext_lazy("schedule deleted"),
    "topic.document_put_back": gettext_lazy("earlier document put back"),
    "topic.published": gettext_lazy("topic published"),
    "topic.invalidated": gettext_lazy("all answers of a topic invalidated"),
    "topic.tried": gettext_lazy("question tried out on a topic"),
    "user.signed_out": gettext_lazy("somebody signed out everywhere"),
    "user.second_factor_forgotten": gettext_lazy("somebody's second factor forgotten"),
    "user.unlocked": gettext_lazy("somebody unlocked"),
    "user.added": gettext_lazy("user made"),
    "user.changed": gettext_lazy("user changed"),
    "user.deleted": gettext_lazy("user deleted"),
    "user.password_set": gettext_lazy("password set for somebody"),
}


def name_verb(verb: str) -> str:
    """In words; a verb of a page that has none yet stands for itself."""
    plain = verb.removesuffix(UNDONE)
    command = plain.removeprefix("command.")
    words = str(WORDS.get(plain, plain)) if command == plain else _("command %s") % command
    return _("undone: %s") % words if plain != verb else words
