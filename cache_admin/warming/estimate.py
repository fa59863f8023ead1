"""What a batch will cost, as well as can be known before: tokens, and dollars where the model's price is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Avg, Count, Sum

from cache_admin.models import CachedAnswer, ModelLimit, SourceDocument, Topic, WarmBatch

CHARACTERS_PER_TOKEN = 4  # Bedrock's own rule of thumb for English
_CHARACTERS_PER_WORD = 6  # of a document, with the space after it
_STYLE_TOKENS = 150  # what every prompt says besides: how to speak, and that documents are data
_QUESTION_TOKENS = 20
_LATELY = 50
_GUESSED_OUTPUT = 80  # of a topic that has never answered: about twenty seconds of speech


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens read and written by so many generations; `dollars` is None as long as one of the models has no price."""

    questions: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    dollars: Decimal | None = Decimal(0)


def estimate_batch(batch: WarmBatch) -> Estimate:
    """What the chosen rows will cost if none of them is answered meanwhile."""
    chosen = batch.rows.filter(chosen=True).order_by()
    return _sum(estimate_questions(*counted) for counted in chosen.values_list("topic").annotate(rows=Count("pk")))


def estimate_questions(name: str, questions: int) -> Estimate:
    """What so many generations in a topic will cost."""
    topic = Topic.objects.filter(name=name).first()
    if topic is None:
        return Estimate()
    read, written = questions * _prompt_tokens(topic), questions * _typical_output(topic)
    return Estimate(questions, read, written, find_price(topic.model_id, input_tokens=read, output_tokens=written))


def _prompt_tokens(topic: Topic) -> int:
    words = SourceDocument.objects.filter(topic=topic).aggregate(words=Sum("words"))["words"] or 0
    characters = len(topic.instructions) + words * _CHARACTERS_PER_WORD
    return characters // CHARACTERS_PER_TOKEN + _STYLE_TOKENS + _QUESTION_TOKENS


def _typical_output(topic: Topic) -> int:
    generated = CachedAnswer.objects.filter(topic=topic.name, source=CachedAnswer.Source.GENERATED)
    lately = generated.order_by("-finished_at").values("pk")[:_LATELY]
    answers = CachedAnswer.objects.filter(pk__in=lately, output_tokens__gt=0)
    return round(answers.aggregate(tokens=Avg("output_tokens"))["tokens"] or min(_GUESSED_OUTPUT, topic.max_tokens))


def find_price(model_id: str, *, input_tokens: int, output_tokens: int) -> Decimal | None:
    """What so many tokens cost with this model; None when its prices are not entered."""
    limit = ModelLimit.objects.filter(model_id=model_id).first()
    if limit is None or limit.input_price is None or limit.output_price is None:
        return None
    return (limit.input_price * input_tokens + limit.output_price * output_tokens) / 1000


def measure_batch(batch: WarmBatch) -> Estimate:
    """What the batch has really used so far."""
    done = batch.rows.filter(state="done", output_tokens__gt=0).order_by()
    sums = done.values_list("topic").annotate(rows=Count("pk"), read=Sum("input_tokens"), written=Sum("output_tokens"))
    models = dict(Topic.objects.values_list("name", "model_id"))
    return _sum(
        Estimate(rows, read, written, find_price(models.get(topic, ""), input_tokens=read, output_tokens=written))
        for topic, rows, read, written in sums
    )


def _sum(parts: Iterable[Estimate]) -> Estimate:
    known = list(parts)
    prices = [part.dollars for part in known]
    return Estimate(
        questions=sum(part.questions for part in known),
        input_tokens=sum(part.input_tokens for part in known),
        output_tokens=sum(part.output_tokens for part in known),
        dollars=None if None in prices else sum((price for price in prices if price is not None), Decimal(0)),
    )
