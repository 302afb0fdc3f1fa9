"""`batchtui jobs`, `show`, `compare`: exact keys, every form, safe for a terminal."""

import csv
import io
import json
import re
from collections.abc import Callable

import pytest
from hostile import dangerous_in

from .support import EMOJI, LLAMA, NOWHERE, ORANGE, QUERY, SAMPLE, Ended, User

JOB_KEYS = [
    "id", "state", "label", "backend", "model", "request_id", "created_at", "submitted_at", "finished_at",
    "requests", "contexts", "usage", "error",
]  # fmt: skip
JUDGED = {"requests": [{"query": QUERY, "contexts": [{"text": ORANGE, "relevance": 3}, {"text": LLAMA}]}]}
OTHER = {"requests": [{"query": "another query", "contexts": [{"text": LLAMA}]}]}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
HOSTILE = "\x1b]52;c;cHduZWQ=\x07\u202e\x9b31m [/] a"


@pytest.fixture(scope="module")
def with_a_job(tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user with one finished job; tests that use it only read."""
    user = User(tmp_path_factory.mktemp("with-a-job"))
    ended = user.run("submit", user.write("sample.json", SAMPLE))
    assert ended.status == 0, ended.err
    return user


@pytest.fixture(scope="module")
def with_judged_jobs(tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user with one query ranked by two models, judged, and another query; tests that use it only read."""
    user = User(tmp_path_factory.mktemp("with-judged-jobs"))
    name = user.write("judged.json", JUDGED)
    assert user.run("submit", name).status == 0
    assert user.run("submit", name, "--model", "@cf/baai/bge-reranker-base").status == 0
    assert user.run("submit", user.write("other.json", OTHER)).status == 0
    return user


def test_jobs_as_json_have_exactly_the_keys_of_the_contract(with_a_job: User) -> None:
    (job,) = with_a_job.run("jobs", "--json").json
    assert list(job) == JOB_KEYS
    assert (job["id"], job["state"], job["backend"], job["model"]) == (1, "done", "local", "@cf/baai/bge-m3")
    assert (job["requests"], job["contexts"], job["error"]) == (1, 3, None)
    assert set(job["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}
    assert job["usage"]["total_tokens"] == job["usage"]["prompt_tokens"] > 0
    assert job["request_id"]
    for name in ("created_at", "submitted_at", "finished_at"):
        assert TIME.fullmatch(job[name]), job[name]


def test_show_as_json_is_the_same_job_with_its_rankings(with_a_job: User) -> None:
    shown = with_a_job.run("show", "last", "--json").json
    assert set(shown) == {*JOB_KEYS, "metrics"}
    assert shown["metrics"] is None
    (request,) = shown["requests"]
    assert set(request) == {"external_reference", "query", "success", "error", "ranking", "metrics"}
    assert (request["external_reference"], request["query"]) == ("reference-1", QUERY)
    assert (request["success"], request["error"], request["metrics"]) == (True, None, None)
    assert [set(row) for row in request["ranking"]] == [{"rank", "index", "id", "score", "text"}] * 3
    assert [row["rank"] for row in request["ranking"]] == [1, 2, 3]
    assert [(row["index"], row["text"]) for row in request["ranking"]] == [
        (0, ORANGE),
        (1, LLAMA),
        (2, EMOJI),
    ]
    scores = [row["score"] for row in request["ranking"]]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)


def test_json_is_the_format_json(with_a_job: User) -> None:
    assert with_a_job.run("show", "1", "--json").out == with_a_job.run("show", "1", "--format", "json").out


def test_known_relevance_gives_the_metrics_of_the_contract(with_judged_jobs: User) -> None:
    shown = with_judged_jobs.run("show", "1", "--json").json
    for metrics in (shown["metrics"], shown["requests"][0]["metrics"]):
        assert set(metrics) == {"ndcg@10", "mrr", "map", "p@5", "judged"}
        assert (metrics["ndcg@10"], metrics["mrr"], metrics["judged"]) == (1.0, 1.0, 1)


def _check_table(ended: Ended) -> None:
    text = ended.out.decode()
    assert text.index(ORANGE) < text.index(LLAMA)


def _check_jsonl(ended: Ended) -> None:
    (line,) = ended.out.decode().splitlines()
    assert [context["text"] for context in json.loads(line)["contexts"]] == [ORANGE, LLAMA]


def _check_csv(ended: Ended) -> None:
    rows = list(csv.DictReader(io.StringIO(ended.out.decode())))
    assert ORANGE in rows[0].values() and LLAMA in rows[1].values()


def _check_md(ended: Ended) -> None:
    assert any(line.startswith("|") and ORANGE in line for line in ended.out.decode().splitlines())


def _check_trec(ended: Ended) -> None:
    lines = [line.split() for line in ended.out.decode().splitlines()]
    assert [(len(line), line[1], line[3]) for line in lines] == [(6, "Q0", "1"), (6, "Q0", "2")]


def _check_qrels(ended: Ended) -> None:
    lines = [line.split() for line in ended.out.decode().splitlines()]
    assert [(len(line), line[3]) for line in lines] == [(4, "3")]


def _check_curl(ended: Ended) -> None:
    text = ended.out.decode()
    assert "curl" in text and "@cf/baai/bge-m3" in text and ORANGE in text


@pytest.mark.parametrize(
    ("form", "check"),
    [
        ("table", _check_table),
        ("jsonl", _check_jsonl),
        ("csv", _check_csv),
        ("md", _check_md),
        ("trec", _check_trec),
        ("qrels", _check_qrels),
        ("curl", _check_curl),
    ],
)
def test_a_job_is_shown_in_every_form(
    with_judged_jobs: User, form: str, check: Callable[[Ended], None]
) -> None:
    ended = with_judged_jobs.run("show", "1", "--format", form)
    assert (ended.status, ended.err) == (0, "")
    check(ended)


@pytest.mark.parametrize("which", ["7", "0", "-1", "one", "", "9" * 40, "1\x1b[2J"])
def test_a_job_that_is_not_there_is_bad_input(with_a_job: User, which: str) -> None:
    ended = with_a_job.run("show", "--", which)
    assert (ended.status, ended.out) == (2, b"")
    assert "\x1b" not in ended.err and "Traceback" not in ended.err


def test_the_last_of_no_jobs_is_told(user: User) -> None:
    ended = user.run("show", "last")
    assert (ended.status, ended.out) == (2, b"")
    assert "no job" in ended.err
    assert user.run("jobs").out == b""
    assert user.run("jobs", "--json").json == []


def test_jobs_are_listed_newest_first_and_by_state(user: User) -> None:
    name = user.write("sample.json", SAMPLE)
    assert user.run("submit", name).status == 0
    assert user.run("submit", name, "--model", "@cf/nobody/nothing").status == 1
    assert [job["id"] for job in user.run("jobs", "--json").json] == [2, 1]
    assert [job["id"] for job in user.run("jobs", "--state", "done", "--json").json] == [1]
    assert [job["id"] for job in user.run("jobs", "--state", "failed", "--json").json] == [2]
    table = user.run("jobs").out.decode()
    assert table.index("failed") < table.index("done")
    assert user.run("jobs", "--state", "nonsense").status == 2


def test_two_jobs_are_compared_with_their_metrics(with_judged_jobs: User) -> None:
    compared = with_judged_jobs.run("compare", "1", "2", "--json")
    assert compared.status == 0, compared.err
    assert ORANGE in compared.out.decode() and "ndcg@10" in compared.out.decode()
    table = with_judged_jobs.run("compare", "1", "2").out.decode()
    assert "nDCG" in table and LLAMA in table


def test_a_comparison_is_as_wide_as_its_words_on_a_terminal_of_any_width(with_judged_jobs: User) -> None:
    user = User(with_judged_jobs.home, {"COLUMNS": "99999999999"})
    ended = user.run("compare", "1", "2")
    assert (ended.status, ended.err) == (0, "")
    assert ORANGE in ended.out.decode()
    assert len(ended.out) < 10_000


@pytest.mark.parametrize("jobs", [["1"], ["1", "9"], ["1", "last"], ["1", "one"]])
def test_what_can_not_be_compared_is_bad_input(with_judged_jobs: User, jobs: list[str]) -> None:
    ended = with_judged_jobs.run("compare", *jobs)
    assert (ended.status, ended.out) == (2, b"")
    assert jobs[-1] in ended.err and "Traceback" not in ended.err


@pytest.mark.parametrize("arguments", [["jobs"], ["show", "last"], ["show", "last", "--format", "md"]])
def test_hostile_texts_and_names_reach_no_terminal(user: User, arguments: list[str]) -> None:
    batch = {
        "requests": [
            {
                "query": HOSTILE,
                "contexts": [{"text": HOSTILE}, {"text": LLAMA}],
                "external_reference": HOSTILE,
            }
        ]
    }
    name = user.write(f"{HOSTILE.replace('/', '')}.json", batch)
    submitted = user.run("submit", name, "--model", f"@cf/{HOSTILE}", "--backend", NOWHERE)
    assert submitted.status == 1
    shown = user.run(*arguments)
    assert shown.status == 0, shown.err
    for text in (submitted.out.decode(), submitted.err, shown.out.decode(), shown.err):
        assert dangerous_in(text) == []


def test_hostile_texts_come_out_of_json_as_they_went_in(user: User) -> None:
    batch = {"requests": [{"query": HOSTILE, "contexts": [{"text": HOSTILE}]}]}
    assert user.run("submit", user.write("hostile.json", batch)).status == 0
    ended = user.run("show", "last", "--json")
    assert ended.json["requests"][0]["ranking"][0]["text"] == HOSTILE
    assert b"\x1b" not in ended.out and b"\x07" not in ended.out
