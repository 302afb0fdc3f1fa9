"""How long the content of a scrolled widget is, told without a layout of the whole screen."""

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.widget import Widget


def set_virtual_size(view: ScrollView, size: Size) -> None:
    """Set `virtual_size` of a view whose own size does not hang on it.

    Assigning the reactive would lay out and draw every widget of the screen again.
    """
    if size != view.virtual_size:
        view.set_reactive(Widget.virtual_size, size)
        view._scroll_update(size)
