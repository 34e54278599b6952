"""Every record of one request names the same trace."""

from __future__ import annotations

import re

from proxy.telemetry.spans import is_sampled, parent_id, trace_id

THEIRS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_callers_trace_goes_on():
    assert trace_id("f" * 32, THEIRS) == "0af7651916cd43dd8448eb211c80319c"
    assert parent_id(THEIRS) == "b7ad6b7169203331"


def test_a_trace_that_begins_here_is_found_by_the_requests_id():
    assert trace_id("4bf92f3577b34da6a3ce929d0e0e4736", "") == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert parent_id("") == ""


def test_an_id_of_another_form_always_leads_to_the_same_trace():
    made = {trace_id("order-42", "") for _ in range(2)} | {trace_id("0" * 32, "")}

    assert len(made) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", each) and each.strip("0") for each in made)


def test_what_a_caller_does_not_record_is_not_recorded_here():
    assert is_sampled(THEIRS)
    assert is_sampled("")
    assert not is_sampled(THEIRS[:-2] + "00")
    assert not is_sampled(THEIRS[:-2] + "02")
