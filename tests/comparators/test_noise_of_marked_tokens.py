"""Tokens whose alphabet has a mark as a letter: by chance legacy's have it elsewhere, or not at all."""

from __future__ import annotations

from random import Random
from string import ascii_letters, digits

import pytest

from comparators.self_noise import fits

MAKERS = {
    "session ids of six bits a letter": ("", ",-", 32),
    "bcrypt": ("$2y$10$", "./", 53),
    "Apache's unique ids": ("", "@-", 27),
    "dots": ("", ".", 30),
    "tildes": ("", "~", 30),
    "letters of addresses": ("", "-._~", 40),
}
FORMS = ["{}", "Sitzung {} ist offen"]


def token(draw: Random, maker: str) -> str:
    before, marks, size = MAKERS[maker]
    return before + "".join(draw.choices(ascii_letters + digits + marks, k=size))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(("answers", "most"), [(2, 10), (3, 5)])
def test_a_mark_among_a_tokens_letters_is_one_of_them(form: str, maker: str, answers: int, most: int) -> None:
    """Were 70 in 500 after two answers, 50 after three."""
    draw = Random(6)

    alarms = sum(
        not fits([form.format(token(draw, maker)) for _ in range(answers)], form.format(token(draw, maker)))
        for _ in range(500)
    )

    assert alarms <= most


LEGACY = "pUX4xG3SKlUuuMf3qWJ,y3YnBlXMkxVq", "I3h-RDNd7VnAYWjaGQg5dyl43dyTqTpl"
MODERN = "aUX,xG3SKlU-uMf3qW,3y3YnBlXMkxVz"


@pytest.mark.parametrize(
    "wrong",
    [
        MODERN[:-1],
        MODERN + "x",
        MODERN.lower(),
        MODERN.upper(),
        f"{MODERN[:20]} {MODERN[21:]}",
        f"{MODERN[:20]}é{MODERN[21:]}",
        f"{MODERN[:20]}/{MODERN[21:]}",
        "a" * 32,
        "a,B-3" + "x" * 27,
        "shop.example.com,Warenkorb-Nr-12",
        "Kunde Anna-Maria Nowak, Raum 2-a",
    ],
)
def test_what_is_no_such_token_differs(wrong: str) -> None:
    assert not fits((*LEGACY, "Zq7,vT-2mKd,Y9bLw4RjXe,Hn8-sPc6G"), wrong)


def made(draw: Random, size: int = 24) -> str:
    return "".join(draw.choices(ascii_letters + digits + "-_", k=size))


@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        ("{}.pdf", "{}.doc"),
        ("sk_{}", "pk_{}"),
        ("https://cdn.shop.example/{}", "https://img.shop.example/{}"),
        ("/files/{}/a4", "/faxes/{}/a4"),
        ("{}/user7", "{}/user8"),
        ("v2,{}", "v3,{}"),
        ("{},EUR", "{},USD"),
        ("id4821.{}", "id4822.{}"),
    ],
)
@pytest.mark.parametrize("answers", [2, 3])
def test_what_stands_beside_a_token_stays(legacy: str, modern: str, answers: int) -> None:
    draw = Random(9)

    for _ in range(100):
        assert not fits([legacy.format(made(draw)) for _ in range(answers)], modern.format(made(draw)))


@pytest.mark.parametrize(
    ("legacy", "wrong"),
    [
        (("Anna-Maria.Schmitt@Example.com", "Karl-Heinz.Brauner@Example.com"), "Hans-Peter.Fischer@Example.net"),
        (("Report-2031.Final-V2.Berlin.A4", "Report-2030.Draft-V1.Leipzig.A5"), "Budget-2031.Final-V2.Munich.A4"),
        (("IMG_20310304_101502-Front.jpg", "IMG_20310305_081109-Front.jpg"), "IMG_20310305_081109-Front.png"),
        (("shop/Jackets/Blue-XL/48,95/A1", "shop/Trouser/Grey-M/129,00/B2"), "shop/Jackets/Blue-XL,148,95/A1"),
        (("cdn-a1.Example.com/x/Teaser-1A", "cdn-b2.Example.com/x/Banner-2B"), "img-c3.Example.com/y/Header-3C"),
    ],
)
def test_words_are_no_tokens(legacy: tuple[str, ...], wrong: str) -> None:
    assert not fits(legacy, wrong)
