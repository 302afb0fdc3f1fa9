"""TREC runs and qrels, as trec_eval and ir-measures read them."""

import random
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.evaluation import evaluate
from batchtui.exchange.trec_form import document_ids, query_ids
from batchtui.exchange.writing import export
from batchtui.model import Batch, Context, Request

from .jobs_for_export import make_batch, make_job, make_results


class TestNames:
    def test_references_and_ids_are_kept_where_they_can_be(self) -> None:
        batch = Batch(
            (Request("q", (Context("a", "doc-1"), Context("b")), "ref"), Request("p", (Context("c"),)))
        )
        assert query_ids(batch) == ("ref", "q2")
        assert document_ids(batch.requests[0]) == ("doc-1", "d1")

    def test_spaces_are_replaced_and_doubles_numbered(self) -> None:
        contexts = tuple(Context("x", name) for name in ("a b", "a_b", "a\tb", "a b", "", " "))
        assert document_ids(Request("q", contexts)) == ("a_b_2", "a_b", "a_b_3", "a_b_4", "d4", "_")

    @given(
        st.lists(st.one_of(st.text(max_size=4), st.sampled_from(["a b", "a_b", "a_b_2", "d1"])), max_size=20)
    )
    def test_any_ids_become_words_that_differ(self, ids: list[str]) -> None:
        names = document_ids(Request("q", tuple(Context("x", name) for name in ids)))
        assert len(set(names)) == len(names) == len(ids)
        assert all(name.split() == [name] for name in names)


class TestLines:
    BATCH = Batch((Request("q", (Context("a", "x", 2), Context("b"), Context("c", None, 0)), "ref 1"),))

    def test_a_run(self) -> None:
        text = export(
            make_job(self.BATCH), self.BATCH, make_results(self.BATCH, [0.5, 0.75, 0.25]), None, "trec"
        )
        assert text.splitlines() == [
            "ref_1 Q0 d1 1 0.75 batchtui-31",
            "ref_1 Q0 x 2 0.5 batchtui-31",
            "ref_1 Q0 d2 3 0.25 batchtui-31",
        ]

    def test_judgments_alone_are_in_the_qrels(self) -> None:
        assert export(make_job(self.BATCH), self.BATCH, None, None, "qrels") == "ref_1 0 x 2\nref_1 0 d2 0\n"
        assert export(make_job(self.BATCH), self.BATCH, None, [{1: 3}], "qrels") == "ref_1 0 d1 3\n"

    @given(
        st.lists(
            st.one_of(st.sampled_from([0.5, 0.0, -0.5, 1e-45, 3e38]), st.floats(-1e6, 1e6)),
            min_size=1,
            max_size=30,
        )
    )
    def test_scores_fall_from_rank_to_rank_even_in_single_precision(self, scores: list[float]) -> None:
        batch = make_batch(["x"] * len(scores))
        lines = export(make_job(batch), batch, make_results(batch, scores), None, "trec").splitlines()
        written = array("f", [float(line.split()[4]) for line in lines])
        assert all(before > after for before, after in pairwise(written))


class TestIrMeasures:
    def test_it_reads_them_and_gets_the_figures_that_are_shown(self) -> None:
        ir_measures = pytest.importorskip("ir_measures")
        from ir_measures import AP, RR, P, nDCG

        random_numbers = random.Random(7)
        requests = []
        for number in range(30):
            contexts = tuple(
                Context(f"text {place}", f"doc {place}", random_numbers.choice([None, 0, 1, 2, 3]))
                for place in range(random_numbers.randint(1, 25))
            )
            requests.append(Request(f"query {number}", contexts, f"ref {number}"))
        batch = Batch(tuple(requests))
        job, results = (
            make_job(batch),
            make_results(batch, [random_numbers.randint(0, 8) / 8 for _ in range(25)]),
        )
        run = list(ir_measures.read_trec_run(export(job, batch, results, None, "trec")))
        qrels = list(ir_measures.read_trec_qrels(export(job, batch, None, None, "qrels")))
        gains = {0: 0, 1: 1, 2: 3, 3: 7}
        measures = [nDCG(gains=gains) @ 10, RR, AP, P @ 5]
        theirs: dict[str, dict[str, float]] = {}
        for metric in ir_measures.iter_calc(measures, qrels, run):
            theirs.setdefault(metric.query_id, {})[str(metric.measure)] = metric.value
        assert len(theirs) >= 28
        for name, request, result in zip(query_ids(batch), batch.requests, results, strict=True):
            assert result.ranking is not None
            ours = evaluate([request.contexts[entry.index].relevance for entry in result.ranking.entries])
            if ours is not None:
                values = (ours.ndcg_at_10, ours.mrr, ours.map, ours.p_at_5)
                for measure, value in zip(measures, values, strict=True):
                    assert theirs[name][str(measure)] == pytest.approx(value, abs=1e-9)
