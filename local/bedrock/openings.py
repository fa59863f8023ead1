"""How a sentence begins: whether it leans on the one before it, limits it, or stands by itself."""

from __future__ import annotations

import re

_LEANS = """
it its they their them this that these those he she his her such both also then and so after_that after_this afterwards until_then
in_this_case one_of_it one_of_them one_of_these some_of_it some_of_them some_of_these most_of_it most_of_them most_of_these none_of_it
none_of_them none_of_these all_of_it all_of_them all_of_these each_of_them each_of_these both_of_them both_of_these
"""
_LIMITS = """
however but or otherwise instead if_not if_so in_that_case except unless nevertheless even_so only_then
"""
_LINKS = """
thus therefore moreover furthermore for_example for_instance in_addition similarly yes no here there one_of some_of most_of
the_latter the_former the_same the_other
"""


def _pattern(*lists: str) -> re.Pattern[str]:
    words = (word.replace("_", " ") for words in lists for word in words.split())
    return re.compile(rf"(?:{'|'.join(sorted(words, key=len, reverse=True))})\b", re.I)


LEANS, LIMITS, DANGLES = _pattern(_LEANS), _pattern(_LIMITS), _pattern(_LEANS, _LIMITS, _LINKS)


def leans_back(text: str) -> bool:
    """Whether the sentence is only understood after the one before it."""
    return bool(LEANS.match(text) or LIMITS.match(text))


def stands_alone(text: str) -> bool:
    """Whether the sentence is understood without any other."""
    return not DANGLES.match(text)
