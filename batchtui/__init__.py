"""Ad-hoc reranking in a terminal, over Workers AI's Asynchronous Batch API or an emulator of it."""

__version__ = "0.1.0"
