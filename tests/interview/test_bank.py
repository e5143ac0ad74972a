"""Both data files are whole, and speak as they should."""

import re

import pytest

from lifeecho_server.interview.asking import asks
from lifeecho_server.interview.bank import Bank, Texts, UnknownLanguage, languages
from lifeecho_server.interview.letters import in_script
from lifeecho_server.interview.recognise import Command, Danger
from lifeecho_server.interview.sentences import sentences_of
from lifeecho_server.interview.situation import PROFILE_FIELDS

STAGES = ("childhood", "school", "work", "family", "times", "later_life", "wisdom")
SLOTS = {
    "childhood": ("home", "parents", "siblings", "food_games", "festival", "hard_time"),
    "school": ("first_school", "teacher", "friends", "hardest", "dreams", "leaving"),
    "work": ("first_job", "trade", "day", "people", "proudest", "setback"),
    "family": ("meeting", "wedding", "first_home", "children", "raising", "together"),
    "times": ("change", "moving", "decision", "loss", "luck", "helped"),
    "later_life": ("retiring", "days_now", "health", "friends", "grandchildren", "joy"),
    "wisdom": ("matters", "again", "regret", "advice", "thanks", "remembered"),
}


@pytest.fixture(params=languages(), scope="module")
def bank(request: pytest.FixtureRequest) -> Bank:
    return Bank.load(request.param)


def questions(text: str) -> int:
    return len(re.findall(r"[?？]", text))


def sentences(text: str) -> int:
    return len(re.findall(r"[。!?！？]+|\.(?=\s|$)", text))


def statements(bank: Bank) -> Texts:
    """Every wording that must not ask anything."""
    phrases = bank.phrases
    asking = {"echo", "danger", "unfinished", "follow_any", "thread_more", "family_joiner"}
    said = [
        text
        for name in phrases.__struct_fields__
        if name not in asking
        for text in getattr(phrases, name)
    ]
    said += [text for stage in bank.stages for text in (*stage.invite, *stage.lead)]
    said += [text for field in PROFILE_FIELDS for text in bank.profile[field].gentle]
    return tuple(said)


def test_two_languages_are_there_and_a_region_does_not_matter() -> None:
    assert languages() == ("en", "zh")
    assert Bank.load("zh-HK").language == "zh"
    assert Bank.load("en_GB").language == "en"


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(UnknownLanguage, match="tlh"):
        Bank.load("tlh")


def test_seven_stages_hold_the_slots_of_the_contract(bank: Bank) -> None:
    assert bank.stage_ids == STAGES
    for stage in bank.stages:
        wanted = {f"{stage.id}.{slot}" for slot in SLOTS[stage.id]}
        assert wanted <= {slot.id for slot in stage.slots}
        assert all(slot.stage == stage.id for slot in stage.slots)
        assert stage.label
        assert stage.invite
        assert stage.lead


def test_every_slot_has_a_question_three_variants_and_two_follow_ups(bank: Bank) -> None:
    for slot in bank.slots.values():
        assert len(slot.questions) >= 4, slot.id
        assert len(slot.follow_ups) >= 2, slot.id
        assert slot.label, slot.id
        assert slot.chip, slot.id
        assert len(slot.words.terms) >= 6, slot.id


def test_every_question_asks_one_thing_in_one_sentence(bank: Bank) -> None:
    for slot in bank.slots.values():
        for text in (*slot.questions, *slot.follow_ups):
            assert questions(text) == 1, text
            assert text[-1] in "?？", text
            assert sentences(text) == 1, text
    for field in PROFILE_FIELDS:
        for text in (*bank.profile[field].ask, *bank.profile[field].again):
            assert questions(text) == 1, text
            assert sentences(text) <= 2, text
    echo = bank.phrases.echo
    for text in (
        *echo.person,
        *echo.thing,
        *echo.feeling,
        *bank.phrases.unfinished,
        *bank.phrases.follow_any,
    ):
        assert questions(text) == 1, text


def test_nothing_else_asks(bank: Bank) -> None:
    for text in statements(bank):
        assert questions(text) == 0, text
        assert 1 <= sentences(text) <= 2, text
    for danger in Danger:
        for text in getattr(bank.phrases.danger, danger.value):
            assert questions(text) == 0, text


def test_nothing_else_counts_as_a_question(bank: Bank) -> None:
    for text in statements(bank):
        filled = text.replace("{quote}", "the goat" if bank.spaced else "那棵树")
        assert [one for one in sentences_of(filled) if asks(one, bank)] == []


def test_no_wording_is_there_twice(bank: Bank) -> None:
    asked = [text for slot in bank.slots.values() for text in slot.questions + slot.follow_ups]
    assert len(asked) == len(set(asked))
    chips = [slot.chip for slot in bank.slots.values()]
    assert len(chips) == len(set(chips))


def test_some_wording_needs_no_name_place_or_decade(bank: Bank) -> None:
    quoting = {"take_person", "take_thing", "thread_person", "thread_thing"}
    quoting |= {
        "take_feeling",
        "danger_family",
        "family_joiner",
        "open_thread_person",
        "open_thread_thing",
        "profile_named",
        "greet_known",
    }
    for name in set(bank.phrases.__struct_fields__) - quoting - {"open_place", "echo", "danger"}:
        assert any("{" not in text for text in getattr(bank.phrases, name)), name
    for slot in bank.slots.values():
        assert any("{" not in text for text in slot.questions), slot.id


def test_words_are_written_in_the_languages_script(bank: Bank) -> None:
    for text in statements(bank):
        assert in_script(re.sub(r"\{\w+\}", "", text), bank.script), text


def test_every_command_and_danger_can_be_recognised(bank: Bank) -> None:
    assert set(bank.recognise.commands) == {command.value for command in Command}
    assert set(bank.recognise.alone) <= set(bank.recognise.commands)
    assert set(bank.recognise.danger) == {danger.value for danger in Danger}


def test_a_chip_speaks_as_the_person_would(bank: Bank) -> None:
    own = {"zh": "我", "en": "I'"}[bank.language]
    assert all(slot.chip.startswith(own) for slot in bank.slots.values())


def test_listening_has_enough_to_vary(bank: Bank) -> None:
    assert len(set(bank.phrases.listening)) >= 4


VOICES = (
    *("teacher", "farmer", "factory_worker", "soldier", "doctor"),
    *("official", "trade", "artist", "home"),
)
PLACEHOLDERS = {
    "question": {"name", "place", "decade"},
    "variant": {"name", "place", "decade"},
    "event": {"age", "name", "place"},
    "phrase": {"name", "place", "decade", "quote", "family", "value"},
    "note": {"question", "words", "stage", "slots", "value"},
}
FIRST_YEAR, LAST_YEAR = 1900, 2026


def wordings(bank: Bank) -> dict[str, Texts]:
    """Every wording that may be said, by the kind that its placeholders are of."""
    slots, phrases = bank.slots.values(), bank.phrases
    guides = bank.profile.values()
    plain = [
        text
        for name in phrases.__struct_fields__
        if name not in ("echo", "danger", "family_joiner")
        for text in getattr(phrases, name)
    ]
    nested = [
        text
        for part in (phrases.echo, phrases.danger)
        for name in part.__struct_fields__
        for text in getattr(part, name)
    ]
    staged = [text for stage in bank.stages for text in (*stage.invite, *stage.lead)]
    asked = [text for one in guides for text in (*one.ask, *one.again, *one.gentle, *one.sure)]
    voiced = [text for voice in bank.voices for text in voice.acknowledge]
    notes = bank.prompt.notes
    return {
        "question": tuple(text for one in slots for text in (*one.questions, *one.follow_ups)),
        "variant": tuple(text for one in slots for v in one.variants for text in v.questions),
        "event": tuple(text for event in bank.events for text in event.questions),
        "phrase": (*plain, *nested, *staged, *asked, *voiced),
        "note": (
            *(getattr(notes, name) for name in notes.__struct_fields__),
            *bank.prompt.fields.values(),
            bank.prompt.stage,
        ),
    }


@pytest.mark.parametrize("kind", PLACEHOLDERS)
def test_every_placeholder_is_known(bank: Bank, kind: str) -> None:
    for text in wordings(bank)[kind]:
        assert set(re.findall(r"\{(.*?)\}", text)) <= PLACEHOLDERS[kind], text
        assert text.count("{") == text.count("}"), text


def test_no_wording_asks_twice(bank: Bank) -> None:
    for kind in ("question", "variant", "event", "phrase"):
        for text in wordings(bank)[kind]:
            assert questions(text) <= 1, text
            assert text == text.strip(), text
            assert text, kind


def test_variants_and_events_ask(bank: Bank) -> None:
    every = wordings(bank)
    for text in (*every["variant"], *every["event"]):
        assert questions(text) == 1, text
        assert text[-1] in "?？", text


def test_no_wording_is_in_two_places(bank: Bank) -> None:
    every = [text for kind in ("question", "variant", "event") for text in wordings(bank)[kind]]
    twice = {text for text in every if every.count(text) > 1}
    assert twice == set()


def test_every_background_voice_is_there(bank: Bank) -> None:
    assert {voice.id for voice in bank.voices} == set(VOICES)
    for voice in bank.voices:
        assert voice.occupation, voice.id
        assert len(voice.acknowledge) >= 4, voice.id
        assert voice.note, voice.id


def test_what_variants_name_is_there(bank: Bank) -> None:
    for slot in bank.slots.values():
        assert set(slot.kin) <= set(bank.slots), slot.id
        for variant in slot.variants:
            assert set(variant.voices) <= set(VOICES), slot.id
            assert variant.questions, slot.id
            assert variant.born or variant.places or variant.voices, slot.id
            if variant.born is not None:
                first, last = variant.born
                assert FIRST_YEAR <= first <= last <= LAST_YEAR, (slot.id, variant.born)


def test_events_are_of_people_who_can_have_lived_through_them(bank: Bank) -> None:
    assert len({event.id for event in bank.events}) == len(bank.events)
    for event in bank.events:
        assert event.slot in bank.slots, event.id
        assert FIRST_YEAR <= event.years[0] <= event.years[1] <= LAST_YEAR, event.id
        assert 0 <= event.ages[0] < event.ages[1] <= 115, event.id
        assert event.questions, event.id
        assert any("{age}" in text for text in event.questions), event.id


def test_the_guards_data_names_only_what_is_there(bank: Bank) -> None:
    guard = bank.guard
    for key, kin in guard.kin.items():
        assert set(kin.also) <= set(guard.kin), key
    assert guard.vague is None or "ten" in guard.vague.groupindex
    assert guard.short_year is None or "year" in guard.short_year.groupindex
    assert set(guard.vague_words.values()) <= set(range(10, 100, 10))
    for pattern in (*guard.name, *guard.name_likely):
        assert pattern.groups <= 1, pattern.pattern
    if guard.charset:
        "".join(wordings(bank)["phrase"]).encode(guard.charset)
