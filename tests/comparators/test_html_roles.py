"""What stands around a text or attribute of a page says what it is there for: money, a date that something is due."""

from __future__ import annotations

import pytest

from comparators import compare
from tests.comparators.answers import answer, policy

HTML = "text/html"
PHP = {"preset": "php"}
LEGACY, MODERN = "Tue, 04 Mar 2031 09:15:01 GMT", "Tue, 04 Mar 2031 09:15:07 GMT"
NAMED = (
    "<table><thead><tr><th>Id<th>NAME</thead><tbody><tr><td>1<td>{}</table>",
    "<table><thead><tr><td>Id<td>NAME</thead><tbody><tr><td>1<td>{}</table>",
    "<table><tr><th>a<th colspan=2>b<th>NAME</tr><tr><td>1<td>2<td>3<td>{}</tr></table>",
    "<table><tr><th>a<th colspan=2>NAME</tr><tr><td>1<td>{}<td>3</tr></table>",
    "<table><tr><th>a<th colspan=2>NAME</tr><tr><td>1<td>2<td>{}</tr></table>",
    "<table><thead><tr><th>a</th><th>NAME</th></tr></thead><tr><td>1</td><td>{}</td></tr></table>",
    "<table><tr><td>NAME</td><td>{}</td></tr></table>",
    "<table><tr><td>NAME:</td><td><b>{}</b></td></tr></table>",
    "<table><tr><th>a<th>b</tr><tfoot><tr><td colspan=2>NAME</td><td>{}</td></tr></tfoot></table>",
    "<dl><dt>NAME</dt><dd><span>{}</span></dd></dl>",
    "<p>NAME: <b>{}</b></p>",
    "<p><b>NAME</b> {}</p>",
    "<p><strong>NAME:</strong> {}</p>",
    "<p>NAME: <time>{}</time></p>",
    "<label>NAME</label> <span>{}</span>",
    "<div><h5>NAME</h5><p>{}</p></div>",
    '<table><tr><td class="NAME"><span>{}</span></td></tr></table>',
    '<div class="NAME"><p>a <b>{}</b></p></div>',
    '<p id="NAME">a <i>x</i> {}</p>',
    '<time class="NAME">{}</time>',
    '<time class="NAME" datetime="{}">a</time>',
    '<ul><li class="NAME" title="{}">a</li></ul>',
    '<select name="NAME"><option value="a">a</option><option value="b" selected>{}</option></select>',
    '<select name="NAME"><option value="{}">a</option></select>',
    '<meter class="NAME" value="{}"></meter>',
    '<input id="NAME" value="{}">',
    '<data class="NAME" value="{}">a</data>',
    '<meta itemprop="NAME" content="{}">',
    '<p data-NAME="{}">a</p>',
    '<label>NAME</label><input name="x" value="{}">',
    '<label for="a">NAME</label><input id="a" name="x" value="{}">',
    '<label>NAME <input name="x" value="{}"></label>',
    '<p>NAME <time datetime="{}">soon</time></p>',
    '<table><tr><th>NAME</th><td><time datetime="{}">soon</time></td></tr></table>',
    '<div class="row"><div>NAME</div><div>{}</div></div>',
    "<div><span>NAME</span><span>{}</span></div>",
    "<ul><li>NAME <b>{}</b></li></ul>",
)
CURRENCIES = (
    "<p><span>€</span><span>{}</span></p>",
    "<p>€ <b>{}</b></p>",
    "<p>€<b>100</b><sup>{}</sup></p>",
    "<p><span>{}</span> <span>EUR</span></p>",
    "<h4>{} <small>EUR / month</small></h4>",
    "<p><b>$</b><i>{}</i></p>",
)
"""A sign or a code in an element of its own."""
OF_NO_NAME = (
    '<p class="text-end">{}</p>',
    '<p class="text-balance justify-content-md-end after:mr-2 is-valid">{}</p>',
    '<footer class="credits"><span>{}</span></footer>',
    '<main class="total"><p>{}</p></main>',
    '<div class="position-absolute end-0 border-end-0"><span>{}</span></div>',
    '<div class="small-4 columns end"><p>{}</p></div>',
    '<p class="photo-credit">{}</p>',
    "<p>Is it due, in total?</p><p>{}</p>",
    "<ul><li>Total: 5</li><li>{}</li></ul>",
    "<p>€ 47.30</p><p>{}</p>",
    "<p>{}</p><p>€</p>",
    "<p>NOK</p><p>{}</p>",
)


def of_noise(page: str) -> str:
    """A number that legacy varies by itself."""
    legacy, modern, again = (answer(page.format(each), 200, media=HTML) for each in ("12.00", "12.50", "13.00"))
    return compare(legacy, modern, policy(PHP), secondary=(again,)).verdict


def of_clock(page: str) -> str:
    """The time of each answer."""
    sides = (("2031-03-04 09:15:01", LEGACY), ("2031-03-04 09:15:07", MODERN))
    return compare(
        *(answer(page.format(time), 200, ("Date", date), media=HTML) for time, date in sides), policy(PHP)
    ).verdict


@pytest.mark.parametrize("page", NAMED)
def test_money_is_no_noise_and_what_is_due_no_clock(page: str):
    assert (of_noise(page.replace("NAME", "total")), of_noise(page.replace("NAME", "views"))) == ("different", "noise")
    assert (of_clock(page.replace("NAME", "due")), of_clock(page.replace("NAME", "made"))) == ("different", "equal")


@pytest.mark.parametrize("page", CURRENCIES)
def test_a_number_beside_the_sign_of_a_currency_is_money(page: str):
    assert of_noise(page) == "different"


@pytest.mark.parametrize("page", OF_NO_NAME)
def test_layout_whole_parts_of_a_page_questions_and_neighbours_say_nothing(page: str):
    assert (of_noise(page), of_clock(page)) == ("noise", "equal")


def test_what_is_no_number_is_no_money_whatever_it_is_called():
    legacy, modern, again = (
        answer(f'<div class="credits"><p>visit {each}</p></div>', 200, media=HTML)
        for each in ("a8f3k2l9x0", "b7g3k2l9y1", "c6h3k2l9z2")
    )

    assert compare(legacy, modern, policy(PHP), secondary=(again,)).verdict == "noise"
