"""A third language is a data file: a whole talk in Spanish with no line of code for it."""

from datetime import timedelta
from pathlib import Path

import pytest

from lifeecho_server.interview.bank import Bank, UnknownLanguage
from lifeecho_server.interview.decide import chips, listening_feedback, re_greet
from lifeecho_server.interview.decision import Decision, Intent
from lifeecho_server.interview.guards import Guard, Outcome
from lifeecho_server.interview.prompts import prompt
from lifeecho_server.interview.situation import Profile
from lifeecho_server.interview.summary import facts_of
from tests.interview.sitting import Sitting

ES = Bank.load("es", Path(__file__).parent)


def words(decision: Decision) -> str:
    return "\n".join(decision.parts)


def asks(decision: Decision) -> int:
    return words(decision).count("?")


@pytest.fixture
def known() -> Sitting:
    talk = Sitting(ES)
    talk.greet()
    for answer in ("Me llamo Carmen", "nací en 1943", "Granada", "allí mismo", "fui costurera"):
        talk.say(answer)
    return talk


def test_the_profile_is_understood_and_the_interview_opens(known: Sitting) -> None:
    assert known.profile == Profile("Carmen", 1943, "Granada", "Granada", "costurera")
    opening = known.decisions[-1]
    assert opening.intent is Intent.OPENING
    assert "Granada" in words(opening)
    assert asks(opening) == 1


def test_a_story_is_asked_into_and_the_talk_goes_through_both_stages(known: Sitting) -> None:
    story = (
        "En la casa había un patio con una higuera, y mi abuela Rosa se sentaba allí a coser "
        "hasta que se iba la luz y nos llamaban a cenar a todos."
    )
    follow = known.say(story)
    assert follow.intent is Intent.FOLLOW_UP
    assert "su abuela Rosa" in words(follow)
    for _ in range(20):
        assert asks(known.say("no lo recuerdo")) <= 1
    assert known.state.stage == "school"
    asked = [asked.question for asked in known.state.asked]
    assert len(asked) == len(set(asked))
    assert {*ES.slots, "event.moon"} <= set(asked)
    assert known.decisions[-1].parts[0] in (*ES.phrases.all_told, *ES.phrases.unknown)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("prefiero no hablar de la guerra", "refusal"),
        ("hablemos de otra cosa", "change_topic"),
        ("eso no lo ponga en el libro", "keep_out"),
        ("más despacio por favor", "slower"),
        ("bueno, es todo por hoy", "farewell"),
    ],
)
def test_wishes_are_obeyed(known: Sitting, said: str, kind: str) -> None:
    decision = known.say(said)
    assert decision.parts[0] in getattr(ES.phrases, kind)
    assert asks(decision) == 0
    if kind == "refusal":
        assert known.state.avoided == ("guerra",)


def test_sorrow_and_danger_are_answered(known: Sitting) -> None:
    assert known.say("Mi padre murió aquel año.").parts[0] in ES.phrases.comfort
    assert known.say("me he caído y no puedo").parts == ES.phrases.danger.emergency


def test_greetings_chips_and_summary_are_in_the_language(known: Sitting) -> None:
    known.say("Teníamos un perro y una radio en 1950.")
    back = re_greet(known.situation(), ES, timedelta(days=200))
    assert back.parts[0] in ES.phrases.re_months
    assert "una radio" in words(back)
    assert [chip.slot for chip in chips(known.state, ES, 4)] == ["childhood.parents"]
    assert listening_feedback(None, ES) == "Ajá."
    assert {fact.name for fact in facts_of("En 1950 mi madre vivía en Granada.", ES)} == {
        *("1950", "mi madre", "Granada"),
    }


def test_a_models_words_are_guarded_in_the_language(known: Sitting) -> None:
    known.say("Teníamos un patio grande en la casa.")
    decision = known.decisions[-1]
    situation = known.situation()
    assert "Carmen" in prompt(situation, decision, ES)[0].content
    expected = {
        "Qué patio tan hermoso.": Outcome.PASS,
        "您的家是什么样子的？": Outcome.DROP,
        "Era como en la casa de Fernández.": Outcome.DROP,
        "¿Qué había en el patio?": Outcome.PASS,
        "¿Y quién vivía allí?": Outcome.DROP,  # a second question
    }
    guard = Guard(situation, decision, ES)
    assert {text: guard.check(text).outcome for text in expected} == expected


def test_a_file_that_is_damaged_or_not_there_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "pt.toml").write_text('language = "pt"\n', "utf-8")
    with pytest.raises(UnknownLanguage, match="damaged"):
        Bank.load("pt", tmp_path)
    with pytest.raises(UnknownLanguage, match="no question bank"):
        Bank.load("it", tmp_path)
