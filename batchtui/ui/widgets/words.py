"""A few lines of text that change often."""

from textual.content import Content
from textual.widgets import Static


class Words(Static):
    """A Static as wide as its parent, which has the screen laid out anew only where its height changes."""

    DEFAULT_CSS = "Words { width: 1fr; height: auto; }"

    def say(self, content: Content) -> None:
        """Show other words."""
        height = content.get_height({}, max(self.content_size.width, 1))
        self.update(content, layout=height != self.content_size.height)
