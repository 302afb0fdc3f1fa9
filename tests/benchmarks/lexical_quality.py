"""How well `lexical` ranks: `python -m tests.benchmarks.lexical_quality FILE.jsonl …`.

A line is a request with graded contexts: `{"query", "contexts": [{"text", "relevance"}],
"external_reference"}`. Figures are given for each group of requests that share their reference but for its
last number, in whole and as lists of three contexts, one of them relevant; then contexts a second.
"""

import json
import math
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from batchtui.emulator.scorers.lexical import LexicalScorer
from batchtui.evaluation import ndcg_at

SEED = 3
SHORT_LISTS_A_REQUEST = 3


class Graded(NamedTuple):
    """A query with its contexts and their grades, in the same order."""

    query: str
    contexts: list[str]
    grades: list[int]


Scores = list[list[float]]
Baseline = Callable[[Sequence[Graded]], Scores]


def read(paths: Sequence[Path]) -> dict[str, list[Graded]]:
    """The requests of the files by group; those with nothing relevant are left out."""
    groups: dict[str, list[Graded]] = {}
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            request = json.loads(line)
            grades = [int(context.get("relevance") or 0) for context in request["contexts"]]
            group = re.sub(r"[-_ ]?\d+$", "", request.get("external_reference") or "") or path.stem
            if any(grades):
                texts = [context["text"] for context in request["contexts"]]
                groups.setdefault(group, []).append(Graded(request["query"], texts, grades))
    return groups


def short_lists(requests: Sequence[Graded]) -> list[Graded]:
    """Lists of three drawn from the requests: one relevant context, two that are not."""
    draw = random.Random(SEED)
    lists: list[Graded] = []
    for query, contexts, grades in requests:
        relevant = [place for place, grade in enumerate(grades) if grade > 0]
        others = [place for place, grade in enumerate(grades) if grade <= 0]
        if len(others) < 2:
            continue
        for _ in range(SHORT_LISTS_A_REQUEST):
            places = [draw.choice(relevant), *draw.sample(others, 2)]
            draw.shuffle(places)
            lists.append(Graded(query, [contexts[p] for p in places], [grades[p] for p in places]))
    return lists


def by_chance(requests: Sequence[Graded]) -> Scores:
    draw = random.Random(SEED)
    return [[draw.random() for _ in request.contexts] for request in requests]


def okapi_bm25(requests: Sequence[Graded]) -> Scores:
    """Okapi BM25 (k1 1.5, b 0.75) with the list's own IDF, which can be negative."""
    return [_okapi_list(request) for request in requests]


def character_tf_idf(requests: Sequence[Graded]) -> Scores:
    """Cosine of TF-IDF-weighted character 3- to 5-grams within words, IDF from all contexts of the group."""
    texts = {context: Counter(_grams(context)) for request in requests for context in request.contexts}
    frequency = Counter(gram for counts in texts.values() for gram in counts)

    def vector(counts: Counter[str]) -> dict[str, float]:
        weights = {
            gram: (1 + math.log(times)) * (1 + math.log((1 + len(texts)) / (1 + frequency[gram])))
            for gram, times in counts.items()
        }
        norm = math.hypot(*weights.values()) or 1.0
        return {gram: weight / norm for gram, weight in weights.items()}

    vectors = {text: vector(counts) for text, counts in texts.items()}
    scores: Scores = []
    for request in requests:
        query = vector(Counter(_grams(request.query)))
        scores.append(
            [sum(w * vectors[c].get(gram, 0.0) for gram, w in query.items()) for c in request.contexts]
        )
    return scores


def lexical(requests: Sequence[Graded]) -> Scores:
    return LexicalScorer().score_batch([(request.query, request.contexts) for request in requests])


def quality(requests: Sequence[Graded], scores: Scores) -> float:
    """Mean nDCG@10; ties keep the given order."""
    return fmean(
        ndcg_at([request.grades[p] for p in sorted(range(len(marks)), key=lambda p: -marks[p])], 10)
        for request, marks in zip(requests, scores, strict=True)
    )


def _okapi_list(request: Graded) -> list[float]:
    documents = [Counter(re.findall(r"\w+", context.lower())) for context in request.contexts]
    mean_length = fmean(document.total() for document in documents) or 1.0
    scores = [0.0] * len(documents)
    for word in re.findall(r"\w+", request.query.lower()):
        holders = sum(word in document for document in documents)
        idf = math.log((len(documents) - holders + 0.5) / (holders + 0.5))
        for place, document in enumerate(documents):
            times = document[word]
            length = 0.25 + 0.75 * document.total() / mean_length
            scores[place] += idf * times * 2.5 / (times + 1.5 * length)
    return scores


def _grams(text: str) -> Iterator[str]:
    for word in re.findall(r"\w+", text.lower()):
        marked = f" {word} "
        for length in (3, 4, 5):
            for start in range(len(marked) - length + 1):
                yield marked[start : start + length]


def _print_table(title: str, groups: dict[str, list[Graded]]) -> None:
    baselines: dict[str, Baseline] = {
        "random": by_chance,
        "Okapi BM25": okapi_bm25,
        "char TF-IDF": character_tf_idf,
        "lexical": lexical,
    }
    print(f"{title:24}" + "".join(f"{name:>13}" for name in baselines))
    rows: list[list[float]] = []
    for group, requests in groups.items():
        rows.append([quality(requests, score(requests)) for score in baselines.values()])
        print(f"{group:24}" + "".join(f"{figure:13.3f}" for figure in rows[-1]))
    print(f"{'mean':24}" + "".join(f"{fmean(column):13.3f}" for column in zip(*rows, strict=True)) + "\n")


def main(paths: Sequence[Path]) -> None:
    """Print both tables and the pace."""
    groups = read(paths)
    _print_table("nDCG@10", groups)
    _print_table("of three contexts", {group: short_lists(requests) for group, requests in groups.items()})
    requests = [request for group in groups.values() for request in group]
    contexts = [context for request in requests for context in request.contexts]
    start = time.process_time()
    lexical(requests)
    pace = len(contexts) / (time.process_time() - start)
    print(f"{pace:,.0f} contexts a CPU second; mean {fmean(map(len, contexts)):.0f} characters")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
