"""Fuzz one target with atheris: `python fuzz_by_hand.py wire|readers|terminal [libFuzzer's flags]`.

Atheris is no dependency of the tests: install it, msgspec and rich where this runs.
"""

import importlib
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MOST_SEEDED = 4096


def main() -> None:
    """Run until a flag such as `-max_total_time=180` ends it, or an input is found that raises."""
    sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["batchtui"]):
        targets = importlib.import_module("fuzz_targets").TARGETS
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in targets:
        sys.exit(f"name a target: {', '.join(targets)}")
    with tempfile.TemporaryDirectory() as corpus:
        _seed(Path(corpus))
        _seed_answers(Path(corpus))
        atheris.Setup([sys.argv[0], corpus, *sys.argv[1:]], targets[name])
        atheris.Fuzz()


def _seed(corpus: Path) -> None:
    """Begin with the hostile texts, bare and where a batch or an answer would hold them."""
    hostile = importlib.import_module("hostile")
    for number, (_, data) in enumerate(hostile.hostile_bytes()):
        if len(data) > MOST_SEEDED:
            continue
        for kind, text in enumerate(
            (
                data,
                b'\x01{"query": "q", "contexts": ["' + data + b'"]}',
                b"\x03query,context,id\nq," + data + b",i",
                b"\x00curl x -d '" + data + b"'",
                b'{"success":true,"result":{"responses":[{"id":0,"success":true,"external_reference":"'
                + data
                + b'","result":{"response":[{"id":0,"score":1},{"id":1,"score":0.5}]}}]}}',
                b'{"success":false,"errors":[{"code":5006,"message":"' + data + b'"}],"result":{}}',
            )
        ):
            (corpus / f"{number}-{kind}").write_bytes(text)


def _seed_answers(corpus: Path) -> None:
    bytes_for = importlib.import_module("fuzz_targets").bytes_for
    scores = [{"id": 1, "score": 2}, {"id": 0, "score": 1}]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    for number, answer in enumerate(
        (
            {"responses": [{"id": 1, "success": True, "result": {"response": scores}}], "usage": usage},
            {"results": [{"index": 0, "result": {"response": scores}, "external_reference": "1"}]},
            {"responses": [{"id": 2, "success": False, "error": {"message": "failed"}, "usage": usage}]},
            {"status": "queued", "request_id": "1", "model": ""},
            {"status": "failed", "error": {"code": 3, "message": "failed"}},
            {"response": scores, "usage": usage},
            [{"name": "1", "task": {"name": ""}, "properties": [{"property_id": "price", "value": [usage]}]}],
        )
    ):
        (corpus / f"answer-{number}").write_bytes(bytes_for(answer))


if __name__ == "__main__":
    main()
