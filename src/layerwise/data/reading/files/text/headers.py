"""Where the header of a text is, and what separates its cells: found at training, recognized in later files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from layerwise.data.errors import DataError
from layerwise.data.reading.cells.affixes import trim
from layerwise.data.reading.files.file_format import FileFormat
from layerwise.data.reading.files.header_rows import first_header_row, names_in
from layerwise.data.reading.files.text.lines import Source, name_of, open_text
from layerwise.data.reading.files.text.records import Dialect, read_records
from layerwise.data.reading.settings import SEPARATOR_NAMES
from layerwise.data.reading.suggestions import SuggestedSetting, UnreadableError

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_LINES = 2_000
# How far down a later file its header is looked for.
HEADER_LINES = 50
AGREEMENT = 0.9
UNNAMED = re.compile(r"|Unnamed: \d+|__index_level_\d+__")
SHOWN = {"\t": "tab", " ": "space"}
NAMES = {character: name for name, character in SEPARATOR_NAMES.items()}


class Header(NamedTuple):
    """The names of all cells of a header, the positions of the columns that have a name, and the names that stood
    between blanks.
    """

    names: list[str]
    kept: list[int]
    blanks: list[str]

    @property
    def kept_names(self) -> list[str]:
        """The names of the columns that are kept."""
        return [self.names[k] for k in self.kept]

    @property
    def unnamed(self) -> list[int]:
        """The positions of the columns without a name."""
        return [k for k in range(len(self.names)) if k not in self.kept]


def make_header(cells: list[str], name: str) -> Header:
    """Return the header that cells make: names without the blanks around them. A column without a name, such as the
    row numbers that pandas writes, is none.

    Args:
        cells: as they stand in the file.
        name: of the file, for messages.

    Raises:
        DataError: two columns have one name, or none has any.
    """
    names = [trim(cell) for cell in cells]
    kept = [k for k, each in enumerate(names) if not UNNAMED.fullmatch(each)]
    counts = Counter(names[k] for k in kept)
    twice = next((each for each, count in counts.items() if count > 1), None)
    if twice is not None:
        raise DataError(f"{name} has the column '{twice}' twice; rename one of them")
    if not kept:
        raise DataError(f"{name} has no header: no column has a name")
    return Header(names, kept, [names[k] for k in kept if names[k] != cells[k]])


class Layout(NamedTuple):
    """What separates cells, and how many lines stand before the header."""

    separator: str
    skip_lines: int


class _Cut(NamedTuple):
    """A sample of lines as one separator cuts it."""

    separator: str
    n_cells: int  # of most rows
    agreement: float  # the fraction of the rows that have as many
    header_line: int  # number of the first line with so many
    first: str  # the text of the first line


def find_layout(
    source: Source,
    encoding: str,
    quote: str,
    separator: str | None,
    skip_lines: int | None,
    header_rows: int | None = None,
) -> tuple[Layout, list[str]]:
    """Return the layout of a file that training reads, and what was found as sentences.

    Args:
        source: the file.
        encoding: of its text.
        quote: around cells.
        separator: None to find it.
        skip_lines: None: none, but a file that seems to have some is refused.
        header_rows: rows of names; None to find out.

    Raises:
        DataError: two separators cut the lines equally well, or lines stand before the header and no setting says so;
            the message has the setting to add.
    """
    with open_text(source, encoding) as text:
        lines = list(islice(text, skip_lines or 0, (skip_lines or 0) + SAMPLE_LINES))
    candidates = [separator] if separator is not None else list(SEPARATORS)
    cuts = [cut for each in candidates if (cut := _cut(lines, Dialect(each, quote), header_rows))]
    if not cuts:
        raise DataError(f"{name_of(source)} has no rows that can be read")
    several = [cut for cut in cuts if cut.n_cells > 1]
    if not several and separator is None:  # blanks stand within cells too, so that they come last
        blanks = _cut(lines, Dialect(" ", quote), header_rows)
        agrees = blanks and blanks.n_cells > 1 and blanks.agreement >= AGREEMENT and blanks.header_line == 1
        several = [blanks] if blanks and agrees else []
        _refuse_quoted_lines(lines, quote, name_of(source))
    best = _choose(several, source) if several else cuts[0]
    notes = []
    if separator is None and best.separator != ",":
        shown = SHOWN.get(best.separator, best.separator)
        notes.append(f"cells are separated by '{shown}': {best.n_cells} in {best.agreement:.0%} of the rows")
    before = best.header_line - 1
    if before and skip_lines is None:
        raise lines_before_header(name_of(source), before, best.first.strip())
    return Layout(best.separator, skip_lines or 0), notes


def _refuse_quoted_lines(lines: list[str], quote: str, name: str) -> None:
    """Refuse a text each line of which stands in quotes as a whole, as spreadsheets write a table that was pasted into
    one column.
    """
    records = [each for each in read_records(lines, Dialect(SEPARATORS[0], quote)) if not each.reason]
    inside = [
        f"{each.cells[0]}\n" for each in records if each.text.startswith(quote) and len(each.cells) == 1
    ]
    if not quote or len(inside) < AGREEMENT * len(records):
        return
    cuts = [_cut(inside, Dialect(each, quote), None) for each in SEPARATORS]
    if any(cut is not None and cut.n_cells > 1 and cut.agreement >= AGREEMENT for cut in cuts):
        raise DataError(
            f"each line of {name} stands in quotes as a whole, so that it is one cell; take the outer quotes away, in "
            "Python: import csv; open('new.csv', 'w').writelines(row[0] + '\\n' for row in csv.reader(open('old.csv')))"
        )


def lines_before_header(name: str, count: int, first: str) -> UnreadableError:
    """Return the error of a file that begins with lines of another kind than its header, such as a heading.

    Args:
        name: of the file.
        count: of these lines.
        first: the text of the first.
    """
    reason = f"{name} begins with {count} line(s) before its header, the first of them {first[:60]!r}"
    setting = SuggestedSetting("skip_lines", count, reason)
    return UnreadableError(f"{reason}: add problem.reading.{setting.line}", [setting])


def _choose(cuts: list[_Cut], source: Source) -> _Cut:
    """Return the cut whose header comes first, and of these the one that most rows agree with."""
    first = min(cut.header_line for cut in cuts)
    ranked = sorted(
        (cut for cut in cuts if cut.header_line == first), key=lambda cut: cut.agreement, reverse=True
    )
    if len(ranked) > 1 and ranked[1].agreement >= AGREEMENT:
        named = " or ".join(f"'{SHOWN.get(cut.separator, cut.separator)}'" for cut in ranked[:2])
        counts = " and ".join(str(cut.n_cells) for cut in ranked[:2])
        reason = f"cells of {name_of(source)} may be separated by {named} ({counts} columns)"
        likelier, other = (NAMES[cut.separator] for cut in ranked[:2])
        raise UnreadableError(
            f"{reason}: add problem.reading.separator: {likelier} or the other one, {other}",
            [SuggestedSetting("separator", likelier, reason, other)],
        )
    return ranked[0]


def _cut(lines: list[str], dialect: Dialect, header_rows: int | None) -> _Cut | None:
    records = [each for each in read_records(lines, dialect) if not each.reason]
    if not records:
        return None
    counts = Counter(len(each.cells) for each in records)
    n_cells, agreeing = counts.most_common(1)[0]
    filled = [sum(not each.isspace() for each in record.cells if each) for record in records]
    # A line of a heading, as spreadsheets write it, is filled up with separators.
    least = usual_width(filled) / 2 if n_cells > 2 else 0
    start = next(k for k, each in enumerate(records) if len(each.cells) == n_cells and filled[k] >= least)
    # Lines of a heading are short; a header or rows that are a little shorter than others are ragged rows.
    if any(n >= max(2, n_cells / 2) for n in filled[:start]):
        start = 0
    start = first_header_row([each.cells for each in records], start, header_rows)
    return _Cut(dialect.separator, n_cells, agreeing / len(records), records[start].line, records[0].text)


def usual_width(filled: Sequence[int]) -> int:
    """Return how many cells most rows fill, the larger number where two are as frequent.

    A line above the header that fills less than half as many is a heading.

    Args:
        filled: for each row, how many of its cells hold something.
    """
    counts = Counter(filled)
    return max(counts, key=lambda n: (counts[n], n))


def recognize_layout(source: Source, encoding: str, file_format: FileFormat) -> Layout:
    """Return the layout of a later file: that of training, unless another one has more of the known columns in its
    header, as where the same table was written with another separator or without a heading.
    """
    own = Layout(file_format.separator, file_format.skip_lines)
    known = set(file_format.columns)
    if not known:
        return own
    with open_text(source, encoding) as text:
        lines = list(islice(text, max(HEADER_LINES, own.skip_lines + 1)))
    separators = [own.separator, *(each for each in SEPARATORS if each != own.separator)]
    if file_format.names:  # there need be no line of names; then the number of cells tells the separator
        layouts = [Layout(each, own.skip_lines) for each in separators]
        firsts = [_first_rows(lines, each, file_format.quote, 1) for each in layouts]
        widths = [len(rows[0]) if rows else 0 for rows in firsts]
        n_cells = zip(layouts, widths, strict=True)
        return next((each for each, width in n_cells if width == len(file_format.names)), own)
    best, most = own, _known_names(lines, own, file_format)
    for separator in separators:
        for skip in (own.skip_lines, *range(len(lines))):
            if most == len(known):
                return best
            layout = Layout(separator, skip)
            found = _known_names(lines, layout, file_format)
            if found > most:
                best, most = layout, found
    return best


def _known_names(lines: list[str], layout: Layout, file_format: FileFormat) -> int:
    known, n_rows = file_format.columns, file_format.header_rows
    rows = _first_rows(lines, layout, file_format.quote, n_rows)
    return len(set(known) & {trim(cell) for cell in names_in(rows, n_rows, known)[0]})


def _first_rows(lines: list[str], layout: Layout, quote: str, n_rows: int) -> list[list[str]]:
    records = read_records(lines[layout.skip_lines :], Dialect(layout.separator, quote))
    return [each.cells for each in islice(records, n_rows)]
