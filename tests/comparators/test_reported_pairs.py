"""The smallest pairs of public reports, with siblings: each kind of fault that was once overlooked or made up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comparators import Comparison, compare
from comparators.model import fingerprint
from tests.comparators.answers import answer, held, policy

PHP: dict[str, Any] = {"preset": "php"}
HTML = "text/html"


def asked_twice(first: Any, again: Any, modern: Any, media: str = "application/json", **more: Any) -> Comparison:
    one, two, three = (
        answer(each if isinstance(each, str) else json.dumps(each), media=media) for each in (first, again, modern)
    )
    return compare(one, three, policy({**PHP, **more}), secondary=(two,))


TOKENS = {
    "begins with a digit": ("4f9a1c22b7d0e318", "9c01ab34de56f789", "0b13c9d8e7f6a542"),
    "has a dash": ("a1-f9a1c22b-7d0e", "b7-01ab34de-5f78", "c3-13c9d8e7-6a54"),
    "is coded": ("aGVsbG8%2Bd29ybGQ%3D", "Zm9vYmFy%2FYmF6cQ%3D", "c29tZW90aGVy%2FdA%3D"),
    "has capitals": ("4F9A1C22B7D0E318", "9C01AB34DE56F789", "0B13C9D8E7F6A542"),
}
LINKS = (
    "/f/{word}?signature={token}",
    "/f/{word}?expires=1&signature={token}&v=2",
    "https://{word}.test/f?sig={token}",
)


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize("link", LINKS)
def test_a_signed_link_hides_neither_another_file_nor_another_host(name: str, link: str):
    first, again, third = TOKENS[name]

    def verdict(word: str, token: str) -> str:
        return asked_twice(
            {"u": link.format(word="a", token=first)},
            {"u": link.format(word="a", token=again)},
            {"u": link.format(word=word, token=token)},
        ).verdict

    assert (verdict("a", third), verdict("b", third), verdict("a", third[:-3])) == ("noise", "different", "different")


@pytest.mark.parametrize("length", [200, 255, 256, 257, 600, 5000])
@pytest.mark.parametrize("media", ["application/json", HTML, "text/plain"])
def test_behind_a_long_beginning_everything_counts(length: int, media: str):
    def text(token: str, end: str) -> str:
        said = ("word " * length)[:length] + f" ref {token} of {end}"
        return {HTML: f"<p>{said}</p>", "text/plain": said}.get(media, json.dumps({"t": said}))

    def verdict(end: str) -> str:
        return asked_twice(
            text("8f3a11c2d4e5", "anna"), text("0a1b2c3d4e5f", "anna"), text("1122aabb33cc", end), media
        ).verdict

    assert (verdict("anna"), verdict("bert")) == ("noise", "different")


@pytest.mark.parametrize(
    ("first", "again", "near", "far"),
    [
        ("2031-03-04T10:00:00Z", "2031-03-04T10:00:02Z", "2031-03-04T10:01:30Z", "2031-03-05T10:00:01Z"),
        ("20310304T100000Z", "20310304T100002Z", "20310304T100130Z", "20310305T100001Z"),
        ("of 20310304T100000.", "of 20310304T100002.", "of 20310304T100130.", "of 20210304T100001."),
        ("a-20310304T100000123Z", "a-20310304T100002456Z", "a-20310304T100130789Z", "a-20310304T100130Z"),
        (1930471200, 1930471202, 1930471230, 193047120),
        (1930471200, 1930471202, 1930471230, 19304712000),
        ("rendered in 12 ms", "rendered in 14 ms", "rendered in 13 ms", "rendered in 9000 ms"),
        ("rendered in 12 ms", "rendered in 14 ms", "rendered in 13 ms", "rendered in ? ms"),
        (0.31, 0.42, 0.35, 350.0),
        ("took 0.82. Then on", "took 0.86. Then on", "took 0.31. Then on", "took 9.31. Then on"),
        ("took 8.3. Then on", "took 9.3. Then on", "took 11.9. Then on", "took 119. Then off"),
        ("load 0.3.", "load 0.4.", "load 0.2.", "load 0.2!"),
        (f"key {'aB3d' * 5}=. On", f"key {'9xYz' * 5}=. On", f"key {'Zz0k' * 5}=. On", f"key {'Zz0k' * 4}=. On"),
    ],
)
def test_a_time_and_a_number_vary_within_what_legacy_shows(first: Any, again: Any, near: Any, far: Any):
    verdicts = [asked_twice({"v": first}, {"v": again}, {"v": each}).verdict for each in (near, far)]

    assert verdicts == ["noise", "different"]


NOT_FILLED = (
    "None", "{{ csrf_token() }}", "undefined", "0", "", "null", "{% csrf_token %}", "<?= $token ?>", "csrf_token",
)  # fmt: skip
HOLDERS = (
    '<form><input type="hidden" name="_token" value="{}"></form>',
    '<meta name="csrf-token" content="{}">',
    '<form><input type="hidden" name="wpLoginToken" value="{}"></form>',
    '<div data-nonce="{}">x</div>',
    '<script>var settings = {{"patrolToken":"{}"}};</script>',
)


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_token_that_was_not_filled_in_is_a_difference_and_one_made_anew_is_none(holder: str):
    def verdict(value: str) -> str:
        escaped = value.replace("<", "&lt;") if "script" not in holder else value
        bodies = (holder.format("9f2c41d07Be8a365"), holder.format(escaped))
        return compare(*(answer(each, media=HTML) for each in bodies), policy(PHP)).verdict

    assert verdict("00c41d07Be8a3bb1") == "equal"
    assert [value for value in NOT_FILLED if verdict(value) != "different"] == []


def test_an_id_in_the_name_of_a_place_makes_no_new_group():
    def group(number: int, word: str) -> str:
        bodies = (f'<div id="wp-embed-share-tab-html-4-{number}"><p>{each}</p></div>' for each in ("a", word))
        (found,) = compare(*(answer(each, media=HTML) for each in bodies), policy(PHP)).findings
        return fingerprint("r", found)

    assert group(1808915178, "b") == group(1908915179, "b")


ROWS = [{"id": at, "tags": ["x", "y"], "url": f"http://old.test:9001/i/{at}"} for at in range(21)]
PORTED = [{"id": at, "tags": ["y", "x"], "url": f"http://new.test:8000/i/{at}"} for at in range(20, -1, -1)]


@pytest.mark.parametrize("count", [2, 20, 21, 60])
def test_rows_in_any_order_may_hold_lists_in_any_order_and_own_links(count: int):
    rows = [{**ROWS[at % 21], "id": at} for at in range(count)]
    ported = [{**PORTED[20 - at % 21], "id": at} for at in reversed(range(count))]
    mapping = {**PHP, "unordered": ["", "/*/tags"]}

    assert held(json.dumps(rows), json.dumps(ported), mapping).verdict == "equal"
    ported[0] = {**ported[0], "tags": ["y", "z"]}
    wrong = held(json.dumps(rows), json.dumps(ported), mapping)
    assert (wrong.verdict, len(wrong.findings) <= 2) == ("different", True)


@pytest.mark.parametrize("media", ["text/xml", "application/xml", "application/soap+xml", "image/svg+xml"])
def test_a_price_in_a_document_of_any_xml_type_is_found_at_its_place(media: str):
    bodies = ("<o><l><p>10.50</p></l><l><p>7.00</p></l></o>", "<o><l><p>10.50</p></l><l><p>7.10</p></l></o>")

    (found,) = compare(*(answer(each, media=media) for each in bodies), policy(PHP)).findings

    assert (found.path, found.legacy) == ("@body", "/o/l[2]/p: 7.00")
