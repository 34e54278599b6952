"""A value whose own name says nothing goes by what its neighbours, its row or its column call it."""

from __future__ import annotations

import pytest

from comparators import compare
from tests.comparators.answers import answer, policy

JSON, XML, CSV, TSV = "application/json", "application/xml", "text/csv", "text/tab-separated-values"
PHP = {"preset": "php"}
LEGACY, MODERN = "Tue, 04 Mar 2031 09:15:01 GMT", "Tue, 04 Mar 2031 09:15:07 GMT"
LABELLED = (
    (JSON, '[{{"name":"NAME","value":"{}"}}]'),
    (JSON, '{{"a":[{{"code":"NAME","title":"T","value":"{}"}}]}}'),
    (JSON, '{{"fields":[{{"label":"NAME","value":{{"raw":"{}"}}}}]}}'),
    (JSON, '{{"columns":["id","NAME"],"rows":[[1,"{}"],[2,"5"]]}}'),
    (JSON, '{{"columns":[{{"title":"NAME"}}],"data":[["{}"]]}}'),
    (JSON, '[["id","NAME"],[1,"{}"]]'),
    (JSON, '{{"labels":["x","NAME"],"data":[1,"{}"]}}'),
    (JSON, '{{"datasets":[{{"label":"NAME","data":["{}"]}}]}}'),
    (XML, '<r><field name="NAME">{}</field></r>'),
    (XML, '<r><field name="NAME"><value>{}</value></field></r>'),
    (XML, '<r><field name="NAME" value="{}"/></r>'),
    (XML, "<r><member><name>NAME</name><value><string>{}</string></value></member></r>"),
    (XML, "<r><Key>NAME</Key><Value>{}</Value></r>"),
    (CSV, "a;b\nNAME;{}\n"),
    (CSV, "NAME,1,{}\nid,4,5"),
    (TSV, "id\tNAME\n1\t{}\n"),
)
NOT_LABELLED = (
    (JSON, '[{{"name":"total","views":"{}"}}]'),
    (JSON, '[{{"name":"views","value":"{}"}},{{"name":"total","value":"1"}}]'),
    (JSON, '{{"columns":["total","views"],"rows":[["1","{}"]]}}'),
    (JSON, '[["total","views"],["1","{}"]]'),
    (XML, '<r><product name="total"><views>{}</views></product></r>'),
    (XML, "<r><name>total</name><value>1</value><name>views</name><value>{}</value></r>"),
    (CSV, "what it costs in total;{}\n"),
    (JSON, '{{"title":"total","data":{{"views":"{}"}}}}'),
    (JSON, '{{"title":"what it costs in total","content":"{}"}}'),
)


def of_noise(media: str, body: str) -> str:
    """A number that legacy varies by itself."""
    legacy, modern, again = (answer(body.format(each), 200, media=media) for each in ("12.00", "12.50", "13.00"))
    return compare(legacy, modern, policy(PHP), secondary=(again,)).verdict


def of_clock(media: str, body: str) -> str:
    """The time of each answer."""
    sides = (("2031-03-04 09:15:01", LEGACY), ("2031-03-04 09:15:07", MODERN))
    return compare(
        *(answer(body.format(time), 200, ("Date", date), media=media) for time, date in sides), policy(PHP)
    ).verdict


@pytest.mark.parametrize(("media", "body"), LABELLED)
@pytest.mark.parametrize("is_text", [True, False])
def test_money_is_no_noise_and_what_is_due_no_clock(media: str, body: str, is_text: bool):
    numbers = body if is_text or media != JSON else body.replace('"{}"', "{}")

    assert [of_noise(media, numbers.replace("NAME", each)) for each in ("total", "views")] == ["different", "noise"]
    assert [of_clock(media, body.replace("NAME", each)) for each in ("due", "made")] == ["different", "equal"]


@pytest.mark.parametrize(("media", "body"), NOT_LABELLED)
def test_other_rows_columns_and_what_a_thing_is_called_say_nothing(media: str, body: str):
    assert of_noise(media, body) == "noise"


def test_fields_between_tabs_are_cells_in_which_a_quote_is_a_character():
    legacy, modern, other = (
        answer(each, 200, media=TSV) for each in ("id\tn\n1\tab\n", "id\tn\r\n1\tab", 'id\tn\n1\t"ab"\n')
    )

    assert compare(legacy, modern, policy(PHP)).verdict == "equal"
    assert compare(legacy, other, policy(PHP)).verdict == "different"
