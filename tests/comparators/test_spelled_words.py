"""A word where legacy varies a word: of the case and marks that legacy's share, of letters that are some."""

from __future__ import annotations

import pytest

from comparators.self_noise import fits

ACCENTS = ("Zoë", "Noël", "Anaïs")
NAMES = ("Anna", "Bo", "Casper")
STATES = ("in_progress", "on_hold", "to_do")


@pytest.mark.parametrize("further", [1, 2])
@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        pytest.param(ACCENTS, "Zo?", id="accent: a question mark"),
        pytest.param(ACCENTS, "No?l", id="accent: a question mark inside"),
        pytest.param(ACCENTS, "Chlo?", id="accent: a question mark, another name"),
        pytest.param(ACCENTS, "Zo&euml;", id="accent: an entity"),
        pytest.param(ACCENTS, "Chlo&eacute;", id="accent: an entity, another name"),
        pytest.param(ACCENTS, "Zo&#235;", id="accent: an entity by number"),
        pytest.param(ACCENTS, "Zo&#xeb;", id="accent: an entity in hexadecimal digits"),
        pytest.param(ACCENTS, "Zo\ufffd", id="accent: a replacement character"),
        pytest.param(ACCENTS, "Zoe", id="accent: lost"),
        pytest.param(ACCENTS, "Zoe\u0308x", id="accent: a mark that stands alone, another name"),
        pytest.param(("Zürich", "München", "Köln"), "Zuerich", id="accent: two letters"),
        pytest.param(("Zürich", "München", "Köln"), "Zurich", id="accent: lost in a town"),
        pytest.param(("Straße", "Gasse", "Allee"), "Strasse", id="accent: sharp s"),
        pytest.param(("Москва", "Самара", "Казань"), "Moskva", id="letters of another script"),
        pytest.param(NAMES, "anna", id="name: small"),
        pytest.param(NAMES, "ANNA", id="name: capitals"),
        pytest.param(NAMES, "dirk", id="name: small, another"),
        pytest.param(NAMES, "DIRK", id="name: capitals, another"),
        pytest.param(NAMES, "BO", id="name: capitals, short"),
        pytest.param(("GET", "POST", "PUT"), "post", id="method: small"),
        pytest.param(("GET", "POST", "PUT"), "patch", id="method: small, another"),
        pytest.param(("GET", "POST", "PUT"), "Post", id="method: first letter"),
        pytest.param(("NL", "DE", "FR"), "be", id="country: small"),
        pytest.param(("open", "shut", "closed"), "Pending", id="state: first letter"),
        pytest.param(("open", "shut", "closed"), "SHUT", id="state: capitals"),
        pytest.param(STATES, "inProgress", id="snake: camel"),
        pytest.param(STATES, "isDone", id="snake: camel, another"),
        pytest.param(STATES, "IN_PROGRESS", id="snake: capitals"),
        pytest.param(STATES, "in-progress", id="snake: dashes"),
        pytest.param(STATES, "is-done", id="snake: dashes, another"),
        pytest.param(STATES, "in progress", id="snake: blanks"),
        pytest.param(("in-progress", "on-hold", "to-do"), "in_progress", id="kebab: low lines"),
        pytest.param(("in-progress", "on-hold", "to-do"), "is_done", id="kebab: low lines, another"),
        pytest.param(("Take a walk.", "Call a friend.", "Drink water."), "TAKE A WALK.", id="sentence: capitals"),
        pytest.param(("Take a walk.", "Call a friend.", "Drink water."), "EAT FRUIT.", id="sentence: another"),
        pytest.param(("Take a walk.", "Call a friend.", "Drink water."), "take a walk.", id="sentence: small"),
        pytest.param(("Anna Jansen", "Bo de Vries", "Eva Li"), "None Jansen", id="half of a name is none"),
        pytest.param(("Anna Jansen", "Bo de Vries", "Eva Li"), "<b>Zoë Li</b>", id="tags"),
        pytest.param(("Anna Jansen", "Bo de Vries", "Eva Li"), '"Zoë Li"', id="quotes"),
        pytest.param(("is on", "is off", "is shut"), "is not on", id="a negation"),
    ],
)
def test_a_word_written_otherwise_is_different(legacy: tuple[str, ...], modern: str, further: int) -> None:
    """Were noise: with one letter beyond ASCII none was checked, case and marks never were."""
    assert not fits(legacy[: further + 1], modern)


@pytest.mark.parametrize("further", [1, 2])
@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        pytest.param(NAMES, "Zoë", id="name: an accent that none had"),
        pytest.param(NAMES, "Łukasz", id="name: a first letter beyond ASCII"),
        pytest.param(("Anna", "Dirk", "Gijs"), "O'Neil", id="name: an apostrophe"),
        pytest.param(("Anna", "Dirk", "Gijs"), "Jo-Ann", id="name: a hyphen"),
        pytest.param(("Anna", "Dirk", "Gijs"), "Jo Ann", id="name: a second word"),
        pytest.param(("Anna", "Dirk", "Gijs"), "McCoy", id="name: a capital inside"),
        pytest.param(("Jansen", "Bakker", "Visser"), "de Vries", id="name: a particle"),
        pytest.param(("Jansen", "Bakker", "Visser"), "van Dijk", id="name: another particle"),
        pytest.param(("Jansen", "Bakker", "Visser"), "d'Hondt", id="name: a particle with an apostrophe"),
        pytest.param(ACCENTS, "Bo", id="accents: none"),
        pytest.param(ACCENTS, "Chloé", id="accents: another"),
        pytest.param(ACCENTS, "Anne-Zoë", id="accents: a hyphen"),
        pytest.param(("Zürich", "München", "Köln"), "Bremen", id="town without an accent"),
        pytest.param(("Zürich", "Zülpich", "Züssow"), "Bremen", id="towns that begin alike"),
        pytest.param(("Zoë", "Chloë", "Noë"), "Anna", id="names that end alike"),
        pytest.param(("Москва", "Самара", "Казань"), "Ижевск", id="script"),
        pytest.param(("Lisbon", "Madrid", "Vienna"), "NYC", id="acronym among capitalised words"),
        pytest.param(("Pixel 8", "Galaxy S9", "Fold 3"), "iPhone 9", id="a small letter before a capital"),
        pytest.param(("GET", "POST", "PUT"), "HEAD", id="method"),
        pytest.param(("open", "shut", "closed"), "done", id="state"),
        pytest.param(STATES, "is_done", id="snake"),
        pytest.param(STATES, "done", id="snake of one word"),
        pytest.param(("in-progress", "on-hold", "to-do"), "is-done", id="kebab"),
        pytest.param(("Anna Maria", "Bo", "Eva Lotte"), "Jo-Ann", id="a hyphen among names of two words"),
        pytest.param(("Take a walk.", "Call a friend.", "Drink water."), "Call Anna.", id="sentence: a name"),
        pytest.param(("Take a walk.", "Call a friend.", "Drink water."), "Why not? Eat.", id="sentence: a question"),
        pytest.param(("Why not?", "Who is it?", "What now?"), "How come?", id="questions"),
        pytest.param(("Walk & talk", "Eat well", "Sit down"), "Rock & roll", id="an ampersand"),
        pytest.param(("moka pot", "tea mug", "french press"), "kettle", id="small words"),
        pytest.param(("Take a walk.", "Call a friend.", "Drink water."), "None of us is far.", id="sentence: a none"),
        pytest.param(("Take a walk.", "Call a friend.", "Drink water."), "Eat <3 sweets.", id="sentence: no tag"),
        pytest.param(("French press", "Moka pot", "Tea mug"), "Filter <no. 4>", id="a name in brackets"),
        pytest.param(
            ("Take a walk.", "Call a friend.", "Drink water."), 'Say "hi" once.', id="sentence: quotes inside"
        ),
    ],
)
def test_another_word_as_legacys_are_stays_noise(legacy: tuple[str, ...], modern: str, further: int) -> None:
    assert fits(legacy[: further + 1], modern)
