from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from flows.language import Action, Flow
from tests.browser.conftest import Tab, wait_until

PHONE = "/admin/cache_admin/phonecall/"
FLOWS = "/admin/cache_admin/uploadedflow/"
CALL_MS = 45_000  # two slow cores may be shared with much else


def open_phone(page: Page, *, question: str, speed: str = "20", **chosen: str) -> None:
    page.goto(PHONE)
    page.get_by_label("Topic").select_option("store-faq")
    page.get_by_label("Clock").select_option(speed)
    page.get_by_label("Question", exact=True).fill(question)
    for label, value in chosen.items():
        page.get_by_label(label, exact=True).select_option(value)


def call(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Call")).click()
    expect(page.get_by_role("button", name="Hang up")).to_be_visible()


def wait_for_end(page: Page, how: str) -> None:
    expect(page.get_by_role("status")).to_have_text(how, timeout=CALL_MS)
    expect(page.get_by_role("button", name="Call again")).to_be_visible()


def read_figure(page: Page, name: str) -> str:
    return page.locator(f"#figure-{name}").inner_text()


def make_menu() -> dict[str, Any]:
    """A flow of a customer's own: a menu by keys, and a function that is not ours to invoke."""
    errors = ("InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError")
    menu = {"Text": "Press one for shoes.", "InputTimeLimitSeconds": "60", "StoreInput": "False"}
    payroll = {"LambdaFunctionARN": "arn:aws:lambda:us-east-1:111122223333:function:payroll"}
    actions = [
        Action.make("Menu", "GetParticipantInput", parameters=menu, next_action="Payroll",
                    conditions=[("Equals", "1", "Shoes")], errors=[(error, "Payroll") for error in errors]),
        Action.make("Shoes", "MessageParticipant", parameters={"Text": "Shoes are upstairs."}, next_action="Payroll",
                    errors=[("NoMatchingError", "Payroll")]),
        Action.make("Payroll", "InvokeLambdaFunction", parameters={**payroll, "InvocationTimeLimitSeconds": "3"},
                    next_action="Lost", errors=[("NoMatchingError", "Refused")]),
        Action.make("Refused", "MessageParticipant", parameters={"Text": "We may not do that."}, next_action="End",
                    errors=[("NoMatchingError", "End")]),
        Action.make("End", "DisconnectParticipant"),
    ]  # fmt: skip
    return dict(
        Flow.make(actions, start="Menu", metadata={"name": "Shoe menu", "entryPointPosition": {"x": 0, "y": 0}}).content
    )


# Debian's Chromium brings no voices of its own: these note what they are given to say, and when
VOICES = """
window.spoken = [];
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
const voices = [{ lang: "de-DE", name: "Anna" }, { lang: "en-US", name: "Joe" }];
Object.defineProperty(window, "speechSynthesis", { value: {
  getVoices: () => voices, cancel: () => {}, addEventListener: () => {},
  speak: (said) => { window.spoken.push([said.text, said.voice.name, performance.now()]); setTimeout(said.onend, 10); },
} });
"""


def make_speech(ssml: str) -> dict[str, Any]:
    said = Action.make("Say", "MessageParticipant", parameters={"SSML": ssml}, next_action="End",
                       errors=[("NoMatchingError", "End")])  # fmt: skip
    flow = Flow.make([said, Action.make("End", "DisconnectParticipant")], start="Say", metadata={"name": "Speech"})
    return dict(flow.content)


def upload(page: Page, content: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "menu.json"
    file.write_text(json.dumps(content))
    page.goto(f"{FLOWS}add/")
    page.get_by_label("Exported flow").set_input_files(file)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/change/")


def find_violations(page: Page) -> list[str]:
    """axe-core's findings on the page as it is now: rule and place."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def test_a_whole_call_is_heard_seen_and_measured(tab: Tab) -> None:
    page = tab.page
    open_phone(page, question="Are gift cards valid for ever?")
    call(page)
    wait_for_end(page, "The flow ended the call")
    log = page.get_by_role("log")
    expect(log.locator(".row-part").first).to_contain_text("Gift cards")
    expect(log.locator(".row-lambda").first).to_contain_text("producer → 202 keep waiting")
    expect(log.locator(".row-end")).to_have_text(re.compile("The flow ended the call"))
    assert re.fullmatch(r"\d+\.\d s", read_figure(page, "first"))
    assert re.fullmatch(r"\d+\.\d s", read_figure(page, "silence"))
    assert int(read_figure(page, "lambdas")) == log.locator(".row-lambda").count()
    assert page.locator("#timeline rect.is-part").count() == int(read_figure(page, "parts")) > 0
    assert page.locator("#timeline rect.is-silence").count() > 0
    expect(page.get_by_role("img", name=re.compile(r"The call: first words after .* Lambda calls"))).to_be_visible()
    expect(page.get_by_role("link", name="This call in the records")).to_have_attribute(
        "href", re.compile(r"\?q=[0-9a-f-]{36}$")
    )


def test_rows_stand_in_the_order_in_which_things_began(tab: Tab) -> None:
    page = tab.page
    open_phone(page, question="Is delivery free of charge?")
    call(page)
    wait_for_end(page, "The flow ended the call")
    times = [float(text.split()[0]) for text in page.locator("#transcript time").all_inner_texts()]
    assert times == sorted(times)


def test_a_caller_hangs_up_and_calls_again_for_the_answer(tab: Tab) -> None:
    page = tab.page
    open_phone(page, question="Do you deliver to other countries?", speed="1", Flow="ours:native")
    with page.expect_response("**/sound/?uri=*", timeout=CALL_MS) as sound:
        call(page)
    assert (sound.value.status, sound.value.headers["content-type"].partition("/")[0]) == (200, "audio")
    page.get_by_role("button", name="Hang up").click()
    wait_for_end(page, "The caller hung up")
    page.get_by_label("Clock").select_option("20")
    call(page)
    expect(page.locator("#transcript li.row-part").first).to_be_visible(timeout=CALL_MS)
    wait_for_end(page, "The flow ended the call")


def test_an_uploaded_flow_hears_keys_and_reaches_no_function_but_ours(tab: Tab, tmp_path: Path) -> None:
    page = tab.page
    upload(page, make_menu(), tmp_path)
    expect(page.locator(".findings li").filter(has_text="DANGLING")).to_contain_text("Lost")
    page.get_by_role("link", name="Call it on the phone").click()
    expect(page.get_by_label("Flow", exact=True).locator("option:checked")).to_have_text("Shoe menu")
    page.get_by_label("Question", exact=True).fill("Anything")
    page.get_by_label("Clock").select_option("5")
    call(page)
    expect(page.locator(".row-prompt")).to_contain_text("Press one for shoes.", timeout=CALL_MS)
    page.get_by_role("group", name="Keypad").get_by_role("button", name="1", exact=True).click()
    expect(page.get_by_role("log")).to_contain_text("Shoes are upstairs.", timeout=CALL_MS)
    wait_for_end(page, "The flow ended the call")
    expect(page.get_by_role("log")).to_contain_text("We may not do that.")
    expect(page.locator(".row-lambda")).to_contain_text("payroll → failed")
    expect(page.locator(".row-lambda")).to_contain_text("Connect may not invoke 'payroll'")


def test_the_keyboard_alone_is_enough_and_keeps_its_place(tab: Tab, tmp_path: Path) -> None:
    page = tab.page
    upload(page, make_menu(), tmp_path)
    page.get_by_role("link", name="Call it on the phone").click()
    page.get_by_label("Question", exact=True).fill("Anything")
    page.get_by_role("button", name="Call", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Hang up")).to_be_focused()
    expect(page.locator(".row-prompt")).to_contain_text("Press one for shoes.", timeout=CALL_MS)
    page.keyboard.press("1")
    expect(page.get_by_role("log")).to_contain_text("Shoes are upstairs.", timeout=CALL_MS)
    page.keyboard.press("Enter")
    wait_for_end(page, "The caller hung up")
    expect(page.get_by_role("button", name="Call again")).to_be_focused()


def test_a_call_without_a_question_is_refused_at_the_field(context: BrowserContext) -> None:
    page = context.new_page()
    open_phone(page, question="")
    page.get_by_role("button", name="Call", exact=True).click()
    field = page.get_by_label("Question", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(page.locator("#error-question")).to_have_text("This field is required.")


def test_a_call_ends_when_its_page_goes_away(tab: Tab) -> None:
    page = tab.page
    open_phone(page, question="How late may I come in the evening?", speed="1", Flow="ours:queue")
    with page.expect_response("**/begin/") as begun:
        call(page)
    events = begun.value.json()["events"]
    page.goto("/admin/")
    for _ in range(50):
        found = page.request.get(events).json()
        if found["over"]:
            break
        page.wait_for_timeout(200)
    assert found["events"][-1]["way"] == "hung_up"


def test_a_voice_of_the_language_speaks_and_pauses_as_ssml_says(tab: Tab, tmp_path: Path) -> None:
    page = tab.page
    page.add_init_script(VOICES)
    upload(page, make_speech('<speak>One <break time="700ms"/> &amp; <emphasis>two</emphasis>.</speak>'), tmp_path)
    page.get_by_role("link", name="Call it on the phone").click()
    call(page)
    wait_for_end(page, "The flow ended the call")
    wait_until(page, "window.spoken.length === 2")
    spoken = page.evaluate("window.spoken")
    assert [(text, voice) for text, voice, _ in spoken] == [("One", "Joe"), ("& two.", "Joe")]
    assert spoken[1][2] - spoken[0][2] >= 700


def test_a_model_that_refuses_can_be_asked_for_and_a_person_takes_over(tab: Tab) -> None:
    page = tab.page
    open_phone(page, question="Can I park a lorry at the store?", **{"What goes wrong": "refused"})
    call(page)
    wait_for_end(page, "Handed over to a queue")
    expect(page.get_by_role("log")).to_contain_text("consumer → 500 (access_denied)")
    assert read_figure(page, "parts") == "0"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_the_phone_and_the_flows_shuts_anybody_out(
    context: BrowserContext, tmp_path: Path, scheme: Any
) -> None:
    page = context.new_page()  # no Tab: axe itself tries inline styles, and the policy says so in the console
    page.emulate_media(color_scheme=scheme)
    upload(page, make_menu(), tmp_path)
    found = {"report": find_violations(page)}
    for name, url in {"list": FLOWS, "upload": f"{FLOWS}add/", "download": f"{FLOWS}export/"}.items():
        page.goto(url)
        found[name] = find_violations(page)
    open_phone(page, question="Are gift cards valid for ever?")
    page.get_by_text("More", exact=True).click()
    found["phone"] = find_violations(page)
    call(page)
    expect(page.locator(".row-lambda").first).to_be_visible(timeout=CALL_MS)
    found["call"] = find_violations(page)
    wait_for_end(page, "The flow ended the call")
    found["after"] = find_violations(page)
    assert not any(found.values()), found
