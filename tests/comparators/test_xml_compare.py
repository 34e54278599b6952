from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparators import xml_compare
from tests.comparators.bodies import PHP, held, kinds

SAME = [
    ('<a x="1" y="2"/>', "<?xml version='1.0'?>\n<a y='2' x='1'></a>"),
    ("<a>\n  <b>1</b>\n</a>", "<a><b>1</b></a>"),
    ("<a><![CDATA[1 < 2]]></a>", "<a>1 &lt; 2</a>"),
    ("<a>&#233;&quot;</a>", '<a>é"</a>'),
    ("<a>x<!-- c -->y</a>", "<a>xy</a>"),
    ('<p:a xmlns:p="urn:x"><p:b/></p:a>', '<a xmlns="urn:x"><b/></a>'),
    ('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>'.encode("latin-1"), "<a>é</a>"),
    (
        '<w:part xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:x="urn:1" element="x:y"/>',
        '<part xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:z="urn:1" element="z:y"/>',
    ),
    (
        '<a xmlns:e="http://schemas.xmlsoap.org/soap/encoding/" xmlns:x="urn:1" e:arrayType="x:y[2]"/>',
        '<a xmlns:c="http://schemas.xmlsoap.org/soap/encoding/" xmlns:z="urn:1" c:arrayType="z:y[2]"/>',
    ),
    ('<?xml version="1.0"?><?xml-stylesheet type="x" href="a"?><a/>', "<?xml-stylesheet href='a' type='x'?>\n<a></a>"),
]
DIFFERENT = [
    ("<a>1</a>", "<a>2</a>", "value"),
    ("<a>1 </a>", "<a>1</a>", "value"),
    ("<a>1.10</a>", "<a>1.1</a>", "value"),
    ('<a x="1"/>', '<a x="2"/>', "value"),
    ('<a x="1"/>', "<a/>", "missing"),
    ("<a/>", '<a x="1"/>', "extra"),
    ("<a><b/></a>", "<a><c/></a>", "value"),
    ("<a><b/><b/></a>", "<a><b/></a>", "length"),
    ("<a><b/><c/></a>", "<a><c/><b/></a>", "value"),
    ("<a>x<b/>y</a>", "<a>xy<b/></a>", "value"),
    ('<a xmlns="urn:x"/>', '<a xmlns="urn:y"/>', "value"),
    ('<a xmlns:x="urn:1" href="x:y"/>', '<a xmlns:z="urn:1" href="z:y"/>', "value"),
    ('<a xmlns:x="urn:1" title="x:00"/>', '<a xmlns:z="urn:1" title="z:00"/>', "value"),
    ('<a xml:space="preserve"> <b/></a>', '<a xml:space="preserve"><b/></a>', "value"),
    ("<a><?p 1?></a>", "<a><?p 2?></a>", "value"),
    ('<?xml-stylesheet href="a"?><a/>', "<a/>", "value"),
    ('<?xml-stylesheet href="a"?><a/>', '<?xml-stylesheet href="b"?><a/>', "value"),
    ("<a/><?p 1?>", "<a/><?p 2?>", "value"),
    ("<a/>", "<a>", "parse"),
    ("<a>", "<b>", "value"),
    ('<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>', '<!DOCTYPE a [<!ENTITY x "2">]><a>&x;</a>', "value"),
    ('<!DOCTYPE a SYSTEM "one.dtd"><a/>', '<!DOCTYPE a SYSTEM "two.dtd"><a/>', "value"),
]


@pytest.mark.parametrize(("legacy", "modern"), SAME)
def test_one_document_written_in_two_ways_is_one_document(legacy: str | bytes, modern: str) -> None:
    assert kinds(held(xml_compare.differences, legacy, modern)) == []
    assert kinds(held(xml_compare.differences, modern, legacy)) == []


@pytest.mark.parametrize(("legacy", "modern", "kind"), DIFFERENT)
def test_what_a_document_says_counts(legacy: str, modern: str, kind: str) -> None:
    assert kinds(held(xml_compare.differences, legacy, modern))[0] == kind
    assert kinds(held(xml_compare.differences, modern, legacy, PHP)) != []


def test_a_difference_is_shown_with_its_place() -> None:
    legacy = "<rss><channel><item/><item><title>One</title></item></channel></rss>"

    finding = held(xml_compare.differences, legacy, legacy.replace("One", "Two")).findings[0]

    assert (finding.legacy, finding.modern) == ("/rss/channel/item[2]/title: One", "/rss/channel/item[2]/title: Two")


def test_own_hosts_and_the_operators_patterns_count_inside_documents() -> None:
    legacy, modern = '<a u="http://old.example/x">at 1</a>', '<a u="http://new.example:8000/x">at 2</a>'

    assert kinds(held(xml_compare.differences, legacy, modern, {**PHP, "ignore_text": [r"at \d"]})) == []


def test_entities_open_no_file_and_no_bomb() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE a [<!ENTITY l0 "ha">{laughs}]><a>&l9;</a>'
    file = '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/hostname">]><a>&f;</a>'

    assert kinds(held(xml_compare.differences, bomb, bomb + " ")) == ["value"]
    assert kinds(held(xml_compare.differences, file, file.replace("&f;", "x"))) == ["value"]
    assert kinds(held(xml_compare.differences, "<a>" * 50_000, "<b>" * 50_000)) == ["value"]


PIECES = st.sampled_from(["<a>", "</a>", "<b x='1'>", "</b>", "<c/>", " ", "t", "&amp;", "<!-- c -->", "<![CDATA[<]]>"])
DOCUMENTS = st.lists(PIECES, max_size=12).map(lambda pieces: f"<r>{''.join(pieces)}</r>".encode()) | st.binary(
    max_size=60
)


@given(DOCUMENTS, DOCUMENTS)
def test_documents_are_compared_whatever_they_hold(legacy: bytes, modern: bytes) -> None:
    forth = held(xml_compare.differences, legacy, modern)
    back = held(xml_compare.differences, modern, legacy)

    assert kinds(held(xml_compare.differences, legacy, legacy)) == []
    assert bool(kinds(forth)) == bool(kinds(back))


def test_many_children_are_counted_once_for_all_of_them() -> None:
    # lxml walks over all of them to count them: counted for each, a long feed takes a judge's whole time
    legacy = "<a>" + "<b/>" * 60_000 + "</a>"
    began = time.process_time()

    found = held(xml_compare.differences, legacy, legacy.replace("<b/></a>", "<c/></a>"), PHP).findings

    assert [(finding.legacy, finding.modern) for finding in found] == [("/a/b[60000]", "/a/c[60000]")]
    assert time.process_time() - began < 2
