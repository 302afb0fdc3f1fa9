"""What the lexical scorer promises about its scores."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchtui.emulator.scorers.lexical import LexicalScorer

PASSAGE = (
    "Refunds are paid within fourteen days of the return reaching our warehouse, to the card that was "
    "charged. Parcels that were damaged on the way are collected at our expense."
)


def scores(query: str, *contexts: str) -> list[float]:
    [answer] = LexicalScorer().score_batch([(query, contexts)])
    return answer


def best(query: str, *contexts: str) -> int:
    answer = scores(query, *contexts)
    [place] = [place for place, score in enumerate(answer) if score == max(answer)]
    return place


class TestShortLists:
    def test_a_part_of_a_word_decides_between_texts_that_are_otherwise_alike(self) -> None:
        contexts = (
            "This is a story about a llama",
            "This is a story about a hugging emoji",
            "This is a story about an orange cloud",
        )
        assert best("This is a story about Cloudflare", *contexts) == 2

    def test_the_same_pair_has_the_same_score_in_every_list(self) -> None:
        [alone] = scores("when are refunds paid", PASSAGE)
        assert scores("when are refunds paid", "refunds", PASSAGE, "paid " * 50, PASSAGE)[1::2] == [
            alone,
            alone,
        ]

    def test_a_word_found_in_every_context_still_counts(self) -> None:
        answer = scores("refunds", "refunds", "all about refunds", "how refunds work")
        assert min(answer) > 0.5

    @pytest.mark.parametrize(
        ("query", "about_it", "only_grammar"),
        [
            ("What is the capital of the region?", "A capital was chosen.", "What is the size of the lake?"),
            ("Wie hoch ist der Turm in der Stadt?", "Türme wachsen.", "Wie alt ist der Mann in der Stadt?"),
            ("Quel est le prix de la maison ?", "Maisons et prix.", "Quel est le nom de la rivière ?"),
            ("¿Cuál es la moneda del país?", "Monedas antiguas.", "¿Cuál es la altura del monte?"),
            ("Сколько лет было королю?", "Король умер.", "Сколько раз это было с ними?"),
            ("كم كان عمر الملك في ذلك الوقت", "عمر الملك", "كم كان في ذلك على هذا"),
            ("ใครเป็นผู้สร้างปราสาทนี้", "ปราสาทเก่าแก่", "ใครอยู่ที่นี้"),
            ("这个城市的人口是多少？", "城市人口统计", "这个的是多少？那个的是什么？"),
        ],
    )
    def test_words_that_only_carry_grammar_do_not_outweigh_the_subject(
        self, query: str, about_it: str, only_grammar: str
    ) -> None:
        assert best(query, only_grammar, about_it) == 1

    def test_a_word_is_grammar_only_in_its_own_language(self) -> None:
        english = "When the blood supply is cut off, nerve cells die and the tissue is lost."
        german = "Die Zellen, die das Blut nicht mehr erreicht, werden von dem Körper abgebaut."
        [in_english, in_german] = scores("die", english, german)
        assert in_english > 0.5
        [with_more_words, _] = scores("die Zellen", german, english)
        assert with_more_words > 0.5
        assert scores("do they die", english)[0] > scores("sind es die", german)[0] > 0
        assert in_german > 0


class TestScale:
    @pytest.mark.parametrize(
        "text",
        [
            "orange",
            PASSAGE,
            PASSAGE * 20,
            "Die Erstattung erfolgt innerhalb von vierzehn Tagen.",
            "退款将在十四天内支付。",
            "返金は十四日以内に行われます。",
            "การคืนเงินจะจ่ายภายในสิบสี่วัน",
            "يتم دفع المبالغ المستردة في غضون أربعة عشر يوما",
            "환불은 십사일 이내에 지급됩니다.",
            "def get_user_name(self) -> str:",
            "🤗",
            "?!",
        ],
    )
    def test_the_query_itself_scores_near_one(self, text: str) -> None:
        assert scores(text, text) == [pytest.approx(1, abs=0.05)]

    def test_nothing_shared_scores_zero(self) -> None:
        assert scores("orange cloud", "Der Hund schläft.", "", "🤗", "...", "  ") == [0, 0, 0, 0, 0]

    def test_a_single_answering_passage_scores_well_and_a_stray_word_badly(self) -> None:
        [answering] = scores("when are refunds paid to the card", PASSAGE)
        [stray] = scores(
            "when are refunds paid to the card", PASSAGE.replace("Refunds", "Bills").replace("card", "x")
        )
        assert answering > 0.6
        assert stray < 0.4

    def test_more_of_the_query_scores_higher(self) -> None:
        answer = scores(
            "orange cloud storage", "a lamp", "a cloud", "an orange cloud", "an orange cloud storage"
        )
        assert answer == sorted(answer)
        assert len(set(answer)) == 4

    def test_the_same_words_in_a_longer_text_score_lower(self) -> None:
        padding = " Meanwhile the committee met elsewhere."
        answer = scores("orange cloud", *("An orange cloud." + padding * times for times in (0, 3, 30)))
        assert answer == sorted(answer, reverse=True)
        assert min(answer) > 0

    def test_repeating_a_word_does_not_make_up_for_the_missing_one(self) -> None:
        assert best("orange cloud", "orange " * 40, "an orange and a cloud") == 1

    def test_words_side_by_side_as_in_the_query_score_higher(self) -> None:
        assert best("orange cloud", "a cloud over the orange", "the orange cloud over a") == 1

    @settings(deadline=None, max_examples=150)
    @given(st.text(), st.lists(st.text(), max_size=4))
    def test_any_texts_have_scores_between_zero_and_one(self, query: str, contexts: list[str]) -> None:
        answer = scores(query, *contexts)
        assert len(answer) == len(contexts)
        assert all(0 <= score <= 1 for score in answer)


class TestLanguages:
    @pytest.mark.parametrize(
        ("query", "right", "wrong"),
        [
            ("running computers", "He runs a computer", "She reads a book"),
            ("Kündigungsfrist", "Fristen einer Kündigung", "Preise einer Wohnung"),
            ("cafe creme", "Un café crème", "Un verre d'eau"),
            ("STRASSE", "die Straße", "der Garten"),
            ("北京的大学", "北京大学位于海淀区", "上海是一座城市"),
            ("東大寺の大仏", "奈良の大仏は東大寺にある", "大阪の城は有名である"),
            ("เมืองหลวงของไทย", "กรุงเทพเป็นเมืองหลวง", "ปลาว่ายน้ำในแม่น้ำ"),
            ("كتاب التاريخ", "قرأت الكتاب", "ذهبت إلى السوق"),
            ("दिल्ली का इतिहास", "इतिहास में दिल्ली", "पानी और हवा"),
            ("서울 지하철", "서울의 지하철은 빠르다", "부산 바다가 보인다"),
            ("ｆｕｌｌ ｗｉｄｔｈ", "full width", "half height"),
            ("parse JSON string", "def parseJsonString(text):", "def open_socket(host):"),
            ("user name", "self.get_user_name()", "self.close_file()"),
            ("C++ templates", "templates in C++", "templates in C#"),
            ("error 5504", "code 5504 was given", "code 3006 was given"),
            ("🤗 models", "models by 🤗", "models by 🦙"),
        ],
    )
    def test_the_text_with_the_same_words_comes_first(self, query: str, right: str, wrong: str) -> None:
        assert best(query, wrong, right) == 1


class TestBatches:
    def test_requests_are_answered_in_order_and_repeated_texts_alike(self) -> None:
        requests = [("refunds", [PASSAGE, "cloud"]), ("cloud", ["cloud", PASSAGE]), ("refunds", [PASSAGE])]
        together = LexicalScorer().score_batch(requests)
        apart = [LexicalScorer().score_batch([request])[0] for request in requests]
        assert together == apart

    def test_no_requests_and_no_contexts_are_answered_with_none(self) -> None:
        assert LexicalScorer().score_batch([]) == []
        assert LexicalScorer().score_batch([("refunds", [])]) == [[]]

    def test_processes_with_other_hash_seeds_give_the_same_scores_to_the_last_bit(self) -> None:
        program = (
            "import json; from batchtui.emulator.scorers.lexical import LexicalScorer;"
            f"query = 'paid refunds, damaged parcels collected by card'; print(json.dumps("
            f"LexicalScorer().score_batch([(query, [{PASSAGE!r}, 'parcel cards'])])))"
        )
        answers = {
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2", "3")
        }
        assert len(answers) == 1
        assert max(json.loads(answers.pop())[0]) > 0


class TestTokens:
    @pytest.mark.parametrize(
        ("text", "tokens"),
        [("", 0), ("a", 1), ("four", 1), ("fives", 2), ("This is a story about an orange cloud", 10)],
    )
    def test_a_token_stands_for_four_characters(self, text: str, tokens: int) -> None:
        assert LexicalScorer().count_tokens(text) == tokens

    def test_ideographs_take_two_tokens_for_three(self) -> None:
        assert LexicalScorer().count_tokens("退款将在十四天内支付") == 7
        assert LexicalScorer().count_tokens("東京 tower") == 3
