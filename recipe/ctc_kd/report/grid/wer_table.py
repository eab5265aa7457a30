"""Tables 1 and 2 as HTML: numbers as in the paper, a strip of dots to compare them at a glance, the paper's columns."""

from __future__ import annotations

from html import escape

from ctc_kd.report import names
from ctc_kd.report.grid import tables
from ctc_kd.report.grid.charts import Strip
from ctc_kd.report.grid.results import Results
from ctc_kd.report.svg import element

FREE = '<abbr class="free" title="trained without transcripts">∅</abbr>'


class WerTable:
    """:param has_parameter: whether there is a column for the hyper-parameter chosen on dev (Table 2)"""

    def __init__(self, results: Results, rows: list[tables.TableLine], *, has_parameter: bool):
        self.results = results
        self.rows = rows
        self.has_parameter = has_parameter
        self._strip = Strip(results)
        self._best = tables.best_scores(rows)

    def html(self) -> str:
        body = "".join(
            element("tr", self._ours(row) + self._paper(row), class_="first" if row.first else "") for row in self.rows
        )
        table = element("table", f"<thead>{self._head()}</thead><tbody>{body}</tbody>", class_="wer")
        return element("div", table, class_="scroll")

    def _head(self) -> str:
        parameter = ["Hyper-param."] if self.has_parameter else []
        ours = ["Selection" if self.has_parameter else "Model", "λ", *parameter, *tables.SETS]
        cells = "".join(f"<th>{name}</th>" for name in ours) + f'<th class="plot">{self._strip.axis()}</th>'
        if not self.results.reference:
            return f"<tr>{cells}</tr>"
        papers = [*parameter, *tables.SETS]
        cells += "".join(f'<th class="paper">{name}</th>' for name in papers)
        column = escape(tables.paper_columns(self.results))
        over = f'<th colspan="{len(ours) + 1}"></th><th class="paper" colspan="{len(papers)}">{column}</th>'
        return f'<tr class="over">{over}</tr><tr>{cells}</tr>'

    def _ours(self, row: tables.TableLine) -> str:
        cell = row.cell
        free = FREE if cell and not cell.uses_transcripts else ""
        mark = tables.chosen_mark(row) if self.has_parameter else ""
        cells = f"<th>{row.label if row.first else ''}</th><td>{names.scale(row.weight)}{mark}{free}</td>"
        if self.has_parameter:
            cells += f"<td>{names.parameter(row.method, cell and cell.parameter)}</td>"
        for name in tables.SETS:
            score = cell and getattr(cell, name)
            text = names.wer(score and score.wer)
            best = score and row.is_student and text == self._best[name]
            spread = names.spread(score and score.spread)
            cells += f"<td>{element('b', text) if best else text}{spread and element('small', spread)}</td>"
        return cells + f'<td class="plot">{self._strip.draw(cell)}</td>'

    def _paper(self, row: tables.TableLine) -> str:
        if not self.results.reference:
            return ""
        texts = tables.paper_cells(row, has_parameter=self.has_parameter)
        return "".join(f'<td class="paper">{text}</td>' for text in texts)


def legend(results: Results) -> str:
    """What the dots, lines and signs of the tables mean."""
    keys = [
        f'<i class="key round {results.colour(weight)}"></i>λ = {names.scale(weight)}' for weight in results.weights
    ]
    keys += ['<i class="key round open"></i>dev', '<i class="key round"></i>test']
    keys += [f'<i class="key {method}"></i>{method}, test' for method in ("baseline", "teacher")]
    keys.append(f"{FREE} trained without transcripts")
    return element("p", "".join(f"<span>{key}</span>" for key in keys), class_="legend")
