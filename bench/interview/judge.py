"""What an interview comes to in figures, judged by the narrator's knowledge and by the words."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from bench.interview.ear import CLEARLY, Ear, questions_in, sentences
from bench.interview.hearsay import Hearsay
from bench.interview.interviewer import Reply
from bench.interview.narrator import Kind
from bench.interview.player import Exchange, Interview
from bench.interview.sheet import Sheet

SENTENCES_A_PART = 2
PROFILE_TURNS = 12
FOLLOW_UP = "follow_up"
COMFORT = "comfort"
OPENING = "opening"


@dataclass
class Faults:
    """What must not happen: each with the words in which it did."""

    repeated_wordings: list[str] = field(default_factory=list)
    repeated_keys: list[str] = field(default_factory=list)
    declined_again: list[str] = field(default_factory=list)
    asked_after_no: list[str] = field(default_factory=list)
    never_told: list[str] = field(default_factory=list)
    many_questions: list[str] = field(default_factory=list)
    long_parts: list[str] = field(default_factory=list)
    same_twice: list[str] = field(default_factory=list)
    late_profile: list[str] = field(default_factory=list)
    wrong_profile: list[str] = field(default_factory=list)


ZEROS = (
    *("repeated_wordings", "repeated_keys", "declined_again", "asked_after_no", "never_told"),
    *("many_questions", "long_parts", "same_twice", "late_profile"),
)  # fmt: skip
"""The faults that make a run fail."""


@dataclass
class Figures:
    """One narrator's interview.

    ``stories`` are those that do not hurt; ``follow_ups`` the questions that asked further into
    one; ``led_on`` those of them that got more told; ``alone`` the stories that were asked nothing.
    ``unasked`` are the facts told that no question led to.
    ``in_vain`` holds what was comforted and does not hurt, ``asked_into`` what hurts and was asked
    into, by the narrator's sheet.
    """

    name: str
    turns: int
    facts: int
    told: int
    unasked: int
    stories: int
    follow_ups: int
    led_on: int
    alone: int
    questions: int
    most_questions: int
    stages: int
    profile_turns: int | None
    profile_right: int
    told_already: int
    shrugs: int
    scripted: int
    replies: int
    in_vain: list[str]
    asked_into: list[str]
    faults: Faults


def judge(name: str, interview: Interview) -> Figures:
    """Return the figures of an interview."""
    sheet, exchanges, replies = interview.sheet, interview.exchanges, interview.replies
    kinds = Counter(exchange.said.kind for exchange in exchanges)
    stories = list(_stories(interview))
    return Figures(
        name=name,
        turns=len(exchanges),
        facts=len(sheet.facts),
        told=len({fact for exchange in exchanges for fact in exchange.said.facts}),
        unasked=sum(len(exchange.said.unasked) for exchange in exchanges),
        stories=len(stories),
        follow_ups=sum(_followed(interview, place) for place in range(len(exchanges))),
        led_on=kinds[Kind.MORE],
        alone=sum(_left_alone(interview, place) for place in stories),
        questions=sum(len(questions_in(reply.text)) for reply in replies),
        most_questions=max(len(questions_in(reply.text)) for reply in replies),
        stages=len({slot.partition(".")[0] for reply in replies for slot in reply.slots}),
        profile_turns=_profile_turns(interview),
        profile_right=len(sheet.profile) - len(_wrong(sheet, replies[-1])),
        told_already=kinds[Kind.TOLD_ALREADY],
        shrugs=kinds[Kind.SHRUG],
        scripted=sum(reply.scripted for reply in replies),
        replies=len(replies),
        in_vain=list(_comforted_in_vain(interview)),
        asked_into=list(_asked_into_sorrow(interview)),
        faults=_faults(interview),
    )


def _faults(interview: Interview) -> Faults:
    sheet, replies = interview.sheet, interview.replies
    questions = Counter(q for reply in replies for q in questions_in(reply.text))
    keys = Counter(key for reply in replies for key in reply.asked)
    parts = [part for reply in replies for part in reply.parts]
    first = [sentences(reply.text)[0] for reply in replies]
    turns = _profile_turns(interview)
    late = turns is None or turns > PROFILE_TURNS
    return Faults(
        repeated_wordings=[f"{n} × {text}" for text, n in questions.items() if n > 1],
        repeated_keys=[f"{n} × {key}" for key, n in keys.items() if n > 1],
        declined_again=list(_declined_again(interview)),
        asked_after_no=list(_asked_after_no(interview)),
        never_told=list(_never_told(interview)),
        many_questions=[reply.text for reply in replies if len(questions_in(reply.text)) > 1],
        long_parts=[part for part in parts if len(sentences(part)) > SENTENCES_A_PART],
        same_twice=[one for one, then in pairwise(first) if one == then],
        late_profile=[f"{turns} turns"]
        if late and len(interview.exchanges) > PROFILE_TURNS
        else [],
        wrong_profile=_wrong(sheet, replies[-1]),
    )


def _stories(interview: Interview) -> Iterator[int]:
    """Give the places of what was told and may be asked into.

    Not what hurts; nor what was told before the interviewer knew with whom. What was comforted in
    vain counts: whether it hurts is for the narrator to know.
    """
    facts = interview.sheet.by_id
    for place, exchange in enumerate(interview.exchanges):
        told, reply = exchange.said.facts, exchange.reply
        hurts = any(facts[fact].hurts for fact in told)
        if told and not hurts and reply.complete and reply.intent != OPENING:
            yield place


def _comforted_in_vain(interview: Interview) -> Iterator[str]:
    facts = interview.sheet.by_id
    for exchange in interview.exchanges:
        told = {*exchange.said.facts, exchange.said.about}
        hurts = any(fact.hurts for name, fact in facts.items() if name in told)
        if exchange.reply.intent == COMFORT and not hurts:
            yield f"{exchange.said.text} → {exchange.reply.text}"


def _asked_into_sorrow(interview: Interview) -> Iterator[str]:
    facts = interview.sheet.by_id
    for exchange in interview.exchanges:
        hurts = any(facts[fact].hurts for fact in exchange.said.facts)
        if hurts and exchange.reply.intent == FOLLOW_UP:
            yield f"{exchange.said.text} → {exchange.reply.text}"


def _followed(interview: Interview, place: int) -> bool:
    """Whether the reply asks further: it was meant so, or the narrator took it so."""
    exchanges = interview.exchanges
    told = exchanges[place].said.kind in (Kind.TOLD, Kind.MORE)
    taken = place + 1 < len(exchanges) and exchanges[place + 1].said.kind is Kind.MORE
    return told and (exchanges[place].reply.intent == FOLLOW_UP or taken)


def _left_alone(interview: Interview, place: int) -> bool:
    """Whether the next question after a story is about something else.

    A story that is comforted, or at which the narrator wishes for something else, is none such.
    """
    exchanges = interview.exchanges
    for later in range(place, len(exchanges)):
        said, reply = exchanges[later].said, exchanges[later].reply
        turned = later > place and said.kind in (Kind.WISH, Kind.REFUSED)
        if reply.intent == COMFORT or turned:
            return False
        if reply.asked or questions_in(reply.text):
            taken = later + 1 < len(exchanges) and exchanges[later + 1].said.kind is Kind.MORE
            return not (taken or reply.intent == FOLLOW_UP)
    return False


def _profile_turns(interview: Interview) -> int | None:
    for turn, exchange in enumerate(interview.exchanges, 1):
        if exchange.reply.complete:
            return turn
    return None


def _wrong(sheet: Sheet, last: Reply) -> list[str]:
    """Return the profile's things that were told and understood otherwise, or not at all.

    A field without a meaning is one that this person does not tell.
    """
    wrong = []
    for name, about in sheet.profile.items():
        known = last.profile[name]
        right = known in about.means if about.means else known is None
        if not right:
            wrong.append(f"{name}: {known!r}, not {' or '.join(map(repr, about.means)) or 'told'}")
    return wrong


def _declined_again(interview: Interview) -> Iterator[str]:
    """Give what clearly asks about a topic that the narrator refused.

    What is only near to it is another question, which the narrator may refuse as well.
    """
    ear, refused = Ear(interview.sheet), set[str]()
    for exchange in interview.exchanges:
        if exchange.said.kind is Kind.REFUSED:
            refused.add(exchange.said.about or "")
        for reply in (exchange.reply, exchange.back):
            for taboo in _clearly_about(ear, reply) & refused if reply else ():
                yield f"{taboo}: {reply.text if reply else ''}"


def _clearly_about(ear: Ear, reply: Reply) -> set[str]:
    """Return the forbidden topic that a reply's question is about, if it clearly is."""
    asked = " ".join(questions_in(reply.text))
    scores = ear.scores(asked) if asked else None
    if scores is None or scores.taboo is None or scores.taboos[scores.taboo] < CLEARLY:
        return set()
    return {scores.taboo}


def _asked_after_no(interview: Interview) -> Iterator[str]:
    """Give what was asked in answer to a refusal or a wish."""
    for exchange in interview.exchanges:
        no = exchange.said.kind in (Kind.REFUSED, Kind.WISH)
        if no and questions_in(exchange.reply.text):
            yield f"{exchange.said.text} → {exchange.reply.text}"


def _never_told(interview: Interview) -> Iterator[str]:
    sheet = interview.sheet
    born = next((int(year) for year in _means(sheet, "birth_year")), None)
    hearsay = Hearsay(sheet.language, born)
    for exchange in (None, *interview.exchanges):
        if exchange is not None:
            hearsay.hear(exchange.said.text)
        for reply in _replies(interview, exchange):
            strange = hearsay.strange(reply.text)
            if strange:
                yield f"{', '.join(strange)}: {reply.text}"


def _replies(interview: Interview, exchange: Exchange | None) -> list[Reply]:
    if exchange is None:
        return [interview.greeting]
    return [exchange.reply, *([exchange.back] if exchange.back else [])]


def _means(sheet: Sheet, name: str) -> tuple[str | int, ...]:
    return sheet.profile[name].means if name in sheet.profile else ()
