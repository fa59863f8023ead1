"""What branches: comparisons, loops, hours, figures, percentages; and how a result finds its branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flows.language import Action, Transition
from flows.runner.call import Call
from flows.runner.outcome import ON, Outcome, result

_TEXT: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "Equals": lambda value, operand: value == operand,
    "TextStartsWith": lambda value, operand: value.startswith(operand),
    "TextEndsWith": lambda value, operand: value.endswith(operand),
    "TextContains": lambda value, operand: operand in value,
}
_NUMBERS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "NumberGreaterThan": lambda value, operand: value > operand,
    "NumberGreaterOrEqualTo": lambda value, operand: value >= operand,
    "NumberLessThan": lambda value, operand: value < operand,
    "NumberLessOrEqualTo": lambda value, operand: value <= operand,
}


def find_condition(call: Call, action: Action, value: str) -> Transition | None:
    """The first condition that holds of a result."""
    return next((way for way in action.conditions if _holds(call, way.condition, value)), None)


def _holds(call: Call, condition: Any, value: str) -> bool:
    """Whether a condition, perhaps of conditions, holds; one that Connect does not know does not."""
    if not isinstance(condition, Mapping):
        return False
    operator, operands = condition.get("Operator"), condition.get("Operands")
    listed = operands if isinstance(operands, list) else []
    inner = [_holds(call, one.get("Condition", one), value) for one in listed if isinstance(one, Mapping)]
    if inner:
        return all(inner) if operator == "And" else any(inner)
    if not listed:
        return False
    operand = call.contact.text(listed[0])
    if text := _TEXT.get(str(operator)):
        return text(value, operand)
    numbers = _NUMBERS.get(str(operator))
    return numbers is not None and _compare_numbers(numbers, value, operand)


def _compare_numbers(compare: Callable[[float, float], bool], value: str, operand: str) -> bool:
    try:
        return compare(float(value), float(operand))
    except ValueError:
        return False


def compare(call: Call, action: Action) -> Outcome:
    """Check contact attributes."""
    return result(call.parameter(action, "ComparisonValue"))


def loop(call: Call, action: Action) -> Outcome:
    """Loop: so many times Continue, then Done once, and from the beginning."""
    key, count = (call.flow.name, action.identifier), int(call.seconds(action, "LoopCount", 0))
    done = call.loops.get(key, 0)
    call.loops[key] = done + 1 if done < count else 0
    return result("ContinueLooping" if done < count else "DoneLooping")


def check_hours_of_operation(call: Call, action: Action) -> Outcome:
    """Check hours of operation, as the instance says they are; open where it says nothing."""
    return result("True" if call.instance.hours.get(call.parameter(action, "HoursOfOperationId"), True) else "False")


def check_metric_data(call: Call, action: Action) -> Outcome:
    """Check queue status or staffing."""
    found = call.instance.metrics.get(call.parameter(action, "MetricType"), 0)
    return result(f"{found:g}")


def distribute_by_percentage(call: Call, _: Action) -> Outcome:
    """Distribute by percentage: a number from 1 to 100, on which the conditions are tried."""
    return result(str(call.instance.percentage()))


def get_metric_data(call: Call, _: Action) -> Outcome:
    """Get metrics: what the instance says, under $.Metrics.Queue."""
    call.contact.known["Metrics"] = {"Queue": dict(call.instance.metrics)}
    return ON
