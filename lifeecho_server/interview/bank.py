"""A language's question bank: what is asked, said and recognised, all of it data."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from lifeecho_server.errors import LifeEchoError
from lifeecho_server.interview.letters import pairs, plain
from lifeecho_server.interview.situation import PROFILE_FIELDS

Pattern = re.Pattern[str]
Texts = tuple[str, ...]
Patterns = tuple[Pattern, ...]

_PLACEHOLDER = re.compile(r"\{\w+\}")


class UnknownLanguage(LifeEchoError):
    """There is no question bank for a language, or it is damaged; the text names it."""


class Words:
    """Words that show what is being talked about, found as whole words where a language has spaces.

    ``terms`` are the words as written in the data file.
    """

    def __init__(self, terms: Texts, *, spaced: bool) -> None:
        """Compile ``terms``; with ``spaced`` they match at word boundaries, plural included."""
        self.terms = terms
        folded = sorted((term.casefold() for term in terms), key=len, reverse=True)
        every = "|".join(map(re.escape, folded))
        self._pattern = re.compile(rf"\b(?:{every})(?:s|es)?\b" if spaced else f"(?:{every})")

    def count(self, folded: str) -> int:
        """Return how many different words of these are in a text.

        The text is given case-folded: folding it once is half as dear as a pattern that ignores
        case, and there are as many patterns as slots.
        """
        return len(set(self._pattern.findall(folded)))


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the data file: unknown and missing keys are errors."""


class Variant(Record, frozen=True):
    """Wordings of a slot's question for those whom they fit: every condition given must hold.

    ``born`` is the first and last birth year, ``places`` is searched for in where the person was
    born and grew up (in the file ``{region}`` stands for one of ``[regions]``), ``voices`` are ids
    of background voices.
    """

    questions: Texts
    born: tuple[int, int] | None = None
    places: Pattern | None = None
    voices: Texts = ()


class Slot(Record, frozen=True):
    """One thing to tell: its chip, one question in several wordings, follow-ups, its words.

    ``kin`` are ids of slots that would hurt the same: declining this one declines them.
    """

    id: str
    label: str
    chip: str
    questions: Texts
    follow_ups: Texts
    words: Words
    variants: tuple[Variant, ...] = ()
    kin: Texts = ()

    @property
    def stage(self) -> str:
        """The id of the stage that this slot belongs to."""
        return self.id.partition(".")[0]


class Stage(Record, frozen=True):
    """A part of a life: ``invite`` opens it without a question, ``lead`` bridges into it."""

    id: str
    label: str
    invite: Texts
    lead: Texts
    slots: tuple[Slot, ...]


class Voice(Record, frozen=True):
    """The register in which people of one background are talked to.

    ``occupation`` is searched for in the person's own word for their work, ``acknowledge`` are
    warm words in this register, ``note`` is one line of a model's instructions.
    """

    id: str
    occupation: Patterns
    acknowledge: Texts
    note: str


class PublicEvent(Record, frozen=True):
    """Something public that happened in ``years`` (first, last): a hook, never a claim.

    It is offered under ``slot`` to those who were of an age within ``ages`` in its first year and
    whose places match ``places``, if that is given. ``{age}`` in a question is that age.
    ``mentions`` is found where it is talked about.
    """

    id: str
    slot: str
    years: tuple[int, int]
    ages: tuple[int, int]
    questions: Texts
    mentions: Pattern
    places: Pattern | None = None


class Measure(Record, frozen=True):
    """How long an answer is: ``token`` matches one unit, ``ample`` units are a real answer."""

    token: Pattern
    ample: int


class Numerals(Record, frozen=True, dict=True):
    """Number words. ``style`` is ``positional`` (一九四三) or ``spoken`` (nineteen forty-three)."""

    style: str
    digits: dict[str, int]
    tens: dict[str, int]
    multipliers: dict[str, int]
    joiners: Texts

    @cached_property
    def run(self) -> Pattern:
        """What finds number words that belong together, in a text in small letters."""
        words = [*self.digits, *self.tens, *self.multipliers]
        if self.style == "positional":
            return re.compile(f"[{re.escape(''.join(words))}]+")
        every = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
        joiners = "|".join(map(re.escape, self.joiners))
        return re.compile(rf"\b(?:{every})(?:(?:[\s-]+(?:{joiners}))?[\s-]+(?:{every}))*\b")


class Echo(Record, frozen=True):
    """Follow-ups about a detail just told; ``{quote}`` is the person's own word."""

    person: Texts
    thing: Texts
    feeling: Texts = ()


class Danger(Record, frozen=True):
    """What is said to each kind of danger; all the parts of one are said, in order."""

    self_harm: Texts
    abuse: Texts
    emergency: Texts


class Phrases(Record, frozen=True):
    """Everything said besides the questions of the slots; each a choice of wordings."""

    greet_new: Texts
    greet_known: Texts
    greet_again: Texts
    who: Texts
    open_hello: Texts
    open_ready: Texts
    open_place: Texts
    open_plain: Texts
    open_thread_thing: Texts
    open_thread_person: Texts
    re_hours: Texts
    re_day: Texts
    re_week: Texts
    re_months: Texts
    thread_person: Texts
    thread_thing: Texts
    thread_none: Texts
    take_person: Texts
    take_thing: Texts
    acknowledge: Texts
    unknown: Texts
    go_on: Texts
    agreed: Texts
    comfort: Texts
    hardship: Texts
    farewell: Texts
    kept_waiting: Texts
    kept_unsure: Texts
    relative: Texts
    refusal: Texts
    change_topic: Texts
    keep_out: Texts
    slower: Texts
    nothing_said: Texts
    all_told: Texts
    profile_thanks: Texts
    profile_named: Texts
    profile_refused: Texts
    profile_pass: Texts
    listening: Texts
    echo: Echo
    danger: Danger
    danger_family: Texts = ()
    family_joiner: str = " / "
    take_feeling: Texts = ()
    unfinished: Texts = ()
    follow_any: Texts = ()
    thread_more: Texts = ()
    stay: Texts = ()
    brief: Texts = ()
    told_already: Texts = ()


class FieldGuide(Record, frozen=True):
    """How one profile field is asked for and understood.

    ``strong`` patterns hold in any answer, ``weak`` ones only in an answer to this field's own
    question, ``same`` ones say that it is the birth place; ``stop`` matches what is no value.
    ``sure`` asks whether an unclear ``{value}`` is right.
    In the file, ``{words}`` in a pattern stands for any of ``words``, ``{piece}`` for ``piece``.
    """

    ask: Texts
    again: Texts
    gentle: Texts
    strong: Patterns
    weak: Patterns
    stop: Pattern
    same: Patterns = ()
    sure: Texts = ()
    words: Texts = ()
    piece: str = ""


class Recognise(Record, frozen=True):
    """What is recognised in the person's words.

    ``clause`` splits an utterance, ``filler`` is cut from a clause's ends; ``assent``, ``unknown``,
    ``greeting``, ``who`` and the commands match a whole clause; the rest is searched for.
    ``alone`` holds command patterns that count only when little else is said. ``refused_topic``
    has a group ``topic``: what a refusal names ("the war"); ``unfinished`` matches the end of words
    that break off in the middle of a story.
    """

    clause: Pattern
    filler: Pattern
    assent: Pattern
    unknown: Pattern
    greeting: Pattern
    who: Pattern
    grief: Patterns
    hardship: Patterns
    past: Pattern
    present: Pattern
    danger: dict[str, Patterns]
    commands: dict[str, Patterns]
    alone: dict[str, Patterns]
    refused_topic: Patterns = ()
    told_already: Patterns = ()
    reported: Pattern | None = None
    unfinished: Patterns = ()


class Detail(Record, frozen=True):
    """Patterns with a group ``quote``: words that can be said back as they are.

    ``stop`` matches a thing that says nothing by itself; ``swap`` turns the first person into the
    second at a quote's start.
    """

    person: Patterns
    thing: Patterns
    stop: Pattern
    swap: dict[str, str]
    feeling: Patterns = ()


class Notes(Record, frozen=True):
    """One instruction a kind of decision, filled with ``{question}`` or ``{words}``."""

    ask: str
    ask_first: str
    re_greet: str
    profile: str
    no_question: str
    comfort: str
    farewell: str
    take_up: str
    ahead: str


class Facts(Record, frozen=True):
    """How the people, places and years of a story are found, for the rolling summary.

    Patterns have a group ``fact``: the words that name it, as they were said. The
    headings stand before each kind in a prompt.
    """

    people: Patterns
    places: Patterns
    years: Patterns
    people_heading: str
    places_heading: str
    years_heading: str


class PromptTexts(Record, frozen=True):
    """The words of a model's prompt."""

    instructions: str
    facts: str
    nothing_known: str
    told_before: str
    relative: str
    unheard: str
    fields: dict[str, str]
    notes: Notes
    stage: str = ""
    list_joiner: str = ", "


class Kin(Record, frozen=True):
    """The words for one relation: who told of one of them may hear any other.

    ``told`` are words that tell of it without being looked for in a sentence ("my boy": a son),
    ``also`` the keys of relations that imply this one ("my parents": a mother). ``anybody`` has
    such a relation, so that a question may name it.
    """

    words: Words
    told: Words | None = None
    also: Texts = ()
    anybody: bool = False


class Claim(Record, frozen=True, dict=True):
    """Something that happens in a life: ``said`` finds it said, ``told`` finds it told before.

    ``told`` is written in small letters: what was told is looked through in one case.
    """

    said: Pattern
    told: Pattern

    @cached_property
    def tells(self) -> Pattern:
        """``told`` for a text in one case: many times as fast as one that ignores it."""
        return re.compile(self.told.pattern)


class GuardTexts(Record, frozen=True):
    """What the guards look for in a model's sentences.

    ``question`` and ``asks`` are found in what asks (with its mark, and without one), ``double`` in
    two questions at once; ``invites`` in what asks for more without being a question. ``role`` is a
    label that the interviewer's own words may have, ``narrator`` one of the person's. ``charset``
    is a character set that everything written belongs to, by its name in Python. ``common`` are
    ordinary words, with blanks between, that a sentence may have besides those of this file.

    What must have been told: ``number`` and ``name`` (a first group or the whole match;
    ``name_free`` is none; ``named_by`` tells a name's first character alone), ``name_likely``
    unless it is an ordinary word, ``names`` however they are written, ``kin`` and ``claims``.
    ``short_year`` has a group ``year``: a year told by its last two figures. ``vague`` has a group
    ``ten``: a decade, of years or of age; ``vague_words`` are words for one. ``span`` matches
    numbers of years, which may also be reckoned. ``kin_free`` is cut out of a sentence before
    relations are looked for in it, ``kin_denied`` out of what was told; a sentence with
    ``claim_free`` claims nothing. ``denial`` is an answer that makes a question's words no fact.

    ``own_life`` finds the interviewer telling of itself, ``overreach`` promises, advice and
    sermons, ``reasoning`` thoughts spoken aloud, ``refusal`` a model that speaks of itself.
    """

    question: Pattern
    wrong_script: str
    number: Pattern
    name: Patterns
    name_free: Pattern
    role: Pattern
    narrator: Pattern
    asks: Patterns = ()
    double: Patterns = ()
    invites: Patterns = ()
    charset: str = ""
    common: str = ""
    names: str = ""
    named_by: str = ""
    name_likely: Patterns = ()
    short_year: Pattern | None = None
    vague: Pattern | None = None
    vague_words: dict[str, int] = {}
    span: Pattern | None = None
    kin: dict[str, Kin] = {}
    kin_free: Pattern | None = None
    kin_denied: Pattern | None = None
    claims: tuple[Claim, ...] = ()
    claim_free: Pattern | None = None
    denial: Pattern | None = None
    own_life: Patterns = ()
    overreach: Patterns = ()
    reasoning: Patterns = ()
    refusal: Patterns = ()


class Bank(Record, frozen=True, dict=True, eq=False):
    """One language's data, read once and passed around; two are the same if they are one."""

    language: str
    script: str
    spaced: bool
    measure: Measure
    numerals: Numerals
    decades: dict[str, str]
    stages: tuple[Stage, ...]
    phrases: Phrases
    profile: dict[str, FieldGuide]
    recognise: Recognise
    detail: Detail
    prompt: PromptTexts
    guard: GuardTexts
    facts: Facts | None = None
    zodiac: dict[str, int] = msgspec.field(default_factory=dict)
    voices: tuple[Voice, ...] = ()
    events: tuple[PublicEvent, ...] = ()

    @classmethod
    def load(cls, language: str, folder: Path | None = None) -> "Bank":
        """Read a language's file (``zh``, also for ``zh-HK``): a packaged one, else ``folder``'s.

        Raises UnknownLanguage.
        """
        name = language.replace("_", "-").partition("-")[0].casefold()
        file = _files(folder).get(name)
        if file is None:
            raise UnknownLanguage(f"there is no question bank for the language {language!r}")
        try:
            bank = _convert(tomllib.loads(file.read_text("utf-8")))
        except (
            *(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError),
            *(re.error, KeyError, TypeError, AttributeError),  # while patterns are filled in
        ) as error:
            raise UnknownLanguage(f"the question bank {name!r} is damaged: {error}") from None
        if bank.language != name:
            raise UnknownLanguage(f"the question bank {name!r} is of {bank.language!r}")
        # Gathered now, in the thread that reads, and not within somebody's reply.
        _ = (bank.vocabulary, bank.names, bank.instructions, bank.question_pairs)
        _ = (bank.numerals.run, *(one.tells for one in bank.guard.claims))
        return bank

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word written small somewhere in this file's texts: ordinary words, no names."""
        return frozenset(word for word in re.findall(r"[^\W\d_]+", self.texts) if word.islower())

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that are names however they are written, in small letters."""
        return frozenset(self.guard.names.casefold().split())

    @cached_property
    def texts(self) -> str:
        """All of this file's texts, a line each; patterns and placeholders left out."""
        return _PLACEHOLDER.sub(" ", "\n".join(_texts_in(self)))

    @cached_property
    def question_pairs(self) -> Mapping[str, tuple[frozenset[str], ...]]:
        """Every wording of what may be asked under a key, by their pairs of letters."""
        worded = {f"event.{event.id}": event.questions for event in self.events}
        for slot in self.slots.values():
            variants = (text for variant in slot.variants for text in variant.questions)
            worded[slot.id] = (*slot.questions, *variants)
            worded |= {f"{slot.id}.follow.{at}": (one,) for at, one in enumerate(slot.follow_ups)}
        return {
            key: tuple(pairs(plain(_PLACEHOLDER.sub("", text))) for text in texts)
            for key, texts in worded.items()
        }

    @cached_property
    def instructions(self) -> Texts:
        """The letters of each longer clause of what a model is told: it must not be read out.

        That somebody is back may be said in the very words of its note.
        """
        notes, least = self.prompt.notes, 12 if self.spaced else 7
        told = [getattr(notes, name) for name in notes.__struct_fields__ if name != "re_greet"]
        texts = " \n".join((self.prompt.instructions, self.prompt.stage, *told))
        clauses = map(plain, re.split(r"[^\w\s'’-]|\n|\{\w+\}", texts))
        return tuple(sorted({clause for clause in clauses if len(clause) >= least}))

    @property
    def stage_ids(self) -> Texts:
        """The stages' ids in order."""
        return tuple(stage.id for stage in self.stages)

    @cached_property
    def slots(self) -> Mapping[str, Slot]:
        """All slots by id, in order."""
        return {slot.id: slot for stage in self.stages for slot in stage.slots}

    def stage(self, stage_id: str) -> Stage:
        """Return a stage by id; the first one for an id that is not there."""
        return next((stage for stage in self.stages if stage.id == stage_id), self.stages[0])


def languages(folder: Path | None = None) -> Texts:
    """Return the languages that have a data file, packaged or in ``folder``, sorted."""
    return tuple(sorted(_files(folder)))


def _files(folder: Path | None) -> dict[str, Traversable]:
    """Return the data files by language. What is packaged stands before what a folder has."""
    places: list[Traversable] = [resources.files(f"{__package__}.data")]
    if folder is not None and folder.is_dir():
        places.insert(0, folder)
    return {
        file.name.removesuffix(".toml"): file
        for place in places
        for file in place.iterdir()
        if file.name.endswith(".toml")
    }


def _texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a value of this module's types, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Words):
        yield from value.terms
    elif isinstance(value, tuple):
        for one in value:
            yield from _texts_in(one)
    elif isinstance(value, dict):
        yield from _texts_in(tuple(value.values()))
    elif isinstance(value, Record):
        yield from _texts_in(tuple(getattr(value, name) for name in value.__struct_fields__))


def _convert(raw: dict[str, Any]) -> Bank:
    spaced = raw.get("spaced") is True

    def compiled(kind: Any, value: Any) -> Any:
        if kind is Words:
            return Words(tuple(value), spaced=spaced)
        return re.compile(value, re.IGNORECASE)

    for guide in raw["profile"].values():
        _spell_out(guide)
    _name_places(raw)
    bank = msgspec.convert(raw, Bank, dec_hook=compiled)
    missing = [name for name in PROFILE_FIELDS if name not in bank.profile]
    if missing:
        raise msgspec.ValidationError(f"profile fields missing: {', '.join(missing)}")
    return bank


def _name_places(raw: dict[str, Any]) -> None:
    """Put the file's ``regions`` into the patterns of places that name them: ``{uk}``."""
    regions = raw.pop("regions", {})
    variants = [
        one
        for stage in raw["stages"]
        for slot in stage["slots"]
        for one in slot.get("variants", ())
    ]
    for entry in (*variants, *raw.get("events", ())):
        for name, pattern in regions.items():
            if "places" in entry:
                entry["places"] = entry["places"].replace(f"{{{name}}}", pattern)


def _spell_out(guide: dict[str, Any]) -> None:
    """Put ``{words}`` and ``{piece}`` of a field's guide into its patterns."""
    words = sorted(map(re.escape, guide.get("words", ())), key=len, reverse=True)
    for kind in ("strong", "weak"):
        guide[kind] = [
            pattern.replace("{words}", f"(?:{'|'.join(words)})").replace(
                "{piece}", guide.get("piece", "")
            )
            for pattern in guide[kind]
        ]
