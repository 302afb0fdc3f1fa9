"""Bytes, tokens and cost of a batch before it is sent."""

import msgspec
import pytest

from batchtui.estimates import TOKENS_PER_BYTE, BodySizes, estimate_batch, window_bytes, words_on
from batchtui.model import Batch, Context, Request
from batchtui.workers_ai.wire import encode_batch

BATCH = Batch(
    (Request("refunds", (Context("paid in 14 days"), Context("ü")), "a"), Request("x", (Context("y"),)))
)


def test_the_size_is_that_of_the_body_give_or_take_its_last_comma() -> None:
    assert abs(BodySizes().of(BATCH) - len(encode_batch(BATCH.requests))) <= 1


def test_a_change_of_one_request_changes_the_size() -> None:
    sizes = BodySizes()
    before = sizes.of(BATCH)
    longer = msgspec.structs.replace(BATCH.requests[1], query="x" * 11)
    assert sizes.of(Batch((BATCH.requests[0], longer))) == before + 10


def test_a_text_that_can_not_be_sent_still_has_a_size() -> None:
    assert BodySizes().of(Batch((Request("q", (Context("\ud800" * 10),)),))) > 10


def test_tokens_come_from_what_answers_taught_and_else_from_a_plain_rule() -> None:
    assert estimate_batch(BATCH, 1000, None).tokens == 1000 * TOKENS_PER_BYTE
    assert estimate_batch(BATCH, 1000, 0.5).tokens == 500


def test_neurons_and_dollars_follow_the_models_price() -> None:
    estimated = estimate_batch(BATCH, 4_000_000, None)
    assert estimated.neurons == pytest.approx(1075)
    assert estimated.dollars == pytest.approx(0.0118, rel=0.01)
    unknown = estimate_batch(msgspec.structs.replace(BATCH, model="@cf/none/such"), 1000, None)
    assert (unknown.neurons, unknown.dollars) == (None, None)


def test_only_a_backend_that_bills_is_said_to_cost() -> None:
    estimated = estimate_batch(BATCH, 4000, None)
    local = words_on(estimated, billed=False, tokens_today=0, model_name=BATCH.model)
    billed = words_on(estimated, billed=True, tokens_today=4_651_163, model_name=BATCH.model)
    assert "$" not in local and "4.0 kB of 10 MB" in local
    assert "$0.00001" in billed and "today 50.0%" in billed


def test_the_window_is_not_a_limit_where_texts_are_cut_or_the_model_is_unknown() -> None:
    assert window_bytes(BATCH, 0.25) == 240_000
    assert window_bytes(msgspec.structs.replace(BATCH, truncate_inputs=True), 0.25) is None
    assert window_bytes(msgspec.structs.replace(BATCH, model="@cf/none/such"), 0.25) is None
