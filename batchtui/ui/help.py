"""Help on the keys of a pane, read off the bindings themselves, and what the palette offers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.binding import Binding

if TYPE_CHECKING:
    from batchtui.ui.app import BatchtuiApp

COMMANDS = [
    ("Submit", "send the draft", "submit"),
    ("New draft", "begin an empty one; the one shown is kept", "draft('new')"),
    ("Open file", "open a batch from a file as a draft", "draft('open_file')"),
    ("Drafts", "go back to a draft that is kept", "draft('choose_draft')"),
    ("Edit outside", "the text of the field in $VISUAL or $EDITOR", "draft('edit_outside')"),
    ("Choose model", "who ranks the contexts of the draft", "draft('choose_model')"),
    ("Add request", "an empty request behind this one", "compose('add_request')"),
    ("Next query for these contexts", "a request with the same contexts", "compose('same_contexts')"),
    ("Other contexts for this query", "a request with the same query", "compose('same_query')"),
    ("Delete request", "take the current request out of the draft", "compose('delete_request')"),
    ("Set reference", "the external_reference of the current request", "draft('set_reference')"),
    ("Name draft", "to find it again among the others", "draft('rename')"),
    ("Delete draft", "remove the one that is shown", "draft('delete')"),
    ("Undo in the draft", "take the last change back", "compose('undo')"),
    ("Redo in the draft", "make it again", "compose('redo')"),
    ("Judge", "grade the selected context: 0 to 3 in Results", "focus_pane('results')"),
    ("All requests", "an overview of the job's requests with their metrics", "result('overview')"),
    ("Details", "all that is known of the job", "result('details')"),
    ("Find jobs", "in label, query, context, reference, state, model", "list('find')"),
    ("Sort jobs", "by the next thing there is to sort by", "list('sort')"),
    ("Pin job", "keep it on top, or let it go", "job('pin')"),
    ("Bring back", "the job that was deleted last", "job('undelete')"),
    ("Ask now", "ask for the job ahead of its time", "job('ask_now')"),
    ("Compare jobs", "the marked jobs, or this one and the last with its queries", "job('compare')"),
    ("Export job", "to a file, in one of eight forms", "job('export')"),
    ("Copy from job", "ranking, query, curl and more to the clipboard", "job('copy')"),
    ("Raw answer", "what the service answered", "job('raw')"),
    ("Label job", "name the job under the cursor", "job('label')"),
    ("Note on job", "write beside the job under the cursor", "job('note')"),
    ("Delete job", "u in Jobs brings it back", "job('delete')"),
    ("Stop or follow job", "or decide on an unconfirmed one", "job('decide')"),
]

ABOUT = {
    "compose": """\
Compose: type a query and press Enter, type a context and press Enter, and so on; ctrl+s sends them.
What is typed is kept as a draft. Paste many lines and choose how they come in; paste a curl command, JSON \
or the path of a file into an empty draft to open it. In a field, ctrl+j breaks the line.""",
    "jobs": """\
Jobs: every batch that was submitted, newest first. ↑ sending, ○ queued, ◐ running, ✓ done, ✗ failed, \
? unconfirmed (sent, but the answer never came: s asks what to do), ⊘ expired, ■ stopped.
An open job says when it is asked for next.""",
    "results": """\
Results: the contexts by score. The bar spans the range of the scores shown; `sent` is the place in which a \
context was sent and how far it moved from there; J is your judgment.
Judge with 0 (not relevant) to 3 (perfect); the same key again takes it back. From judgments come nDCG@10, \
MRR, MAP and P@5; an unjudged context counts as not relevant.""",
}


def help_on(pane: str, app: BatchtuiApp) -> str:
    """What a pane is for, then its keys, those of its parts, and those that work everywhere."""
    parts = [ABOUT[pane]]
    top = app.query_one(f"#{pane}")
    for node in (top, *top.query("*")):
        lines = _lines(app, list(node._bindings.key_to_bindings.values()))
        if lines and (node is top or node.can_focus) and node.id not in ("query", "job-filter"):
            parts.append(f"{_TITLES.get(node.id or '', node.id)}\n" + "\n".join(lines))
    parts.append("Everywhere\n" + "\n".join(_lines(app, list(app._bindings.key_to_bindings.values()))))
    return "\n\n".join(parts)


_TITLES = {
    "compose": "In Compose",
    "jobs": "In Jobs",
    "results": "In Results",
    "job-list": "In the list",
    "ranking": "In the ranking",
    "context-list": "In the list of contexts",
    "editor": "In the context editor",
    "result-text": "In the text",
}


def _lines(app: BatchtuiApp, bindings: list[list[Binding]]) -> list[str]:
    keys: dict[tuple[str, str], list[str]] = {}
    for same_key in bindings:
        for binding in same_key:
            if binding.id and binding.description:
                named = keys.setdefault((binding.action, binding.description), [])
                chosen = app.settings.keys.get(binding.id)
                own = (
                    [replace(binding, key=key.strip()) for key in chosen.split(",")] if chosen else [binding]
                )
                named += [app.get_key_display(key) for key in own]
    return [f"  {' '.join(dict.fromkeys(named)):<16} {what}" for (_, what), named in keys.items()]
