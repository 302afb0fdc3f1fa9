"""How good a ranking is by its judgments, and how two rankings differ: pure functions, plain data.

Grades are given in ranked order, best place first, None where nobody judged. An unjudged context counts as
not relevant, as in trec_eval, so that figures over few judgments are rather too low than too high. A context
is relevant from grade 1 on. `unranked` holds the grades of judged contexts that the ranking leaves out
(`top_k`); they count in what could have been found.
"""

import math
import random
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from operator import getitem
from typing import TypeVar

import msgspec

from batchtui.model import Ranking

Grades = Sequence[int | None]
Key = TypeVar("Key", bound=Hashable)

LEAST_RELEVANT = 1
CHANCE_LEVEL = 0.05
SAME_WITHIN = 1e-9
EXACT_TEST_UP_TO = 15
RANDOM_ASSIGNMENTS = 10_000
RANDOM_SEED = 20_070
_GROUP = 8


class Metrics(msgspec.Struct, frozen=True):
    """Figures of one ranking or their means over several, each 0 to 1, and how many contexts are judged."""

    ndcg_at_10: float
    mrr: float
    map: float
    p_at_5: float
    recall_at_10: float
    judged: int


class PairedTest(msgspec.Struct, frozen=True):
    """How queries fare in two jobs: the mean difference, and how many got better, worse, or stayed."""

    mean: float
    better: int
    worse: int
    same: int
    p_value: float
    within_chance: bool


def evaluate(ranking_grades: Grades, *, unranked: Grades = (), linear_gain: bool = False) -> Metrics | None:
    """All figures of one ranking, or None where nothing is judged.

    Where something is judged and nothing is relevant, every figure is 0.0, as in trec_eval.
    """
    judged = sum(grade is not None for grades in (ranking_grades, unranked) for grade in grades)
    if not judged:
        return None
    return Metrics(
        ndcg_at_10=ndcg_at(ranking_grades, 10, unranked=unranked, linear_gain=linear_gain),
        mrr=reciprocal_rank(ranking_grades),
        map=average_precision(ranking_grades, unranked=unranked),
        p_at_5=precision_at(ranking_grades, 5),
        recall_at_10=recall_at(ranking_grades, 10, unranked=unranked),
        judged=judged,
    )


def evaluate_ranking(
    ranking: Ranking | None, grades: Mapping[int, int], *, linear_gain: bool = False
) -> Metrics | None:
    """All figures of a ranking by the grades of its contexts, by index; None without ranking or judgment.

    Judged contexts that the ranking leaves out count in what could have been found.
    """
    if ranking is None or not grades:
        return None
    ranked = [entry.index for entry in ranking.entries]
    left_out = grades.keys() - set(ranked)
    return evaluate(
        [grades.get(index) for index in ranked],
        unranked=[grades[index] for index in left_out],
        linear_gain=linear_gain,
    )


def mean(metrics: Iterable[Metrics | None]) -> Metrics | None:
    """The means over the judged requests alone, `judged` summed; None where no request is judged."""
    known = [metric for metric in metrics if metric is not None]
    if not known:
        return None
    return Metrics(
        ndcg_at_10=math.fsum(metric.ndcg_at_10 for metric in known) / len(known),
        mrr=math.fsum(metric.mrr for metric in known) / len(known),
        map=math.fsum(metric.map for metric in known) / len(known),
        p_at_5=math.fsum(metric.p_at_5 for metric in known) / len(known),
        recall_at_10=math.fsum(metric.recall_at_10 for metric in known) / len(known),
        judged=sum(metric.judged for metric in known),
    )


def ndcg_at(grades: Grades, k: int, *, unranked: Grades = (), linear_gain: bool = False) -> float:
    """Normalised discounted cumulated gain of the first `k` places; 0.0 where nothing is relevant.

    DCG = Σ gain(grade) / log2(place + 1), divided by the DCG of the best order of all judged contexts. The
    gain is 2^grade − 1 (Burges et al. 2005, "Learning to rank using gradient descent"), or the grade itself
    with `linear_gain` (Järvelin & Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", with
    trec_eval's discount).
    """
    gains = [_gain(grade, linear_gain) for grade in grades]
    ideal = sorted(gains + [_gain(grade, linear_gain) for grade in unranked], reverse=True)
    best = _discounted(ideal[:k])
    return _discounted(gains[:k]) / best if best else 0.0


def precision_at(grades: Grades, k: int) -> float:
    """Relevant contexts in the first `k` places, divided by `k` even if there are fewer; trec_eval's P_k."""
    return _relevant(grades[:k]) / k


def recall_at(grades: Grades, k: int, *, unranked: Grades = ()) -> float:
    """The part of all relevant contexts that is in the first `k` places; 0.0 where nothing is relevant."""
    relevant = _relevant(grades) + _relevant(unranked)
    return _relevant(grades[:k]) / relevant if relevant else 0.0


def average_precision(grades: Grades, *, unranked: Grades = ()) -> float:
    """The mean over all relevant contexts of the precision at their places, 0 for one not ranked.

    0.0 where nothing is relevant. Buckley & Voorhees 2000, "Evaluating evaluation measure stability";
    trec_eval's `map`.
    """
    precisions: list[float] = []
    for place, grade in enumerate(grades, start=1):
        if _is_relevant(grade):
            precisions.append((len(precisions) + 1) / place)
    relevant = len(precisions) + _relevant(unranked)
    return math.fsum(precisions) / relevant if relevant else 0.0


def reciprocal_rank(grades: Grades) -> float:
    """1 / the place of the first relevant context, 0.0 without one; its mean over requests is the MRR.

    Voorhees 1999, "The TREC-8 question answering track report".
    """
    for place, grade in enumerate(grades, start=1):
        if _is_relevant(grade):
            return 1 / place
    return 0.0


def kendall_tau(before: Sequence[Key], after: Sequence[Key]) -> float | None:
    """Kendall's rank correlation of the keys in both: −1 (reversed) to 1 (same order); None below two keys.

    Kendall 1938, "A new measure of rank correlation". Places do not tie, so this is tau-b as well.
    """
    old = {item: place for place, item in enumerate(_distinct(before))}
    places = [old[item] for item in _distinct(after) if item in old]
    pairs = len(places) * (len(places) - 1) // 2
    if not pairs:
        return None
    seen: list[int] = []
    concordant = 0
    for place in places:
        concordant += bisect_left(seen, place)
        insort(seen, place)
    return (2 * concordant - pairs) / pairs


def rank_biased_overlap(before: Sequence[Key], after: Sequence[Key], p: float = 0.9) -> float | None:
    """How much two rankings agree, the top weighing most: 0 (nothing shared) to 1; None if one is empty.

    The extrapolated RBO of Webber, Moffat & Zobel 2010, "A similarity measure for indefinite rankings",
    equation 32, for lists that may differ in length. `p`, between 0 and 1, is how likely a reader goes on to
    the next place.
    """
    short, long = sorted((_distinct(before), _distinct(after)), key=len)
    if not short:
        return None
    in_short: set[tuple[Key, int]] = set()
    in_long: set[tuple[Key, int]] = set()
    overlap = overlap_at_short = 0
    weight, terms = 1.0, []
    for depth, item in enumerate(long, start=1):
        weight *= p
        in_long.add(item)
        overlap += item in in_short
        if depth <= len(short):
            in_short.add(short[depth - 1])
            overlap += short[depth - 1] in in_long
            overlap_at_short = overlap
            agreement = overlap / depth
        else:
            missing = overlap_at_short * (depth - len(short)) / len(short)
            agreement = (overlap + missing) / depth
        terms.append(agreement * weight)
    rest = (overlap - overlap_at_short) / len(long) + overlap_at_short / len(short)
    return (1 - p) / p * math.fsum(terms) + rest * weight


def paired_test(differences: Sequence[float]) -> PairedTest:
    """Whether paired differences (after − before, one a query) may be chance: a two-sided randomisation test.

    Fisher's sign-flip test on the mean, as recommended by Smucker, Allan & Carterette 2007, "A comparison of
    statistical significance tests for information retrieval evaluation". All sign assignments are tried for
    up to 15 differences that are not zero; beyond, 10,000 drawn from a fixed seed, so the same data gives
    the same p = (hits + 1) / (draws + 1) (Davison & Hinkley 1997, "Bootstrap methods and their application").
    Within chance means p ≥ 0.05. Without differences p is 1.
    """
    better = sum(difference > SAME_WITHIN for difference in differences)
    worse = sum(difference < -SAME_WITHIN for difference in differences)
    moved = [difference for difference in differences if abs(difference) > SAME_WITHIN]
    p_value = _sign_flip_p_value(moved)
    return PairedTest(
        mean=math.fsum(differences) / len(differences) if differences else 0.0,
        better=better,
        worse=worse,
        same=len(differences) - better - worse,
        p_value=p_value,
        within_chance=p_value >= CHANCE_LEVEL,
    )


def histogram(scores: Iterable[float], bins: int) -> tuple[int, ...]:
    """How many scores lie in each of `bins` equal parts of their range, lowest part first.

    Scores that are not finite are left out; where all are equal, all are in the last part.
    """
    finite = [score for score in scores if math.isfinite(score)]
    counts = [0] * bins
    if finite:
        # Halves keep the range finite whatever the scores are.
        low, high = min(finite) / 2, max(finite) / 2
        for score in finite:
            place = (score / 2 - low) / (high - low) if high > low else 1.0
            counts[min(bins - 1, int(place * bins))] += 1
    return tuple(counts)


def _is_relevant(grade: int | None) -> bool:
    return grade is not None and grade >= LEAST_RELEVANT


def _relevant(grades: Grades) -> int:
    return sum(map(_is_relevant, grades))


def _gain(grade: int | None, linear: bool) -> float:
    if grade is None or grade < LEAST_RELEVANT:
        return 0.0
    return float(grade if linear else 2**grade - 1)


def _discounted(gains: Sequence[float]) -> float:
    return math.fsum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))


def _distinct(order: Sequence[Key]) -> list[tuple[Key, int]]:
    """Each key with the number of times it stood before, so that none occurs twice."""
    times: Counter[Key] = Counter()
    distinct = []
    for key in order:
        distinct.append((key, times[key]))
        times[key] += 1
    return distinct


def _sign_flip_p_value(differences: Sequence[float]) -> float:
    # Sums that are equal but for rounding count as equal.
    least = abs(math.fsum(differences)) - SAME_WITHIN
    if len(differences) <= EXACT_TEST_UP_TO:
        totals = _signed_sums(differences)
        return sum(abs(total) >= least for total in totals) / len(totals)
    # One random byte gives the signs of eight differences at once.
    tables = [_signed_sums(differences[at : at + _GROUP]) for at in range(0, len(differences), _GROUP)]
    tables = [table * (256 // len(table)) for table in tables]
    generator = random.Random(RANDOM_SEED)
    hits = sum(
        abs(sum(map(getitem, tables, generator.randbytes(len(tables))))) >= least
        for _ in range(RANDOM_ASSIGNMENTS)
    )
    return (hits + 1) / (RANDOM_ASSIGNMENTS + 1)


def _signed_sums(differences: Sequence[float]) -> list[float]:
    """The sums of the differences under each of the 2^n assignments of signs."""
    totals = [0.0]
    for difference in differences:
        totals = [total + difference for total in totals] + [total - difference for total in totals]
    return totals
