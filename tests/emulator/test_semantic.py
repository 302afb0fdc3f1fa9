"""The open weights are loaded and run as they are meant to be: here, weights made by the test."""

import math
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("fastembed", reason="batchtui[semantic] is not installed")
pytest.importorskip("onnx", reason="onnx, which makes the test's weights, is not installed")

from batchtui.clock import SystemClock
from batchtui.emulator.app import Emulator
from batchtui.emulator.errors import EmulatorError
from batchtui.emulator.options import FASTEMBED
from batchtui.emulator.scorers import ScorerChoice, ScorerUnavailableError, prepare
from batchtui.emulator.scorers.semantic import EmbeddingScorer, load_fastembed, sigmoid
from batchtui.emulator.scorers.weights import find_weights

from .support import BASE, BGE_M3, RERANKER, batch, collect, options_at, request, scores_of, submit
from .tiny_weights import LONGEST, make_cross_encoder, make_embedder

M3 = "BAAI/bge-m3"
RERANKER_BASE = "BAAI/bge-reranker-base"
MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    make_embedder(tmp_path / "weights" / M3)
    make_cross_encoder(tmp_path / "weights" / "bge-reranker-base")
    return tmp_path / "weights"


@pytest.mark.parametrize("name", [M3, MINILM])
def test_the_score_is_the_dot_product_of_normalised_embeddings(tmp_path: Path, name: str) -> None:
    make_embedder(tmp_path / name, "onnx/model.onnx" if name == M3 else "model.onnx")
    scorer = load_fastembed(name, tmp_path)
    [first, second] = scorer.score_batch(
        [("red apple", ["red apple", "red car", "green", "apple"]), ("car", ["red red red car", "pear"])]
    )
    assert first == pytest.approx([1, 0.5, 0, math.sqrt(0.5)], abs=1e-6)
    assert second == pytest.approx([1 / math.sqrt(10), 0], abs=1e-6)


def test_a_score_does_not_depend_on_what_is_scored_beside_it(weights: Path) -> None:
    alone = load_fastembed(M3, weights).score_batch([("red car", ["car"])])
    among = load_fastembed(M3, weights).score_batch(
        [("red car", ["car", *("green pear " * n + "blue" for n in range(1, 40))])]
    )
    assert among[0][0] == pytest.approx(alone[0][0], abs=1e-6)


def test_embeddings_have_the_width_of_the_weights_and_length_one(weights: Path) -> None:
    scorer = load_fastembed(M3, weights)
    assert isinstance(scorer, EmbeddingScorer)
    vectors = scorer.embed(["red apple", "car", "red apple"])
    assert [len(vector) for vector in vectors] == [6, 6, 6]
    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-6) for vector in vectors)
    assert vectors[0] == vectors[2]


def test_a_text_goes_through_the_network_once(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fastembed

    seen: list[str] = []
    real = fastembed.TextEmbedding.embed

    def watched(self: Any, documents: list[str], **named: Any) -> Any:
        seen.extend(documents)
        return real(self, documents, **named)

    monkeypatch.setattr(fastembed.TextEmbedding, "embed", watched)
    scorer = load_fastembed(M3, weights)
    first = scorer.score_batch([("red", ["car", "red", "car"]), ("car", ["pear", "red"])])
    again = scorer.score_batch([("red", ["car", "red", "car"])])
    assert sorted(seen) == ["car", "pear", "red"]
    assert again == first[:1]


def test_tokens_are_counted_whole_though_the_network_reads_a_beginning(weights: Path) -> None:
    for name in (M3, RERANKER_BASE):
        scorer = load_fastembed(name, weights)
        assert scorer.count_tokens("red " * 100) == 102
        assert scorer.count_tokens("red car") == 4
    beginning, whole = "red " * LONGEST, "red " * LONGEST + "car " * 50
    [scores] = load_fastembed(M3, weights).score_batch([("red", [beginning, whole])])
    assert scores == pytest.approx([1, 1], abs=1e-6)


def test_the_reranker_reads_query_and_context_together_through_a_sigmoid(weights: Path) -> None:
    scorer = load_fastembed(RERANKER_BASE, weights)
    [first, second] = scorer.score_batch(
        [("red", ["red", "nothing known"]), ("green", ["blue", "red", "blue"])]
    )
    assert first == pytest.approx([sigmoid(1 + 1), sigmoid(1)], abs=1e-6)
    assert second == pytest.approx([sigmoid(5), sigmoid(3), sigmoid(5)], abs=1e-6)


@pytest.mark.parametrize("value", [-1e6, -800.0, -1.0, 0.0, 1.0, 800.0, 1e6])
def test_the_sigmoid_never_overflows_and_is_symmetric(value: float) -> None:
    assert 0 <= sigmoid(value) <= 1
    assert sigmoid(value) + sigmoid(-value) == pytest.approx(1)


async def test_the_emulator_scores_embeds_and_reranks_with_the_weights_of_a_directory(
    tmp_path: Path, weights: Path
) -> None:
    emulator = Emulator(options_at(tmp_path, scorer=FASTEMBED, model_path=weights), SystemClock())
    await emulator.start()
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(emulator.app), base_url=BASE) as client:
            body = batch(request("red apple", "red car", "green"), {"text": ["red"]}, request("x", "x"))
            envelope = await collect(client, await submit(client, body))
            embedded = await client.post(BGE_M3, json={"text": ["red", "car"]})
            reranked = await client.post(RERANKER, json=request("red", "green", "blue"))
            models = await client.get("accounts/abc/ai/models/search")
            description = (await client.get("openapi.json")).text
    finally:
        await emulator.stop()
    assert emulator.scorer_label == "fastembed:BAAI/bge-m3"
    assert scores_of(envelope) == pytest.approx([0.5, 0], abs=1e-3)
    assert envelope["result"]["responses"][1]["result"]["shape"] == [1, 6]
    assert envelope["result"]["usage"]["prompt_tokens"] == (4 + 4 + 3) + 3 + (3 + 3)
    assert embedded.json()["result"]["shape"] == [2, 6]
    assert embedded.headers["batchtui-scorer"] == "fastembed:BAAI/bge-m3"
    assert reranked.headers["batchtui-scorer"] == "fastembed:BAAI/bge-reranker-base"
    assert [entry["id"] for entry in reranked.json()["result"]["response"]] == [1, 0]
    assert "scored on this machine by fastembed:BAAI/bge-m3" in models.text
    assert '"maxItems":100' in description


async def test_weights_that_are_missing_fail_what_needs_them_and_say_where_they_were_sought(
    tmp_path: Path,
) -> None:
    make_embedder(tmp_path / "weights" / M3)
    options = options_at(tmp_path, scorer=FASTEMBED, model_path=tmp_path / "weights")
    emulator = Emulator(options, SystemClock())
    await emulator.start()
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(emulator.app), base_url=BASE) as client:
            ranked = await client.post(BGE_M3, json=request("red", "red"))
            reranked = await client.post(RERANKER, json=request("red", "red"))
    finally:
        await emulator.stop()
    assert ranked.status_code == 200
    assert reranked.status_code == 500
    assert (
        f"no weights of {RERANKER_BASE} in {tmp_path / 'weights'}" in reranked.json()["errors"][0]["message"]
    )


def test_a_directory_that_is_a_model_answers_for_the_embedder_under_its_own_name(tmp_path: Path) -> None:
    make_embedder(tmp_path / "my-weights", "model.onnx")
    place = find_weights(M3, tmp_path / "my-weights")
    assert place is not None
    assert place.label == "fastembed:my-weights"
    assert find_weights(RERANKER_BASE, tmp_path / "my-weights") is None
    assert load_fastembed(M3, tmp_path / "my-weights").name == "fastembed:my-weights"


def test_weights_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    make_embedder(tmp_path / M3)
    (tmp_path / M3 / "onnx/model.onnx").write_bytes(b"no network")
    with pytest.raises(ScorerUnavailableError, match="BAAI/bge-m3 cannot be loaded"):
        load_fastembed(M3, tmp_path)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("batchtui.emulator.scorers.weights.default_directory", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def test_nothing_is_fetched_but_at_the_persons_word(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("fetched"))
    with pytest.raises(EmulatorError, match=r"BAAI/bge-m3 \(2\.3 GB\).*--download.*--model-path"):
        prepare(ScorerChoice(FASTEMBED, M3), may_download=False, tell=lambda words: None)


def test_weights_are_fetched_with_their_size_said_and_then_found(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def fetch(repository: str, *, allow_patterns: list[str], local_dir: Path) -> None:
        fetched.append(repository)
        assert "tokenizer.json" in allow_patterns
        make_embedder(local_dir, next(name for name in allow_patterns if name.endswith(".onnx")))

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    told: list[str] = []
    for _ in range(2):
        prepare(ScorerChoice(FASTEMBED, MINILM), may_download=True, tell=told.append)
    assert fetched == ["Qdrant/all-MiniLM-L6-v2-onnx", RERANKER_BASE]
    assert "91 MB" in told[0]
    assert load_fastembed(MINILM, None).name == f"fastembed:{MINILM}"


def test_a_hub_that_cannot_be_reached_is_said_plainly(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*given: object, **named: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    with pytest.raises(EmulatorError, match=r"cannot fetch BAAI/bge-m3 from huggingface\.co: no route"):
        prepare(ScorerChoice(FASTEMBED, M3), may_download=True, tell=lambda words: None)
