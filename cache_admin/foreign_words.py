# ruff: noqa: RUF001 - quotation marks are the libraries' own
"""Texts of libraries that these have not translated themselves: our catalogs come before theirs.

Or where theirs is another word than ours: what is saved is "gespeichert", so the button says "Speichern".
Each stands here as the library has it, so that makemessages finds it.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

DJANGO = (
    _("Save"),
    _("History"),
    _("Save as new"),
    _("Save and add another"),
    _("Save and continue editing"),
    _("After you’ve created a user, you’ll be able to edit more user options."),
    _("This action will <strong>enable</strong> password-based authentication for this user."),
    _("Disable password-based authentication"),
    _("Enable password-based authentication"),
    _("Conflicting form data submitted. Please try again."),
    _("Password-based authentication was disabled."),
    _("Set password: %s"),
    _("Reset password"),
    _("Set password"),
    _(
        "Whether the user will be able to authenticate using a password or not. If disabled, they may still be able to"
        " authenticate using other backends, such as Single Sign-On or LDAP."
    ),
    _("Password-based authentication"),
    _("Enabled"),
    _("Disabled"),
    _("Raw passwords are not stored, so there is no way to see the user’s password."),
    _("Enable password-based authentication for this user by setting a password."),
    _("If disabled, the current password for this user will be lost."),
)
SIGNING_IN = (
    _("Axes"),
    _("MFA"),
    _("authenticator"),
    _("authenticators"),
    _("access attempt expiration"),
    _("access attempt expirations"),
)
CELERY_RESULTS = (
    _("Celery Results"),
    _("task result"),
    _("task results"),
    _("group result"),
    _("group results"),
    _("chord counter"),
    _("chord counters"),
    _("Task ID"),
    _("Celery ID for the Task that was run"),
    _("Task Name"),
    _("Name of the Task which was run"),
    _("Worker"),
    _("Worker that executes the task"),
    _("Result Data"),
    _("The data returned by the task.  Use content_encoding and content_type fields to read."),
    _("Created DateTime"),
    _("Datetime field when the task result was created in UTC"),
    _("Completed DateTime"),
    _("Datetime field when the task was completed in UTC"),
    _("Traceback"),
    _("Text of the traceback if the task generated one"),
)
