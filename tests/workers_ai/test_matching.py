"""Answers are matched to requests by id; what does not fit is told, and the rest is ranked."""

import math

from hypothesis import given
from hypothesis import strategies as st

from batchtui.model import Context, RankedContext, Ranking, Request, RequestResult
from batchtui.workers_ai.matching import match, match_response
from batchtui.workers_ai.wire import Complete, Response

THREE = Request("q", (Context("a"), Context("b"), Context("c")), "ref")


def ranked(*pairs: tuple[int, float]) -> Ranking:
    return Ranking(tuple(RankedContext(index, score) for index, score in pairs))


def scored(
    index: int | None, *scores: tuple[int | None, float | None], reference: str | None = None
) -> Response:
    return Response(index, True, reference, scores)


FULL = ((0, 0.1), (1, 0.9), (2, 0.5))


class TestAnAnswerThatFits:
    def test_is_ranked_without_problems(self) -> None:
        results, problems = match([THREE], Complete((scored(0, *FULL, reference="ref"),)))
        assert results == (RequestResult(True, ranked((1, 0.9), (2, 0.5), (0, 0.1))),)
        assert problems == ()

    def test_is_found_by_id_and_not_by_place(self) -> None:
        one, two = Request("1", (Context("a"),)), Request("2", (Context("b"),))
        results, problems = match([one, two], Complete((scored(1, (0, 0.2)), scored(0, (0, 0.1)))))
        assert [result.ranking for result in results] == [ranked((0, 0.1)), ranked((0, 0.2))]
        assert problems == ()

    def test_may_give_its_scores_in_any_order(self) -> None:
        result = match_response(THREE, scored(0, (2, 0.5), (0, 0.1), (1, 0.9)))
        assert result == RequestResult(True, ranked((1, 0.9), (2, 0.5), (0, 0.1)))

    def test_ties_keep_the_order_in_which_contexts_were_sent(self) -> None:
        result = match_response(THREE, scored(0, (2, 0.5), (1, 0.5), (0, 0.5)))
        assert result.ranking == ranked((0, 0.5), (1, 0.5), (2, 0.5))

    def test_with_top_k_may_score_fewer(self) -> None:
        assert match_response(THREE, scored(0, (1, 0.9), (2, 0.5)), top_k=2).problems == ()
        assert match_response(THREE, scored(0, *FULL), top_k=9).problems == ()
        assert match_response(THREE, scored(0, (1, 0.9)), top_k=2).problems != ()


class TestABatchThatDoesNotFit:
    def test_missing_answers(self) -> None:
        results, problems = match([THREE] * 3, Complete((scored(1, *FULL),)))
        assert [result.success for result in results] == [False, True, False]
        assert results[0].error == "no answer came for this request"
        assert problems == ("no answer for 2 requests: 0, 2",)

    def test_an_answer_too_many(self) -> None:
        results, problems = match([THREE], Complete((scored(0, *FULL), scored(7, *FULL), scored(-1, *FULL))))
        assert results[0].success
        assert problems == ("answers for requests that were not sent: 7, -1",)

    def test_an_answer_without_an_id_is_for_nobody(self) -> None:
        results, problems = match([THREE], Complete((scored(None, *FULL),)))
        assert not results[0].success
        assert problems == ("1 answer without an id", "no answer for 1 request: 0")

    def test_of_two_answers_the_first_that_succeeded_counts(self) -> None:
        answers = (Response(0, False, error="no"), scored(0, (1, 0.9)), scored(0, *FULL))
        results, problems = match([THREE], Complete(answers))
        assert results[0].ranking == ranked((1, 0.9))
        assert results[0].problems[-1] == "3 answers came for this request"
        assert problems == ("more than one answer for requests 0",)

    def test_many_places_are_not_all_named(self) -> None:
        _, problems = match([THREE] * 1000, Complete(()))
        assert problems == ("no answer for 1000 requests: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 990 more",)


class TestAnAnswerThatDoesNotFit:
    def problems(self, *scores: tuple[int | None, float | None]) -> tuple[str, ...]:
        return match_response(THREE, scored(0, *scores)).problems

    def test_missing_scores(self) -> None:
        assert self.problems((1, 0.9)) == ("1 of 3 contexts were scored, none for 0, 2",)

    def test_null_and_nan_scores(self) -> None:
        result = match_response(THREE, scored(0, (0, None), (1, math.nan), (2, 0.5)))
        assert result.ranking == ranked((2, 0.5))
        assert result.problems[0] == "null or not a number as score of contexts 0, 1"

    def test_infinite_scores_are_not_ranked(self) -> None:
        assert match_response(THREE, scored(0, (0, math.inf), (1, -math.inf), (2, 0.5))).ranking == ranked(
            (2, 0.5)
        )

    def test_doubled_scores(self) -> None:
        result = match_response(THREE, scored(0, *FULL, (1, 0.0)))
        assert result.ranking == ranked((1, 0.9), (2, 0.5), (0, 0.1))
        assert result.problems == ("more than one score for contexts 1: the first counts",)

    def test_scores_out_of_range(self) -> None:
        assert self.problems(*FULL, (3, 0.5), (-1, 0.5)) == ("scores of contexts that were not sent: 3, -1",)

    def test_scores_without_an_id(self) -> None:
        assert self.problems(*FULL, (None, 0.5), (None, 0.5)) == ("2 scores without a context's id",)

    def test_no_usable_score_at_all(self) -> None:
        result = match_response(THREE, scored(0))
        assert (result.success, result.ranking) == (False, None)
        assert result.error == "the answer holds no usable score"

    def test_a_failed_request_says_why(self) -> None:
        assert match_response(THREE, Response(0, False, error="too long")) == RequestResult(
            False, error="too long"
        )
        assert match_response(THREE, Response(0, False)).error == "the service gave no reason"

    def test_another_reference_than_was_sent(self) -> None:
        result = match_response(THREE, scored(0, *FULL, reference="other"))
        assert result.success
        assert result.problems == ("the answer bears another external_reference than was sent",)


INDICES = st.none() | st.integers(-2, 4)
RESPONSES = st.builds(
    Response,
    INDICES,
    st.booleans(),
    st.none() | st.just("ref") | st.just("x"),
    st.lists(st.tuples(INDICES, st.none() | st.floats()), max_size=5).map(tuple),
    st.none() | st.just("no"),
)


@given(st.lists(RESPONSES, max_size=5), st.integers(0, 3))
def test_whatever_comes_every_request_has_one_result_and_every_rank_a_context(
    responses: list[Response], requests: int
) -> None:
    results, _ = match([THREE] * requests, Complete(tuple(responses)))
    assert len(results) == requests
    for result in results:
        assert result.success == (result.ranking is not None)
        assert result.success != (result.error is not None)
        entries = result.ranking.entries if result.ranking else ()
        assert len({entry.index for entry in entries}) == len(entries)
        assert all(0 <= entry.index < 3 and math.isfinite(entry.score) for entry in entries)
        assert [entry.score for entry in entries] == sorted((entry.score for entry in entries), reverse=True)
