from __future__ import annotations

import re
import time

import pytest

from rules.safe_regex import RegexError, degree, is_steep, literal_start, matches_everything, refuse_dangerous


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+", "(a*)*", "(.*)*x", "(a|a)*x", "(a|ab|b)*c", r"(\w+\s?)*$", r"(\s*,\s*)*x", "(x+x+)+y",
        "^(([a-z])+.)+[A-Z]([a-z])+$", "(a{1,100}){1,100}", r"^(\d+)*$", "(?:a?){30}a{30}", "(?=(a+)+b)c",
        r"([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*@", "(?:[^/]+/?)+$", "((?:ab)*c*)*d",
        r"(\w{1,15}){1,15}!", r"(?:\w{2,9}\s?){1,12}!", r"(\w+){3}!", r"(?:a|ab|b){3,15}c", "a?" * 20 + "b",
        r"((\d{1,4}){1,4}){1,4}x", r"\w{1,15}\w{1,15}\w{1,15}\w{1,15}!", r"(?:(?:\w{1,9}){1,9}|-){2}!",
        "(?:x{0,3}){10}y",
    ],
)  # fmt: skip
def test_a_regex_of_exponential_time_is_refused(text: str) -> None:
    with pytest.raises(RegexError, match="exponential"):
        refuse_dangerous(text)


@pytest.mark.parametrize(
    "text",
    [
        ".*a.*b.*c",
        "^/(.*)/x/(.*)/(.*)/y$",
        r"\w*\w*\w*x",
        "a*[ab]*a*b*$",
        r"\d+(?:\d+)?\d+x",
        ".*(?:a.*)?b.*c",
        "(?<=x)x*y?x*z",
        r"\w*(?:\.?\w*)?\w*x",
    ],
)
def test_a_regex_of_cubic_time_is_refused(text: str) -> None:
    with pytest.raises(RegexError, match="cubic"):
        refuse_dangerous(text)


@pytest.mark.parametrize(
    "text",
    [
        r"^/v\d+/", r"\.php$", "(logout|verify|callback)", r"^/users/(?P<id>\d+)/?$", "^/[^/]+/[^/]+/edit$",
        r"^/(?:[a-z]+/)*[a-z]+$", "^/(?:en|de|fr)(?:/|$)", r"timing: \d+ms", r"^([a-z]+\.)+$", r"^(?:/[a-z]+)*$",
        "(?i)^/api/", r"^\d{4}-\d{2}-\d{2}$", "^(?:%[0-9a-f]{2})+$", "^(?:foo|foobar)+$", r"^/a\b", "^$", "",
        r"\d{1,3}(?:\.\d{1,3}){3}", r"\d{1,3}(?:,\d{3})*(?:\.\d{1,2})?", r"(?:[0-9a-f]{1,4}:){1,7}[0-9a-f]{1,4}",
        r"(?:\w{1,15}-){1,15}!", r"\d{4}-?\d{2}-?\d{2}[T ]?\d{2}:?\d{2}(?::?\d{2}(?:\.\d{1,9})?)?Z?",
        r"-[0-9a-f]{8}(?=\.css)|(?<=site)\.[0-9a-z]{5}(?=\.css)", r"(?:build|bundle)/[a-z]+[-.][0-9a-f]{8,20}\.js",
        r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,10}\b", r"(?>\w{1,15}){1,15}!", "(?:ab){1,15}c",
        "(?:foo|bar){1,15}", r'taskrunner\.php\?id=[^"]*&\d+', r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ],
)  # fmt: skip
def test_a_regex_as_operators_write_them_is_taken(text: str) -> None:
    refuse_dangerous(text)


@pytest.mark.parametrize(
    "text",
    ["^/(.*)/x/(.*)$", r"\d+x", ".*x", r"^\w+@?\w+$", r"(?<=1)\d+x", r"[0-9]+(?:\.[0-9]+)?", r"(?<=:)\w+(?:\.\w+)?\w+"],
)
def test_a_regex_of_quadratic_time_is_steep(text: str) -> None:
    assert is_steep(text)
    assert degree(text) == 2


@pytest.mark.parametrize("text", ["(", "[", "a**", "(?P<a>x)(?P<a>y)", "\\", "(?<=a+)b", "[[a]", "a{99999999999}"])
def test_what_is_no_regex_is_said_to_be_none(text: str) -> None:
    with pytest.raises(RegexError, match="is not a regex"):
        refuse_dangerous(text)


@pytest.mark.parametrize(
    "text",
    [
        r"^/v\d+/",
        "^/[^/]+/[^/]+/edit$",
        r"^/(?:[a-z]+/)*[a-z]+$",
        r"^([a-z]+\.)+$",
        r"(?<=/)[0-9]{1,18}(?:\.[0-9]{1,18})?(?=/)",
        r"(?<=/v)\d+(?:\.\d+)?(?:e\d+)?x",
    ],
)
def test_a_regex_that_is_called_harmless_is_quick_on_long_text(text: str) -> None:
    assert degree(text) == 1
    began = time.process_time()

    for piece in ("/a", "a.", "a", "/v1", "1"):
        re.search(text, piece * 4000 + "!")

    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("text", ["", "^", "/", "^/", ".*", "^/.*", "^/.*$", "/?", "^.*$"])
def test_a_regex_that_every_path_matches_is_known(text: str) -> None:
    assert matches_everything(text)
    assert re.search(text, "/") is not None
    assert re.search(text, "/any/thing") is not None


@pytest.mark.parametrize("text", ["^/a", ".*x", "^/$", "^$", "/.", "^/?$"])
def test_a_regex_that_some_path_does_not_match_is_not_called_so(text: str) -> None:
    assert not matches_everything(text)


@pytest.mark.parametrize(
    ("text", "start"), [("^/api/v1", "/api/v1"), (r"\A/a\d", "/a"), ("^(a|b)", ""), ("/api", None), ("", None)]
)
def test_the_start_of_an_anchored_regex_is_told(text: str, start: str | None) -> None:
    assert literal_start(text) == start
