"""Scores by the open weights that Workers AI serves, run by fastembed on this machine."""

from collections import OrderedDict
from collections.abc import Sequence
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from batchtui.emulator.scorers import Scorer, ScorerUnavailableError
from batchtui.emulator.scorers.weights import (
    MISSING_PACKAGE,
    RERANKER_WEIGHTS,
    WEIGHTS,
    Place,
    find_weights,
    missing_weights,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Texts that go through the network together; padded to the longest, so larger is not faster on a CPU.
TEXTS_AT_ONCE = 16
VECTORS_KEPT = 4_096


def load_fastembed(name: str, model_path: Path | None) -> Scorer:
    """The scorer of these weights, which must be on this machine. Raises ScorerUnavailableError."""
    place = find_weights(name, model_path)
    if place is None:
        raise ScorerUnavailableError(missing_weights(name, model_path))
    try:
        if name == RERANKER_WEIGHTS.name:
            return CrossEncoderScorer(place)
        return EmbeddingScorer(place, takes_mean=WEIGHTS[name].takes_mean)
    except ImportError as error:
        raise ScorerUnavailableError(MISSING_PACKAGE) from error
    except Exception as error:
        raise ScorerUnavailableError(f"the weights in {place.directory} cannot be loaded: {error}") from error


class EmbeddingScorer:
    """Dot product of normalised embeddings, of the first token (bge-m3) or the mean of all (MiniLM)."""

    def __init__(self, place: Place, *, takes_mean: bool) -> None:
        from fastembed import TextEmbedding
        from fastembed.common.model_description import ModelSource, PoolingType

        self.name = place.label
        self._count = _TokenCounter(place.directory)
        registered = _registered_name(place)
        if not _is_registered(TextEmbedding, registered):
            TextEmbedding.add_custom_model(
                model=registered,
                pooling=PoolingType.MEAN if takes_mean else PoolingType.CLS,
                normalization=True,
                sources=ModelSource(hf=registered),
                dim=_width(place.directory),
                model_file=place.network,
            )
        self._model = TextEmbedding(registered, specific_model_path=str(place.directory))
        self._vectors: OrderedDict[str, NDArray[Any]] = OrderedDict()

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        """Scores in -1 to 1, in the order given; each text is embedded once."""
        vectors = self._embedded([text for query, contexts in requests for text in (query, *contexts)])
        return [
            [float(vectors[query] @ vectors[context]) for context in contexts] for query, contexts in requests
        ]

    def count_tokens(self, text: str) -> int:
        """Tokens of the text, whatever its length, with those that begin and end it."""
        return self._count(text)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of length 1 for each text."""
        vectors = self._embedded(texts)
        return [vectors[text].tolist() for text in texts]

    def _embedded(self, texts: Sequence[str]) -> "dict[str, NDArray[Any]]":
        unique = dict.fromkeys(texts)
        vectors = {text: self._vectors[text] for text in unique if text in self._vectors}
        # Neighbours in length make the least padding.
        unknown = sorted((text for text in unique if text not in vectors), key=len)
        if unknown:
            vectors.update(zip(unknown, self._model.embed(unknown, batch_size=TEXTS_AT_ONCE), strict=True))
        for text, vector in vectors.items():
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
        while len(self._vectors) > VECTORS_KEPT:
            self._vectors.popitem(last=False)
        return vectors


class CrossEncoderScorer:
    """What the cross-encoder says of query and context read together, through a sigmoid."""

    def __init__(self, place: Place) -> None:
        from fastembed.common.model_description import ModelSource
        from fastembed.rerank.cross_encoder import TextCrossEncoder

        self.name = place.label
        self._count = _TokenCounter(place.directory)
        registered = _registered_name(place)
        if not _is_registered(TextCrossEncoder, registered):
            TextCrossEncoder.add_custom_model(
                model=registered, sources=ModelSource(hf=registered), model_file=place.network
            )
        self._model = TextCrossEncoder(registered, specific_model_path=str(place.directory))

    def score_batch(self, requests: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        """Scores in 0 to 1, in the order given; each pair is read once."""
        unique = dict.fromkeys((query, context) for query, contexts in requests for context in contexts)
        pairs = sorted(unique, key=lambda pair: len(pair[0]) + len(pair[1]))
        raw = self._model.rerank_pairs(pairs, batch_size=TEXTS_AT_ONCE)
        scores = {pair: sigmoid(score) for pair, score in zip(pairs, raw, strict=True)}
        return [[scores[query, context] for context in contexts] for query, contexts in requests]

    def count_tokens(self, text: str) -> int:
        """Tokens of the text, whatever its length, with those that begin and end it."""
        return self._count(text)


def sigmoid(value: float) -> float:
    """The logistic function, without overflow for any finite value."""
    if value >= 0:
        return 1 / (1 + exp(-value))
    return exp(value) / (1 + exp(value))


class _TokenCounter:
    """Counts tokens of whole texts; fastembed's own tokenizer stops at the length the network takes."""

    def __init__(self, directory: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def __call__(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)


def _registered_name(place: Place) -> str:
    """The name in fastembed's registry, of which a process has one; directories do not share a name."""
    return f"batchtui/{place.directory}"


def _is_registered(kind: Any, name: str) -> bool:
    return any(model["model"].lower() == name.lower() for model in kind.list_supported_models())


def _width(directory: Path) -> int:
    """The length of the vectors as config.json has it; fastembed wants one to describe a model."""
    config = directory / "config.json"
    if not config.is_file():
        return 1
    described = msgspec.json.decode(config.read_bytes(), type=dict[str, Any])
    width = described.get("hidden_size")
    return width if isinstance(width, int) else 1
