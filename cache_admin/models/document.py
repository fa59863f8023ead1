"""What a topic's answers are made from."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cache_admin.models.scoped import ScopedManager
from cache_admin.models.topic import Topic


class DocumentKind(models.TextChoices):
    """What can be read."""

    TXT = "txt", _("plain text")
    MD = "md", _("Markdown")
    PDF = "pdf", _("PDF")
    DOCX = "docx", _("Word")


class SourceDocument(models.Model):
    """An uploaded document; its text lies in the bucket under the text's own hash."""

    Kind = DocumentKind

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="documents", verbose_name=_("topic"))
    title = models.CharField(
        _("title"),
        max_length=200,
        blank=True,
        help_text=_("The file's name if left empty. A document of a title that is there already takes its place."),
    )
    file = models.FileField(_("file"), max_length=300, upload_to="documents/files/")
    kind = models.CharField(_("kind"), max_length=4, choices=Kind.choices, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    words = models.PositiveIntegerField(_("words"), default=0, editable=False)
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    uploaded_at = models.DateTimeField(_("uploaded"), auto_now_add=True)

    objects = ScopedManager["SourceDocument"]()
    topic_lookup = "topic__name"

    class Meta:
        """The same text twice would be paid for twice."""

        verbose_name = _("source document")
        verbose_name_plural = _("source documents")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["topic", "sha256"], name="one_text_once_a_topic")]

    def __str__(self) -> str:
        return self.title


class EarlierDocument(models.Model):
    """A document that was replaced or removed: listed with who did it and when, and there to be put back."""

    topic = models.ForeignKey(
        Topic, on_delete=models.CASCADE, related_name="earlier_documents", verbose_name=_("topic")
    )
    title = models.CharField(_("title"), max_length=200)
    file = models.FileField(_("file"), max_length=300, upload_to="documents/files/")
    kind = models.CharField(_("kind"), max_length=4, choices=DocumentKind.choices)
    sha256 = models.CharField(max_length=64)
    words = models.PositiveIntegerField(_("words"), default=0)
    position = models.PositiveSmallIntegerField(default=0)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded"))
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("taken out by")
    )
    ended_at = models.DateTimeField(_("taken out"))

    objects = ScopedManager["EarlierDocument"]()
    topic_lookup = "topic__name"

    class Meta:
        """The latest first; seen by whoever sees the topic."""

        verbose_name = _("earlier document")
        verbose_name_plural = _("earlier documents")
        default_permissions = ()
        ordering = ["-ended_at", "-id"]

    def __str__(self) -> str:
        return self.title
