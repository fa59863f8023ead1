"""What a preview says where a call would say the answer."""

from __future__ import annotations

from typing import Final

ANSWERS: Final = {
    "en": "Yes, we are open on Sunday, from ten to four.",
    "de": "Ja, wir haben am Sonntag von zehn bis vier Uhr geöffnet.",
    "es": "Sí, abrimos los domingos de diez a cuatro.",
    "fr": "Oui, nous sommes ouverts le dimanche de dix heures à seize heures.",
}


def find_example(language: str) -> str:
    """An answer in the language (BCP 47), or in English."""
    return ANSWERS.get(language.lower()[:2], ANSWERS["en"])
