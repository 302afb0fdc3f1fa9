"""The Textual app; nothing but the command line imports it."""
