"""Tables of utterances: ``.tsv`` (tabs, no quotation marks) or ``.csv`` (commas, quoted as spreadsheets do)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from math import isfinite, nan

from ctc_kd.corpus.listed import AudioList, Listed, find_audio, id_of, id_of_file
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.corpus.transcripts import normalise_spaces
from ctc_kd.files import text_lines

COLUMNS = ("path", "text", "id", "speaker", "start", "end", "language")
"""Only ``path`` is required. Times are in seconds."""

ENDINGS = (".tsv", ".csv")


def list_audio(files: Sequence[str]) -> AudioList:
    """The utterances of one table. An empty cell is as good as none.

    Relative paths start in the table's folder. Without ``id``, an utterance is named after its file, with the start in
    milliseconds if it has one. Without ``speaker``, every file is a speaker of its own.
    """
    (table,) = files
    listed, problems = [], []
    for place, row in _rows(table):
        try:
            listed.append(_listed(place, row, os.path.dirname(table)))
        except ValueError as error:
            problems.append(f"{place}: {error}")
    return AudioList(listed, problems)


def texts(files: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """``(place, utterance, text)`` of one table."""
    (table,) = files
    for place, row in _rows(table):
        yield place, _listed(place, row, os.path.dirname(table)).utterance, normalise_spaces(row.get("text", ""))


def columns(table: str) -> list[str]:
    """The names in the first line.

    :raises CorpusError: they are not those of :data:`COLUMNS`
    """
    names = [name.strip() for name in next(_records(table), (0, []))[1]]
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise CorpusError(f"{table}:1: unknown column(s) {unknown}, expected some of {', '.join(COLUMNS)}")
    if "path" not in names or len(set(names)) < len(names):
        raise CorpusError(f"{table}:1: the columns {names}, expected path, and once each of {', '.join(COLUMNS[1:])}")
    return names


def _records(table: str) -> Iterator[tuple[int, list[str]]]:
    """``(number of its last line, fields)`` of each record that is not empty."""
    quoted = {"strict": True} if table.lower().endswith(".csv") else {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    reader = csv.reader(text_lines(table), **quoted)
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield reader.line_num, fields
    except csv.Error as error:
        raise CorpusError(f"{table}:{reader.line_num}: is no line of a table ({error})") from error


def _rows(table: str) -> Iterator[tuple[str, dict[str, str]]]:
    """``(file and line, column -> content)``, without the empty cells."""
    names = columns(table)
    for number, fields in list(_records(table))[1:]:
        if len(fields) != len(names):
            raise CorpusError(f"{table}:{number}: {len(fields)} fields, expected {len(names)}: {', '.join(names)}")
        row = {name: field.strip() for name, field in zip(names, fields, strict=True)}
        yield f"{table}:{number}", {name: field for name, field in row.items() if field}


def _listed(place: str, row: dict[str, str], folder: str) -> Listed:
    """:raises ValueError: there is no path, or a time is no number"""
    if "path" not in row:
        raise ValueError("no path, expected an audio file")
    audio = find_audio(row["path"], folder=folder)
    start_s = _seconds(row, "start")
    name = id_of_file(row["path"])
    return Listed(
        place,
        id_of(row.get("id", "")) or (name if start_s is None else f"{name}-{round(1000 * start_s):08d}"),
        audio,
        speaker=row.get("speaker", name),
        start_s=start_s or 0.0,
        end_s=_seconds(row, "end"),
        language=row.get("language"),
    )


def _seconds(row: dict[str, str], column: str) -> float | None:
    if column not in row:
        return None
    try:
        seconds = float(row[column])
    except ValueError:
        seconds = nan
    if not isfinite(seconds):
        raise ValueError(f"{column} {row[column]!r}, expected seconds")
    return seconds
