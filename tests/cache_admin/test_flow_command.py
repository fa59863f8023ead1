"""`manage.py test_flow`: calls a flow by scenarios, ours or a customer's, and says what was not heard."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from flows.language import Action
from tests.flows.building import call, make_flow, say

OURS = Path(__file__).parent.parent / "flows" / "scenarios"
SCENARIOS = """
scenarios:
  - name: the name is said
    lambdas: {Lookup: [{reply: {name: Ann}}]}
    expect: {end: disconnected, heard: [{text: Ann, by: 1}]}
  - name: nobody is there
    expect: {heard: [%s]}
"""


def run(*arguments: object) -> tuple[str, object]:
    """What the command prints, and its exit status."""
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("test_flow", *map(str, arguments), stdout=out)
    return out.getvalue(), ended.value.code


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    """A customer's own flow."""
    path = tmp_path / "own.json"
    flow = make_flow(
        call("Lookup", "Speak", failing="Sorry"),
        say("Speak", "End", Text="Hello $.External.name."),
        say("Sorry", "End", Text="Sorry."),
    )
    path.write_text(flow.to_json())
    return path


def write(folder: Path, text: str) -> Path:
    path = folder / "scenarios.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["poll", "native", "queue", "module"])
def test_our_flows_pass_with_every_branch(name: str) -> None:
    text, status = run(OURS / f"{name}.yaml")
    assert status == 0
    assert "branches taken (100 %)" in text
    assert text.splitlines()[-1].endswith("scenarios, 0 failed.")


def test_a_customers_flow_passes_or_fails_with_the_reason_and_the_call(flow: Path, tmp_path: Path) -> None:
    text, status = run(write(tmp_path, SCENARIOS % "Sorry"), "--flow", flow)
    assert (status, "FAILED" in text) == (0, False)
    assert "4 of 7 branches taken (57 %)" not in text
    text, status = run(write(tmp_path, SCENARIOS % "Goodbye"), "--flow", flow)
    assert status == 1
    assert "  FAILED  nobody is there" in text
    assert "'Goodbye' was never heard" in text
    assert '"Sorry."' in text
    assert "2 scenarios, 1 failed." in text


def test_coverage_names_the_branches_that_no_call_took(flow: Path, tmp_path: Path) -> None:
    text, _ = run(write(tmp_path, SCENARIOS % "Sorry"), "--flow", flow)
    assert "5 of 7 branches taken (71 %)" in text
    assert "not taken: Speak -> NoMatchingError" in text


def test_json_has_every_event(flow: Path, tmp_path: Path) -> None:
    text, status = run(write(tmp_path, SCENARIOS % "Goodbye"), "--flow", flow, "--json")
    found = json.loads(text)[0]
    assert status == 1
    assert (found["branches"], found["branches_taken"]) == (7, 5)
    assert {"action": "Sorry", "way": "NoMatchingError"} in found["missed"]
    assert [one["passed"] for one in found["scenarios"]] == [True, False]
    assert found["scenarios"][0]["events"][-1]["kind"] == "end"


def test_the_file_may_name_its_flow_and_modules(flow: Path, tmp_path: Path) -> None:
    enter = Action.make("In", "InvokeFlowModule", parameters={"FlowModuleId": "inner"}, next_action="End",
                        errors=[("NoMatchingError", "End")])  # fmt: skip
    (tmp_path / "outer.json").write_text(make_flow(enter).to_json())
    text = "flow: {path: outer.json, modules: {inner: own.json}}" + SCENARIOS % "Sorry"
    assert run(write(tmp_path, text))[1] == 0


def test_modules_may_be_given_on_the_command_line(flow: Path, tmp_path: Path) -> None:
    enter = Action.make("In", "InvokeFlowModule", parameters={"FlowModuleId": "inner"}, next_action="End",
                        errors=[("NoMatchingError", "End")])  # fmt: skip
    outer = tmp_path / "outer.json"
    outer.write_text(make_flow(enter).to_json())
    assert run(write(tmp_path, SCENARIOS % "Sorry"), "--flow", outer, "--module", f"inner={flow}")[1] == 0


def test_verbosity_2_prints_every_call(flow: Path, tmp_path: Path) -> None:
    text, _ = run(write(tmp_path, SCENARIOS % "Sorry"), "--flow", flow, "--verbosity", "2")
    assert '"Hello Ann."' in text


def test_what_the_linter_calls_an_error_is_told_before_the_calls(tmp_path: Path) -> None:
    path = tmp_path / "dangling.json"
    path.write_text(make_flow(say("Hello", "Nowhere")).to_json())
    text, status = run(write(tmp_path, "scenarios: [{name: a call}]"), "--flow", path)
    assert status == 1
    assert "the linter says: DANGLING_TARGET at Hello" in text
    assert "there is no action 'Nowhere'" in text


def test_a_cycle_without_a_prompt_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "round.json"
    path.write_text(make_flow(call("A", "A", failing="A")).to_json())
    text, status = run(write(tmp_path, "scenarios: [{name: a call}]"), "--flow", path)
    assert status == 1
    assert "the call did not end properly: stuck" in text


BAD: list[tuple[dict[str, Any], str]] = [
    ({"scenarios": "{"}, "scenarios.yaml: this is not YAML"),
    ({"scenarios": "scenarios: []"}, "scenarios.yaml: there is no scenario in it"),
    ({"scenarios": "scenarios: [{name: a, wants: b}]"}, "scenarios.yaml: scenario 'a': 'wants' is not known here"),
    ({"scenarios": "flow: {mode: push}\nscenarios: [{name: a}]"}, "there is no mode 'push'"),
    ({"scenarios": "flow: {path: none.json}\nscenarios: [{name: a}]"}, "none.json: No such file or directory"),
    ({"flow": "{not JSON"}, "flow.json: .*line 1, column 2"),
    ({"flow": "[]"}, "flow.json: .*"),
    ({"flow": '{"modules": [], "metadata": {}}'}, "flow.json: .*"),
    ({"flow": '{"Version": "2019-10-30"}'}, "flow.json: It holds no flow"),
]


@pytest.mark.parametrize(("files", "said"), BAD)
def test_bad_files_get_a_clear_message_with_the_place(files: dict[str, str], said: str, tmp_path: Path) -> None:
    scenarios = write(tmp_path, files.get("scenarios", "scenarios: [{name: a}]"))
    arguments = [scenarios]
    if "flow" in files:
        (tmp_path / "flow.json").write_text(files["flow"])
        arguments += [Path("--flow"), tmp_path / "flow.json"]
    with pytest.raises(CommandError, match=said):
        call_command("test_flow", *map(str, arguments))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match=r"/nowhere/a\.yaml: No such file or directory"):
        call_command("test_flow", "/nowhere/a.yaml")


def test_a_module_without_a_name_is_refused_with_an_example(flow: Path) -> None:
    with pytest.raises(CommandError, match="is not NAME=FILE, such as greeting="):
        call_command("test_flow", "a.yaml", "--module", str(flow))


def test_the_example_in_the_docs_passes(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "flows.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    text, status = run(write(tmp_path, example))
    assert status == 0, text
