"""Where the weights of models lie on this machine, and how they get there; imports nothing heavy."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from batchtui.emulator.errors import EmulatorError

TOKENIZER_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
NETWORK_FILES = ("onnx/model.onnx", "model.onnx")


class Weights(msgspec.Struct, frozen=True):
    """Open weights as they are published: the repository on the hub, its files, their size in megabytes."""

    name: str
    repository: str
    files: tuple[str, ...]
    megabytes: int
    takes_mean: bool = False


BGE_M3_WEIGHTS = Weights(
    "BAAI/bge-m3",
    "BAAI/bge-m3",
    ("onnx/model.onnx", "onnx/model.onnx_data", "onnx/Constant_7_attr__value"),
    2_290,
)
MINILM_WEIGHTS = Weights(
    "sentence-transformers/all-MiniLM-L6-v2",
    "Qdrant/all-MiniLM-L6-v2-onnx",
    ("model.onnx",),
    91,
    takes_mean=True,
)
RERANKER_WEIGHTS = Weights("BAAI/bge-reranker-base", "BAAI/bge-reranker-base", ("onnx/model.onnx",), 1_120)
WEIGHTS = {weights.name: weights for weights in (BGE_M3_WEIGHTS, MINILM_WEIGHTS, RERANKER_WEIGHTS)}


class Place(msgspec.Struct, frozen=True):
    """A directory with weights: its network, relative to it, and what its scores are marked with."""

    directory: Path
    network: str
    label: str


def default_directory() -> Path:
    """Where downloaded weights are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("batchtui") / "models"


def find_weights(name: str, model_path: Path | None) -> Place | None:
    """The weights of that name under `model_path` (by default where downloads are kept); None if not there.

    They are looked for in its subdirectories `owner/name` and `name`; a directory that is itself a model
    answers for the embedder, under its own name.
    """
    root = default_directory() if model_path is None else model_path
    for directory in (root / name, root / name.rpartition("/")[2]):
        if network := _network_in(directory):
            return Place(directory, network, f"fastembed:{name}")
    if name != RERANKER_WEIGHTS.name and (network := _network_in(root)):
        return Place(root, network, f"fastembed:{root.name}")
    return None


def missing_weights(name: str, model_path: Path | None) -> str:
    """What to tell a person who lacks these weights."""
    weights = WEIGHTS[name]
    if model_path is not None:
        return (
            f"no weights of {name} in {model_path}: it needs {' or '.join(NETWORK_FILES)}, tokenizer.json "
            f"and tokenizer_config.json, in itself or in {name} below it"
        )
    return (
        f"the weights of {name} ({_size(weights)}) are not on this machine: fetch them with "
        "batchtui serve --scorer fastembed --download, or name a directory with --model-path"
    )


def download(name: str, tell: Callable[[str], None]) -> Path:
    """Fetch weights from the hub, with progress on standard error; `tell` is told what is about to come.

    Raises EmulatorError.
    """
    weights = WEIGHTS[name]
    target = default_directory() / name
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise EmulatorError(MISSING_PACKAGE) from error
    tell(f"Fetching {weights.repository} ({_size(weights)}) from huggingface.co into {target}")
    try:
        snapshot_download(
            weights.repository, allow_patterns=[*TOKENIZER_FILES, *weights.files], local_dir=target
        )
    except Exception as error:
        raise EmulatorError(f"cannot fetch {weights.repository} from huggingface.co: {error}") from error
    return target


MISSING_PACKAGE = "the fastembed scorer needs a package that is not here: pip install 'batchtui[semantic]'"


def _network_in(directory: Path) -> str | None:
    if not all((directory / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json")):
        return None
    return next((name for name in NETWORK_FILES if (directory / name).is_file()), None)


def _size(weights: Weights) -> str:
    if weights.megabytes < 1_000:
        return f"{weights.megabytes} MB"
    return f"{weights.megabytes / 1_000:.1f} GB"
