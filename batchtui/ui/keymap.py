"""The keys of the app: each binding has an id, by which the config file may give it another key."""

from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual.binding import Binding
from textual.keys import REPLACED_KEYS, Keys, _character_to_key, key_to_character

from batchtui.settings import SettingsError
from batchtui.text import cell_width, one_line, safe

APP_BINDINGS = [
    Binding("ctrl+s,f5", "submit", "Submit", priority=True, id="submit"),
    Binding("f1,question_mark", "help", "Help", id="help"),
    Binding("ctrl+n", "draft('new')", "New", priority=True, id="new"),
    Binding("ctrl+o", "draft('open_file')", "Open", priority=True, id="open"),
    Binding("ctrl+e", "draft('edit_outside')", "Editor", show=False, priority=True, id="editor"),
    Binding("f2", "focus_pane('jobs')", "Jobs", show=False, priority=True, id="jobs"),
    Binding("f3", "focus_pane('compose')", "Compose", show=False, priority=True, id="compose"),
    Binding("f4", "focus_pane('results')", "Results", show=False, priority=True, id="results"),
    Binding("f6", "draft('choose_model')", "Model", show=False, priority=True, id="model"),
    Binding("f7", "draft('choose_draft')", "Drafts", show=False, priority=True, id="drafts"),
    Binding("f8", "compose('same_contexts')", "Next query", show=False, priority=True, id="next_query"),
    Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="quit"),
    Binding("ctrl+c", "help_quit", show=False, system=True),
]
# What rests while a dialog is open.
APP_ACTIONS = {binding.action.partition("(")[0] for binding in APP_BINDINGS} - {"quit", "help_quit"}

MODIFIERS = {"alt", "ctrl", "hyper", "meta", "shift", "super"}
NAMED_KEYS = {key.value.rpartition("+")[2] for key in Keys if "<" not in key.value} | {
    *FUNCTIONAL_KEYS.values()
}
LONGEST_TOLD = 40


def remappable() -> list[Binding]:
    """All that has a key and may be given another one, by its id."""
    from batchtui.ui import (
        compare_screen,
        compose_pane,
        context_list,
        jobs_pane,
        open_screen,
        ranking_list,
        request_list,
        results_pane,
    )
    from batchtui.ui.widgets import (
        choice_screen,
        prompt_screen,
        text_editor,
        text_screen,
        text_view,
        virtual_list,
    )

    modules = (
        compare_screen, compose_pane, context_list, jobs_pane, open_screen, ranking_list, request_list,
        results_pane, choice_screen, prompt_screen, text_editor, text_screen, text_view, virtual_list,
    )  # fmt: skip
    bindings = [
        *APP_BINDINGS,
        *(
            binding
            for module in modules
            for kind in vars(module).values()
            if isinstance(kind, type) and kind.__module__ == module.__name__
            for binding in vars(kind).get("BINDINGS", ())
        ),
    ]
    return [binding for binding in bindings if isinstance(binding, Binding) and binding.id]


def is_key(key: str) -> bool:
    """Whether this is a character, or what Textual calls a key that a terminal can send."""
    if len(key) == 1:
        return _is_visible(key)
    *modifiers, name = key.split("+")
    if not MODIFIERS.issuperset(modifiers):
        return False
    if name in NAMED_KEYS:
        return True
    character = key_to_character(REPLACED_KEYS.get(name, name))
    return character is not None and _character_to_key(character) == name and _is_visible(character)


def _is_visible(character: str) -> bool:
    return character.isprintable() and safe(character) == character and cell_width(character) > 0


def check_keys(keys: dict[str, str], config_file: str) -> None:
    """Refuse a key for something that has none, and what is no key. Raises SettingsError."""
    known = {str(binding.id) for binding in remappable()} if keys else set()
    for name, wanted in keys.items():
        if name not in known:
            raise SettingsError(
                f"{config_file}: [keys] {name!r} names nothing that has a key; it may be one of "
                + ", ".join(sorted(known))
            )
        for key in wanted.split(","):
            if not is_key(key.strip()):
                raise SettingsError(
                    f"{config_file}: [keys] {name}: '{one_line(key, LONGEST_TOLD)}' is no key; "
                    "a key is a character or a name, such as ctrl+g, f9, space or question_mark, "
                    "and of several each is set off by a comma"
                )
