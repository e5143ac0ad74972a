"""The documentation, held to the code: what it lists is there, and what is there it lists."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

import lifeecho_server
from lifeecho_server import cli
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.coverage import Coverage
from lifeecho_server.interview.recognise import Command, Danger
from lifeecho_server.interview.situation import PROFILE_FIELDS
from lifeecho_server.protocol import codes
from lifeecho_server.protocol.outgoing import Outgoing
from lifeecho_server.protocol.reading import read_text_frame
from lifeecho_server.protocol.schema import RECEIVED, SENT
from lifeecho_server.session.connection import BAD_MESSAGES_MAX
from lifeecho_server.settings import Plan, Settings
from tests.test_architecture import LAYERS

ROOT = Path(__file__).parent.parent
PACKAGE = Path(lifeecho_server.__file__).parent
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
PLACES = {"--data-dir", "--models-dir", "--config", "--help"}
"""Flags that every command takes; said once, not by row."""

COMMAND = re.compile(r"\b(?:lifeecho|run\.py) ([a-z]+)(?: ([a-z]+)\b)?")
RUN_PY_WORDS = {"test", "install-llama"}


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def prose(name: str) -> str:
    """Return a page with its lines joined, wherever they were broken."""
    return " ".join(page(name).split())


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of any level."""
    found = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.DOTALL | re.MULTILINE
    )
    assert found is not None, f"no section {heading!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table's rows, without its head and its rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = [i for i, row in enumerate(cells) if set("".join(row)) == {"-"}]
    return [row for i, row in enumerate(cells) if i not in rules and i + 1 not in rules]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def leaves(group: click.Command, path: str = "lifeecho") -> Iterator[tuple[str, click.Command]]:
    """Give every command that does something, with the words that call it."""
    if not isinstance(group, click.Group):
        yield path, group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from leaves(command, f"{path} {name}")


def flags(command: click.Command) -> set[str]:
    given = {flag for p in command.params if isinstance(p, click.Option) for flag in p.opts}
    return given - PLACES


# Settings and commands: docs/operating.md


def test_every_setting_is_documented_with_its_default_in_order():
    values = msgspec.to_builtins(Settings(), enc_hook=str)
    expected = [[f"`{n}`", f"`{msgspec.json.encode(v).decode()}`"] for n, v in values.items()]
    assert [row[:2] for row in rows(section(page("docs/operating.md"), "Settings"))][
        : len(expected)
    ] == expected


def test_no_setting_is_documented_that_is_not_there():
    documented = [row[0].strip("`") for row in rows(section(page("docs/operating.md"), "Settings"))]
    assert documented == list(Settings.__struct_fields__)


def test_every_setting_has_an_effect():
    """A setting counts as used where a module reads it off the settings."""
    sources = [p.read_text("utf-8") for p in PACKAGE.rglob("*.py") if p.name != "settings.py"]
    unused = {
        name
        for name in Settings.__struct_fields__
        if name != "plans" and not any(re.search(rf"\.{name}\b", source) for source in sources)
    }
    assert unused == set()


def test_the_plan_shown_has_every_limit():
    text = section(page("docs/operating.md"), "Settings")
    for name in Plan.__struct_fields__:
        assert f"\n{name} = " in text


def test_every_command_is_documented_with_its_flags():
    documented = {
        re.sub(r" [\[A-Z].*", "", row[0].strip("`")): set(quoted(row[1]))
        for row in rows(section(page("docs/operating.md"), "Commands"))
    }
    assert documented == {path: flags(command) for path, command in leaves(cli.main)}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_that_are_named_exist(path: Path):
    known = {words.removeprefix("lifeecho ") for words, _ in leaves(cli.main)}
    groups = {words.split()[0] for words in known if " " in words}
    code = re.findall(r"```.*?```|`[^`]+`", path.read_text("utf-8"), re.DOTALL)
    for name, second in COMMAND.findall("\n".join(code)):
        if name in RUN_PY_WORDS or name.startswith("install"):
            continue
        assert (f"{name} {second}" if name in groups else name) in known


# The socket: docs/protocol.md


def protocol_types(heading: str) -> dict[str, str]:
    found = rows(section(page("docs/protocol.md"), heading))
    return {row[0].strip("`"): row[1] for row in found}


def nested_fields(kind: Any) -> Iterator[str]:
    """Give the names of a struct's fields and those of the structs within them."""
    for field in msgspec.structs.fields(kind):
        yield field.name
        for inner in [field.type, *getattr(field.type, "__args__", ())]:
            structure = isinstance(inner, type) and issubclass(inner, msgspec.Struct)
            if structure and not issubclass(inner, Outgoing) and field.name != "voice_sessions":
                yield from nested_fields(inner)


def test_every_type_that_is_sent_is_documented():
    assert set(protocol_types("What the server sends")) == {kind.type_name for kind in SENT}


@pytest.mark.parametrize("kind", SENT, ids=lambda kind: kind.type_name)
def test_every_field_that_is_sent_is_documented(kind: type[Outgoing]):
    documented = quoted(protocol_types("What the server sends")[kind.type_name])
    assert set(nested_fields(kind)) <= set(documented)


def test_every_type_that_is_received_is_documented_with_its_fields():
    documented = {
        name: {(field, mark != "?") for field, mark in re.findall(r"`(\w+)`(\??)", data)}
        for name, data in protocol_types("What the client sends").items()
    }
    # ``sample_rate`` and the other fields that are not needed are marked with a question mark.
    assert documented == {
        name: {(field, field in needed) for field in fields}
        for name, (fields, needed) in RECEIVED.items()
    }


def test_what_is_not_served_yet_is_not_served():
    served = {kind.type_name for kind in SENT} | set(RECEIVED)
    promised = [
        name for name in quoted(section(page("docs/protocol.md"), "Not served yet"))
        if name != "audio_message"
    ]  # fmt: skip
    assert len(promised) == 1
    assert not served & set(promised)


def test_error_codes_are_documented_with_their_texts():
    documented = {
        row[0].strip("`"): (row[2] == "yes", row[3], row[4])
        for row in rows(section(page("docs/protocol.md"), "Errors"))
    }
    assert documented == {
        str(code): (entry.retryable, entry.zh, entry.en) for code, entry in codes.ERRORS.items()
    }
    assert set(documented) == {str(code) for code in codes.Code}


def test_close_codes_are_documented_with_their_reasons():
    documented = {
        (int(row[2]), row[3], row[4]) for row in rows(section(page("docs/protocol.md"), "Closing"))
    }
    closings = [value for value in vars(codes).values() if isinstance(value, codes.Closing)]
    assert documented == {(one.code, one.zh, one.en) for one in closings}
    assert f"After {BAD_MESSAGES_MAX} of " in prose("docs/protocol.md")


def test_numbers_of_the_protocol_page_are_the_defaults():
    text, settings = prose("docs/protocol.md"), Settings()
    for said in (
        f"{settings.max_message_bytes // 2**20} MiB (`max_message_bytes`)",
        f"`inbox_bytes`, {settings.inbox_bytes // 2**20} MiB",
        f"{settings.connections_max} in all, {settings.connections_per_user} of one user",
        f"every {settings.ping_interval:g} s (`ping_interval`)",
        f"for {settings.silence_timeout:g} s (`silence_timeout`)",
        f"`part_pause` ({settings.part_pause:g} s)",
        f"`re_greeting_idle_hours` ({settings.re_greeting_idle_hours:g})",
    ):
        assert said in text


def test_example_messages_are_messages():
    examples = [json.loads(block) for block in blocks(page("docs/protocol.md"), "json")]
    sent = [example for example in examples if "conversation_id" in example]
    received = [example for example in examples if "conversation_id" not in example]
    assert sent
    assert received
    for example in sent:
        kind = next(kind for kind in SENT if kind.type_name == example["type"])
        assert set(msgspec.to_builtins(msgspec.convert(example["data"], kind))) == set(
            example["data"]
        )
    for example in received:
        assert read_text_frame(json.dumps(example)).id == example["id"]


# The shape and the interview


def test_layers_are_those_that_the_imports_are_held_to():
    (drawn,) = blocks(section(page("docs/architecture.md"), "Layers"), "text")
    assert tuple(line.split()[0] for line in drawn.splitlines()) == LAYERS


def test_modules_that_the_architecture_names_exist():
    for name in quoted(page("docs/architecture.md")):
        if name.endswith(".py") and name != "run.py":
            root = ROOT if name.startswith("tests/") else PACKAGE
            assert (root / name).is_file(), name


def test_interview_page_names_stages_fields_wishes_and_dangers():
    text = prose("docs/interview.md")
    bank = Bank.load("en")
    stages = ", ".join(f"`{stage}`" for stage in bank.stage_ids)
    assert f"{stages}: seven stages of six slots each" in text
    assert [len(stage.slots) for stage in bank.stages] == [6] * 7
    for name in (*PROFILE_FIELDS, *Command, *Danger, *Coverage):
        assert f"`{name}`" in text
    ample = {code: Bank.load(code).measure.ample for code in ("en", "zh")}
    assert f"({ample['en']} words in English, {ample['zh']} characters in Chinese)" in text


def test_benchmarks_that_are_reported_exist():
    reported = re.findall(r"^## `(bench/\w+\.py)`$", page("docs/measurements.md"), re.MULTILINE)
    assert reported
    for program in reported:
        assert (ROOT / program).is_file(), program


# All pages


def test_the_version_that_changed_last_is_this_one():
    first = re.search(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", page("CHANGELOG.md"), re.MULTILINE)
    assert first is not None
    assert first[1] == lifeecho_server.__version__


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target


def test_readme_begins_with_the_two_commands():
    first, *_ = blocks(page("README.md"), "sh")
    commands = [line.partition("#")[0].strip() for line in first.splitlines()]
    assert commands == ["python3 run.py", "python3 run.py test"]
    assert page("README.md").splitlines()[2] == "```sh"
