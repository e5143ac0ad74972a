"""Each guard keeps back what it is for, and lets a good reply through."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision, Direction, Intent
from lifeecho_server.interview.guards import Guard, Outcome, Reason
from lifeecho_server.interview.sentences import PART_BREAK, SentenceSplitter
from lifeecho_server.interview.situation import (
    Asked,
    InterviewState,
    Profile,
    Situation,
    Speaker,
    Turn,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ZH, EN = Bank.load("zh"), Bank.load("en")


def situation(bank: Bank, *told: str, asked_text: str = "", asked: Sequence[str] = ()) -> Situation:
    profile = {
        "zh": Profile("王奶奶", 1943, "苏州", "苏州", "老师"),
        "en": Profile("Rose", 1943, "Leeds", "York", "nurse"),
    }[bank.language]
    history = (Turn("q", Speaker.INTERVIEWER, asked_text, NOW),) if asked_text else ()
    turns = tuple(Turn(f"t{i}", Speaker.NARRATOR, text, NOW) for i, text in enumerate(told))
    state = InterviewState("childhood", {}, tuple(Asked(key, key, NOW) for key in asked))
    return Situation(bank.language, profile, state, "childhood", NOW, history, turns)


def decision(question_allowed: bool = True) -> Decision:
    return Decision(Intent.FOLLOW_UP, ("ok",), Direction("note", question_allowed))


def verdicts(
    bank: Bank, reply: str, *told: str, allowed: bool = True, asked_text: str = ""
) -> list[Reason | str]:
    """What becomes of each sentence: its text when it passed, else the reason."""
    guard = Guard(situation(bank, *told, asked_text=asked_text), decision(allowed), bank)
    splitter = SentenceSplitter()
    seen: list[Reason | str] = []
    for sentence in (*splitter.feed(reply), *splitter.flush()):
        verdict = guard.check(sentence)
        seen.append(verdict.reason or verdict.text)
        if verdict.outcome is Outcome.STOP:
            break
    return seen


@pytest.mark.parametrize(
    ("bank", "told", "reply"),
    [
        (ZH, "门口有棵老槐树", "老槐树真好。您在树下都做些什么？"),
        (ZH, "我在苏州念书", "苏州的学堂，想来很热闹。那时候路远吗？"),
        (EN, "We had hens in the yard", "Hens in the yard, how lovely. Who fed them?"),
        (EN, "My teacher was Miss Pratt", "I like the sound of Miss Pratt. Was she kind?"),
    ],
)
def test_a_good_reply_passes_whole(bank: Bank, told: str, reply: str) -> None:
    assert "".join(map(str, verdicts(bank, reply, told))).replace(" ", "") == reply.replace(" ", "")


@pytest.mark.parametrize(
    ("bank", "sentence", "reason"),
    [
        (ZH, "您去过杭州吧。", Reason.INVENTED),
        (ZH, "陈老师一定很严。", Reason.INVENTED),
        (ZH, "那是一九五八年的事。", Reason.INVENTED),
        (ZH, "您在柳家村长大。", Reason.INVENTED),
        (ZH, "您说过“天上掉下个林妹妹”。", Reason.INVENTED),
        (ZH, "That sounds lovely.", Reason.WRONG_LANGUAGE),
        (ZH, "それはいいですね。", Reason.WRONG_LANGUAGE),
        (ZH, "您說得真好。", Reason.WRONG_SCRIPT),
        (ZH, "[接住细节]", Reason.MARKUP),
        (ZH, "<|im_end|>", Reason.EMPTY),
        (ZH, "好好好好好好好好好好好好好好好。", Reason.LOOP),
        (EN, "You must miss Margaret.", Reason.INVENTED),
        (EN, "Margaret, that is lovely.", Reason.INVENTED),
        (EN, "That was in 1958.", Reason.INVENTED),
        (EN, "That was in nineteen fifty-eight.", Reason.INVENTED),
        (EN, "I have always loved Manchester.", Reason.INVENTED),
        (EN, "您讲得真好。", Reason.WRONG_LANGUAGE),
        (EN, "- A list item.", Reason.MARKUP),
        (EN, "la la la la la la la la.", Reason.LOOP),
    ],
)
def test_what_is_kept_back(bank: Bank, sentence: str, reason: Reason) -> None:
    assert verdicts(bank, sentence, "ok" if bank is EN else "好") == [reason]


@pytest.mark.parametrize(
    ("bank", "sentence"),
    [
        (ZH, "一九四三年，那可不容易。"),
        (ZH, "几十年了，您还记得。"),
        (ZH, "您说话，我听着呢。"),
        (ZH, "那个村子里的人真好。"),
        (EN, "Nineteen forty-three was a hard year."),
        (EN, "Oh, what a thing to remember, Rose."),
        (EN, "Well, I never knew that about York."),
        (EN, "It must have been like Christmas."),
    ],
)
def test_what_was_given_or_is_common_passes(bank: Bank, sentence: str) -> None:
    assert verdicts(bank, sentence, "ok" if bank is EN else "好") == [sentence]


def test_two_sentences_a_part_and_parts_are_counted_anew() -> None:
    reply = f"I see. How nice. And more. {PART_BREAK}Go on."
    assert verdicts(EN, reply) == ["I see.", "How nice.", Reason.TOO_MANY_SENTENCES, "", "Go on."]


def test_a_boundary_without_words_is_no_part() -> None:
    assert verdicts(EN, f"{PART_BREAK}Go on.") == [Reason.EMPTY, "Go on."]


def test_three_parts_at_most() -> None:
    reply = PART_BREAK.join(["One.", "Two.", "Three.", "Four."])
    assert verdicts(EN, reply)[-1] is Reason.TOO_MANY_PARTS


def test_one_question_a_reply() -> None:
    reply = f"Who was she? {PART_BREAK}What did she do?"
    assert verdicts(EN, reply) == ["Who was she?", "", Reason.TOO_MANY_QUESTIONS]


@pytest.mark.parametrize(("bank", "asking"), [(ZH, "那时候冷吗。"), (EN, "Was it cold?")])
def test_no_question_where_none_is_allowed(bank: Bank, asking: str) -> None:
    assert verdicts(bank, asking, allowed=False) == [Reason.QUESTION_NOT_ALLOWED]


def test_a_question_of_the_history_is_not_asked_again() -> None:
    asked = "I see.\nWhat was the house like where you grew up?"
    again = "And what was the house like, where you grew up?"
    assert verdicts(EN, again, asked_text=asked) == [Reason.ASKED_BEFORE]


def test_no_wording_of_an_asked_question_is_asked() -> None:
    variant = ZH.slots["childhood.parents"].questions[2]
    guard = Guard(situation(ZH, "好", asked=["childhood.parents"]), decision(), ZH)
    assert guard.check(variant).reason is Reason.ASKED_BEFORE


def test_the_same_sentence_again_ends_the_reply() -> None:
    assert verdicts(EN, "I see. I see. Go on.") == ["I see.", Reason.LOOP]


@pytest.mark.parametrize(
    ("bank", "reply"),
    [
        (EN, "User: Yes, and she baked. She was kind."),
        (EN, "Rose: Yes, and she baked. She was kind."),
        (EN, "My mother sang every evening. She was kind."),
        (ZH, "老人：是啊，还做饭呢。她人很好。"),
        (ZH, "王奶奶：是啊，还做饭呢。她人很好。"),
        (ZH, "我妈妈每天晚上都唱歌。她人很好。"),
    ],
)
def test_a_model_does_not_speak_for_the_narrator(bank: Bank, reply: str) -> None:
    told = {"en": "My mother sang every evening.", "zh": "我妈妈每天晚上都唱歌。"}[bank.language]
    assert verdicts(bank, f"{reply}", told) == [Reason.NARRATORS_WORDS]


def test_a_few_of_the_narrators_words_may_come_back() -> None:
    assert verdicts(EN, "A goat!", "We had one cow. A goat!") == ["A goat!"]


def test_template_tokens_and_roles_are_stripped() -> None:
    assert verdicts(EN, "Assistant: I see.<|im_end|>") == ["I see."]
    assert verdicts(ZH, "采访者：您讲得真好。</s>") == ["您讲得真好。", Reason.EMPTY]
    assert verdicts(EN, "<|im_start|>assistant\nI see.") == [Reason.MARKUP, "I see."]


@pytest.mark.parametrize(
    "reply",
    [
        "I see.<|im_end|>\n<|im_start|>user\nYes, I did.",
        "I see. <|eot_id|>Yes, I did.",
        "I see.\nuser\nYes, I did.",
        "I see.</s> [INST] Yes, I did.",
    ],
)
def test_what_comes_after_a_models_own_turn_is_left_out(reply: str) -> None:
    assert [one for one in verdicts(EN, reply) if not isinstance(one, Reason)] == ["I see."]


def test_a_turn_of_somebody_else_is_left_out_from_its_beginning() -> None:
    said = verdicts(EN, "<|im_start|>user\nYes, I did. I really did.")
    assert said == [Reason.MARKUP, Reason.MARKUP]
