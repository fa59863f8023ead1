"""Saving what callers hear: DynamoDB and S3 first, the database after, and the form again when they do not serve."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from cache_admin.admin.typed import ModelAdmin, ModelForm
from connectgenai.wire.queue import QueueUnavailableError
from connectgenai.wire.store import StoreError

M = TypeVar("M", bound=Model)


class NotSavedError(Exception):
    """Nothing was saved; the message is for the form."""


@contextmanager
def explain_outages() -> Iterator[None]:
    """Turns what AWS's clients raise into words for a supervisor."""
    try:
        yield
    except StoreError as error:
        raise NotSavedError(_("DynamoDB does not serve at the moment, so nothing was saved. Try again.")) from error
    except QueueUnavailableError as error:
        raise NotSavedError(_("SQS does not serve at the moment, so nothing was saved. Try again.")) from error
    except (ClientError, BotoCoreError) as error:
        raise NotSavedError(_("S3 does not serve at the moment, so nothing was saved. Try again.")) from error


class StoreFirstForm(ModelForm[M]):
    """A form that can be told, after it was found good, why it was not saved."""

    not_saved = ""

    def clean(self) -> dict[str, Any] | None:
        """Refuses once more what could not be saved a moment ago."""
        cleaned = super().clean()
        if self.not_saved:
            raise ValidationError(self.not_saved, code="not_saved")
        return cleaned


class StoreFirstAdmin(ModelAdmin[M]):
    """Saves outside of any transaction, since no database may wait for a network; NotSavedError shows the form again.

    What `save_related` writes to the database it wraps into a transaction of its own.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Django's view without the transaction around it."""
        view: Any = self._changeform_view  # type: ignore[attr-defined]  # Django's own, within changeform_view
        try:
            return view(request, object_id, form_url, extra_context)
        except NotSavedError as error:
            again = _("Choose the files again.") if request.FILES else ""  # no browser sends them twice
            request.not_saved = f"{error} {again}".strip()  # type: ignore[attr-defined]
            response: HttpResponse = view(request, object_id, form_url, extra_context)
            return response

    def get_form(self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form's class for this request, which knows whether it could not be saved."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)  # a class of this request's own
        form.not_saved = getattr(request, "not_saved", "")
        return form
