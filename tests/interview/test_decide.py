"""What the scripted interviewer decides, case by case."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from lifeecho_server.interview.applied import state_after
from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.decide import chips, greet, listening_feedback, re_greet, reply
from lifeecho_server.interview.decision import Changes, Decision, Intent
from lifeecho_server.interview.detail import details_of
from lifeecho_server.interview.situation import (
    Asked,
    Coverage,
    Hearing,
    InterviewState,
    Profile,
    SlotState,
    Speaker,
    Turn,
)
from tests.interview.sitting import NOW, Sitting

ZH, EN = Bank.load("zh"), Bank.load("en")
BANKS = {"zh": ZH, "en": EN}
PEOPLE = {
    "zh": Profile("王奶奶", 1943, "苏州", "苏州", "教书的"),
    "en": Profile("Rose", 1943, "Leeds", "Leeds", "nurse"),
}


def sitting(bank: Bank, *asked: str) -> Sitting:
    """Someone whose profile is complete, and who was asked these slots' questions."""
    keys = tuple(Asked(key, key, NOW) for key in asked)
    return Sitting(bank, PEOPLE[bank.language], InterviewState("childhood", {}, keys))


def words(decision: Decision) -> str:
    return "\n".join(decision.parts)


def asks(decision: Decision) -> int:
    return len(re.findall(r"[?？]", words(decision)))


@pytest.mark.parametrize("bank", [ZH, EN])
def test_an_incomplete_profile_is_asked_for_one_thing_at_a_time(bank: Bank) -> None:
    decision = Sitting(bank).greet()
    assert decision.intent is Intent.PROFILE_GREETING
    assert decision.changes.asked == (("profile.nickname", None),)
    assert asks(decision) == 1


def test_who_is_known_already_is_greeted_by_name() -> None:
    decision = Sitting(EN, Profile(nickname="Rose", birth_year=1943)).greet()
    assert "Rose" in words(decision)
    assert decision.changes.asked == (("profile.birth_place", None),)


@pytest.mark.parametrize("bank", [ZH, EN])
def test_the_opening_has_name_place_and_a_first_question(bank: Bank) -> None:
    decision = sitting(bank).greet()
    profile = PEOPLE[bank.language]
    assert decision.intent is Intent.OPENING
    assert str(profile.nickname) in words(decision)
    assert str(profile.grew_up_place) in words(decision)
    assert decision.changes.asked == (("childhood.home", "childhood.home"),)
    assert asks(decision) == 1
    assert decision.direction is not None


def test_a_new_conversation_recalls_what_was_told_in_an_earlier_one() -> None:
    talk = sitting(ZH)
    talk.told_before = (Turn("a", Speaker.NARRATOR, "门口有一棵老槐树，真大。", NOW),)
    assert "老槐树" in words(talk.greet())


@pytest.mark.parametrize(
    ("idle", "wordings"),
    [
        (timedelta(hours=7), ZH.phrases.re_hours),
        (timedelta(days=1), ZH.phrases.re_day),
        (timedelta(days=9), ZH.phrases.re_week),
        (timedelta(days=180), ZH.phrases.re_months),
    ],
)
def test_a_re_greeting_sounds_like_how_long_it_was(
    idle: timedelta, wordings: tuple[str, ...]
) -> None:
    talk = sitting(ZH, "childhood.home")
    talk.say("门口有一棵老槐树，夏天全家在底下吃饭。")
    decision = re_greet(talk.situation(), ZH, idle)
    assert decision.intent is Intent.RE_GREETING
    assert decision.parts[0] in {text.replace("{name}", "王奶奶") for text in wordings}
    assert "老槐树" in words(decision)
    assert asks(decision) == 1


def test_a_re_greeting_never_names_what_was_not_said_nor_what_hurts() -> None:
    talk = sitting(EN, "childhood.parents")
    talk.say("My mother died in a little blue room.")
    decision = re_greet(talk.situation(), EN, timedelta(days=2))
    assert "room" not in words(decision)
    assert decision.parts[1] in EN.phrases.thread_none


def test_getting_acquainted_in_chinese_ends_with_the_opening() -> None:
    talk = Sitting(ZH)
    talk.greet()
    talk.say("叫我王奶奶就行")
    talk.say("一九四三年")
    talk.say("我是苏州人")
    talk.say("就在那儿")
    decision = talk.say("教书的")
    assert talk.profile == Profile("王奶奶", 1943, "苏州", "苏州", "教书的")
    assert decision.intent is Intent.OPENING
    assert decision.changes.asked == (("childhood.home", "childhood.home"),)


def test_what_is_not_understood_is_asked_once_more_and_then_let_go() -> None:
    talk = Sitting(EN, Profile(nickname="Rose"))
    talk.greet()
    again = talk.say("a good while ago")
    assert again.changes.asked == (("profile.birth_year.again", None),)
    assert again.direction is None
    after = talk.say("before your time, anyhow")
    assert after.changes.refused == {"birth_year"}
    assert after.changes.asked == (("profile.birth_place", None),)


@pytest.mark.parametrize(("bank", "no"), [(ZH, "不想说"), (EN, "I'd rather not say")])
def test_a_refused_field_counts_as_collected_and_no_question_follows(bank: Bank, no: str) -> None:
    talk = Sitting(bank, Profile(nickname="Ro"))
    talk.greet()
    decision = talk.say(no)
    assert decision.changes.refused == {"birth_year"}
    assert asks(decision) == 0
    for _ in range(3):
        decision = talk.say(no)
        assert asks(decision) == 0
    assert talk.profile.complete
    assert decision.intent is Intent.OPENING


@pytest.mark.parametrize(
    ("bank", "said", "quote"),
    [
        (ZH, "门口有一棵老槐树", "老槐树"),
        (ZH, "我奶奶会讲故事", "您奶奶"),
        (EN, "We had a little stone cottage by the river.", "that little stone cottage"),
        (EN, "It was my grandmother who raised us.", "your grandmother"),
    ],
)
def test_a_detail_is_taken_up_in_the_persons_words(bank: Bank, said: str, quote: str) -> None:
    assert quote in words(sitting(bank, "childhood.home").say(said))


@pytest.mark.parametrize(("bank", "said"), [(ZH, "就几间房。"), (EN, "It was small.")])
def test_a_thin_answer_gets_one_follow_up_and_then_the_next_slot(bank: Bank, said: str) -> None:
    talk = sitting(bank, "childhood.home")
    first = talk.say(said)
    assert first.intent is Intent.FOLLOW_UP
    assert first.changes.coverage["childhood.home"][0] is Coverage.TOUCHED
    second = talk.say(said)
    assert second.intent is Intent.NEXT_SLOT
    assert second.changes.coverage["childhood.home"][0] is Coverage.TOLD


def test_an_ample_answer_tells_the_slot_with_its_turn_as_evidence() -> None:
    talk = sitting(EN, "childhood.home")
    said = "It was the end house of a terrace with a yard and a wall and my " * 2
    decision = talk.say(said)
    assert decision.changes.coverage["childhood.home"] == (Coverage.TOLD, ("t0",))
    assert decision.intent is Intent.FOLLOW_UP


def test_who_wanders_is_followed() -> None:
    talk = sitting(EN, "childhood.home")
    decision = talk.say(
        "When I started work at the mill the foreman taught me the trade, and I was an apprentice "
        "for five years with my own tools in a wooden box."
    )
    assert decision.changes.coverage["work.trade"][0] is Coverage.TOLD
    assert decision.changes.asked[0][1] == "work.trade"
    assert talk.state.stage == "childhood"


def test_a_relatives_words_are_never_evidence() -> None:
    talk = sitting(EN, "childhood.parents")
    helped = talk.say("Her mother and father kept a shop.", Speaker.RELATIVE)
    assert helped.intent is Intent.ACKNOWLEDGE
    assert helped.changes.coverage == {}
    assert asks(helped) == 0


@pytest.mark.parametrize(
    ("bank", "said"),
    [
        (ZH, "今天就到这里吧"),
        (ZH, "我累了，不说了"),
        (ZH, "改天再聊吧"),
        (ZH, "再见"),
        (EN, "That's all for today."),
        (EN, "I'm tired now"),
        (EN, "Let's stop there for today"),
        (EN, "Goodbye dear"),
    ],
)
def test_a_farewell_is_answered_with_one(bank: Bank, said: str) -> None:
    decision = sitting(bank, "childhood.home").say(said)
    assert decision.intent is Intent.FAREWELL
    assert asks(decision) == 0
    assert decision.direction is not None
    assert not decision.direction.question_allowed


@pytest.mark.parametrize(
    ("bank", "said"),
    [
        (ZH, "不想说"),
        (ZH, "这个我不想说了"),
        (ZH, "不提了"),
        (EN, "I'd rather not."),
        (EN, "I don't want to talk about it"),
        (EN, "No, I'd rather not say"),
    ],
)
def test_what_is_declined_is_never_asked_again(bank: Bank, said: str) -> None:
    talk = sitting(bank, "childhood.home")
    decision = talk.say(said)
    assert decision.intent is Intent.ACKNOWLEDGE
    assert decision.changes.declined == {"childhood.home"}
    assert asks(decision) == 0
    assert "childhood.home" not in {chip.slot for chip in chips(talk.state, bank, 6)}


def test_a_refusal_that_names_something_declines_that() -> None:
    decision = sitting(ZH, "childhood.home").say("我不想说我爸的事")
    assert decision.changes.declined == {"childhood.parents"}


@pytest.mark.parametrize(("bank", "said"), [(ZH, "换个话题吧"), (EN, "Let's change the subject")])
def test_another_topic_is_opened_with_an_invitation(bank: Bank, said: str) -> None:
    decision = sitting(bank, "childhood.home").say(said)
    assert decision.changes.stage == "school"
    assert decision.parts[1] in bank.stage("school").invite
    assert asks(decision) == 0


@pytest.mark.parametrize(("bank", "said"), [(ZH, "你再说一遍"), (EN, "Say that again please")])
def test_the_last_words_are_said_again(bank: Bank, said: str) -> None:
    talk = sitting(bank)
    opening = talk.greet()
    assert talk.say(said).parts == opening.parts


@pytest.mark.parametrize(("bank", "said"), [(ZH, "说慢一点"), (EN, "Could you speak slower")])
def test_slower_is_obeyed(bank: Bank, said: str) -> None:
    decision = sitting(bank, "childhood.home").say(said)
    assert decision.changes.slower
    assert asks(decision) == 0


@pytest.mark.parametrize(
    ("bank", "story", "wish"),
    [
        (ZH, "我弟弟偷过邻居家的鸡。", "这段不要写进书里"),
        (ZH, "我弟弟偷过邻居家的鸡。", "别告诉孩子们"),
        (EN, "My brother stole a hen from next door.", "Keep that out of the book, please"),
        (EN, "My brother stole a hen from next door.", "Please don't put that in the book"),
    ],
)
def test_the_passage_just_told_is_kept_out_of_the_book(bank: Bank, story: str, wish: str) -> None:
    talk = sitting(bank, "childhood.siblings")
    talk.say(story)
    decision = talk.say(wish)
    assert decision.changes.seal == ("t0", "t2")
    assert decision.changes.coverage == {}
    assert decision.direction is None
    assert asks(decision) == 0


def test_a_passage_told_with_the_wish_is_what_it_means() -> None:
    talk = sitting(EN, "childhood.siblings")
    talk.say("He was a good lad.")
    story = "My brother once stole a hen from the people next door. "
    decision = talk.say(story + "Keep it out of the book.")
    assert decision.changes.seal == ("t2",)


@pytest.mark.parametrize(
    ("bank", "said"),
    [
        (ZH, "我父亲一九六〇年就去世了"),
        (ZH, "说起我妈我就忍不住掉泪"),
        (EN, "My father died when I was nine"),
        (EN, "We lost our little boy"),
    ],
)
def test_grief_is_comforted_and_not_dug_into(bank: Bank, said: str) -> None:
    talk = sitting(bank, "childhood.parents")
    decision = talk.say(said)
    assert decision.intent is Intent.COMFORT
    assert asks(decision) == 0
    assert talk.state.slots["childhood.parents"].coverage is Coverage.TOLD
    following = talk.say("go on" if bank is EN else "接着聊吧")
    assert following.changes.asked[0][1] != "childhood.parents"


@pytest.mark.parametrize(
    ("bank", "said"),
    [
        (ZH, "我不想活了"),
        (ZH, "儿子天天打我"),
        (ZH, "我胸口疼得厉害"),
        (ZH, "我刚摔倒了，起不来"),
        (EN, "I don't want to live any more"),
        (EN, "My son hits me"),
        (EN, "I've got chest pains"),
        (EN, "I've fallen and I can't get up"),
    ],
)
def test_danger_names_someone_real_to_call(bank: Bank, said: str) -> None:
    for talk in (sitting(bank, "childhood.home"), Sitting(bank)):
        decision = talk.say(said)
        assert decision.intent is Intent.DANGER
        assert decision.direction is None
        assert any(number in words(decision) for number in ("120", "110", "999"))
        assert asks(decision) == 0
        assert decision.changes.asked == ()


@pytest.mark.parametrize(
    ("bank", "said"),
    [
        (ZH, "小时候调皮，他打我"),
        (ZH, "那时候苦得都不想活了"),
        (EN, "In those days the master used to say he hits me for my own good"),
        (EN, "Back then I wanted to die of shame, I want to die I said"),
    ],
)
def test_what_was_long_ago_is_no_danger_now(bank: Bank, said: str) -> None:
    assert sitting(bank, "childhood.home").say(said).intent is not Intent.DANGER


@pytest.mark.parametrize("hearing", [Hearing.WAITING, Hearing.UNSURE, Hearing.FAILED])
@pytest.mark.parametrize("bank", [ZH, EN])
def test_a_recording_without_words_is_kept_and_nothing_is_pretended(
    bank: Bank, hearing: Hearing
) -> None:
    decision = sitting(bank, "childhood.home").say("", hearing=hearing)
    waiting = hearing is Hearing.WAITING
    wordings = bank.phrases.kept_waiting if waiting else bank.phrases.kept_unsure
    assert decision.intent is Intent.KEPT_RECORDING
    assert decision.parts[0] in wordings
    assert decision.direction is None
    assert decision.changes.coverage == {}


@pytest.mark.parametrize("bank", [ZH, EN])
def test_a_chip_chooses_its_slot(bank: Bank) -> None:
    talk = sitting(bank, "childhood.home")
    chip = chips(talk.state, bank, 4)[2]
    decision = talk.say(chip.text)
    assert decision.changes.asked == ((chip.slot, chip.slot),)
    assert decision.changes.coverage == {}


def test_a_declined_slot_that_the_person_brings_up_is_talked_about() -> None:
    talk = sitting(EN, "childhood.home")
    talk.say("I'd rather not")
    decision = talk.say(EN.slots["childhood.home"].chip)
    assert decision.parts[0] in EN.phrases.go_on


@pytest.mark.parametrize("limit", [0, 3, 4])
def test_chips_are_the_stages_empty_slots_in_order(limit: int) -> None:
    state = InterviewState("school", {"school.teacher": SlotState(Coverage.TOLD)})
    found = chips(state, EN, limit)
    wanted = ["school.first_school", "school.friends", "school.hardest", "school.dreams"]
    assert [chip.id for chip in found] == wanted[:limit]
    assert chips(state, EN, limit) == found


def test_there_are_no_chips_when_no_slot_is_left() -> None:
    told = {slot: SlotState(Coverage.TOLD, ("t",)) for slot in EN.slots}
    assert chips(InterviewState("childhood", told), EN, 4) == ()


@pytest.mark.parametrize("bank", [ZH, EN])
def test_a_stage_is_left_when_two_thirds_are_told(bank: Bank) -> None:
    talk = sitting(bank, "childhood.home")
    stage = bank.stage("childhood")
    told = {slot.id: SlotState(Coverage.TOLD, ("x",)) for slot in stage.slots[1:5]}
    talk.state = InterviewState("childhood", told, talk.state.asked)
    decision = talk.say("没有" if bank is ZH else "I don't remember")
    assert decision.changes.stage == "school"
    assert decision.parts[1] in bank.stage("school").lead


@pytest.mark.parametrize("bank", [ZH, EN])
def test_when_all_is_told_it_is_said_gracefully(bank: Bank) -> None:
    talk = sitting(bank, *bank.slots, *(f"event.{event.id}" for event in bank.events))
    told = {slot: SlotState(Coverage.TOLD, ("t",)) for slot in bank.slots}
    talk.state = InterviewState("wisdom", told, talk.state.asked)
    for decision in (talk.say("好" if bank is ZH else "yes"), greet(talk.situation(), bank)):
        assert set(decision.parts) & set(bank.phrases.all_told)
        assert asks(decision) == 0


@pytest.mark.parametrize(("bank", "said"), [(ZH, "你是谁"), (EN, "Who are you?")])
def test_who_asks_is_told_plainly_that_this_is_a_machine(bank: Bank, said: str) -> None:
    [answer] = sitting(bank).say(said).parts
    assert answer in bank.phrases.who


@pytest.mark.parametrize("bank", [ZH, EN])
def test_listening_feedback_is_never_the_same_twice_running(bank: Bank) -> None:
    heard: list[str | None] = [None]
    for _ in range(20):
        heard.append(listening_feedback(heard[-1], bank))
        assert heard[-1] != heard[-2]
    assert set(heard[1:]) == set(bank.phrases.listening)


def test_the_same_situation_gets_the_same_reply() -> None:
    talk = sitting(ZH, "childhood.home")
    turn = Turn("t", Speaker.NARRATOR, "门口有一棵老槐树", NOW)
    assert reply(talk.situation(turn), ZH) == reply(talk.situation(turn), ZH)


@pytest.mark.parametrize(
    ("bank", "said"),
    [(ZH, "小时候爸爸打我"), (EN, "My teacher used to beat us all with a ruler")],
)
def test_hardship_is_met_gently_and_nothing_of_it_is_praised(bank: Bank, said: str) -> None:
    decision = sitting(bank, "childhood.parents").say(said)
    assert decision.intent is Intent.COMFORT
    assert decision.parts[0] in bank.phrases.hardship


@pytest.mark.parametrize(
    ("bank", "said"),
    [
        (ZH, "我妈走了二十里路去给我送棉袄"),
        (ZH, "爸爸走了，去了上海做工。"),
        (ZH, "累是累，可是开心。"),
        (ZH, "我不想说谎，当时心里真的慌。"),
        (ZH, "后来就不说了，大家都忘了，日子还要过。"),
        (EN, "She died laughing, my sister."),
        (EN, "I'd rather not have gone, but my father said so."),
        (EN, "We stopped there for a cup of tea."),
        (EN, "We used to say goodbye at the corner."),
    ],
)
def test_a_story_is_not_taken_for_a_wish_or_for_grief(bank: Bank, said: str) -> None:
    decision = sitting(bank, "childhood.home").say(said)
    assert decision.intent in (Intent.FOLLOW_UP, Intent.NEXT_SLOT)


@pytest.mark.parametrize(
    ("bank", "text"),
    [
        (ZH, "吧" * 7999 + "哪"),
        (ZH, "我叫" * 4000),
        (ZH, "一" * 8000),
        (EN, "no " * 2600 + "x"),
        (EN, "born in A " * 800),
        (EN, "twenty one " * 720),
        (EN, "I was a " * 1000),
    ],
)
def test_the_longest_message_of_any_kind_gets_a_reply(bank: Bank, text: str) -> None:
    for talk in (Sitting(bank), sitting(bank, "childhood.home")):
        talk.greet()
        assert talk.say(text).parts


@pytest.mark.parametrize("bank", [ZH, EN])
@pytest.mark.parametrize(
    ("away", "greeting"), [(timedelta(hours=1), "open_hello"), (timedelta(days=180), "re_months")]
)
def test_a_new_conversation_greets_by_how_long_ago_the_last_one_was(
    bank: Bank, away: timedelta, greeting: str
) -> None:
    talk = sitting(bank)
    talk.told_before = (Turn("a", Speaker.NARRATOR, "嗯" * 9, NOW - away),)
    wordings = getattr(bank.phrases, greeting)
    filled = {text.replace("{name}", str(talk.profile.nickname)) for text in wordings}
    assert talk.greet().parts[0] in filled


@pytest.mark.parametrize(
    ("bank", "told"),
    [
        (ZH, "门口有一棵老槐树，夏天一家人在树下乘凉，奶奶讲故事，弟弟睡着了，蚊子也不觉得多。"),
        (EN, "There was a little back kitchen where my sister Nell baked bread every single Friday "
         "with the radio on and the window open to the street."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("away", [timedelta(days=1), timedelta(days=180)])
def test_someone_who_is_back_is_asked_to_go_on_with_what_they_told(
    bank: Bank, told: str, away: timedelta
) -> None:
    talk = sitting(bank, "childhood.home")
    talk.say(told)
    decision = re_greet(talk.situation(), bank, away)
    quotes = [quote.text for quote in details_of(told, bank).values()]
    assert any(quote in words(decision) for quote in quotes)
    assert decision.parts[-1] in bank.phrases.thread_more
    assert asks(decision) == 1


def test_what_hurt_or_was_refused_is_no_thread_to_pick_up() -> None:
    talk = sitting(EN, "childhood.home")
    talk.say("There was a shed in the yard where my brother slept.")
    talk.state = state_after(talk.state, Changes(sensitive=frozenset({"childhood.home"})), NOW)
    for _ in range(2):
        decision = re_greet(talk.situation(), EN, timedelta(days=1))
        assert "shed" not in words(decision)
        assert decision.parts[1] in EN.phrases.thread_none
        talk.state = InterviewState("childhood", {}, (), ("yard",))
    free = Sitting(EN, history=talk.history)
    assert "shed" in words(re_greet(free.situation(), EN, timedelta(days=1)))


@pytest.mark.parametrize(
    ("bank", "griefs"),
    [
        (ZH, ("我父亲后来去世了。", "我母亲也去世了。", "我弟弟也去世了。")),
        (EN, ("My father died that year.", "My mother died too.", "And my brother died.")),
    ],
)
def test_who_goes_on_grieving_is_stayed_with_in_few_words(
    bank: Bank, griefs: tuple[str, ...]
) -> None:
    talk = sitting(bank, "childhood.parents")
    first, *others = [talk.say(grief) for grief in griefs]
    assert first.parts[0] in bank.phrases.comfort
    assert all(decision.parts[0] in bank.phrases.stay for decision in others)
    assert all(asks(decision) == 0 for decision in (first, *others))
    assert talk.state.slots["childhood.parents"].sensitive


def test_danger_names_the_family_who_can_be_called() -> None:
    talk = sitting(EN, "childhood.home")
    turn = Turn("a", Speaker.NARRATOR, "I've fallen and I can't get up", NOW)
    situation = replace(talk.situation(turn), family=("Anna", "Tom"))
    decision = reply(situation, EN)
    assert decision.intent is Intent.DANGER
    assert decision.parts[-1] == "Please call Anna or Tom now."
    assert decision.direction is None
    assert asks(decision) == 0
