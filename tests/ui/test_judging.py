"""Judgments: given and taken back at the ranking, shown as metrics, and good for every job with the pair."""

from .support import LLAMA, ORANGE, QUERY, at_the_app, drafted, request


async def test_judging_shows_metrics_and_the_same_key_takes_it_back() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        assert "nDCG" not in person.seen
        await person.press("f4", "3")
        await person.until_seen("nDCG@10 1.00", "MRR 1.00", "1 of 3 judged")
        assert person.service.judgments(QUERY, [ORANGE]) == {0: 3}
        await person.press("3")
        await person.until(lambda: "nDCG" not in person.seen)
        assert person.service.judgments(QUERY, [ORANGE]) == {}


async def test_a_better_judged_context_lower_down_lowers_the_metric() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f4", "j", "2")
        await person.until_seen("nDCG@10 0.63", "MRR 0.50")
        await person.press("k", "0")
        await person.until_seen("2 of 3 judged")


async def test_a_judgment_holds_in_the_next_job_with_the_same_pair() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f4", "3")
        await person.until_seen("nDCG@10 1.00")
        await person.press("f3", "tab", "d")
        await person.until(lambda: len(person.texts) == 2)
        await person.press("u")
        await person.submitted()
        await person.until(lambda: person.app.results_pane.job_id == 2)
        await person.until_seen("nDCG@10 1.00", "1 of 3 judged")


async def test_a_judgment_of_the_next_run_is_that_of_this_one() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f4", "2")
        await person.until_seen("1 of 3 judged")
    async with at_the_app() as person:
        await person.until_seen("1 of 3 judged")
        assert person.service.judgments(QUERY, [ORANGE, LLAMA]) == {0: 2}


async def test_judging_where_nothing_is_shown_does_nothing() -> None:
    async with at_the_app() as person:
        await person.press("f4", "3", "0", "j", "enter", "o", "right_square_bracket")
        assert person.jobs == []


async def test_the_overview_lists_every_request_and_goes_to_the_one_picked() -> None:
    batch = drafted(request(QUERY, ORANGE, LLAMA), request("something else", LLAMA, ORANGE))
    async with at_the_app(draft=batch) as person:
        await person.submitted()
        await person.press("f4", "o")
        await person.until_seen("Requests of job 1", "something else")
        await person.press("j", "enter")
        await person.until_seen("“something else”", "request 2/2")
