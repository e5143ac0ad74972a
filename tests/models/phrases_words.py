"""Phrases that share their words, for the micro Whisper that hears word by word.

They are built from 59 words by a small grammar: "My father worked in the market.", "My mother sang
behind the garden every evening." and so on. Which word begins a phrase and which ends it is fixed,
so that a capital and a full stop follow from the words themselves. Needs the standard library only.
"""

import random

FIRST = ("My", "Our", "Her", "His")
"""Begin a phrase, before somebody; nothing else of a phrase has a capital but a Sunday."""

PRONOUNS = ("We", "They")
"""Begin a phrase alone."""

SOMEBODY = (
    *("father", "mother", "sister", "brother", "uncle"),
    *("cousin", "teacher", "doctor", "husband", "family"),
)
DID = ("worked", "sang", "lived", "danced", "waited", "slept", "played", "walked")
DID_WITH = ("bought", "sold", "wrote", "found", "carried", "painted")
THINGS = ("bread", "flowers", "letters", "stories", "apples", "pictures", "chairs", "fish")
WHERE = ("in", "near", "behind", "beside")
PLACES = (
    *("market", "garden", "city", "river", "village"),
    *("school", "factory", "harbour", "kitchen", "forest"),
)
"""End a phrase, as TIMES do: they are followed by a full stop, and are said nowhere else."""

TIMES = ("morning", "evening", "summer", "winter", "Sunday")

MIDDLE = (*SOMEBODY, *DID, *DID_WITH, *THINGS, *WHERE, "the", "every")
LAST = (*PLACES, *TIMES)

VOCABULARY = (*FIRST, *PRONOUNS, *MIDDLE, *LAST)
"""Every word, as it is written within a phrase."""


def sentence(rng: random.Random) -> str:
    """Draw a phrase of the grammar."""
    return _written([*_subject(rng), *_predicate(rng), *_circumstance(rng)])


def salad(rng: random.Random, most: int = 7) -> str:
    """Draw up to ``most`` words in no order but that of capital and full stop."""
    first = [rng.choice((*FIRST, *PRONOUNS))] if rng.random() < 0.5 else []
    return _written([*first, *rng.choices(MIDDLE, k=rng.randint(1, most - 2)), rng.choice(LAST)])


def _written(words: list[str]) -> str:
    return f"{' '.join(words)}."


def _subject(rng: random.Random) -> list[str]:
    if rng.random() < 0.25:
        return [rng.choice(PRONOUNS)]
    return [rng.choice(FIRST), rng.choice(SOMEBODY)]


def _predicate(rng: random.Random) -> list[str]:
    if rng.random() < 0.5:
        return [rng.choice(DID)]
    return [rng.choice(DID_WITH), rng.choice(THINGS)]


def _circumstance(rng: random.Random) -> list[str]:
    if rng.random() < 0.35:
        return ["every", rng.choice(TIMES)]
    return [rng.choice(WHERE), "the", rng.choice(PLACES)]


PHRASES: tuple[str, ...] = (
    "My father worked in the market.",
    "My mother worked in the garden.",
    "My father sang in the garden.",
    "My mother sang every evening.",
    "My sister sang near the river.",
    "My brother played near the river.",
    "My brother played every Sunday.",
    "Our family lived near the harbour.",
    "Our family lived in the village.",
    "Our teacher lived behind the school.",
    "Our teacher wrote letters every winter.",
    "Our teacher wrote stories every evening.",
    "Our doctor lived beside the school.",
    "Our doctor walked in the forest.",
    "We walked in the forest.",
    "We walked every Sunday.",
    "We lived in the city.",
    "We lived beside the factory.",
    "We danced in the kitchen.",
    "We danced every summer.",
    "We bought bread every morning.",
    "We bought bread in the village.",
    "We bought fish near the harbour.",
    "We sold apples in the market.",
    "We sold flowers in the city.",
    "They sold flowers every Sunday.",
    "They sold fish every morning.",
    "They waited beside the river.",
    "They waited every evening.",
    "They worked in the factory.",
    "They worked every winter.",
    "They carried bread every morning.",
    "They found apples in the forest.",
    "They found flowers behind the school.",
    "Her father carried letters every winter.",
    "Her father painted chairs in the kitchen.",
    "Her mother painted pictures every summer.",
    "Her mother bought flowers every Sunday.",
    "Her husband worked near the harbour.",
    "Her husband sold chairs in the market.",
    "Her husband slept in the garden.",
    "Her sister wrote stories in the kitchen.",
    "Her sister danced every evening.",
    "Her brother found fish beside the river.",
    "Her uncle painted pictures in the forest.",
    "Her cousin waited behind the factory.",
    "His uncle sold bread in the village.",
    "His uncle slept every morning.",
    "His cousin played behind the factory.",
    "His cousin played in the village.",
    "His cousin carried apples every summer.",
    "His mother sang in the kitchen.",
    "His mother carried fish in the harbour.",
    "His father walked every morning.",
    "His father waited near the market.",
    "His teacher found letters in the school.",
    "His teacher danced near the garden.",
    "His family worked every summer.",
    "His family bought chairs in the city.",
    "His sister bought pictures near the market.",
    "His brother slept behind the kitchen.",
    "His doctor wrote letters every Sunday.",
    "My uncle worked every winter.",
    "My uncle carried stories in the city.",
    "My cousin danced beside the harbour.",
    "My husband found bread beside the school.",
    "My husband painted flowers every winter.",
    "My teacher walked near the forest.",
    "Our mother slept every evening.",
    "Our brother painted chairs behind the garden.",
    "Our uncle lived near the forest.",
    "Our cousin sold pictures beside the river.",
)
"""Phrases of the grammar that were kept out of the training: their words were in it, they not."""
