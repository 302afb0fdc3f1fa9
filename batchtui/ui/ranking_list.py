"""The contexts of one request by score, a row each."""

from typing import ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from batchtui.model import HIGHEST_GRADE, RankedContext, Ranking, Request
from batchtui.text import fit, one_line
from batchtui.ui.widgets.virtual_list import VirtualList

BAR_CELLS = 7
EIGHTHS = " ▏▎▍▌▋▊▉█"


class Row(msgspec.Struct, frozen=True):
    """One context as the list shows it; `rank` and `score` are None where it has no score."""

    index: int
    rank: int | None
    score: float | None


def rows_of(request: Request, ranking: Ranking | None) -> tuple[Row, ...]:
    """The ranked contexts, and behind them those that got no score, in the order in which they were sent."""
    entries: tuple[RankedContext, ...] = ranking.entries if ranking else ()
    ranked = [Row(entry.index, rank, entry.score) for rank, entry in enumerate(entries, 1)]
    with_score = {entry.index for entry in entries}
    rest = (Row(index, None, None) for index in range(len(request.contexts)) if index not in with_score)
    return (*ranked, *rest)


def bar(score: float, low: float, high: float, cells: int = BAR_CELLS) -> str:
    """The score within the range shown, in eighths of a cell; the lowest still has one eighth."""
    share = (score - low) / (high - low) if high > low else float(score > 0)
    eighths = max(1, round(share * cells * 8))
    full, part = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[part] if part else "")).ljust(cells)


def moved(sent: int, rank: int) -> str:
    """How far a context rose (↑) or fell (↓) from the place it was sent in, both from 1."""
    if sent == rank:
        return "="
    return f"↑{sent - rank}" if sent > rank else f"↓{rank - sent}"


class RankingList(VirtualList):
    """Rank, score, bar, the place it was sent in, judgment and first line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(grade),
                f"judge({grade})",
                "Judge",
                show=grade == 0,
                key_display=f"0-{HIGHEST_GRADE}",
                id=f"results.judge_{grade}",
            )
            for grade in range(HIGHEST_GRADE + 1)
        ),
        Binding("escape", "take_back", "Take back", show=False, id="results.take_back"),
    ]

    class Judged(Message):
        """The context under the cursor was given a grade; None takes it back."""

        def __init__(self, row: Row, grade: int | None) -> None:
            super().__init__()
            self.row = row
            self.grade = grade

    def __init__(self) -> None:
        super().__init__(id="ranking")
        self.request: Request | None = None
        self.rows: tuple[Row, ...] = ()
        self.grades: dict[int, int] = {}
        self.scores: list[float] = []
        self._range = (0.0, 1.0)

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def score_range(self) -> tuple[float, float] | None:
        """Lowest and highest score shown; None where there is none."""
        return self._range if self.rows and self.rows[0].score is not None else None

    @property
    def words_on_current(self) -> str:
        """The context under the cursor: its own id, its place, and how far it lies above the next."""
        row = self.current
        if row is None or self.request is None:
            return ""
        context = self.request.contexts[row.index]
        parts = [one_line(context.id, 40)] if context.id else []
        parts.append(f"sent as {row.index + 1} of {len(self.rows)}")
        if row.score is not None and row.rank is not None and row.rank < len(self.scores):
            gap = row.score - self.scores[row.rank]
            parts.append(f"{gap:.4f} above the next")
        if row.index in self.grades:
            parts.append(f"judged {self.grades[row.index]}")
        return " · ".join(parts)

    def show(self, request: Request | None, ranking: Ranking | None, grades: dict[int, int]) -> None:
        """Show a request's ranking, or its contexts as sent while there is none."""
        self.request = request
        self.rows = rows_of(request, ranking) if request else ()
        self.grades = grades
        scores = [row.score for row in self.rows if row.score is not None]
        self.scores = scores
        self._range = (scores[-1], scores[0]) if scores else (0.0, 1.0)
        self.set_row_count(len(self.rows))

    def grade(self, row: Row, grade: int | None) -> None:
        """Show another judgment of a context."""
        if grade is None:
            self.grades.pop(row.index, None)
        else:
            self.grades[row.index] = grade
        self.refresh()

    @property
    def _rank_cells(self) -> int:
        return max(2, len(str(len(self.rows))))

    @property
    def heading(self) -> str:
        """What stands above the columns."""
        cells = self._rank_cells
        return f"{'#':>{cells}} {'score':<6} {'':{BAR_CELLS}} {'sent':<{cells + 5}} J context"

    def row_content(self, index: int, width: int) -> Content:
        """Rank, score, bar, where it was sent and how far it moved, its judgment, its first line."""
        row = self.rows[index]
        assert self.request is not None
        cells = self._rank_cells
        sent = f"{row.index + 1:>{cells + 1}}"
        if row.rank is None or row.score is None:
            drawn = Content(f"{'–':>{cells}} {'':6} {'':{BAR_CELLS}}{sent} {'':4} ")
        else:
            low, high = self._range
            drawn = Content.assemble(
                (f"{row.rank:>{cells}} ", "bold"),
                f"{row.score:<6.4f} ",
                (bar(row.score, low, high), "$text-accent"),
                sent,
                (f" {moved(row.index + 1, row.rank):<4} ", "dim"),
            )
        grade = self.grades.get(row.index)
        judged = f"{grade} " if grade is not None else "· "
        drawn = Content.assemble(drawn, (judged, "bold $text-success" if grade else "dim"))
        room = width - drawn.cell_length
        text = one_line(self.request.contexts[row.index].text, max(room, 1)) if room > 0 else ""
        return Content.assemble(drawn, fit(text, max(room, 0)))

    def action_take_back(self) -> None:
        """Take the judgment of the context back."""
        if (row := self.current) and row.index in self.grades:
            self.post_message(self.Judged(row, None))

    def action_judge(self, grade: int) -> None:
        """Grade the context; the same grade again takes it back."""
        if row := self.current:
            self.post_message(self.Judged(row, None if self.grades.get(row.index) == grade else grade))
