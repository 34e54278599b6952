"""The same resource has the same id, wherever a request names it."""

from __future__ import annotations

import pytest

from proxy.worker.shadow.request_keys import MOST_BYTES, in_body, read, written

UUID = "0190163D-8694-739b-aea5-966c26f8ad91"
ULID = "01HZX3K5V7Q9R1S3T5V7X9Z1B3"


@pytest.mark.parametrize(
    ("target", "things"),
    [
        ("/", ()),
        ("*", ()),
        ("/orders", ()),
        ("/orders/", ()),
        ("/v2/me", ()),
        ("/api/gift-cards", ()),
        ("/knowledge-base", ()),
        ("/settings/two-factor", ()),
        ("/orders/open", ()),
        ("/orders/17", ("order:17",)),
        ("/orders/17/lines?page=2", ("order:17",)),
        ("/shops/3/orders/17/lines", ("order:17",)),
        ("/17", (":17",)),
        ("/tickets/printer-on-fire", ("ticket:printer-on-fire",)),
        ("/tickets/Abc%2DDef/messages", ("ticket:abc-def",)),
        ("/categories/garden_tools", ("category:garden_tools",)),
        (f"/api/v1/users/{UUID}", (f"user:{UUID.lower()}",)),
        (f"/t/{ULID}/x", (f"t:{ULID.lower()}",)),
        ("/support-tickets/8", ("supportticket:8",)),
        ("/print?order_id=17", ("order:17",)),
        ("/print?a=b&orderId=17&supportTicketId=8", ("order:17", "supportticket:8")),
        ("/viewticket.php?id=8", ("viewticket:8",)),
        ("/doku.php?id=wiki%3Astart&do=show", ("doku:wiki:start",)),
    ],
)
def test_a_read_shows_the_innermost_thing_it_names(target: str, things: tuple[str, ...]):
    assert read(target) == things


@pytest.mark.parametrize(
    ("target", "things"),
    [
        ("/orders/17/pay", ("order:17",)),
        ("/shops/3/orders/17/pay", ("shop:3", "order:17")),
        ("/tickets/printer-on-fire/messages/5", ("ticket:printer-on-fire", "message:5")),
        ("/pay?invoice_id=9", ("invoice:9",)),
        ("/orders", ()),
    ],
)
def test_a_write_changes_what_it_is_a_part_of_as_well(target: str, things: tuple[str, ...]):
    assert written(target) == things


def test_what_a_route_captures_is_a_thing_whatever_its_shape():
    assert read("/tickets/hello/messages", ("hello",)) == ("ticket:hello",)
    assert read("/tickets/hello", ()) == ()


@pytest.mark.parametrize("captured", ["orders", "me", "current"])
def test_a_captured_list_is_none_nor_is_what_everybody_has_one_of(captured: str):
    assert written(f"/api/{captured}", (captured,)) == ()


@pytest.mark.parametrize(
    ("body", "things"),
    [
        (b'{"ticket_id": 17, "text": "x"}', {"ticket:17"}),
        (b'[{"orderId":"AB-1"},{"order_id":"2"}]', {"order:ab-1", "order:2"}),
        (b'{"ticket_slug":"printer-on-fire"}', {"ticket:printer-on-fire"}),
        (b'{"id": 8}', {"comment:8", "add:8"}),
        (b"text=x&ticket_id=17", {"ticket:17"}),
        (b"ticket_id=printer%2Don%2Dfire", {"ticket:printer-on-fire"}),
        (b'--b\r\nContent-Disposition: form-data; name="ticket_id"\r\n\r\n17\r\n--b--\r\n', {"ticket:17"}),
        (b'{"valid": true, "grid": 5}', set()),
        (b"\xff\xfe\x00", set()),
        (b"", set()),
        (b" " * MOST_BYTES + b'{"ticket_id":17}', set()),
    ],
)
def test_a_body_names_what_it_belongs_to(body: bytes, things: set[str]):
    assert set(in_body("/comments/add", body)) == things


def test_a_body_full_of_ids_names_a_few():
    assert len(in_body("/x", b"[" + b",".join(b'{"a_id":%d}' % number for number in range(1000)) + b"]")) < 30


def test_a_body_that_is_made_to_be_slow_is_not():
    for piece in (b'"', b'"a', b"a_", b'{"_id', b"name=", b"&a_id", b'"a_id" : '):
        assert len(in_body("/a", b"{" + piece * MOST_BYTES)) < 30
        assert len(in_body("/a", piece * MOST_BYTES)) < 30
