from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from cache_admin.models import SourceDocument, Topic, TopicLanguage, WaitPolicy
from cache_admin.services.topics_file import export_topics, import_topics
from cache_admin.services.topics_reading import POLICY_KEYS, TOPIC_KEYS, TopicsFileError, read_topics_file
from connectgenai.wire.items import TopicItem, document_text_key
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPrompt
from tests.aws import Aws
from tests.cache_admin.conftest import NOW
from tests.cache_admin.test_audio import COMFORT, make_pcm

DEMO = Path(__file__).parents[2] / "local" / "demo" / "topics.yaml"
PLAIN: dict[str, Any] = {
    "version": 1,
    "wait_policies": [
        {
            "name": "calm",
            "comfort_audio": "sounds/comfort.wav",
            "say_estimate": True,
            "prompts": ["One moment please.", {"ssml": "<speak>Still here.</speak>"}, {"audio": "sounds/comfort.wav"}],
        }
    ],
    "topics": [
        {
            "name": "manual",
            "instructions": "Answer from the manual.\nBe brief.",
            "model_id": "local.extractive-v1",
            "temperature": 0.3,
            "sharing": "everyone",
            "documents": ["manual.txt"],
            "languages": {"en-US": "calm", "de-DE": "calm"},
        }
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sounds").mkdir()
    shutil.copy(COMFORT, tmp_path / "sounds" / "comfort.wav")
    (tmp_path / "manual.txt").write_text("Press the red button to descale the machine.")
    return tmp_path


def write(folder: Path, plain: object) -> Path:
    path = folder / "mine.yaml"
    path.write_text(plain if isinstance(plain, str) else yaml.safe_dump(plain, sort_keys=False))
    return path


def changed(part: str, **changes: Any) -> dict[str, Any]:
    """The plain file with changes in its first topic or policy; None takes a key away."""
    entry = {**PLAIN[part][0], **changes}
    return {**PLAIN, part: [{key: value for key, value in entry.items() if value is not None}]}


def do_import(path: Path, store: AnswerStore) -> TopicItem:
    import_topics(path, store=store, storage=default_storage, now=NOW)
    item = store.read_topic("manual")
    assert item is not None
    return item


def test_a_file_becomes_published_topics(folder: Path, store: AnswerStore, site: Aws) -> None:
    item = do_import(write(folder, PLAIN), store)
    assert (item.title, item.revision, item.temperature, item.ttl_seconds) == ("manual", 1, "0.3", 168 * 3_600)
    assert list(item.languages()) == ["en-US", "de-DE"]
    sound = f"s3://{site.bucket}/{WaitPolicy.objects.get().comfort_audio.name}"
    prompts = (WaitPrompt("One moment please."), WaitPrompt(ssml="<speak>Still here.</speak>"), WaitPrompt(audio=sound))
    assert item.languages()["de-DE"].prompts == prompts
    sha256, _, title = item.documents[0].partition(" ")
    assert title == "manual"
    with default_storage.open(document_text_key(sha256)) as text:
        assert text.read() == b"Press the red button to descale the machine."


def test_the_demonstrations_own_file_can_be_imported(store: AnswerStore) -> None:
    report = import_topics(DEMO, store=store, storage=default_storage, now=NOW)
    assert (report.policies, report.topics) == (["calm", "reading"], ["store-faq", "ferry-handbook"])
    words = dict(SourceDocument.objects.values_list("topic__name", "words"))
    assert words["ferry-handbook"] >= 9_000


def test_importing_twice_changes_nothing(folder: Path, store: AnswerStore, site: Aws) -> None:
    path = write(folder, PLAIN)
    first, rows = do_import(path, store), snapshot()
    again = do_import(path, store)
    assert snapshot() == rows
    assert (again.revision, again.documents, again.policies) == (first.revision, first.documents, first.policies)
    assert site.s3.list_objects_v2(Bucket=site.bucket)["KeyCount"] == 3


def snapshot() -> list[Any]:
    rows = (Topic, TopicLanguage, SourceDocument, WaitPolicy)
    return [list(kind._default_manager.values_list("pk", "pk")) for kind in rows] + [
        list(WaitPolicy.objects.values_list("prompts__pk", "prompts__text"))
    ]


def test_another_document_makes_earlier_answers_untrustworthy(folder: Path, store: AnswerStore) -> None:
    do_import(write(folder, PLAIN), store)
    (folder / "manual.txt").write_text("Press the green button.")
    item = do_import(write(folder, PLAIN), store)
    assert (item.revision, len(item.documents), SourceDocument.objects.count()) == (2, 1, 1)


def test_what_the_file_does_not_name_stays_as_it_is(folder: Path, store: AnswerStore, topic: Topic) -> None:
    do_import(write(folder, PLAIN), store)
    assert sorted(Topic.objects.values_list("name", flat=True)) == ["faq", "manual"]
    assert store.read_topic("faq") is not None


def test_a_policy_is_published_with_topics_that_the_file_does_not_name(
    folder: Path, store: AnswerStore, topic: Topic
) -> None:
    do_import(write(folder, changed("wait_policies", max_wait_seconds=33)), store)
    item = store.read_topic("faq")
    assert item is not None
    assert item.languages()["en-US"].max_wait == 33.0


def test_what_is_exported_can_be_imported_and_is_the_same(folder: Path, store: AnswerStore, tmp_path: Path) -> None:
    first = do_import(write(folder, PLAIN), store)
    path = tmp_path / "export" / "topics.yaml"
    path.parent.mkdir()
    export_topics(path)
    assert "instructions: |-\n    Answer from the manual.\n    Be brief.\n" in path.read_text()
    Topic.objects.all().delete()
    WaitPolicy.objects.all().delete()
    again = do_import(path, store)
    same = ("title", "instructions", "documents", "policies", "temperature", "sharing", "max_tokens")
    assert [getattr(again, name) for name in same] == [getattr(first, name) for name in same]


def test_documents_of_one_title_are_exported_side_by_side(folder: Path, store: AnswerStore, tmp_path: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "manual.txt").write_text("Another manual.")
    do_import(write(folder, changed("topics", documents=["manual.txt", "other/manual.txt"])), store)
    export_topics(tmp_path / "export.yaml")
    exported = yaml.safe_load((tmp_path / "export.yaml").read_text())["topics"][0]["documents"]
    assert len({(tmp_path / name).read_text() for name in exported}) == 2


@pytest.mark.parametrize(
    ("plain", "faults"),
    [
        ("version: [", ["is not YAML"]),
        ("", ["`version` must be 1"]),
        ({**PLAIN, "version": 2}, ["`version` must be 1"]),
        ({**PLAIN, "topcis": []}, ["unknown key `topcis`"]),
        ({**PLAIN, "topics": {"name": "x"}}, ["`topics` must be a list"]),
        ({**PLAIN, "topics": [{"title": "x"}]}, ["each with a `name`"]),
        ({**PLAIN, "topics": PLAIN["topics"] * 2}, ["`topics`: “manual” is there twice"]),
        (changed("topics", sharring="x"), ["topic manual: unknown key `sharring`"]),
        (changed("topics", sharing="all"), ["topic manual: `sharing`: Value 'all' is not a valid choice."]),
        (changed("topics", instructions=None), ["topic manual: `instructions`: This field cannot be blank."]),
        (changed("topics", model_id=None, ttl_hours=0), ["`model_id`: ", "`ttl_hours`: "]),
        (changed("topics", name="My Manual"), ["topic My Manual: `name`: Use at most 40 lower-case letters"]),
        (changed("topics", temperature=2), ["topic manual: `temperature`: "]),
        (changed("topics", temperature=float("nan")), ["`temperature` must be a number"]),
        (changed("topics", enabled="no way"), ["`enabled` must be true or false"]),
        (changed("topics", max_tokens=True), ["`max_tokens` must be a whole number"]),
        (changed("topics", languages=None), ["`languages` must name at least one language"]),
        (changed("topics", languages={"en-US": "clam"}), ["`languages`: en-US: there is no wait policy “clam”"]),
        (changed("topics", languages={"english": "calm"}), ["`languages`: `language`: Write the language as in"]),
        (changed("topics", languages={False: "calm"}), ["`languages`: False: must be a language"]),
        (changed("topics", documents=["gone.pdf"]), ["`documents`: gone.pdf cannot be read: No such file"]),
        (changed("topics", documents=["../secret.txt"]), ["`documents`: ../secret.txt lies outside the folder"]),
        (changed("topics", documents=["/etc/hostname"]), ["`documents`: /etc/hostname lies outside the folder"]),
        (changed("topics", documents=[7]), ["`documents`: must be a file's name"]),
        (changed("topics", documents=["mine.yaml"]), ["`documents`: mine.yaml: this kind of file cannot be read"]),
        (changed("wait_policies", hold_seconds=9), ["wait policy calm: Hold must be 0 to 7 seconds"]),
        (changed("wait_policies", interval_seconds="8 s"), ["`interval_seconds` must be a number"]),
        (changed("wait_policies", comfort_audio=None), ["wait policy calm: Without comfort audio callers hear up to"]),
        (changed("wait_policies", comfort_audio="manual.txt"), ["`comfort_audio`: manual.txt: it is not a WAV"]),
        (changed("wait_policies", comfort_audio="pcm.wav"), ["`comfort_audio`: pcm.wav: it must be 8 kHz mono"]),
        (changed("wait_policies", prompts=[""]), ["`prompts`: number 1: `text` must be text"]),
        (changed("wait_policies", prompts=["Hi.", {"txt": "Hi."}]), ["`prompts`: number 2: must be a text, or"]),
        (changed("wait_policies", prompts=[{"ssml": "<speak>"}]), ["number 1: This is not well-formed SSML"]),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_every_place(
    folder: Path, store: AnswerStore, site: Aws, plain: object, faults: list[str]
) -> None:
    (folder / "pcm.wav").write_bytes(make_pcm())
    path = write(folder, plain)
    with pytest.raises(TopicsFileError) as raised:
        import_topics(path, store=store, storage=default_storage, now=NOW)
    message = str(raised.value)
    assert [fault for fault in faults if fault not in message] == []
    assert all(line.startswith(f"{path}: ") for line in message.splitlines())
    assert (Topic.objects.count(), WaitPolicy.objects.count(), store.read_topic("manual")) == (0, 0, None)
    assert site.s3.list_objects_v2(Bucket=site.bucket)["KeyCount"] == 0


def test_a_link_does_not_lead_out_of_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    secret.write_text("Secret.")
    (folder / "link.txt").symlink_to(secret)
    with pytest.raises(TopicsFileError, match=r"link\.txt lies outside the folder"):
        read_topics_file(write(folder, changed("topics", documents=["link.txt"])))


def test_the_documentation_explains_just_the_keys_there_are() -> None:
    text = (Path(__file__).parents[2] / "docs" / "topics-file.md").read_text()
    explained = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert explained == set(POLICY_KEYS) | set(TOPIC_KEYS)


def test_the_command_imports_and_exports(folder: Path, store: AnswerStore, tmp_path: Path) -> None:
    said = StringIO()
    call_command("topics", "import", str(write(folder, PLAIN)), stdout=said)
    call_command("topics", "export", str(tmp_path / "out.yaml"), stdout=said)
    assert said.getvalue().splitlines() == [
        "Imported wait policies: calm",
        "Imported topics: manual",
        "Exported wait policies: calm",
        "Exported topics: manual",
    ]


def test_the_command_says_what_is_wrong(folder: Path, store: AnswerStore, site: Aws) -> None:
    with pytest.raises(CommandError, match=r"Nothing was imported\.\n.*unknown key `sharring`"):
        call_command("topics", "import", str(write(folder, changed("topics", sharring="x"))))
    with pytest.raises(CommandError, match="No such file"):
        call_command("topics", "import", str(folder / "gone.yaml"))
    with pytest.raises(CommandError, match="No such file"):
        call_command("topics", "export", str(folder / "no" / "folder.yaml"))


def test_after_an_outage_the_import_is_simply_done_again(folder: Path, store: AnswerStore, site: Aws) -> None:
    path = write(folder, PLAIN)
    broken = AnswerStore(site.dynamodb, table="there-is-no-such-table")
    with pytest.raises(Exception, match="DynamoDB"):
        import_topics(path, store=broken, storage=default_storage, now=NOW)
    assert Topic.objects.get().published_at is None
    assert do_import(path, store).revision == 1
