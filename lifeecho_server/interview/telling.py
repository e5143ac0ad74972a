"""Replies to a story: one detail is taken up, then at most one question is asked."""

from collections.abc import Mapping
from dataclasses import replace

from lifeecho_server.interview.bank import Slot, Texts
from lifeecho_server.interview.coverage import current_slot, slot_state, wholly_told
from lifeecho_server.interview.decision import Changes, Decision, Direction, Intent
from lifeecho_server.interview.detail import DetailKind, Quoted
from lifeecho_server.interview.opening import with_question
from lifeecho_server.interview.person import voice_of
from lifeecho_server.interview.questions import (
    Grounds,
    Question,
    after,
    any_follow_up,
    echo,
    first_question_of,
    follow_ups_in_a_row,
    go_on,
    may_follow_up,
    next_question,
    own_follow_up,
)
from lifeecho_server.interview.recognise import (
    assents,
    breaks_off,
    knows_nothing,
    says_told_already,
)
from lifeecho_server.interview.situation import Coverage, Leader, Speaker
from lifeecho_server.interview.speech import Heard
from lifeecho_server.interview.topics import brought_up
from lifeecho_server.interview.wording import pick

_IN_A_ROW = 2  # follow-ups one after the other; one more for whoever leads


def answer_story(heard: Heard) -> Decision:
    """Answer a chip, a shrug, a yes or a story."""
    if heard.chosen is not None:
        return _begin_chosen(heard, heard.chosen)
    if says_told_already(heard.text, heard.bank):
        return _go_on(heard, heard.bank.phrases.told_already or heard.bank.phrases.agreed)
    if knows_nothing(heard.text, heard.bank):
        return _go_on(heard, heard.bank.phrases.unknown)
    if assents(heard.text, heard.bank):
        if _question_is_open(heard):
            return _listen(heard, Changes())
        return _go_on(heard, heard.bank.phrases.agreed)
    return _take_up(heard)


def comfort(
    heard: Heard, wordings: Texts, profile: Mapping[str, str | int] | None = None
) -> Decision:
    """Stay with someone who grieves or suffered: comfort, an offer to rest, no digging later.

    ``profile`` is what was told about the person by the way.
    """
    bank = heard.bank
    words = pick(wordings, heard.values, heard.seed, heard.said)
    direction = Direction(bank.prompt.notes.comfort, question_allowed=False)
    hurt = frozenset({heard.told.subject}) if heard.told.subject else frozenset()
    changes = Changes(profile or {}, coverage=wholly_told(heard.told, heard.turns), sensitive=hurt)
    return Decision(Intent.COMFORT, (words,), direction, changes)


def _take_up(heard: Heard) -> Decision:
    changes = _taken_in(heard)
    grounds = _grounds(heard, changes)
    subject = heard.told.subject
    if subject is None or (grounds.sore(subject) and subject not in heard.hits):
        asked = _asked_of_no_slot(heard, grounds)
    else:
        asked = _follow_up(heard, grounds, subject)
    if asked is not None:
        return _asking(heard, Intent.FOLLOW_UP, _before_follow_up(heard, asked), asked, changes)
    return _next_slot(heard, _acknowledgement(heard), changes)


def _taken_in(heard: Heard) -> Changes:
    """What a story changes: coverage, who leads, and what was refused and is spoken of again."""
    state, subject = heard.situation.state, heard.told.subject
    again = subject is not None and heard.ample and slot_state(state, subject).declined
    return Changes(
        coverage=heard.told.covered,
        reopened=frozenset({subject}) if again and subject else frozenset(),
        lifted=brought_up(heard.story, state.avoided, heard.bank),
        leader=heard.told.leader,
    )


def _grounds(heard: Heard, changes: Changes) -> Grounds:
    """What the next question is chosen on, with an answer's changes taken in.

    A person who leads for the second time is followed: their subject's stage is looked at first.
    """
    situation = heard.situation
    slots = dict(after(situation.state, changes.coverage, changes.declined))
    for slot in changes.reopened:
        slots[slot] = replace(slots[slot], declined=False)
    leads = changes.leader is Leader.PERSON and situation.state.leader is Leader.PERSON
    stage = situation.stage
    if leads and heard.told.subject is not None:
        stage = heard.bank.slots[heard.told.subject].stage
    avoided = (*situation.state.avoided, *changes.avoided)
    return Grounds(
        state=situation.state,
        slots=slots,
        profile=situation.profile,
        stage=stage,
        told=heard.story,
        values=heard.values,
        seed=heard.seed,
        bank=heard.bank,
        avoided=tuple(topic for topic in avoided if topic not in changes.lifted),
    )


def _follow_up(heard: Heard, grounds: Grounds, subject: str) -> Question | None:
    """The follow-up that keeps a living story going; ``None`` when it is best left as it is.

    A story that breaks off is asked to go on; a fresh one gets one question, on a feeling or a name
    just dropped if there were enough words, else the slot's own; a second one is asked about
    something new, or of an answer so long that it may be a story of its own.
    """
    row = follow_ups_in_a_row(grounds.state)
    leads = heard.told.leader is Leader.PERSON
    if not may_follow_up(grounds, subject) or row >= _IN_A_ROW + leads:
        return None
    if breaks_off(heard.story, heard.bank):
        further = go_on(grounds, subject)
        if further is not None:
            return further
    about = None if heard.brief else _echoed(heard, grounds, subject)
    if about is not None or (row and not leads and heard.brief):
        return about
    slot = heard.bank.slots[subject]
    own, fits_all = own_follow_up(grounds, slot), any_follow_up(grounds, subject)
    # A slot's own follow-ups fit an answer to its question, not whatever somebody came to tell.
    strayed = row or leads or (slot.id not in heard.hits and bool(heard.hits or not heard.brief))
    return (fits_all or own) if strayed else (own or fits_all)


def _asked_of_no_slot(heard: Heard, grounds: Grounds) -> Question | None:
    """A story that belongs to no slot gets one question, about something in it."""
    if follow_ups_in_a_row(grounds.state) or heard.brief:
        return None
    return _echoed(heard, grounds, None) or any_follow_up(grounds, None)


def _echoed(heard: Heard, grounds: Grounds, subject: str | None) -> Question | None:
    """A question about a detail: a feeling or a person before a thing.

    After a first follow-up only a feeling or a person is asked about: things never end.
    """
    kinds = [DetailKind.FEELING, DetailKind.PERSON, DetailKind.THING]
    if follow_ups_in_a_row(grounds.state) and heard.told.leader is not Leader.PERSON:
        kinds.remove(DetailKind.THING)
    quotes = [heard.details[kind] for kind in kinds if kind in heard.details]
    return next((one for quote in quotes if (one := echo(grounds, subject, quote))), None)


def _before_follow_up(heard: Heard, question: Question) -> str:
    """What is said before a follow-up: another detail than the one that is asked about.

    Nothing is said between words that broke off and the question that lets them go on.
    """
    if ".unfinished." in question.key:
        return ""
    for kind in (DetailKind.THING, DetailKind.PERSON):
        quoted = heard.details.get(kind)
        if quoted is not None and quoted.text not in question.text:
            return _taking_up(heard, quoted)
    return _plain(heard)


def _go_on(heard: Heard, wordings: tuple[str, ...]) -> Decision:
    first = pick(wordings, heard.values, heard.seed, heard.said)
    return _next_slot(heard, first, Changes())


def _begin_chosen(heard: Heard, slot: Slot) -> Decision:
    """A tapped chip: ask about its slot, or listen when that was asked before."""
    changes = Changes(coverage=heard.told.covered)
    grounds = _grounds(heard, changes)
    if slot.id not in grounds.keys:
        question = first_question_of(grounds, slot)
    else:
        question = own_follow_up(grounds, slot) if may_follow_up(grounds, slot.id) else None
    if question is None:
        return _listen(heard, changes)
    first = pick(heard.bank.phrases.agreed, heard.values, heard.seed, heard.said)
    return _asking(heard, Intent.NEXT_SLOT, first, question, changes)


def _next_slot(heard: Heard, first: str, changes: Changes) -> Decision:
    grounds = _grounds(heard, changes)
    question = next_question(grounds, follow=changes.leader is Leader.PERSON)
    if question is not None:
        return _asking(heard, Intent.NEXT_SLOT, first, question, changes)
    late = None if heard.brief else _about_this(heard, grounds)
    if late is not None:
        return _asking(heard, Intent.FOLLOW_UP, first, late, changes)
    return _done(heard, first, changes)


def _about_this(heard: Heard, grounds: Grounds) -> Question | None:
    """When no slot is left to ask about, a story is asked into however many came before it."""
    subject = heard.told.subject
    if subject is not None and grounds.sore(subject):
        return None
    return _echoed(heard, grounds, subject) or any_follow_up(grounds, subject)


def _asking(
    heard: Heard, intent: Intent, first: str, question: Question, changes: Changes
) -> Decision:
    leads = intent is Intent.NEXT_SLOT and heard.chosen is None and not _followed(changes)
    lead = _lead(heard, question) if leads else ()
    note = heard.bank.prompt.notes.ask.replace("{question}", question.text)
    return Decision(
        intent,
        tuple(part for part in (first, *lead, question.text) if part),
        Direction(note, question_allowed=True),
        with_question(changes, question, heard.situation, heard.bank, leads=leads),
    )


def _followed(changes: Changes) -> bool:
    """Whether the person leads: a question that goes with them moves no stage."""
    return changes.leader is Leader.PERSON


def _lead(heard: Heard, question: Question) -> tuple[str, ...]:
    """A bridge, where the talk moves on to the very next stage or back to the beginning."""
    order = heard.bank.stage_ids
    before, stage = heard.situation.stage, question.stage
    if stage is None or stage == before:
        return ()
    place = order.index(stage)
    if place not in (0, order.index(before) + 1):
        return ()
    lead = pick(heard.bank.stage(stage).lead, heard.values, heard.seed)
    return () if lead in heard.said else (lead,)


def _acknowledgement(heard: Heard) -> str:
    """Take up a detail in the person's own words; warm words where none can be."""
    for kind in (DetailKind.THING, DetailKind.FEELING, DetailKind.PERSON):
        quoted = heard.details.get(kind)
        if quoted is not None and _wordings_for(heard, quoted):
            return _taking_up(heard, quoted)
    return _plain(heard)


def _taking_up(heard: Heard, quoted: Quoted) -> str:
    return pick(_wordings_for(heard, quoted), {"quote": quoted.text}, heard.seed, heard.said)


def _wordings_for(heard: Heard, quoted: Quoted) -> Texts:
    wordings: Texts = getattr(heard.bank.phrases, f"take_{quoted.kind.value}")
    return wordings


def _plain(heard: Heard) -> str:
    """Warm words that fit any story, in the register of the person's background.

    Of a few words nobody says how well they were told: they may be no story at all.
    """
    brief = heard.bank.phrases.brief
    if brief and heard.brief and not heard.details:
        return pick(brief, heard.values, heard.seed, heard.said)
    voice = voice_of(heard.situation.profile, heard.bank)
    wordings = heard.bank.phrases.acknowledge + (voice.acknowledge if voice else ())
    return pick(wordings, heard.values, heard.seed, heard.said)


def _listen(heard: Heard, changes: Changes) -> Decision:
    words = pick(heard.bank.phrases.go_on, heard.values, heard.seed, heard.said)
    note = heard.bank.prompt.notes.no_question.replace("{words}", words)
    return Decision(Intent.ACKNOWLEDGE, (words,), Direction(note, question_allowed=False), changes)


def _done(heard: Heard, first: str, changes: Changes) -> Decision:
    """Nothing is left to ask: that is said once in a while, else only what was told is taken up."""
    all_told = heard.bank.phrases.all_told
    words = pick(all_told, heard.values, heard.seed, heard.said)
    if any(text in heard.said for text in all_told):
        words = first
    note = heard.bank.prompt.notes.no_question.replace("{words}", words)
    return Decision(Intent.ACKNOWLEDGE, (words,), Direction(note, question_allowed=False), changes)


def _question_is_open(heard: Heard) -> bool:
    """Whether a bare yes answers a question that has not been told about yet."""
    said = [turn for turn in heard.situation.history if turn.speaker is Speaker.INTERVIEWER]
    slot = current_slot(heard.situation.state)
    if not said or slot is None:
        return False
    told = slot_state(heard.situation.state, slot).coverage is Coverage.TOLD
    return not told and heard.bank.guard.question.search(said[-1].text) is not None
