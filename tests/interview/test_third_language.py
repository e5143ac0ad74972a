"""A third language is a data file: a whole interview in Spanish, with no line of code for it."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from lifeecho_server.interview.bank import Bank, UnknownLanguage, languages
from lifeecho_server.interview.decide import chips, re_greet
from lifeecho_server.interview.decision import Decision, Direction, Intent
from lifeecho_server.interview.guards import Guard, Outcome, Reason
from lifeecho_server.interview.prompts import prompt
from lifeecho_server.interview.sentences import PART_BREAK, SentenceSplitter, sentences_of
from lifeecho_server.interview.situation import Coverage, Profile, Situation, Speaker, Turn
from lifeecho_server.session.banks import Banks
from lifeecho_server.settings import Settings
from tests.interview.sitting import NOW, Sitting

FILE = Path(__file__).parent / "languages" / "es.toml"
ROSA = Profile("Rosa", 1943, "Ronda", "Málaga", "maestra")
INTRODUCTION = (
    ("Me llamo Rosa.", "nickname", "Rosa"),
    ("Nací en 1943.", "birth_year", 1943),
    ("Nací en Ronda.", "birth_place", "Ronda"),
    ("Crecí en Málaga.", "grew_up_place", "Málaga"),
    ("Fui maestra.", "occupation", "maestra"),
)
STORY = (
    "Mi abuela hacía el pan los viernes, y toda la calle venía a casa por un trozo de pan caliente "
    "con aceite y azúcar."
)
SHORT = "Bueno, como todo el mundo."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a household would make one, with the file of a further language."""
    place = tmp_path_factory.mktemp("data") / "languages"
    place.mkdir()
    shutil.copy(FILE, place)
    return place


@pytest.fixture(scope="module")
def bank(folder: Path) -> Bank:
    return Bank.load("es-MX", folder)


def judged(before: Situation, decision: Decision, bank: Bank) -> list[str]:
    """What the guards keep back of the script's own words."""
    guard, splitter = Guard(before, decision, bank), SentenceSplitter()
    said = PART_BREAK.join(decision.parts)
    verdicts = [(one, guard.check(one)) for one in (*splitter.feed(said), *splitter.flush())]
    kept = [(one, v) for one, v in verdicts if v.outcome not in (Outcome.PASS, Outcome.BREAK)]
    return [f"{verdict.reason}: {sentence}" for sentence, verdict in kept]


class Talk(Sitting):
    """A sitting whose every reply is guarded as a model's would be, and could be given to one."""

    def tell(self, text: str) -> Decision:
        turn = Turn("now", Speaker.NARRATOR, text, self.now)
        before = self.situation(turn)
        decision = self.say(text)
        if decision.direction is not None:
            assert judged(before, decision, self.bank) == []
            assert prompt(before, decision, self.bank)[-1].content.endswith("]")
        assert sum(part.count("?") for part in decision.parts) <= 1
        assert not any("{" in part for part in decision.parts)
        return decision


def test_it_is_found_beside_the_packaged_ones(folder: Path, bank: Bank) -> None:
    assert languages(folder) == ("en", "es", "zh")
    assert languages() == ("en", "zh")
    assert bank.language == "es"
    assert Bank.load("en", folder).language == "en"
    with pytest.raises(UnknownLanguage, match="es"):
        Bank.load("es")


def test_a_folder_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert languages(tmp_path / "none") == ("en", "zh")


@pytest.mark.parametrize(
    "text",
    ["", "stages = [", "language = 3", "\x00", "[profile]\nnickname = 1", "profile = 3"],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "fr.toml").write_text(text, "utf-8")
    with pytest.raises(UnknownLanguage, match="'fr' is damaged"):
        Bank.load("fr", tmp_path)


def test_a_file_of_another_language_is_refused(tmp_path: Path) -> None:
    shutil.copy(FILE, tmp_path / "pt.toml")
    with pytest.raises(UnknownLanguage, match="'es'"):
        Bank.load("pt", tmp_path)


async def test_it_is_served_where_the_settings_name_it(folder: Path) -> None:
    settings = Settings(data_dir=folder.parent, languages=("zh", "es"))
    banks = Banks(settings.languages, settings.languages_dir)
    await banks.ready("es-MX")
    assert banks.of("es").language == "es"


def test_it_has_all_stages_and_slots_of_the_packaged_ones(bank: Bank) -> None:
    english = Bank.load("en")
    assert bank.stage_ids == english.stage_ids
    assert list(bank.slots) == list(english.slots)


def test_a_whole_interview_is_held_in_it(bank: Bank) -> None:
    talk = Talk(bank)
    assert talk.greet().intent is Intent.PROFILE_GREETING
    for words, field, value in INTRODUCTION:
        decision = talk.tell(words)
        assert getattr(talk.profile, field) == value
    assert decision.intent is Intent.OPENING

    for _ in range(7):
        assert talk.tell(STORY).intent in (Intent.FOLLOW_UP, Intent.NEXT_SLOT)
        assert chips(talk.state, bank, 4)
        talk.tell(SHORT)
    assert talk.tell("Prefiero no hablar de la guerra").intent is Intent.ACKNOWLEDGE
    assert talk.tell("Mi hermano murió en el invierno").intent is Intent.COMFORT
    assert talk.tell("más despacio por favor").changes.slower
    assert talk.tell("esto no lo ponga en el libro").changes.seal
    assert talk.tell("Hablemos de otra cosa").intent is not Intent.COMFORT
    assert talk.tell("No me acuerdo").parts[0] in bank.phrases.unknown
    assert talk.tell("me duele mucho el pecho").intent is Intent.DANGER
    chip = chips(talk.state, bank, 4)[0]
    assert talk.tell(chip.text).changes.asked
    for _ in range(30):
        talk.tell(STORY)
        talk.tell(SHORT)
        if len({asked.slot and asked.slot.partition(".")[0] for asked in talk.state.asked}) > 4:
            break
    farewell = talk.tell("ya basta por hoy")
    assert farewell.intent is Intent.FAREWELL
    assert len(talk.history) >= 60
    keys = [asked.question for asked in talk.state.asked]
    assert len(keys) == len(set(keys))
    assert any(one.coverage is Coverage.TOLD for one in talk.state.slots.values())

    again = re_greet(talk.situation(), bank, timedelta(days=3))
    assert again.intent is Intent.RE_GREETING
    assert again.parts[0] in bank.phrases.re_day
    assert judged(talk.situation(), again, bank) == []


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Su abuela hacía el pan los viernes, qué bonito.", None),
        ("¿A qué olía la calle entonces?", None),
        ("¿Y quién la ayudaba con el pan?", None),
        ("Carmen era muy buena con usted.", Reason.INVENTED),
        ("Eso fue en Sevilla, entonces.", Reason.INVENTED),
        ("Su hermana comía mucho pan también.", Reason.INVENTED),
        ("Eso fue en 1958, entonces.", Reason.INVENTED),
        ("Ella murió y usted lo sintió mucho.", Reason.INVENTED),
        ("What a lovely story about the bread that was.", Reason.WRONG_LANGUAGE),
        ("您讲得真好。", Reason.WRONG_LANGUAGE),
        ("Какая красивая история.", Reason.WRONG_LANGUAGE),
        ("Cuando yo era niño, también había pan.", Reason.OWN_LIFE),
        ("Como modelo de lenguaje no como pan.", Reason.REFUSAL),
        ("El usuario habla del pan.", Reason.REASONING),
        ("Recoja un detalle en una frase corta.", Reason.INSTRUCTIONS),
        ("Anciana: hacíamos pan.", Reason.NARRATORS_WORDS),
    ],
)
def test_its_guards_need_no_code(bank: Bank, sentence: str, reason: Reason | None) -> None:
    told = Turn("t", Speaker.NARRATOR, STORY, NOW)
    talk = Sitting(bank, ROSA)
    decision = Decision(Intent.FOLLOW_UP, ("Qué bien.",), Direction("nota", question_allowed=True))
    guard = Guard(talk.situation(told), decision, bank)
    (only,) = sentences_of(sentence)
    assert guard.check(only).reason is reason
