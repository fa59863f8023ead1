"""SSML as Amazon Connect takes it."""

from __future__ import annotations

from xml.etree import ElementTree

from django.utils.translation import gettext as _


class SsmlError(ValueError):
    """The text is not SSML; the message says where."""


def check_ssml(text: str) -> None:
    """SsmlError unless it is one <speak> element with something in it. Declarations, which could name entities, are refused."""
    if "<!" in text or "<?" in text:
        raise SsmlError(_("SSML must begin with <speak>, without declarations and comments."))
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no declarations, so no entities
    except ElementTree.ParseError as error:
        line, column = error.position
        raise SsmlError(
            _("This is not well-formed SSML (line %(line)d, column %(column)d).") % {"line": line, "column": column + 1}
        ) from error
    if root.tag != "speak" or not ("".join(root.itertext()).strip() or len(root)):
        raise SsmlError(_("SSML must be one <speak> element with something to say in it."))
