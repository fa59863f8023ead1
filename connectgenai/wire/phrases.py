"""What is said when a topic has no words of its own for it, in the languages we speak; English for all others."""

from __future__ import annotations

PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "apology": "I am sorry, I cannot answer that right now. Let me connect you with a person.",
        "patience": "I am sorry, the answer takes longer than expected. Let me connect you with a person.",
        "restart": "Sorry, let me start again.",
        "estimate": "This usually takes about {seconds} seconds.",
        "question": "I am sorry, I did not understand the question. Please ask it again in one short sentence.",
        "busy": "I am sorry, very many people are asking right now. Let me connect you with a person.",
        "wait": "One moment please, I am looking that up.",
    },
    "de": {
        "apology": "Es tut mir leid, das kann ich gerade nicht beantworten. Ich verbinde Sie mit einem Menschen.",
        "patience": "Es tut mir leid, die Antwort dauert länger als erwartet. Ich verbinde Sie mit einem Menschen.",
        "restart": "Entschuldigung, ich beginne noch einmal von vorn.",
        "estimate": "Das dauert meistens etwa {seconds} Sekunden.",
        "question": "Es tut mir leid, ich habe die Frage nicht verstanden. Bitte fragen Sie noch einmal in einem kurzen Satz.",
        "busy": "Es tut mir leid, gerade fragen sehr viele Menschen. Ich verbinde Sie mit einem Menschen.",
        "wait": "Einen Moment bitte, ich sehe nach.",
    },
    "es": {
        "apology": "Lo siento, ahora mismo no puedo responder a eso. Le paso con una persona.",
        "patience": "Lo siento, la respuesta tarda más de lo previsto. Le paso con una persona.",
        "restart": "Perdone, empiezo de nuevo.",
        "estimate": "Suele tardar unos {seconds} segundos.",
        "question": "Lo siento, no he entendido la pregunta. Repítala por favor en una frase corta.",
        "busy": "Lo siento, hay muchas personas preguntando. Le paso con una persona.",
        "wait": "Un momento, por favor, lo estoy buscando.",
    },
    "fr": {
        "apology": "Je suis désolé, je ne peux pas répondre pour le moment. Je vous passe une personne.",
        "patience": "Je suis désolé, la réponse prend plus de temps que prévu. Je vous passe une personne.",
        "restart": "Pardon, je recommence.",
        "estimate": "Cela prend en général environ {seconds} secondes.",
        "question": "Je suis désolé, je n'ai pas compris la question. Posez-la de nouveau en une phrase courte, s'il vous plaît.",
        "busy": "Je suis désolé, beaucoup de personnes appellent. Je vous passe une personne.",
        "wait": "Un instant, s'il vous plaît, je cherche la réponse.",
    },
}


def say(phrase: str, *, language: str) -> str:
    """One of the phrases in the language (BCP 47), or in English."""
    return PHRASES.get(language.lower()[:2], PHRASES["en"])[phrase]
