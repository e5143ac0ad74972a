"""Questions and registers for the person who is talked to: background, place, era."""

import re

import msgspec
import pytest

from lifeecho_server.interview.bank import Bank, PublicEvent, Slot, Variant, Voice
from lifeecho_server.interview.person import every_wording, hooks_for, questions_for, voice_of
from lifeecho_server.interview.situation import Profile

EN = Bank.load("en")
HOME = EN.slots["childhood.home"]


def event(id_: str, first: int, ages: tuple[int, int], places: str | None = None) -> PublicEvent:
    return PublicEvent(
        id_,
        "times.change",
        (first, first),
        ages,
        ("Where were you then, at about {age}?",),
        re.compile(id_),
        re.compile(places) if places else None,
    )


BANK = msgspec.structs.replace(
    EN,
    voices=(
        Voice("teacher", (re.compile("teach"),), ("I'd have liked your lessons.",), "A teacher."),
        Voice("farmer", (re.compile("farm"),), ("The land remembers.",), "A farmer."),
    ),
    events=(
        event("moon", 1969, (5, 60)),
        event("tower", 1960, (5, 60), "Paris"),
        event("flood", 1953, (10, 60)),
    ),
)


def slot(*variants: Variant) -> Slot:
    return msgspec.structs.replace(HOME, variants=variants)


@pytest.mark.parametrize(
    ("work", "voice"), [("teacher", "teacher"), ("dairy farmer", "farmer"), ("baker", None)]
)
def test_the_voice_follows_the_persons_own_word_for_their_work(
    work: str, voice: str | None
) -> None:
    found = voice_of(Profile(occupation=work), BANK)
    assert (found.id if found else None) == voice


def test_who_has_told_no_work_has_no_voice() -> None:
    assert voice_of(Profile(), BANK) is None


def test_a_variant_needs_every_condition() -> None:
    asked = slot(
        Variant(("The pit?",), born=(1930, 1940), places=re.compile("Wales"), voices=("farmer",))
    )
    fits = Profile(birth_year=1935, birth_place="North Wales", occupation="farmer")
    assert questions_for(asked, fits, BANK) == ("The pit?",)
    for other in (
        Profile(birth_year=1941, birth_place="North Wales", occupation="farmer"),
        Profile(birth_year=1935, birth_place="Leeds", occupation="farmer"),
        Profile(birth_year=1935, birth_place="North Wales", occupation="teacher"),
        Profile(),
    ):
        assert questions_for(asked, other, BANK) == HOME.questions
    assert every_wording(asked) == (*HOME.questions, "The pit?")


def test_where_somebody_grew_up_counts_as_well_as_where_they_were_born() -> None:
    asked = slot(Variant(("The pit?",), places=re.compile("Wales")))
    grown = Profile(birth_place="Leeds", grew_up_place="South Wales")
    assert questions_for(asked, grown, BANK) == ("The pit?",)


def test_hooks_are_the_events_somebody_was_of_an_age_for() -> None:
    found = hooks_for(Profile(birth_year=1945, birth_place="Leeds"), BANK)
    assert [(hook.event.id, hook.age) for hook in found] == [("moon", 24)]
    at_home = hooks_for(Profile(birth_year=1940, birth_place="Paris"), BANK)
    assert [hook.event.id for hook in at_home] == ["moon", "tower", "flood"]


def test_without_a_birth_year_there_is_no_hook() -> None:
    assert hooks_for(Profile(birth_place="Paris"), BANK) == ()
