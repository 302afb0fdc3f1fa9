"""The models that the emulator answers for."""

import uuid

import msgspec

BGE_M3 = "@cf/baai/bge-m3"
BGE_RERANKER_BASE = "@cf/baai/bge-reranker-base"


class EmulatedModel(msgspec.Struct, frozen=True):
    """A model: the most tokens a text may have, and whether it takes batches.

    `pays_by_pair` says that the query is read anew, and counted, with each context.
    """

    name: str
    task: str
    window: int
    takes_batches: bool
    pays_by_pair: bool
    words: str

    @property
    def id(self) -> str:
        """A UUID that stays the same; it is not Cloudflare's."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.name))

    @property
    def task_id(self) -> str:
        """A UUID for the task; it is not Cloudflare's."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.task))


MODELS: dict[str, EmulatedModel] = {
    model.name: model
    for model in (
        EmulatedModel(
            BGE_M3,
            "Text Embeddings",
            window=60_000,
            takes_batches=True,
            pays_by_pair=False,
            words="Ranks contexts by a query, in batches or at once.",
        ),
        EmulatedModel(
            BGE_RERANKER_BASE,
            "Text Classification",
            window=512,
            takes_batches=False,
            pays_by_pair=True,
            words="Ranks contexts by a query, at once.",
        ),
    )
}
