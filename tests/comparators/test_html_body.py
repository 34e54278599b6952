from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from comparators import html_as_written, html_compare, html_pieces, html_tokens
from tests.comparators.bodies import PHP, held, kinds

FORGIVEN = [
    ("<ul>\n  <li>One</li>\n  <li>Two</li>\n</ul>", "<ul><li>One</li><li>Two</li></ul>"),
    ("<p>  Hello\n world </p>", "<p>Hello world</p>"),
    ('<a class="b" href="/x">y</a>', '<a href="/x" class="b">y</a>'),
    ('<a class=" b   c">y</a>', "<a class='b c'>y</a>"),
    ("<p>a<!-- made in 12ms -->b</p><!-- x -->", "<p>ab</p>"),
    ("<p>it&#039;s &amp; caf&eacute;&nbsp;</p>", "<p>it&#39;s &#38; café\u00a0</p>"),
    ('<p title="a&quot;b">x</p>', "<p title='a\"b'>x</p>"),
    ("<INPUT DISABLED>", '<input disabled="">'),
    ("<br/><img src=a>", '<br><img src="a" />'),
    ("<p>Total: <b>5</b></p>", "<p>Total:<b> 5</b></p>"),
    ("<nav><a>Home</a>\n<a>About</a></nav>", "<nav><a>Home</a><a>About</a></nav>"),
    ("<script>\n a() \n</script>", "<script>a()</script>"),
    ('<input type="hidden" name="_token" value="aaaa1111">', '<input type="hidden" name="_token" value="2222bbbb">'),
    ('<meta name="csrf-token" content="a1b2c3d4">', '<meta name="csrf-token" content="KpVtmQxR">'),
    (
        '<input type="hidden" name="__RequestVerificationToken" value="CfDJ8aa1b2c3">',
        '<input type="hidden" name="__RequestVerificationToken" value="CfDJ8zz9y8x7">',
    ),
    (
        "<input type=hidden name=csrfmiddlewaretoken value=12ab34cd>",
        "<input type=hidden name=csrfmiddlewaretoken value=ef56ab78>",
    ),
    (
        '<input type="hidden" name="wpLoginToken" value="9f2c41d07be8a3659f2c41d07be8a365+\\">',
        '<input type="hidden" name="wpLoginToken" value="00c41d07be8a3659f2c41d07be8a3bb1+\\">',
    ),
    ('<script nonce="r4nd0m1x">x()</script>', '<script nonce="0th3r1xy">x()</script>'),
    ('<link href="/css/app.3f2a9c1b.css">', '<link href="/css/app.0011aabb.css">'),
    ('<script src="/build/assets/app-4ed993c7.js"></script>', '<script src="/build/assets/app-BxK3z_9q.js"></script>'),
    ('<script src="/js/app.js?id=68fd822d">', '<script src="/js/app.js?id=c1b2a3d4">'),
    ('<link href="/app.css?v=1.2.3" integrity="sha384-a">', '<link href="/app.css?v=1.2.4" integrity="sha384-b">'),
    (
        f'<link rel=stylesheet href="/css.php?t=a&amp;tseed={"f6f85a60" * 4}">',
        f'<link rel=stylesheet href="/css.php?t=a&amp;tseed={"598128f0" * 4}">',
    ),
    ('<a href="/out?_wpnonce=1a2b3c4d5e&amp;x=1">out</a>', '<a href="/out?_wpnonce=3c4d5e6f70&amp;x=1">out</a>'),
    ("<meta content=\"script-src 'nonce-r4nd0m1x'\">", "<meta content=\"script-src 'nonce-0th3r1xy'\">"),
    ('<script>var s = {"nonce":"1a2b3c4d5e","a":1}</script>', '<script>var s = {"nonce":"2b3c4d5e6f","a":1}</script>'),
    ("<script>window.csrfToken = 'abcdefg1';</script>", "<script>window.csrfToken = '2hijklmn';</script>"),
    (
        '<script>mw.set({"patrolToken":"9f2c41d07be8a365+\\\\","watchToken":"19f2c41d07be8a36+\\\\"})</script>',
        '<script>mw.set({"patrolToken":"aa2c41d07be8a365+\\\\","watchToken":"bb9f2c41d07be8a3+\\\\"})</script>',
    ),
    (
        """<div hx-headers='{"X-CSRF-Token": "9f2c41d07be8a365"}'></div>""",
        """<div hx-headers='{"X-CSRF-Token": "00c41d07be8a3bb1"}'></div>""",
    ),
    (
        """<div x-data="{csrf: '9f2c41d07be8a365', open: false}"></div>""",
        """<div x-data="{csrf: '00c41d07be8a3bb1', open: false}"></div>""",
    ),
]
NEVER = [
    ("<p>Hello</p>", "<p>Hallo</p>", "value"),
    ("<p>a b</p>", "<p>ab</p>", "value"),
    ("<b>a</b> <i>b</i>", "<b>a</b><i>b</i>", "value"),
    ("<p>a\u00a0b</p>", "<p>a b</p>", "value"),
    ("<pre>a\n b</pre>", "<pre>a b</pre>", "value"),
    ("<textarea> a</textarea>", "<textarea>a</textarea>", "value"),
    ('<a href="/x">y</a>', '<a href="/z">y</a>', "value"),
    ('<a href="/x?v=1">y</a>', '<a href="/x?v=2">y</a>', "value"),
    ('<a href="/x">y</a>', "<a>y</a>", "missing"),
    ("<a>y</a>", '<a href="/x">y</a>', "extra"),
    ('<p class="a">x</p>', '<p class="b">x</p>', "value"),
    ("<p>x</p>", "<div>x</div>", "value"),
    ("<ul><li>1</li><li>2</li></ul>", "<ul><li>1</li></ul>", "missing"),
    ("<ul><li>1</li></ul>", "<ul><li>1</li><li>2</li></ul>", "extra"),
    ("<p>1</p>", "<p>1</p><form></form>", "extra"),
    ("<h1>a</h1><p>b</p>", "<p>b</p>", "missing"),
    ('<input type="hidden" name="_token" value="a">', "", "missing"),
    ('<input type="hidden" name="_token" value="a">', '<input type="hidden" name="_token" value="">', "value"),
    ('<input type="hidden" name="_token" value="a">', '<input type="hidden" name="_token">', "missing"),
    ('<input type="hidden" name="id" value="1">', '<input type="hidden" name="id" value="2">', "value"),
    ('<input type="text" name="token" value="1">', '<input type="text" name="token" value="2">', "value"),
    ('<meta name="csrf-token" content="a">', "", "missing"),
    ('<meta name="robots" content="index">', '<meta name="robots" content="noindex">', "value"),
    ('<script nonce="a">x()</script>', "<script>x()</script>", "missing"),
    ('<script src="/app.js?v=12"></script>', '<script src="/app.js?v=None"></script>', "value"),
    ('<script src="/app.js?ver=12"></script>', '<script src="/app.js?ver=undefined"></script>', "value"),
    ('<link href="/app.css?v=1f">', '<link href="/app.css?v=null">', "value"),
    ('<link href="/css/app.3f2a9c1b.css">', '<link href="/css/admin.3f2a9c1b.css">', "value"),
    ('<link href="/css/app.3f2a9c1b.css">', '<link href="/css/app.css">', "value"),
    ('<script src="/js/bootstrap4.js">', '<script src="/js/bootstrap5.js">', "value"),
    ('<img src="/image.php?id=5">', '<img src="/image.php?id=6">', "value"),
    (f'<link rel=canonical href="/a?id={"f6" * 8}">', f'<link rel=canonical href="/a?id={"59" * 8}">', "value"),
    (f'<img src="/a.php?id={"f6" * 8}">', f'<img src="/a.php?id={"59" * 8}">', "value"),
    ('<a href="/unsubscribe?token=1a2b">x</a>', '<a href="/unsubscribe?token=3c4d">x</a>', "value"),
    ('<a href="/out?_wpnonce=1a2b&amp;x=1">out</a>', '<a href="/out?_wpnonce=&amp;x=1">out</a>', "value"),
    ('<a href="/out?_wpnonce=1a2b&amp;x=1">out</a>', '<a href="/out?_wpnonce=3c4d&amp;x=2">out</a>', "value"),
    ('<script>var s = {"nonce":"1a"}</script>', '<script>var s = {"nonce":""}</script>', "value"),
    (
        '<script>state = {"csrfToken":"9f2c41d07be8a365","id":1};</script>',
        '<script>state = {"id": 2, "csrfToken": "00c41d07be8a3bb1"};</script>',
        "value",
    ),
    (
        '<script>state = {"csrfToken":"9f2c41d07be8a365","id":1};</script>',
        '<script>state = {"id": 1, "csrfToken": null};</script>',
        "type",
    ),
    (
        """<div data-page='{"csrf_token":"9f2c41d07be8a365"}'></div>""",
        """<div data-page='{"csrf_token":"None"}'></div>""",
        "value",
    ),
    (
        """<div x-data="{csrf: '9f2c41d07be8a365', open: false}"></div>""",
        """<div x-data="{csrf: '00c41d07be8a3bb1', open: true}"></div>""",
        "value",
    ),
    ('<script src="/js.php?t=a"></script>', '<script src="/js.php?t=b"></script>', "value"),
    ("<script>a(1)</script>", "<script>a(2)</script>", "value"),
    ("<style>p{color:red}</style>", "<style>p{color:tan}</style>", "value"),
    ("<!DOCTYPE html><p>x</p>", "<p>x</p>", "value"),
    ("<template><b>a</b></template>", "<template><b>b</b></template>", "value"),
    ("<tr><td>12</td><td>3</td></tr>", "<tr><td>1</td><td>23</td></tr>", "value"),
    ("<td>12</td><td>3</td>", "<td>1</td><td>23</td>", "value"),
    ("<noscript>a</noscript>", "<noscript>b</noscript>", "value"),
    ("<svg><text>a</text></svg>", "<svg><text>b</text></svg>", "value"),
    ("<select><option selected>a</option></select>", "<select><option>a</option></select>", "missing"),
]

TOKEN = "8KpVt2mQx7RwYc4ZbN1s"
NOT_MADE = [
    "", "0", "None", "null", "undefined", "Undefined", "NotImplemented", "csrfToken", "csrf_token", "%csrfToken%",
    "{{ csrf_token() }}", "${csrfToken}", "%(token1)s", "csrf_token()", "&lt;Token 1&gt;", "00000000", "1a2b3c4",
]  # fmt: skip
FIELDS = [
    '<input type="hidden" name="_token" value="{}">',
    '<input type="hidden" name="wpEditToken" value="{}">',
    '<input type="hidden" name="_wpnonce" value="{}">',
    '<meta name="csrf-token" content="{}">',
    '<script nonce="{}">x()</script>',
    '<script>var s = {{"patrolToken":"{}"}}</script>',
    "<script>wp.nonce = '{}';</script>",
]


@pytest.mark.parametrize("field", FIELDS)
def test_a_token_that_is_none_is_a_difference(field: str) -> None:
    legacy = field.format(TOKEN)

    assert kinds(held(html_compare.differences, legacy, field.format(TOKEN[::-1]), PHP)) == []
    for value in NOT_MADE:
        assert kinds(held(html_compare.differences, legacy, field.format(value), PHP)) == ["value"], value
        assert kinds(held(html_compare.differences, field.format(value), legacy, PHP)) == ["value"], value


@pytest.mark.parametrize(("legacy", "modern"), FORGIVEN)
def test_what_a_page_is_written_like_is_forgiven_under_html(legacy: str, modern: str) -> None:
    forgiven = held(html_compare.differences, legacy, modern, PHP)
    strict = held(html_compare.differences, legacy, modern, {"preset": {"name": "php", "except": ["html"]}})

    assert kinds(forgiven) == []
    assert forgiven.forgiven.keys() == {"html"}
    assert kinds(strict)[-1:] == ["value"]


@pytest.mark.parametrize(("legacy", "modern", "kind"), NEVER)
def test_what_a_page_says_is_never_forgiven(legacy: str, modern: str, kind: str) -> None:
    assert kinds(held(html_compare.differences, legacy, modern, PHP))[0] == kind
    assert kinds(held(html_compare.differences, modern, legacy, PHP)) != []


def test_a_page_asked_for_as_html_may_be_written_otherwise_but_keeps_its_tokens() -> None:
    by_hand = {"body": "html"}

    assert kinds(held(html_compare.differences, "<p> a\n</p>", "<p>a</p>", by_hand)) == []
    assert kinds(held(html_compare.differences, "<p nonce=a>x</p>", "<p nonce=b>x</p>", by_hand)) == ["value"]


def test_a_difference_is_shown_with_the_elements_around_it() -> None:
    legacy = "<main id=shop><h1>Plans</h1><p>From <b>10.50</b></p></main>"

    finding = held(html_compare.differences, legacy, legacy.replace("10.50", "10.05"), PHP).findings[0]
    lost = held(html_compare.differences, legacy, legacy.replace("<h1>Plans</h1>", ""), PHP).findings[0]

    assert finding.legacy == "html > body > main#shop > p > b: 10.50"
    assert finding.modern == "html > body > main#shop > p > b: 10.05"
    assert lost.legacy == "html > body > main#shop: <h1>"


LIST = "<ul>" + "".join(f"<li><a href=/{n}>{n}</a></li>" for n in range(9)) + "</ul><p>end</p>"


def test_places_tell_siblings_apart() -> None:
    findings = held(html_compare.differences, LIST, LIST.replace(">4<", ">x<").replace("end", "END"), PHP).findings

    assert [finding.legacy for finding in findings] == ["html > body > ul > li[5] > a: 4", "html > body > p: end"]


def test_one_element_less_is_one_difference() -> None:
    modern = LIST.replace("<li><a href=/3>3</a></li>", "")

    assert kinds(held(html_compare.differences, LIST, modern, PHP)) == ["missing"]
    assert kinds(held(html_compare.differences, modern, LIST, PHP)) == ["extra"]


def test_a_token_and_a_host_in_one_script_are_two_reasons() -> None:
    legacy = "<script>x = {csrf: 'aaaa1111', base: 'http://old.example/a'}</script>"
    modern = "<script>x = {csrf: '2222bbbb', base: 'http://new.example:8000/a'}</script>"

    assert kinds(held(html_compare.differences, legacy, modern, PHP)) == []
    assert kinds(held(html_compare.differences, legacy, modern.replace("/a'", "/b'"), PHP)) == ["value"]


def test_several_differences_are_found_in_one_page() -> None:
    modern = LIST.replace("<ul>", "<ul><hr>").replace("/6", "/x").replace(">8<", ">9<").replace("end", "END")

    findings = held(html_compare.differences, LIST, modern, PHP).findings

    assert [finding.modern.rpartition(": ")[2] for finding in findings] == ["<hr>", "href=/x", "9", "END"]


def test_a_page_that_differs_everywhere_shows_a_few_places() -> None:
    assert (
        0 < len(kinds(held(html_compare.differences, LIST, LIST.replace("li>", "p>").replace("href", "id"), PHP))) <= 9
    )


def test_own_hosts_and_the_operators_patterns_count_inside_pages() -> None:
    legacy = '<p>made in 12ms <a href="http://old.example/a">x</a></p><!-- z -->'
    modern = '<p>made in 9ms <a href="http://new.example:8000/a">x</a></p>'
    context = held(html_compare.differences, legacy, modern, {**PHP, "ignore_text": [r"in \d+ms"]})

    assert kinds(context) == []
    assert context.forgiven == {"ignore_text": 1, "own_host": 1, "html": 1}
    assert kinds(held(html_compare.differences, legacy, modern.replace("/a", "/b"), PHP)) != []


@pytest.mark.parametrize("page", ["<div>" * 3000, "<b>" * 3000 + "x", "<!--" * 5000, "<!-- a -->" * 5000 + "<p>"])
def test_a_page_nests_as_it_likes(page: str) -> None:
    assert kinds(held(html_compare.differences, page + "a", page + "b", PHP)) in (["value"], [])


PIECES = st.sampled_from(
    ["<p>", "</p>", "<b>", "</b>", " ", "\n", "a", "<!-- c -->", "<pre>", "<table>", "<tr>", "<td x=1>", "&amp;",
     "<script>", "</script>", "<input name=_token type=hidden value=q>", "\x00", "<", '"']
)  # fmt: skip
PAGES = st.lists(PIECES, max_size=25).map(lambda pieces: "".join(pieces).encode()) | st.binary(max_size=60)


@given(PAGES, PAGES)
def test_pages_are_compared_whatever_they_hold(legacy: bytes, modern: bytes) -> None:
    forth = held(html_compare.differences, legacy, modern, PHP)
    back = held(html_compare.differences, modern, legacy, PHP)

    assert kinds(held(html_compare.differences, legacy, legacy, PHP)) == []
    assert bool(kinds(forth)) == bool(kinds(back))


@pytest.mark.parametrize(
    "page",
    [
        '<title>a &amp; b</title></head><body><P CLASS=a id="x&amp;y" Id=z checked>t &lt; <br/>u</P>',
        "<script src=x>if (a<b && c) '</p>'</script></head><body><!-- c --><p title='a\"b>c'>d</p>",
        "</head><body><textarea>a<b></textarea><a href=/x/y?a=1&b=2>&eacute;&nbsp;&copy;</a>",
        "</head><body><ul><li>1</li><li>2 <b>3</b> <i>4</i></li></ul><pre> a  b </pre>",
    ],
)  # fmt: skip
def test_a_page_that_leaves_nothing_out_reads_as_it_is_written(page: str):
    whole = f"<html><head>{page}</body></html>"
    read = html_pieces._PIECES.findall(LexborHTMLParser(whole).html or "")

    assert _meant(html_pieces.pieces(whole, html_as_written.WAY, html_pieces.Known())) == _meant(read)


def _meant(pieces: Sequence[str]) -> list[object]:
    return [
        html_tokens._step(each) if each[0] == "<" else html_tokens._plain(each) for each in pieces if each[:2] != "<!"
    ]


PIECES = ["<p>", "</p>", "<b>", "</b>", " ", "a", "b ", "<!-- c -->", "<pre>", "</pre>", "<br>", "&amp;", "<i>", "\n"]


@given(st.lists(st.sampled_from(PIECES), max_size=150), st.lists(st.sampled_from(PIECES), max_size=150))
def test_what_was_read_before_changes_nothing_of_a_page(before: list[str], page: list[str]):
    known = html_tokens._Known()
    for each in (before, page):
        read = html_pieces._PIECES.findall(LexborHTMLParser("".join(each)).html or "")
        piece_by_piece = html_tokens._Writer(0, html_tokens._Known())
        piece_by_piece._write(read)
        piece_by_piece._text(piece_by_piece._pending)

        assert html_tokens._Writer(0, known).written(read) == piece_by_piece._found
