"""Which topics people are restricted to."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cache_admin.models.topic import Topic


class TopicScope(models.Model):
    """A group or a person that is restricted to some topics; without such a row, all topics are open.

    A row whose topics are all gone opens none: what is forgotten must not open everything.
    """

    group = models.OneToOneField(
        Group, null=True, blank=True, on_delete=models.CASCADE, related_name="topic_scope", verbose_name=_("group")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="topic_scope",
        verbose_name=_("person"),
    )
    topics = models.ManyToManyField(
        Topic,
        verbose_name=_("topics"),
        related_name="+",
        help_text=_("Who belongs here works with these topics only, and finds nothing of others."),
    )

    class Meta:
        """Decided on with the group or the person."""

        verbose_name = _("restriction to topics")
        verbose_name_plural = _("restriction to topics")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(group=None, user__isnull=False) | Q(group__isnull=False, user=None), name="scope_of_one"
            )
        ]

    def __str__(self) -> str:
        return str(self.group or self.user or "")
