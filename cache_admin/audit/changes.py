"""What a form has changed: the values that it was loaded with beside those that were saved, its tables included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cache_admin.audit.describing import Facts, describe, plain_value


def find_changes(form: Any, formsets: Sequence[Any] | None, *, add: bool) -> tuple[Facts, Facts]:
    """Before and after, of the form and of the rows in its tables; of what is new, all of it."""
    old, new = ({}, _describe_new(form)) if add else _compare(form)
    for formset in formsets or ():
        for name, before, after in _compare_rows(formset):
            if before is not None:
                old[name] = before
            if after is not None:
                new[name] = after
    return old, new


def _compare(form: Any) -> tuple[Facts, Facts]:
    names = [name for name in form.changed_data if name in form.fields]
    cleaned = getattr(form, "cleaned_data", {})
    old = {name: plain_value(form.instance, name, form.initial.get(name)) for name in names}
    return old, {name: plain_value(form.instance, name, cleaned.get(name)) for name in names}


def _compare_rows(formset: Any) -> Iterator[tuple[str, Facts | None, Facts | None]]:
    """Each row that was added, changed or removed, under a name of its own."""
    kind = formset.model._meta.model_name
    for obj in formset.deleted_objects:
        yield f"{kind} {obj}"[:80], describe(obj), None
    removed = {id(form) for form in formset.deleted_forms}
    for form in formset.initial_forms:
        if form.has_changed() and id(form) not in removed:
            yield f"{kind} {form.instance}"[:80], *_compare(form)
    for form in formset.extra_forms:
        if form.has_changed() and form.instance.pk and id(form) not in removed:
            yield f"{kind} {form.instance}"[:80], None, _describe_new(form)


def _describe_new(form: Any) -> Facts:
    """The row, and what its form has of others: groups, rights, topics."""
    return {**_compare(form)[1], **describe(form.instance)}
