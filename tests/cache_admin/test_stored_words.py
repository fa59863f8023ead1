"""Sentences that are kept in rows, and those of the modules that know no language, as a reader finds them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils.translation import gettext, override

from cache_admin.services.policy_faults import SENTENCES, explain_policy_faults
from cache_admin.stored_words import TEMPLATES, in_english, read_stored
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt, find_policy_faults


def test_a_sentence_with_numbers_is_read_in_the_language_of_the_page() -> None:
    with override("de"):
        assert read_stored("The same question as in row 17.") == "Dieselbe Frage wie in Zeile 17."
        assert read_stored("Row 3 is broken: line contains NUL.") == "Zeile 3 ist beschädigt: line contains NUL."
    assert read_stored("The same question as in row 17.") == "The same question as in row 17."


def test_a_sentence_without_anything_filled_in_needs_no_template() -> None:
    with override("de"):
        assert read_stored("There is no answer.") == gettext("There is no answer.") == "Es ist keine Antwort angegeben."


@pytest.mark.parametrize("text", ["", "gern.csv", "100 % sure: %s and %(row)d", "model_busy"])
def test_what_is_no_sentence_of_ours_stays_as_it_is(text: str) -> None:
    with override("de"):
        assert read_stored(text) == text


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_is_found_again_once_it_is_filled(template: str) -> None:
    filled = (
        template % dict.fromkeys(("row", "error", "time", "zone", "quiet", "most"), 7)
        if "%(" in template
        else template % ((7,) * template.count("%"))
    )
    with override("de"):
        assert read_stored(filled) != filled


def test_rows_are_written_in_english_whoever_works() -> None:
    @in_english
    def write() -> str:
        return gettext("There is no answer.")

    with override("de"):
        assert write() == "There is no answer."
        assert gettext("There is no answer.") == "Es ist keine Antwort angegeben."


def list_impossible_policies() -> list[WaitPolicy]:
    good = WaitPolicy(prompts=(WaitPrompt(text="One moment please, I look."),), interval=3.0, first_prompt_after=1.5)
    return [
        replace(good, hold=9.0),
        replace(good, hold=3.5, max_silence=2.5),
        replace(good, max_wait=1.0),
        replace(good, interval=1.0),
        replace(good, prompts=()),
        replace(good, interval=9.5),
    ]


@pytest.mark.parametrize("policy", list_impossible_policies())
def test_what_is_impossible_in_a_wait_policy_is_said_in_german(policy: WaitPolicy) -> None:
    faults = find_policy_faults(policy)
    assert faults
    with override("de"):
        assert not set(explain_policy_faults(policy)) & set(faults)


def test_each_sentence_about_a_policy_is_one_that_is_said() -> None:
    said = {fault for policy in list_impossible_policies() for fault in find_policy_faults(policy)}
    assert set(SENTENCES) <= said


def test_fractions_in_a_sentence_get_the_languages_own_point() -> None:
    with override("de"):
        (fault,) = explain_policy_faults(list_impossible_policies()[-1])
        assert "7,8 Sekunden" in fault
