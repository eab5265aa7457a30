"""The drawings of the page: WER strips, Figure 1, coverage bars and learning curves."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ctc_kd.report import names
from ctc_kd.report.grid.cell import Cell
from ctc_kd.report.grid.figures import axis_labels, figure1_series
from ctc_kd.report.grid.results import Results
from ctc_kd.report.svg import Plot, element, ticks


class Strip:
    """One row's dev and test WER as dots on an axis common to all rows, with baseline and teacher as lines.

    Positions are percentages, so that a strip fills its table cell without distorting the dots.
    """

    def __init__(self, results: Results):
        self._results = results
        values = [score.wer for cell in results.cells for score in (cell.dev, cell.test) if score]
        pad = max(0.06 * (max(values) - min(values)), 0.2)
        self._low, self._high = max(min(values) - pad, 0), max(values) + pad
        self._lines = "".join(
            self._line(cell.test.wer, f"rule {method}")
            for method in ("teacher", "baseline")
            if (cell := results.best(method, None)) and cell.test
        )

    def _at(self, wer: float) -> str:
        return f"{100 * (wer - self._low) / (self._high - self._low):.2f}%"

    def _line(self, wer: float, class_: str) -> str:
        return element("line", x1=self._at(wer), x2=self._at(wer), y1=0, y2="100%", class_=class_)

    def draw(self, cell: Cell | None) -> str:
        """A hollow dot for dev and a solid one for test in the scale's colour; for None only the lines."""
        if cell is None:
            return element("svg", self._lines, class_="strip", aria_hidden="true")
        dev, label = self._at(cell.dev.wer), f"dev {names.wer(cell.dev.wer)} %"
        dots = [element("circle", cx=dev, cy="50%", r=4, class_="dev")]
        if cell.test:
            test, label = self._at(cell.test.wer), f"{label}, test {names.wer(cell.test.wer)} %"
            dots.insert(0, element("line", x1=dev, x2=test, y1="50%", y2="50%", class_="link"))
            dots.append(element("circle", cx=test, cy="50%", r=4.5, class_="test"))
        colour = self._results.colour(cell.weight) if cell.weight is not None else "ink"
        drawing = self._lines + element("title", label) + "".join(dots)
        return element("svg", drawing, class_=f"strip {colour}", role="img", aria_label=label)

    def axis(self) -> str:
        marks = [
            element("text", f"{tick:g}", x=self._at(tick), y="50%", dy="0.35em", class_="tick", text_anchor="middle")
            for tick in ticks(self._low, self._high, 4)
            if 0.04 < (tick - self._low) / (self._high - self._low) < 0.96
        ]
        return element("svg", "".join(marks), class_="strip axis", aria_hidden="true")


def figure1(results: Results) -> str:
    """Dev WER over n, one line for each distillation scale; empty where no distilled row exists."""
    series = figure1_series(results)
    if not series:
        return ""
    labels = axis_labels(results)
    all_frames = max(labels)
    baseline = results.best("baseline", None)
    values = [wer for points, kd in series.values() for wer in [*(y for _, y in points), kd] if wer is not None]
    values += [wer for weight in series for _, wer in results.paper_points(weight)]
    values += [baseline.dev.wer] if baseline else []
    pad = max(0.08 * (max(values) - min(values)), 0.2)
    plot = Plot(
        width=560,
        height=340,
        x=(-0.35, all_frames + 0.35),
        y=(max(min(values) - pad, 0), max(values) + pad),
        margins=(44, 12, 12, 66),
    )
    plot.y_axis()
    if baseline:
        plot.horizontal(baseline.dev.wer, "rule baseline")
        name = f"Baseline {names.wer(baseline.dev.wer)}"
        plot.text(plot.right, plot.y(baseline.dev.wer) - 5, name, anchor="end")
    for position, label in labels.items():
        for row, text in enumerate(label):
            plot.text(plot.x(position), plot.bottom + 18 + 16 * row, text)
    plot.text((plot.left + plot.right) / 2, plot.height - 6, "n, blank frames kept on each side of a label")
    for weight, (points, kd) in series.items():
        shape, colour = results.weights.index(weight) % 3, results.colour(weight)
        name = f"λ = {names.scale(weight)}"
        plot.line(points, f"line {colour}")
        for n, wer in results.paper_points(weight):
            tip = f"paper, {name}, n = {n}: {names.wer(wer)} % on dev"
            plot.marker(n, wer, shape, f"mark hollow {colour}", tip)
        for n, wer in points:
            plot.marker(n, wer, shape, f"mark {colour}", f"{name}, n = {n:g}: {names.wer(wer)} % on dev")
        if kd is not None:
            plot.marker(all_frames, kd, shape, f"mark {colour}", f"{name}, plain KD: {names.wer(kd)} % on dev")
    scales = ", ".join(map(names.scale, series))
    return plot.svg(f"Dev {results.rate} over n of symmetric selection, distillation scales {scales}")


def figure1_legend(results: Results) -> str:
    keys = [
        element("span", f'<i class="key {results.colour(weight)} shape{index % 3}"></i>λ = {names.scale(weight)}')
        for index, weight in enumerate(results.weights)
        if weight in figure1_series(results)
    ]
    return element("p", "".join(keys), class_="legend")


def share_bar(share: float, paper: float | None) -> str:
    """A share in [0, 1] as a bar, the paper's as a tick."""
    bar = element("rect", x=0, y="25%", width=f"{100 * share:.2f}%", height="50%", class_="bar")
    at = f"{100 * paper:.2f}%" if paper is not None else None
    tick = element("line", x1=at, x2=at, y1="8%", y2="92%", class_="paper") if at else ""
    back = element("rect", x=0, y="25%", width="100%", height="50%", class_="track")
    return element("svg", back + bar + tick, class_="strip", aria_hidden="true")


def loss_names(curves: Sequence[list[dict]]) -> list[str]:
    """The losses in all learning curves, named as in scores behind ``train_loss_`` or ``dev_loss_``."""
    scores = [score for curve in curves for entry in curve for score in entry["scores"]]
    return list(dict.fromkeys(score.split("_loss_", 1)[1] for score in scores if "_loss_" in score))


def loss_colour(index: int) -> str:
    """Beginning with the two colours that differ from those of the paper's three distillation scales."""
    return f"c{(4 - index) % 5}"


def learning_curve(curve: list[dict], losses: list[str], label: str) -> str:
    """Losses of one training over epochs: a colour for each loss, dev as a strong line, train as a faint one."""
    lines = []
    for loss_index, loss in enumerate(losses):
        for part in ("train", "dev"):
            score = f"{part}_loss_{loss}"
            points = [(e["epoch"], e["scores"][score]) for e in curve if score in e["scores"]]
            lines.append((f"line {part} {loss_colour(loss_index)}", [(x, y) for x, y in points if math.isfinite(y)]))
    lines = [(class_, points) for class_, points in lines if points]
    if not lines:
        return ""
    epochs = [x for _, points in lines for x, _ in points]
    top = max(y for _, points in lines for _, y in points)
    plot = Plot(width=220, height=140, x=(min(epochs), max(epochs)), y=(0, top * 1.04), margins=(32, 8, 8, 22))
    plot.y_axis(3)
    for tick in ticks(min(epochs), max(epochs), 4):
        plot.text(plot.x(tick), plot.bottom + 15, f"{tick:g}")
    for class_, points in lines:
        plot.line(points, class_)
    return plot.svg(f"Learning curves of {label}")


def spike_lengths(spikes: dict) -> str:
    """A histogram: the share of spikes with 1, 2, ... frames; the last bar also counts all longer ones."""
    lengths = {int(length): number for length, number in spikes["length_histogram"].items()}
    if not lengths:
        return ""
    last = min(max(lengths), 8)
    bars = {n: lengths.get(n, 0) for n in range(1, last)} | {last: sum(v for n, v in lengths.items() if n >= last)}
    total, top = sum(bars.values()), max(bars.values())
    plot = Plot(width=360, height=150, x=(0.4, last + 0.6), y=(0, 100 * top / total), margins=(8, 8, 22, 38))
    for n, number in bars.items():
        share, x = 100 * number / total, plot.x(n)
        height = plot.bottom - plot.y(share)
        plot.add("rect", x=x - 13, y=plot.y(share), width=26, height=max(height, 0.5), class_="bar")
        plot.text(x, plot.y(share) - 5, f"{share:.0f}")
        plot.text(x, plot.bottom + 15, f"{n}+" if n == last < max(lengths) else f"{n}")
    plot.text((plot.left + plot.right) / 2, plot.height - 5, "length of a spike in frames (% of spikes)")
    return plot.svg("Histogram of spike lengths")
