"""Each guard keeps back what it is for, and lets a good reply through."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decision import Decision, Direction, Intent
from lifeecho_server.interview.guards import Guard, Outcome, Reason
from lifeecho_server.interview.sentences import PART_BREAK, SentenceSplitter
from lifeecho_server.interview.situation import (
    Asked,
    Fact,
    FactKind,
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


@pytest.mark.parametrize("bank", [EN, ZH])
def test_every_wording_of_what_was_asked_counts_as_asked(bank: Bank) -> None:
    slots = bank.slots.values()
    varied = next(slot for slot in slots if any("{" not in v.questions[0] for v in slot.variants))
    for_some = next(v.questions[0] for v in varied.variants if "{" not in v.questions[0])
    event = bank.events[0]
    followed = next(slot for slot in slots if slot.follow_ups)
    for key, text in (
        (varied.id, for_some),
        (f"event.{event.id}", event.questions[0].replace("{age}", "12")),
        (f"{followed.id}.follow.0", followed.follow_ups[0]),
    ):
        told = situation(bank, {EN: "ok", ZH: "好"}[bank], asked=[key])
        assert Guard(told, decision(), bank).check(text).reason is Reason.ASKED_BEFORE


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


KEPT_BACK = tomllib.loads(Path(__file__).with_name("kept_back.toml").read_text("utf-8"))
NOTHING_OF_IT = {
    "en": "It was a fine morning and all went well.",
    "zh": "那天早上天气很好，一切都顺当。",
}


@pytest.mark.parametrize("kind", ["names", "relations", "numbers", "events"])
@pytest.mark.parametrize("bank", [EN, ZH])
def test_nothing_is_said_back_that_nobody_told(bank: Bank, kind: str) -> None:
    said, told = KEPT_BACK[bank.language][kind], NOTHING_OF_IT[bank.language]
    assert len(said) >= 9
    assert [one for one in said if verdicts(bank, one, told) != [Reason.INVENTED]] == []


@pytest.mark.parametrize(
    ("bank", "told", "sentence"),
    [
        (EN, "My mum and dad kept hens.", "Your mother and father must have been busy."),
        (EN, "My parents kept hens.", "Your mother must have been busy."),
        (EN, "Mam baked.", "Your mum sounds kind."),
        (EN, "I had two brothers.", "Your two brothers must have been a handful."),
        (EN, "Our Tom was a rascal.", "Tom's tricks must have made you laugh."),
        (EN, "We were a family of Ashworths.", "The Ashworth home sounds full of life."),
        (EN, "It was 1953 and I was ten.", "The fifties sound like another world."),
        (EN, "It was 1953.", "So you were ten years old then."),
        (EN, "I went there in 53.", "In 1953, goodness."),
        (EN, "He died in the spring.", "I am sorry that he passed away."),
        (EN, "I was in the army then.", "Your army days must have been long."),
        (EN, "My husband liked tea.", "Your wedding day must have been a fine one."),
        (EN, "I was the only girl.", "Did you have any brothers or sisters?"),
        (EN, "ok", "Were you ever in the army?"),
        (EN, "ok", "What did your mother cook on a cold day?"),
        (ZH, "我娘会做鞋。", "您妈妈的手真巧。"),
        (ZH, "爸妈都忙。", "您母亲一定很累，父亲也是。"),
        (ZH, "老师姓周。", "周老师一定很严。"),
        (ZH, "我有个妹妹。", "您妹妹一定很可爱。"),
        (ZH, "那年我三十二岁。", "三十多岁的人，正是有劲的时候。"),
        (ZH, "一九五八年进厂。", "五十年代的厂子真热闹。"),
        (ZH, "一九五八年进厂。", "那时候您才十五岁。"),
        (ZH, "好", "您家里有兄弟姐妹吗？"),
        (ZH, "好", "您当过兵吗？"),
        (ZH, "好", "您妈妈做的什么最好吃？"),
        (ZH, "隔壁建国叔会拉二胡。", "建国叔的二胡一定很好听。"),
        (ZH, "好", "老百姓的日子都不容易。"),
        (ZH, "好", "听您说这些，我十分感动。"),
    ],
)
def test_what_was_told_may_be_said_in_other_words(bank: Bank, told: str, sentence: str) -> None:
    assert verdicts(bank, sentence, told) == [sentence]


@pytest.mark.parametrize(
    ("bank", "asked", "answer", "sentence", "passes"),
    [
        (EN, "Had you any sisters?", "Oh yes, two.", "Your sisters must be dear to you.", True),
        (EN, "Had you any sisters?", "No, none.", "Your sisters must be dear to you.", False),
        (EN, "And then?", "I never had a sister.", "Your sister must be dear to you.", False),
        (EN, "Were you in the army?", "Yes, two years.", "Your army days were long.", True),
        (EN, "Were you in the army?", "I was at home.", "Your army days were long.", False),
        (ZH, "您有妹妹吗？", "有啊，两个。", "您妹妹一定很可爱。", True),
        (ZH, "您当过兵吗？", "是，当了几年。", "当兵的日子一定很苦。", True),
        (ZH, "您有妹妹吗？", "没有。", "您妹妹一定很可爱。", False),
        (ZH, "后来呢？", "我没有妹妹。", "您妹妹一定很可爱。", False),
    ],
)
def test_what_was_asked_counts_unless_it_was_denied(
    bank: Bank, asked: str, answer: str, sentence: str, passes: bool
) -> None:
    wanted = sentence if passes else Reason.INVENTED
    assert verdicts(bank, sentence, answer, asked_text=asked) == [wanted]


def test_what_is_remembered_of_earlier_talks_may_be_said() -> None:
    fact = Fact(FactKind.PERSON, "Margaret", "my sister Margaret sang")
    before = replace(situation(EN, "ok"), remembered=(fact,))
    guard = Guard(before, decision(), EN)
    assert guard.check("Your sister Margaret sang so well.").outcome is Outcome.PASS


def test_a_relation_of_the_scripts_own_question_may_be_asked_about() -> None:
    asking = Decision(
        Intent.NEXT_SLOT, ("And your mother?",), Direction("note", question_allowed=True)
    )
    guard = Guard(situation(EN, "ok"), asking, EN)
    assert guard.check("What was your mum like?").outcome is Outcome.PASS


@pytest.mark.parametrize("bank", [EN, ZH])
def test_what_is_no_part_of_the_talk_is_kept_back(bank: Bank) -> None:
    told = NOTHING_OF_IT[bank.language]
    for reason, said in KEPT_BACK[bank.language]["reasons"].items():
        judged = {one: verdicts(bank, one, told)[0] for one in said}
        assert {one: found for one, found in judged.items() if found != reason} == {}


@pytest.mark.parametrize(
    ("bank", "sentence"),
    [
        (EN, "What was it like."),
        (EN, "And who was there with you."),
        (EN, "Did you like it there."),
        (EN, "How long did it take you."),
        (EN, "Tell me more about how it happened."),
        (EN, "I'd love to hear more about that day."),
        (EN, "I wonder what it was like."),
        (ZH, "那是什么样的。"),
        (ZH, "后来呢。"),
        (ZH, "您那时候住在哪儿"),
        (ZH, "那是谁教您的呢。"),
        (ZH, "您还记得吗。"),
        (ZH, "那天是不是很冷。"),
        (ZH, "跟我说说那天的事。"),
        (ZH, "您再讲讲那棵树。"),
        (ZH, "我很想知道后来怎么样了。"),
    ],
)
def test_a_question_needs_no_mark_to_be_one(bank: Bank, sentence: str) -> None:
    told = {EN: "ok", ZH: "好"}[bank]
    assert verdicts(bank, sentence, told, allowed=False) == [Reason.QUESTION_NOT_ALLOWED]


@pytest.mark.parametrize(
    ("bank", "sentence"),
    [
        (EN, "What a lovely thing that was."),
        (EN, "How kind of you."),
        (EN, "When you are ready, I am here."),
        (EN, "Tell me more only if you wish."),
        (EN, "Say as much as you like."),
        (ZH, "没什么，您慢慢来。"),
        (ZH, "您说，我听着呢。"),
        (ZH, "想不想说都由您。"),
        (ZH, "您想说什么都可以。"),
        (ZH, "咱们下次再聊聊。"),
        (ZH, "这哪能说忘就忘呢。"),
    ],
)
def test_what_only_looks_like_a_question_is_none(bank: Bank, sentence: str) -> None:
    told = {EN: "ok", ZH: "好"}[bank]
    assert verdicts(bank, sentence, told, allowed=False) == [sentence]


@pytest.mark.parametrize(
    ("bank", "sentence"),
    [
        (EN, "What was it like, and who was there?"),
        (EN, "Where did you live and what did you do?"),
        (EN, "Was it cold, or did you have a fire?"),
        (EN, "Who was there with you, what did they say?"),
        (ZH, "是什么样的，谁在那儿？"),
        (ZH, "您住在哪儿，怎么去的？"),
        (ZH, "那时候冷吗，您穿什么？"),
        (ZH, "那天冷不冷，谁陪您？"),
    ],
)
def test_two_questions_in_one_are_too_many(bank: Bank, sentence: str) -> None:
    assert verdicts(bank, sentence, {EN: "ok", ZH: "好"}[bank]) == [Reason.TOO_MANY_QUESTIONS]


@pytest.mark.parametrize(
    ("bank", "sentence"),
    [
        (EN, "Do you remember what you did when it rained?"),
        (EN, "What did you do when it rained, and you had to stay in?"),
        (ZH, "您还记得吗，那时候都玩些什么？"),
        (ZH, "这么多年了，您最想念的是什么？"),
        (ZH, "这几年，您身体好吗？"),
    ],
)
def test_one_question_in_two_clauses_is_one(bank: Bank, sentence: str) -> None:
    assert verdicts(bank, sentence, {EN: "ok", ZH: "好"}[bank]) == [sentence]


def test_an_invitation_is_no_question_where_one_is_allowed() -> None:
    reply = "Tell me about the hens. What did they eat?"
    assert verdicts(EN, reply, "We had hens.") == [
        "Tell me about the hens.",
        "What did they eat?",
    ]


@pytest.mark.parametrize(
    ("bank", "sentence", "said"),
    [
        (EN, "How lovely 😊", "How lovely"),
        (EN, "**How lovely.**", "How lovely."),
        (EN, "“How lovely.”", "How lovely."),
        (EN, '"How lovely, hens in the yard.', "How lovely, hens in the yard."),
        (EN, "_How_ lovely.", "How lovely."),
        (EN, "How lovely. :)", "How lovely."),
        (ZH, "真好呀！🌳", "真好呀！"),
        (ZH, "“真好。”", "真好。"),
        (ZH, "**真好。**", "真好。"),
        (EN, "Interviewer: How lovely.", "How lovely."),
        (ZH, "访谈者：真好。", "真好。"),
        (ZH, "提问：那天怎么样？", "那天怎么样？"),
        (EN, "Ask: What did they eat?", "What did they eat?"),
        (EN, "Sure! Here's my reply: How lovely.", "How lovely."),
    ],
)
def test_what_is_for_the_eye_is_taken_off(bank: Bank, sentence: str, said: str) -> None:
    judged = verdicts(bank, sentence, "hens in the yard")
    passed = [one for one in judged if not isinstance(one, Reason)]
    assert "".join(passed) in (said, f"Sure!{said}")


@pytest.mark.parametrize(
    ("bank", "told", "sentence"),
    [
        (EN, "My mother sang every evening.", "Your mother sang every evening."),
        (ZH, "我妈妈每天晚上都在炉子边上唱歌。", "您妈妈每天晚上都在炉子边上唱歌。"),
    ],
)
def test_a_whole_sentence_is_not_parroted(bank: Bank, told: str, sentence: str) -> None:
    assert verdicts(bank, sentence, told) == [Reason.PARROTED]


@pytest.mark.parametrize(
    ("bank", "before", "sentence"),
    [
        (EN, "What a lovely thing to have in a yard.", "What a lovely thing to have in your yard."),
        (ZH, "听着就让人心里暖洋洋的。", "听着真让人心里暖洋洋的。"),
    ],
)
def test_what_was_said_in_an_earlier_reply_is_not_said_again(
    bank: Bank, before: str, sentence: str
) -> None:
    assert verdicts(bank, sentence, "ok", asked_text=before) == [Reason.SAID_BEFORE]


@pytest.mark.parametrize("bank", [EN, ZH])
def test_a_sentence_with_small_changes_is_a_loop(bank: Bank) -> None:
    reply = {
        EN: "The hens must have been fine company. The hens must have been such fine company.",
        ZH: "那棵树陪了您这么多年。那棵树陪着您这么多年。",
    }[bank]
    told = {EN: "We had hens.", ZH: "门口有棵树。"}[bank]
    assert verdicts(bank, reply, told)[1:] == [Reason.LOOP]


@pytest.mark.parametrize(
    "token",
    [
        *("<|im_end|>", "<|eot_id|>", "</s>", "<end_of_turn>", "<|end|>", "<|endoftext|>"),
        *("<｜end▁of▁sentence｜>", "[/INST]", "<|END_OF_TURN_TOKEN|>", "<EOS_TOKEN>"),
        "[|endofturn|]",
        *("<|user|>", "<eod>", "<用户>", "<reserved_106>", "<|return|>", "<|im_sep|>"),
    ],
)
def test_templates_of_all_kinds_end_a_turn(token: str) -> None:
    assert verdicts(EN, f"I see.{token}Yes, I did.", "ok") == ["I see."]
    assert verdicts(EN, f"I see. {token}", "ok")[0] == "I see."


def test_what_was_asked_long_before_the_history_is_not_asked_again() -> None:
    fresh = situation(EN, "There was a pump behind the house that froze in winter.")
    asked = "What did the frozen pump look like?"
    assert Guard(fresh, decision(), EN).check(asked).outcome is Outcome.PASS
    before = replace(fresh, said_before=(f"How cold.\n{asked}",))
    verdict = Guard(before, decision(), EN).check("What did the frozen pump look like then?")
    assert verdict.reason is Reason.ASKED_BEFORE


@pytest.mark.parametrize("bank", [EN, ZH])
def test_what_tells_of_an_event_is_written_small(bank: Bank) -> None:
    """What was told is looked through in small letters, so a capital would never be found."""
    for claim in bank.guard.claims:
        bare = re.sub(r"\\.", "", claim.told.pattern)
        assert bare == bare.casefold()


@pytest.mark.parametrize(
    "sentence",
    ["Was it margaret who sang?", "Margaret's laugh must have been lovely.", "that was tom, then."],
)
def test_a_name_is_one_however_it_is_written(sentence: str) -> None:
    assert verdicts(EN, sentence, "ok") == [Reason.INVENTED]
    assert verdicts(EN, sentence, "Tom and Margaret came.") == [sentence]


def test_a_name_that_is_also_a_word_is_a_word_in_small_letters() -> None:
    sentence = "A ray of sun on the daisy, how lovely."
    assert verdicts(EN, sentence, "ok") == [sentence]
