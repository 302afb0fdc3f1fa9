"""Weights small enough to make in a test, in the form in which the real ones are published."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WORDS = ("red", "green", "blue", "apple", "pear", "car")
LONGEST = 16


def make_embedder(directory: Path, network: str = "onnx/model.onnx") -> None:
    """A network whose first token holds the mean of all words, each a direction of its own."""
    table = np.zeros((len(SPECIAL) + len(WORDS), len(WORDS)), dtype=np.float32)
    table[len(SPECIAL) :] = np.eye(len(WORDS), dtype=np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("ReduceMean", ["words"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Add", ["words", "mean"], ["last_hidden_state"]),
    ]
    shape = ["batch", "sequence", len(WORDS)]
    _save(directory, network, nodes, table, "last_hidden_state", shape)


def make_cross_encoder(directory: Path) -> None:
    """A network that adds up what its words weigh: red 1, green 2, blue 3 and so on."""
    table = np.zeros((len(SPECIAL) + len(WORDS), 1), dtype=np.float32)
    table[len(SPECIAL) :, 0] = np.arange(1, len(WORDS) + 1)
    axes = numpy_helper.from_array(np.array([1], dtype=np.int64), "axes")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("ReduceSum", ["words", "axes"], ["logits"], keepdims=0),
    ]
    _save(directory, "onnx/model.onnx", nodes, table, "logits", ["batch", 1], [axes])


def _save(
    directory: Path,
    network: str,
    nodes: list[onnx.NodeProto],
    table: NDArray[np.float32],
    output: str,
    shape: list[Any],
    more: list[onnx.TensorProto] | None = None,
) -> None:
    (directory / network).parent.mkdir(parents=True, exist_ok=True)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask")
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        inputs,
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(table, "table"), *(more or [])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(directory / network))
    _save_tokenizer(directory)


def _save_tokenizer(directory: Path) -> None:
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    config = {"model_max_length": LONGEST, "pad_token": "[PAD]"}
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    (directory / "config.json").write_text(json.dumps({"hidden_size": len(WORDS), "pad_token_id": 0}))
