"""`batchtui submit`: what comes in, what goes out where, and with which exit status."""

import json
import os
import signal
import time

import pytest

from .support import EMOJI, LLAMA, NOWHERE, ORANGE, PATIENCE, QUERY, SAMPLE, User


def test_a_file_is_submitted_and_followed_to_its_end(user: User) -> None:
    ended = user.run("submit", user.write("sample.json", SAMPLE), "--wait")
    assert ended.status == 0, ended.err
    assert b"done" in ended.out
    assert "job 1" in ended.err


def test_standard_input_is_submitted_and_data_alone_is_on_standard_output(user: User) -> None:
    ended = user.run("submit", "-", "--wait", "--json", stdin=json.dumps(SAMPLE).encode())
    assert ended.status == 0, ended.err
    (job,) = ended.json
    assert (job["id"], job["state"], job["requests"], job["contexts"]) == (1, "done", 1, 3)


def test_every_file_of_a_folder_is_a_job_in_the_order_of_their_names(user: User) -> None:
    user.write("batches/b.jsonl", json.dumps({"query": "of b", "contexts": [ORANGE, LLAMA]}))
    user.write("batches/a.csv", "query,context\nof a,one\nof a,two\n")
    user.write("batches/.hidden.json", "not read")
    ended = user.run("submit", "batches", "--wait", "--json")
    assert ended.status == 0, ended.err
    assert sorted((job["id"], job["state"]) for job in ended.json) == [(1, "done"), (2, "done")]
    assert user.run("show", "1", "--json").json["requests"][0]["query"] == "of a"


def test_plain_text_takes_its_query_from_the_flag(user: User) -> None:
    name = user.write("passages.txt", f"{ORANGE}\n{LLAMA}\n")
    refused = user.run("submit", name, "--wait")
    assert (refused.status, refused.out) == (2, b"")
    assert "--query" in refused.err and name in refused.err
    assert user.run("submit", name, "--query", QUERY, "--wait").status == 0
    shown = user.run("show", "last", "--json").json
    assert [row["text"] for row in shown["requests"][0]["ranking"]] == [ORANGE, LLAMA]


def test_an_empty_name_is_no_folder(user: User) -> None:
    user.write("sample.json", SAMPLE)
    ended = user.run("submit", "")
    assert (ended.status, ended.out) == (2, b"")
    assert "its name is empty" in ended.err


def test_a_model_whose_name_is_not_utf_8_is_told(user: User) -> None:
    ended = user.run("submit", user.write("sample.json", SAMPLE), "--model", "\udc9b")
    assert (ended.status, ended.out) == (2, b"")
    assert "--model" in ended.err and "Traceback" not in ended.err


def test_the_model_of_the_flag_is_the_one_that_ranks(user: User) -> None:
    name = user.write("sample.json", SAMPLE)
    ended = user.run("submit", name, "--model", "@cf/baai/bge-reranker-base", "--wait", "--json")
    assert ended.status == 0, ended.err
    assert ended.json[0]["model"] == "@cf/baai/bge-reranker-base"


def test_a_model_that_does_not_exist_fails_with_the_reason(user: User) -> None:
    name = user.write("sample.json", SAMPLE)
    ended = user.run("submit", name, "--model", "@cf/nobody/nothing", "--wait", "--json")
    assert ended.status == 1
    assert ended.json[0]["state"] == "failed"
    assert ended.json[0]["error"]["code"] == 5007
    assert "No such model" in ended.err


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"query": "q", "contexts": ["a"]}\n{"query": "q", "contexts": 7}\n', "line 2"),
        ('{"query": "q", "contexts": ["a"]}\n{"query": \n', "line 2"),
        ('{"query": "", "contexts": ["a"]}\n', "1"),
        ('{"query": "q", "contexts": []}\n', "1"),
        ('{"query": "q", "contexts": ["a", " "]}\n', "2"),
        ('{"query": "q", "contexts": ["a"], "top_k": 99999999999999999999999}\n', "column 44: top_k"),
        (b"\xff\xfe\xff not text at all \x00", "bad.jsonl"),
        ("", "bad.jsonl"),
    ],
)
def test_a_bad_file_is_named_with_its_place_and_nothing_is_sent(
    user: User, content: str | bytes, place: str
) -> None:
    good = user.write("good.json", SAMPLE)
    ended = user.run("submit", good, user.write("bad.jsonl", content), "--wait")
    assert (ended.status, ended.out) == (2, b"")
    assert "bad.jsonl" in ended.err and place in ended.err
    assert user.run("jobs", "--json").json == []


def test_a_closed_standard_input_is_told_as_an_empty_one(user: User) -> None:
    ended = user.shell("submit - <&-")
    assert (ended.status, ended.out) == (2, b"")
    assert ended.err == "batchtui: standard input: it is empty; give a query and contexts\n"


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_hold_nothing_up_and_no_file_takes_their_place(user: User, closed: str) -> None:
    name = user.write("sample.json", SAMPLE)
    ended = user.shell(f"submit {name} {closed}")
    assert (ended.status, "Traceback" in ended.err) == (0, False)
    assert user.run("show", "last", "--json").json["state"] == "done"


def test_what_is_wrong_is_no_data_where_standard_error_is_closed(user: User) -> None:
    ended = user.shell("show 7 2>&-")
    assert (ended.status, ended.out) == (2, b"")


@pytest.mark.parametrize("name", ["missing.json", "empty-folder", "a\nb\x1b[2J.json"])
def test_what_is_not_there_is_named_safely(user: User, name: str) -> None:
    (user.home / "empty-folder").mkdir()
    ended = user.run("submit", name)
    assert (ended.status, ended.out) == (2, b"")
    assert "\x1b" not in ended.err
    assert name.partition("\n")[0] in ended.err


def test_cloudflare_without_credentials_is_refused_before_anything_is_kept(user: User) -> None:
    ended = user.run("submit", user.write("sample.json", SAMPLE), "--backend", "cloudflare")
    assert (ended.status, ended.out) == (3, b"")
    assert "CLOUDFLARE_ACCOUNT_ID" in ended.err and "CLOUDFLARE_API_TOKEN" in ended.err
    assert user.run("jobs", "--json").json == []


def test_a_refused_token_ends_with_3_and_is_nowhere_to_be_seen(user: User) -> None:
    user.variables["CLOUDFLARE_API_TOKEN"] = "token-that-nobody-may-see"
    user.variables["CLOUDFLARE_ACCOUNT_ID"] = "0123456789abcdef0123456789abcdef"
    with user.serving("--token", "another-token") as url:
        name = user.write("sample.json", SAMPLE)
        ended = user.run("submit", name, "--backend", url, "--wait", "--json")
    assert ended.status == 3
    assert ended.json[0]["state"] == "failed"
    assert "token-that-nobody-may-see" not in ended.err + ended.out.decode()
    for path in user.home.rglob("*"):
        assert not path.is_file() or b"token-that-nobody-may-see" not in path.read_bytes()


def test_a_backend_that_is_down_keeps_the_job_and_says_so(user: User) -> None:
    ended = user.run("submit", user.write("sample.json", SAMPLE), "--backend", NOWHERE, "--json")
    assert ended.status == 1
    assert ended.json[0]["state"] == "sending"
    assert "127.0.0.1" in ended.err
    assert [job["id"] for job in user.run("jobs", "--json").json] == [1]


def test_an_interrupt_while_waiting_ends_with_130_and_keeps_the_job(user: User) -> None:
    process = user.start(
        "submit", user.write("sample.json", SAMPLE), "--backend", NOWHERE, "--wait", "--json"
    )
    assert process.stderr is not None
    told = process.stderr.readline()
    assert b"job 1" in told
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"interrupted" in err and b"Traceback" not in err
    assert [job["id"] for job in json.loads(out)] == [1]
    (job,) = user.run("jobs", "--json").json
    assert job["state"] in ("sending", "queued")


def test_a_reader_that_has_gone_is_no_traceback(user: User) -> None:
    name = user.write("sample.json", SAMPLE)
    process = user.start("submit", name, "--wait")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.wait(PATIENCE)
    assert b"Traceback" not in err


def test_a_served_emulator_ranks_what_is_submitted_to_its_url(user: User) -> None:
    with user.serving() as url:
        assert url.startswith("http://127.0.0.1:") and url.endswith("/client/v4")
        ended = user.run("submit", user.write("sample.json", SAMPLE), "--backend", url, "--wait", "--json")
    assert ended.status == 0, ended.err
    assert ended.json[0]["backend"] == url
    shown = user.run("show", "last", "--json").json
    assert [row["text"] for row in shown["requests"][0]["ranking"]] == [ORANGE, LLAMA, EMOJI]


def test_a_job_that_was_sent_without_waiting_is_taken_up_by_the_next_program(user: User) -> None:
    with user.serving("--latency", "1") as url:
        name = user.write("sample.json", SAMPLE)
        begun = user.run("submit", name, "--backend", url, "--json")
        assert begun.status == 0, begun.err
        assert begun.json[0]["state"] in ("queued", "running", "done")
        assert begun.json[0]["request_id"]
        end = time.monotonic() + PATIENCE
        # Whoever follows jobs follows them all: a second submit takes the first one up.
        while user.run("jobs", "--json").json[-1]["state"] != "done":
            assert time.monotonic() < end
            user.run("submit", name, "--backend", url, "--wait")
