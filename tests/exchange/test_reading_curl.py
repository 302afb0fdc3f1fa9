"""A curl command becomes the batch that it would submit."""

import json

import pytest

from batchtui.exchange.reading import InputError, Opened, read_batches
from batchtui.model import DEFAULT_MODEL, Context, Request

URL = "https://api.cloudflare.com/client/v4/accounts/1/ai/run/@cf/baai/bge-reranker-base"
BODY = '{"query":"q","contexts":[{"text":"a"}]}'
REQUEST = Request("q", (Context("a"),))


def read(text: str, name: str = "") -> Opened:
    return read_batches(text.encode(), name=name)


def refusal(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(text)
    return caught.value


class TestCommands:
    @pytest.mark.parametrize(
        "option", ["-d ", "-d", "--data ", "--data=", "--data-raw ", "--data-binary ", "--json "]
    )
    def test_every_way_to_give_the_body(self, option: str) -> None:
        opened = read(f"curl {URL} -H 'X: y' {option}'{BODY}' -s")
        assert opened.form == "curl"
        assert opened.batch.requests == (REQUEST,)
        assert opened.names_model
        assert opened.batch.model == "@cf/baai/bge-reranker-base"

    @pytest.mark.parametrize(
        "word",
        [
            f"'{BODY}'",
            '"' + BODY.replace('"', '\\"') + '"',
            "$'" + BODY.replace('"', "\\x22") + "'",
            BODY.replace('"', '\\"'),
            '\'{"query":"q",\'\\\n\'"contexts":["a"]}\'',
        ],
    )
    def test_every_way_to_quote_it(self, word: str) -> None:
        assert read(f"curl -X POST {URL} -d {word}").batch.requests == (REQUEST,)

    @pytest.mark.parametrize("prompt", ["", "$ ", "% ", "\n  "])
    def test_lines_go_on_after_a_backslash(self, prompt: str) -> None:
        text = f'{prompt}curl "{URL}" \\\n  -H "Authorization: Bearer $TOKEN" \\\r\n  -d \'{BODY}\'\n'
        assert read(text, "paste.txt").batch.requests == (REQUEST,)

    def test_a_quoted_apostrophe(self) -> None:
        body = json.dumps({"query": "it's", "contexts": ["a"]}).replace("'", "'\\''")
        assert read(f"curl {URL} -d '{body}'").batch.requests[0].query == "it's"

    def test_a_body_printed_into_curl(self) -> None:
        assert read(f"printf '%s' '{BODY}' | curl {URL} --data-binary @-").batch.requests == (REQUEST,)
        assert read(f"echo '{BODY}' | curl {URL} -d @-").batch.requests == (REQUEST,)

    def test_the_model_behind_an_ai_gateway(self) -> None:
        url = "https://gateway.ai.cloudflare.com/v1/acc/gate/workers-ai/@cf/x%20y?queueRequest=true"
        assert read(f"curl '{url}' -d '{BODY}'").batch.model == "@cf/x y"

    def test_without_a_model_in_the_url_the_default_stays(self) -> None:
        opened = read(f"curl localhost -d '{BODY}'")
        assert (opened.batch.model, opened.names_model) == (DEFAULT_MODEL, False)

    def test_several_commands_are_one_batch_and_what_asks_for_results_is_passed_over(self) -> None:
        submit = f"curl {URL} -d '{BODY}'"
        collect = f'curl {URL} -d \'{{"request_id":"1"}}\''
        assert read(f"{submit}\n{collect}\n{submit} && {submit}").batch.requests == (REQUEST,) * 3

    def test_what_is_done_with_the_answer_does_not_matter(self) -> None:
        assert read(f"curl {URL} -d '{BODY}' 2> log | jq '.result' > out.json").batch.requests == (REQUEST,)

    def test_at_signs_are_files_but_for_data_raw(self) -> None:
        assert "not JSON" in refusal(f"curl {URL} --data-raw @body.json").thing


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "word"),
        [
            (f"curl {URL}", "no body"),
            (f"curl {URL} -d @body.json", "'@body.json'"),
            (f"curl {URL} -d", "not JSON"),
            (f"curl {URL} -d '{BODY}", "not closed"),
            (f'curl {URL} -d \'{{"request_id": "1"}}\'', "asks for a result"),
            (f"curl {URL} -d 'a=b'", "not JSON"),
            (f"curl {URL} -d @-", "'@-'"),
        ],
    )
    def test_what_is_wrong_is_said(self, text: str, word: str) -> None:
        error = refusal(text)
        assert word in str(error)
        assert error.remedy

    def test_the_place_in_the_body_is_named(self) -> None:
        error = refusal(
            f"curl {URL} -d '{BODY.replace('q', '', 1).replace('uery', 'query').replace('a', '')}'"
        )
        assert "in the body" in error.place
        assert error.line == 1
