"""Who is talked to: their background voice, and the public events that they were of an age for."""

from dataclasses import dataclass

from lifeecho_server.interview.bank import Bank, Pattern, PublicEvent, Slot, Texts, Variant, Voice
from lifeecho_server.interview.situation import Profile


@dataclass(frozen=True, slots=True)
class Hook:
    """A public event with the age, in whole years, that the person had in its first year."""

    event: PublicEvent
    age: int


def voice_of(profile: Profile, bank: Bank) -> Voice | None:
    """Return the register that goes with the person's work; ``None`` where none is known."""
    work = profile.occupation
    if not work:
        return None
    return next(
        (voice for voice in bank.voices if any(one.search(work) for one in voice.occupation)), None
    )


def questions_for(slot: Slot, profile: Profile, bank: Bank) -> Texts:
    """Return a slot's wordings for this person: those made for people like them before all."""
    voice = voice_of(profile, bank)
    own = tuple(
        text
        for variant in slot.variants
        if _fits(variant, profile, voice)
        for text in variant.questions
    )
    return own or slot.questions


def every_wording(slot: Slot) -> Texts:
    """Return all wordings of a slot's question, whomever they are for."""
    return slot.questions + tuple(text for one in slot.variants for text in one.questions)


def hooks_for(profile: Profile, bank: Bank) -> tuple[Hook, ...]:
    """Return the events that this person was of an age for, in the order of the data."""
    born = profile.birth_year
    if born is None:
        return ()
    hooks = (Hook(event, event.years[0] - born) for event in bank.events)
    return tuple(
        hook
        for hook in hooks
        if hook.event.ages[0] <= hook.age <= hook.event.ages[1]
        and _in_places(hook.event.places, profile)
    )


def _fits(variant: Variant, profile: Profile, voice: Voice | None) -> bool:
    born = profile.birth_year
    if variant.born is not None and (
        born is None or not variant.born[0] <= born <= variant.born[1]
    ):
        return False
    if variant.voices and (voice is None or voice.id not in variant.voices):
        return False
    return _in_places(variant.places, profile)


def _in_places(places: Pattern | None, profile: Profile) -> bool:
    known = (profile.grew_up_place, profile.birth_place)
    return places is None or any(place is not None and places.search(place) for place in known)
