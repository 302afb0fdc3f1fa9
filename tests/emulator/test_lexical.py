"""What the lexical scorer promises about its scores."""

from batchtui.emulator.scorers.lexical import LexicalScorer


def test_a_part_of_a_word_decides_between_texts_that_are_otherwise_alike() -> None:
    contexts = [
        "This is a story about an orange cloud",
        "This is a story about a llama",
        "This is a story about a hugging emoji",
    ]
    [scores] = LexicalScorer().score_batch([("This is a story about Cloudflare", contexts)])
    assert scores[0] > max(scores[1:])
