"""The keys of the app: each binding has an id, by which the config file may give it another key."""

from textual.binding import Binding

from batchtui.settings import SettingsError

APP_BINDINGS = [
    Binding("ctrl+s,f5", "submit", "Submit", priority=True, id="submit"),
    Binding("ctrl+n", "new_draft", "New", priority=True, id="new"),
    Binding("ctrl+o", "open_file", "Open", priority=True, id="open"),
    Binding("ctrl+e", "edit_outside", "Editor", show=False, priority=True, id="editor"),
    Binding("f2", "focus_pane('jobs')", "Jobs", show=False, priority=True, id="jobs"),
    Binding("f3", "focus_pane('compose')", "Compose", show=False, priority=True, id="compose"),
    Binding("f4", "focus_pane('results')", "Results", show=False, priority=True, id="results"),
    Binding("f6", "choose_model", "Model", show=False, priority=True, id="model"),
    Binding("f1,question_mark", "help", "Help", id="help"),
    Binding("ctrl+q", "quit", "Quit", priority=True, id="quit"),
]

APP_ACTIONS = {binding.action.partition("(")[0] for binding in APP_BINDINGS}


def check_keys(keys: dict[str, str], known: set[str], config_file: str) -> None:
    """Refuse a key for something that has none. Raises SettingsError."""
    for name in keys:
        if name not in known:
            raise SettingsError(
                f"{config_file}: [keys] {name!r} names nothing that has a key; it may be one of "
                + ", ".join(sorted(known))
            )
