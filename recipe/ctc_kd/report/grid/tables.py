"""Tables 1 and 2 in the paper's layout: as rows for the page, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ctc_kd.methods import METHODS, rules_of_table
from ctc_kd.report import names
from ctc_kd.report.grid.cell import Cell
from ctc_kd.report.grid.results import PaperScore, Results

STANDARD = tuple(rules_of_table(1))
"""Plain KD and blank elimination."""


@dataclass(frozen=True)
class TableLine:
    """One line of Table 1 or 2; ``cell`` is None where the grid has a hole.

    :param first: whether a new group of rows (method) begins
    """

    label: str
    method: str
    weight: float | None
    cell: Cell | None
    paper: PaperScore | None
    first: bool

    @property
    def is_student(self) -> bool:
        return self.method != "teacher"


def table1(results: Results) -> list[TableLine]:
    """Teacher, baseline, then plain KD and blank elimination for each distillation scale."""
    return [
        *(_row(results, method, None) for method in ("teacher", "baseline")),
        *_groups(results, STANDARD),
    ]


def table2(results: Results) -> list[TableLine]:
    """KD and elimination at their best scale, then each method at every scale, with the hyper-parameter chosen on dev.

    The methods are the paper's and all others that were trained.
    """
    best = [(method, results.best_weight(method)) for method in STANDARD]
    trained = {cell.method for cell in results.cells}
    shown = [name for name, method in METHODS.items() if method.table == 2 or method.table is None and name in trained]
    return [*(_row(results, method, found and found.weight) for method, found in best), *_groups(results, shown)]


def _row(results: Results, method: str, weight: float | None, first: bool = True) -> TableLine:
    cell, paper = results.best(method, weight), results.paper(method, weight)
    return TableLine(METHODS[method].short, method, weight, cell, paper, first)


def _groups(results: Results, methods: Sequence[str]) -> list[TableLine]:
    return [
        _row(results, method, weight, first=number == 0)
        for method in methods
        for number, weight in enumerate(results.weights if METHODS[method].weighted else [None])
    ]


def best_scores(rows: Sequence[TableLine]) -> dict[str, str]:
    """The lowest WER of a student on dev and on test, as printed: the bold numbers of the table."""
    students = [row.cell for row in rows if row.cell and row.is_student]
    scores = {name: [score.wer for cell in students if (score := getattr(cell, name))] for name in SETS}
    return {name: names.wer(min(values)) for name, values in scores.items() if values}


SETS = ("dev", "test")


def table1_markdown(results: Results) -> str:
    rows = table1(results)
    lines = [[row.label if row.first else "", names.scale(row.weight), *_scores(row, rows)] for row in rows]
    title = f"**Table 1.** Baselines on {results.corpus}: {results.rate} [%]."
    return _document(title, ["Model", "Distillation scale", *SETS], lines, rows, results)


def table2_markdown(results: Results) -> str:
    rows = table2(results)
    lines = []
    for row in rows:
        label = {"all": f"{names.DASH} (KD)"}.get(row.method, row.label)
        weight = names.scale(row.weight) + chosen_mark(row)
        lines.append([label if row.first else "", weight, _parameter(row), *_scores(row, rows)])
    title = f"**Table 2.** Blank selection on {results.corpus}: {results.rate} [%]. {choice(results)}"
    return _document(title, ["Blank selection", "KD scale", "Hyper-param.", *SETS], lines, rows, results)


def chosen_mark(row: TableLine) -> str:
    """The dagger at a distillation scale of Table 2 that was chosen on dev."""
    return "†" if row.method in STANDARD and row.cell else ""


def choice(results: Results) -> str:
    """How dev chose the rows of Table 2."""
    return f"Hyper-parameters, and the scales marked †, are those with the lowest dev {results.rate}."


def seeds_note(results: Results) -> str:
    """What ``±`` means; empty if every row has one seed."""
    sets = dict.fromkeys(cell.seeds for cell in results.cells if len(cell.seeds) > 1)
    if not sets:
        return ""
    seeds = ", or ".join(f"{len(seeds)} seeds ({', '.join(map(str, seeds))})" for seeds in sets)
    return f"Mean ± standard deviation (divisor n − 1) over {seeds}; rows without ± are one training."


def paper_columns(results: Results) -> str:
    """The heading of the columns with the paper's numbers."""
    return "Paper" if results.comparable else f"Paper, {results.reference['name']}"


def paper_note(results: Results) -> str:
    if results.comparable:
        return f"Paper: the numbers of arXiv 2506.01503 on {results.reference['name']}."
    rate = "" if results.unit == "words" else "WER "
    return (
        f"The paper's numbers (arXiv 2506.01503) are {rate}on {results.reference['name']}, with other data and other "
        "models: they show its trend and cannot be compared with ours."
    )


def _document(title: str, head: list[str], lines: list[list[str]], rows: list[TableLine], results: Results) -> str:
    has_parameter = "Hyper-param." in head
    if results.reference:
        column = paper_columns(results)
        head = head + ([f"{column}: hyper-param."] if has_parameter else []) + [f"{column}: {name}" for name in SETS]
        lines = [line + paper_cells(row, has_parameter=has_parameter) for line, row in zip(lines, rows, strict=True)]
        title += f"\n\n{paper_note(results)}"
    return f"{' '.join(filter(None, [title, seeds_note(results)]))}\n\n{names.markdown(head, lines)}"


def _scores(row: TableLine, rows: list[TableLine]) -> list[str]:
    best = best_scores(rows)
    texts = []
    for name in SETS:
        score = row.cell and getattr(row.cell, name)
        text = names.wer(score and score.wer)
        bold = score and row.is_student and text == best[name]
        texts.append((f"**{text}**" if bold else text) + names.spread(score and score.spread))
    return texts


def _parameter(row: TableLine) -> str:
    return names.parameter(row.method, row.cell and row.cell.parameter)


def paper_cells(row: TableLine, *, has_parameter: bool) -> list[str]:
    """The paper's hyper-parameter (Table 2), dev and test WER."""
    chosen = [names.parameter(row.method, row.paper and row.paper.parameter)] if has_parameter else []
    return chosen + [names.wer(row.paper and getattr(row.paper, name)) for name in SETS]
