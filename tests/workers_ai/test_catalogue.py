"""What is known of models, what the service says of them, and what tokens cost."""

import json
from typing import Any

import pytest

from batchtui.model import DEFAULT_MODEL
from batchtui.workers_ai.catalogue import (
    FREE_NEURONS_PER_DAY,
    KNOWN,
    Cost,
    ModelInfo,
    estimate,
    from_search,
)
from batchtui.workers_ai.wire import MalformedAnswer

M3 = KNOWN["@cf/baai/bge-m3"]
RERANKER = KNOWN["@cf/baai/bge-reranker-base"]


def search(*entries: dict[str, Any]) -> tuple[ModelInfo, ...]:
    return from_search(json.dumps({"success": True, "result": entries}).encode())


def properties(**values: Any) -> list[dict[str, Any]]:
    return [{"property_id": name, "value": value} for name, value in values.items()]


def neurons_and_dollars(model: ModelInfo, tokens: int) -> tuple[float, float]:
    cost = estimate(model, tokens)
    assert cost is not None
    return cost.neurons, cost.dollars


class TestWhatIsKnown:
    def test_the_model_of_a_new_batch_reranks_and_takes_batches(self) -> None:
        model = KNOWN[DEFAULT_MODEL]
        assert (model.reranks, model.takes_batches, model.context_window) == (True, True, 60_000)

    def test_the_reranker_is_synchronous_only(self) -> None:
        assert (RERANKER.reranks, RERANKER.takes_batches, RERANKER.synchronous) == (True, False, True)

    @pytest.mark.parametrize("model", KNOWN.values())
    def test_prices_in_neurons_and_in_dollars_agree(self, model: ModelInfo) -> None:
        _, dollars = neurons_and_dollars(model, 1_000_000)
        assert dollars == pytest.approx(model.dollars_per_million, rel=0.005)


class TestCost:
    def test_of_a_million_tokens(self) -> None:
        assert neurons_and_dollars(M3, 1_000_000) == pytest.approx((1075.0, 0.011825))

    def test_of_none(self) -> None:
        assert estimate(M3, 0) == Cost(0.0, 0.0)

    def test_the_free_allocation_is_some_nine_million_tokens_of_m3(self) -> None:
        assert neurons_and_dollars(M3, 9_302_325)[0] == pytest.approx(FREE_NEURONS_PER_DAY)

    def test_is_told_from_dollars_alone(self) -> None:
        model = ModelInfo("x", dollars_per_million=0.011)
        assert neurons_and_dollars(model, 1_000_000) == pytest.approx((1000.0, 0.011))

    def test_is_not_made_up(self) -> None:
        assert estimate(ModelInfo("x"), 1_000_000) is None


class TestTheModelSearch:
    def test_brings_name_description_and_task(self) -> None:
        (model,) = search(
            {"id": "1", "name": "@cf/x/y", "description": "d", "task": {"name": "Text Embeddings"}}
        )
        assert model == ModelInfo("@cf/x/y", "d", "Text Embeddings")

    def test_keeps_what_is_known_beside_it(self) -> None:
        (model,) = search({"name": M3.name})
        assert model == M3

    @pytest.mark.parametrize("value", ["true", "True", True])
    def test_tells_batches_by_the_property(self, value: Any) -> None:
        (model,) = search({"name": "x", "properties": properties(async_queue=value)})
        assert model.takes_batches

    @pytest.mark.parametrize("value", ["false", False, None, 1, {}])
    def test_another_value_of_the_property_is_no(self, value: Any) -> None:
        (model,) = search({"name": "x", "properties": properties(async_queue=value)})
        assert not model.takes_batches

    def test_tells_batches_by_a_schema_with_requests(self) -> None:
        schema = {"input": {"oneOf": [{"type": "object"}, {"properties": {"requests": {"type": "array"}}}]}}
        with_requests, without = search(
            {"name": "x", "schema": schema},
            {"name": "y", "schema": {"input": {"properties": {"requests_count": {}}}}},
        )
        assert with_requests.takes_batches
        assert not without.takes_batches

    def test_brings_limits_and_prices_up_to_date(self) -> None:
        price = [
            {"unit": "per M output tokens", "price": 9, "currency": "USD"},
            {"unit": "per M input tokens", "price": 0.022, "currency": "USD"},
        ]
        (model,) = search({"name": M3.name, "properties": properties(context_window="8192", price=price)})
        assert (model.context_window, model.dollars_per_million) == (8192, 0.022)
        assert neurons_and_dollars(model, 1_000_000) == pytest.approx((2000.0, 0.022))

    def test_an_unchanged_price_keeps_the_neurons(self) -> None:
        price = [{"unit": "per M input tokens", "price": M3.dollars_per_million}]
        assert search({"name": M3.name, "properties": properties(price=price)}) == (M3,)

    @pytest.mark.parametrize("value", ["many", "", -1, 0, 1.5, "9" * 50, None, [], {"a": 1}])
    def test_odd_values_change_nothing(self, value: Any) -> None:
        odd_price = [{"unit": "per M input tokens", "price": "free"}, value]
        (model,) = search({"name": M3.name, "properties": properties(context_window=value, price=odd_price)})
        assert model == M3

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{}",
            b'{"success": true, "result": {}}',
            b'{"success": true, "result": [{}]}',
            b'{"success": 1}',
        ],
    )
    def test_what_is_no_list_of_models_is_malformed(self, body: bytes) -> None:
        with pytest.raises(MalformedAnswer):
            from_search(body)

    def test_success_must_be_true(self) -> None:
        with pytest.raises(MalformedAnswer):
            from_search(b'{"success": false, "result": []}')
