"""Finds a customer by whatever a caller gives: name, slug, account, e-mail, number, external id.

Exact hits come before beginnings, those before parts, and only where none of them is found are
slips of the pen forgiven: a letter wrong, missing, doubled or swapped in words of three to five,
two in longer ones (the distance of optimal string alignment).  It works on a compact index in
memory, which data/search_index.py reads, so that both databases find the same.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from rapidfuzz import process
from rapidfuzz.distance import OSA

LONGEST = 100  # letters of a question
LEAST_DIGITS = 4  # of a phone number
SHORT_WORD, LONG_WORD = 3, 6  # letters: from here on one slip is forgiven, from here on two
MOST_SPELLINGS = 50  # that a misspelt word may stand for
WORD = re.compile(r"[^\W_]+(?:[@.+]+[^\W_]+)*")  # an e-mail's half up to a hyphen is one


class Field(IntEnum):
    """What of a customer may be searched; of two that match alike, the first is told."""

    NAME = 0
    SLUG = 1
    EXTERNAL_ID = 2
    ACCOUNT = 3  # SID
    PHONE = 4
    EMAIL = 5  # the customer's own
    PERSON_EMAIL = 6
    PERSON = 7
    ACCOUNT_NAME = 8


class Closeness(IntEnum):
    EXACT = 0
    BEGINS = 1
    WORD_BEGINS = 2
    PART = 3
    ALIKE = 4


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer, and why it is found: `text` is what stands in the field."""

    customer_id: int
    slug: str
    name: str
    waiting: bool  # the system customer: its accounts wait for an owner
    field: Field | None  # None: nothing was asked, everybody is listed
    text: str
    closeness: Closeness


@dataclass(frozen=True, slots=True)
class Index:
    """Every searchable text, folded to what is compared, with whose it is; by position."""

    names: Mapping[int, tuple[str, str, bool]]  # slug, name, waiting; in the order of names
    folded: tuple[str, ...]
    texts: tuple[str, ...]
    owners: tuple[int, ...]
    fields: tuple[Field, ...]
    words: Mapping[int, Mapping[str, tuple[int, ...]]]  # by length: positions of each word


def folded(text: str) -> str:
    """Without case, accents and punctuation: "Bäckerei  Ölmann-Süd" -> "backerei olmann sud"."""
    letters = text.casefold()
    if not letters.isascii():
        plain = unicodedata.normalize("NFKD", letters)
        letters = "".join(one for one in plain if not unicodedata.combining(one))
    return " ".join(WORD.findall(letters))


def digits_of(text: str) -> str:
    """The digits of what may be a phone number; empty for what is none, such as "OWL-1001".

    The zero that is dialled before a national number is none of its digits.
    """
    digits = "".join(letter for letter in text if letter in "0123456789")
    if len(digits) < LEAST_DIGITS or not set(text) <= set("0123456789+-./() \u00a0"):
        return ""
    return digits.lstrip("0")


# The index


def indexed(
    names: Mapping[int, tuple[str, str, bool]], entries: Iterable[tuple[int, Field, str | None]]
) -> Index:
    """From (customer, field, text); texts of customers without a name are left out."""
    kept = [(owner, field, text) for owner, field, text in entries if text and owner in names]
    keys = tuple(_key(field, text) for _, field, text in kept)
    words: dict[int, dict[str, list[int]]] = {}
    for position, (key, (_, field, _text)) in enumerate(zip(keys, kept, strict=True)):
        for word in {*key.split(), *([key.replace(" ", "")] if field is Field.NAME else ())}:
            words.setdefault(len(word), {}).setdefault(word, []).append(position)
    return Index(
        names,
        keys,
        tuple(text for _, _, text in kept),
        tuple(owner for owner, _, _ in kept),
        tuple(field for _, field, _ in kept),
        {
            length: {word: tuple(positions) for word, positions in each.items()}
            for length, each in words.items()
        },
    )


def _key(field: Field, text: str) -> str:
    return re.sub(r"\D", "", text) if field is Field.PHONE else folded(text)


# The question


def found(index: Index, text: str) -> tuple[Hit, ...]:
    """Each customer once, for its best reason, the best first; everybody by name for no text."""
    asked = folded(text[:LONGEST])
    if not text.strip():
        return tuple(
            Hit(owner, *name, None, "", Closeness.EXACT) for owner, name in index.names.items()
        )
    if not asked:  # nothing but punctuation
        return ()
    digits = digits_of(text[:LONGEST].strip())
    best = _best(index, _straight(index, asked, digits))
    return best or _best(index, _alike(index, asked, digits))


_Match = tuple[Closeness, int, int]
"""How close, how many slips, and the position of the text."""


def _best(index: Index, matches: Iterable[_Match]) -> tuple[Hit, ...]:
    best: dict[int, tuple[Closeness, int, Field, int]] = {}
    for closeness, slips, position in matches:
        owner = index.owners[position]
        rank = (closeness, slips, index.fields[position], position)
        if owner not in best or rank < best[owner]:
            best[owner] = rank
    order = {owner: number for number, owner in enumerate(index.names)}
    ranked = sorted(best.items(), key=lambda item: (*item[1][:3], order[item[0]]))
    return tuple(
        Hit(owner, *index.names[owner], field, index.texts[position], closeness)
        for owner, (closeness, _, field, position) in ranked
    )


def _straight(index: Index, asked: str, digits: str) -> Iterator[_Match]:
    """Texts that hold what was asked."""
    for position, key in enumerate(index.folded):
        if asked in key:
            yield _how(key, asked), 0, position
    if digits and digits != asked:
        for position, key in enumerate(index.folded):
            if digits in key and index.fields[position] is Field.PHONE:
                yield _how(key, digits), 0, position


def _how(key: str, asked: str) -> Closeness:
    if key == asked:
        return Closeness.EXACT
    if key.startswith(asked):
        return Closeness.BEGINS
    return Closeness.WORD_BEGINS if f" {asked}" in key else Closeness.PART


def _alike(index: Index, asked: str, digits: str) -> Iterator[_Match]:
    """Texts in which every word asked for stands, or one that is spelt much like it."""
    if digits:
        yield from _spelt_like(index, [digits])
        return
    yield from _spelt_like(index, asked.split())
    if " " in asked:
        yield from _spelt_like(index, [asked.replace(" ", "")])


def _spelt_like(index: Index, words: Sequence[str]) -> Iterator[_Match]:
    slips: dict[int, int] | None = None
    for word in words:
        near = _near(index, word)
        if slips is None:
            slips = near
        else:
            slips = {at: slips[at] + near[at] for at in slips.keys() & near.keys()}
    for position, number in (slips or {}).items():
        yield Closeness.ALIKE, number, position


def _near(index: Index, word: str) -> dict[int, int]:
    """Positions of words that are spelt like it, with the fewest slips."""
    forgiven = 0 if len(word) < SHORT_WORD else 1 if len(word) < LONG_WORD else 2
    near: dict[int, int] = {}
    for length in range(len(word) - forgiven, len(word) + forgiven + 1):
        known = index.words.get(length, {})
        for spelling, slips, _ in process.extract(
            word, known.keys(), scorer=OSA.distance, score_cutoff=forgiven, limit=MOST_SPELLINGS
        ):
            for position in known[spelling]:
                near[position] = min(int(slips), near.get(position, forgiven))
    return near
