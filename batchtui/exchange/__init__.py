"""Batches in (JSON, JSONL, CSV, TSV, text, curl) and results out, as plain data: no screen, no store."""
