"""A column while its reading is found: its distinct cells, and what stops a run or costs a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from layerwise.data.reading.cells.affixes import plain_text
from layerwise.data.reading.cells.columns import (
    FALSE,
    NULL_WORDS,
    TRUE,
    ColumnReading,
    cell_text,
    is_all_text,
)
from layerwise.data.reading.cells.dates import have_named_months
from layerwise.data.reading.cells.faults import Cells, find_faults, sentinels
from layerwise.data.reading.cells.numbers import FoundFormat, NumberFormat, guess_unsigned, needs_text
from layerwise.data.reading.pairs import find_pairs, mark_of_pairs, pair_of
from layerwise.data.reading.settings import CellKind, PercentMeaning, ReadingSettings
from layerwise.data.reading.suggestions import SuggestedSetting, UnreadableError, yaml_line

if TYPE_CHECKING:
    import pandas as pd

# Of more different words some differ in capitals in any column of names.
MAX_WORDS = 50
WHERE = "add to problem.reading in conf/<environment>/parameters.yml the line"

# Yes and no, true and false, these also as spreadsheets of other languages write them; a column of booleans has words
# of one pair, and 1 and 0 beside them.
TRUE_WORDS = (
    ("true", "t"), ("yes", "y"), ("wahr",), ("vrai",), ("verdadero",), ("verdadeiro",), ("vero",), ("waar",),
    ("prawda",),
)  # fmt: skip
FALSE_WORDS = (
    ("false", "f"), ("no", "n"), ("falsch",), ("faux",), ("falso",), ("falso",), ("falso",), ("onwaar",),
    ("fałsz",),
)  # fmt: skip


class ColumnBase:
    """One column, what the settings say of it, and what is to be said of its cells.

    Args:
        name: of the column.
        column: all its cells, text or typed.
        settings: of the problem.
        stated: what the settings say that it holds, if they do.
        classes: whether it holds the names of classes, which are never understood as anything else.
    """

    def __init__(
        self, name: str, column: pd.Series, settings: ReadingSettings, stated: CellKind | None, classes: bool
    ) -> None:
        self.name, self.column, self.settings = name, column, settings
        self.stated, self.classes = stated, classes
        self.notes: list[str] = []
        # Cells that are kept as values and may mean that there is none.
        self.doubtful: list[str] = []
        # Words that differ in capitals alone.
        self.spellings: list[str] = []
        self.own_null_words = settings.missing_in.get(name, ())
        everywhere = NULL_WORDS if settings.missing is None else settings.missing
        self.null_words = (*everywhere, *self.own_null_words)

    def cells(self) -> Cells:
        """Return the distinct cells that hold something."""
        held = self.column.dropna()
        # Counted as they are, texts take a tenth of the time.
        texts: Counter[str] = Counter(held.tolist() if is_all_text(held) else map(cell_text, held))
        counts: Counter[str] = Counter()
        for text, count in texts.items():
            counts[plain_text(text)] += count
        held_texts = [text for text in texts if plain_text(text)]
        if any(text != text.strip() for text in held_texts):
            self.notes.append("blanks around its cells are left out")
        if unseen := next((text for text in held_texts if text.strip() != plain_text(text)), ""):
            self.notes.append(f"{unseen!a} is read as '{plain_text(unseen)}', which looks the same")
        counts.pop("", None)
        return Cells(list(counts), np.array(list(counts.values()), dtype=np.int64))

    def has_gaps(self, cells: Cells) -> bool:
        """Return whether some rows have no such cell."""
        return int(cells.counts.sum()) < len(self.column)

    def note_sentinels(self, values: np.ndarray, counts: np.ndarray) -> None:
        """Note numbers that may be markers for a missing value."""
        known = set(map(NumberFormat().value_of, self.null_words))
        codes = [
            f"{value:g}" for value in sentinels(values, counts) if value not in known and not self.classes
        ]
        if not codes:
            return
        self.doubtful += codes
        stand, kept = (
            ("stand", "they are kept as numbers") if len(codes) > 1 else ("stands", "it is kept as a number")
        )
        mean = "they mean" if len(codes) > 1 else "it means"
        self.notes.append(
            f"{', '.join(codes)} {stand} far from all other values, and often; {kept}: if {mean} that "
            f"there is none, add {yaml_line({'missing_in': {self.name: codes}})[1:-1]} to problem.reading"
        )

    def refuse_faults(self, cells: Cells, right: np.ndarray, what: str) -> None:
        """Refuse cells that are no number or date if they look like a marker or are many; few cost their rows alone."""
        faults = find_faults(cells, right)
        if self.stated in ("number", "date"):
            return
        if faults.markers:
            words = [*faults.markers[:6], *(self.settings.missing or NULL_WORDS[:2])]
            self.ask(
                f"is {what} but for {faults.n_markers} cell(s) that may mean that there is no value: row "
                f"{self.row_of(words[0])} holds {words[0]!r}",
                "missing",
                words,
                other=f"if these are values, columns: {yaml_line({self.name: 'category'})}",
            )
        if faults.too_many:
            self.ask(
                f"is {what} but for {faults.n_faults} cell(s): row {self.row_of(faults.example)} holds "
                f"{faults.example!r}",
                "columns",
                {self.name: "category"},
                instead="correct it, add the column to problem.drop",
            )

    def refuse_mixed_percents(self, cells: Cells, found: FoundFormat | None) -> None:
        """Refuse percents among which many numbers have no sign: these may be fractions of 1, or percents too."""
        stated = self.settings.percent.get(self.name)
        if stated == "percent" and not is_all_text(self.column):
            self.refuse(
                "holds numbers that are no text, which are fractions of 1 at every door: write them as text, or say "
                f"percent: {yaml_line({self.name: 'fraction'})}"
            )
        signed = next((text for text in cells.texts if "%" in text), None)
        if found is None or stated is not None or signed is None:
            return
        mixed = found.format.model_copy(update={"percent": True, "unsigned": "fraction"})
        values, readable = mixed.values_of(cells.texts)
        bare = [k for k, text in enumerate(cells.texts) if readable[k] and values[k] and "%" not in text]
        # A few numbers of the other sort are slips, which cost their rows.
        are_many = find_faults(cells, found.readable).too_many and not find_faults(cells, readable).too_many
        guess = guess_unsigned(cells.texts, values, readable)
        if guess is None or not bare or not are_many:
            return
        text, value = cells.texts[bare[0]], values[bare[0]]
        shown = {"fraction": f"{100 * value:g} %", "percent": f"{value:g} %"}
        if not is_all_text(self.column):
            guess = "fraction"
        other: PercentMeaning = "fraction" if guess == "percent" else "percent"
        self.ask(
            f"has two readings over all rows: '{text}' beside '{signed}' is {shown[guess]}, or {shown[other]}",
            "percent",
            {self.name: guess},
            other=yaml_line({self.name: other}),
        )

    def row_of(self, text: str) -> Any:
        """Return the first row with a cell."""
        cells = zip(self.column.index, self.column, strict=True)
        return next((row for row, cell in cells if plain_text(cell_text(cell)) == text), "?")

    def pairs(self, cells: Cells) -> ColumnReading:
        """Return the reading of a column that is stated to hold two numbers in each cell."""
        mark = mark_of_pairs(cells.texts)
        found = [pair_of(text, mark) for text in cells.texts]
        first = next((k for k, each in enumerate(found) if each is not None), None)
        if first is None:
            self.refuse(
                "is stated to be a pair, two numbers in a cell, and holds "
                f"{', '.join(repr(text[:30]) for text in cells.texts[:3]) or 'nothing'}"
            )
        numbers = [value for each in found if each is not None for value in each]
        one, other = numbers[:2]
        self.notes.append(f"read as two numbers: '{cells.texts[first]}' is {one:g} and {other:g}")
        return ColumnReading(
            kind="pair",
            dtype="str",
            missing=self.null_words,
            mark=mark,
            whole=all(value.is_integer() for value in numbers),
            **self.said(),
        )

    @staticmethod
    def are_boolean(words: set[str], known: Sequence[set[str]]) -> bool:
        """Return whether words are of one known pair, or of yes and no beside true and false: a single letter of
        these if its word is there too, since T and N may be anything.
        """
        if any(words <= each for each in known):
            return True
        two = [each for each in ({"yes", "no", "y", "n"}, {"true", "false", "t", "f"}) if each in known]
        whole = [{word for word in words & each if len(word) > 1} for each in two]
        return len(two) == 2 and all(whole) and words <= set.union(*two)

    def note_words(self, cells: Cells) -> None:
        """Note what words may be that are read as such."""
        if have_named_months(cells.texts):
            self.notes.append(
                "looks like dates, and is read as words: write the months as numbers, such as 2024-03-01"
            )
        if find_pairs(cells.texts)[0]:
            shown = next(text for text in cells.texts if mark_of_pairs([text]))
            self.notes.append(
                f"each of its cells holds two numbers ({shown}), and is read as a word; add "
                f"{yaml_line({'columns': {self.name: 'pair'}})[1:-1]} to problem.reading if they are two numbers"
            )

    def text(self, cells: Cells, kind: CellKind) -> ColumnReading:
        """Return the reading of a column whose cells stay text."""
        width = 0
        if kind == "category" and cells.texts and needs_text(cells.texts):
            widths = {len(text) for text in cells.texts}
            width = widths.pop() if len(widths) == 1 else -1
            code = next(text for text in cells.texts if text.startswith("0"))
            kept = code if width > 0 else code.lstrip("0") or "0"
            self.notes.append(
                f"codes with leading zeros are categories: {int(code)}, '{int(code)}' and '{code}' all are '{kept}'"
            )
        null = sorted(set(cells.texts) & set(NULL_WORDS)) if self.settings.missing is None else []
        if null:
            n = sum(int(c) for t, c in zip(cells.texts, cells.counts, strict=True) if t in null)
            self.doubtful += null
            self.notes.append(
                f"{', '.join(null)} in {n} row(s) of text are values like any other; if they mean that there is none, "
                f"add {yaml_line({'missing': null})[1:-1]} to problem.reading"
            )
        return self.words(cells, kind, width=width)

    def words(self, cells: Cells, kind: CellKind, **others: Any) -> ColumnReading:
        """Return the reading of cells that stay text, with these fields too."""
        self._note_spellings(cells)
        return ColumnReading(
            kind=kind,
            dtype="str",
            missing=(*(self.settings.missing or ()), *self.own_null_words),
            ignore_case=self.name in self.settings.ignore_case,
            **self.said(),
            **others,
        )

    def _note_spellings(self, cells: Cells) -> None:
        """Note words of a column of few that differ in capitals alone, which are different values."""
        if self.name in self.settings.ignore_case or len(cells.texts) > MAX_WORDS:
            return
        alike = Counter(text.lower() for text in cells.texts)
        self.spellings = [text for text in cells.texts if alike[text.lower()] > 1]
        if self.spellings:
            self.notes.append(
                f"{', '.join(map(repr, self.spellings[:6]))} differ in capitals alone and are different values; if "
                f"they are none, add {yaml_line({'ignore_case': [self.name]})[1:-1]} to problem.reading"
            )

    def said(self) -> dict[str, Any]:
        """Return what a user may want to know of the column."""
        return {
            "notes": tuple(self.notes),
            "doubtful": tuple(self.doubtful),
            "spellings": tuple(self.spellings),
        }

    def refuse(self, what: str) -> NoReturn:
        """Raise the error of a column that no setting makes readable."""
        raise UnreadableError(f"column '{self.name}' {what}", columns=[self.name])

    def ask(
        self, what: str, key: str, value: Any, *, other: str = "", instead: str = "", remark: str = ""
    ) -> NoReturn:
        """Raise the error of a column that a setting decides.

        Args:
            what: is unclear, as it follows the column's name in the message.
            key: the setting's name.
            value: its likeliest value.
            other: its second likeliest value, as it would stand in YAML.
            instead: what may be done in place of setting it.
            remark: what the setting brings with it.
        """
        setting = SuggestedSetting(key, value, f"column '{self.name}' {what}", other)
        before = f"{instead}, or {WHERE}" if instead else WHERE
        after = f"\n({remark or f'or {other}'})" if remark or other else ""
        message = f"{setting.reason}; {before}\n    {setting.line}{after}"
        raise UnreadableError(message, [setting], [self.name])


def words_of(cells: Cells, reading: ColumnReading) -> tuple[str, str]:
    """Return how a boolean's cells most often say false and true; a word that none has is that of the other's pair."""
    meant = [reading.number_of(text) for text in cells.texts]
    order = np.argsort(-cells.counts, kind="stable").tolist()
    found = [next((cells.texts[k] for k in order if meant[k] == value), "") for value in (FALSE, TRUE)]
    for at, (own, other) in enumerate(((FALSE_WORDS, TRUE_WORDS), (TRUE_WORDS, FALSE_WORDS))):
        word = found[1 - at]
        pair = next((k for k, words in enumerate(other) if word.lower() in words), 0)
        found[at] = found[at] or (own[pair][0].title() if word.istitle() else own[pair][0])
    return found[0], found[1]
