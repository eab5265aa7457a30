"""Figure 1 of the paper as files: dev WER over the radius n of symmetric selection, for each distillation scale."""

from __future__ import annotations

import os

from ctc_kd.methods import METHODS
from ctc_kd.report import names
from ctc_kd.report.grid.results import Results

# Okabe and Ito's colours, distinct for readers with any colour vision; the markers are distinct in grey, too.
COLOURS = ("#D55E00", "#009E73", "#0072B2", "#CC79A7", "#E69F00")
MARKERS = "osD^v"


def figure1_series(results: Results) -> dict[float, tuple[list[tuple[int, float]], float | None]]:
    """Distillation scale -> points (n, dev WER), with blank elimination as n = 0, and the dev WER of plain KD."""
    series = {}
    for weight in results.weights:
        cells = [cell for cell in results.distilled if cell.weight == weight]
        points = {cell.parameter or 0: cell.dev.wer for cell in cells if cell.method in ("eliminate", "symmetric")}
        kd = next((cell.dev.wer for cell in cells if cell.method == "all"), None)
        if points or kd is not None:
            series[weight] = (sorted(points.items()), kd)
    return series


def axis_labels(results: Results) -> dict[float, tuple[str, ...]]:
    """Position -> lines of its label, for the paper's n and any other n of a row.

    Plain KD comes last and stands apart, because its radius is unlimited.
    """
    trained = {n for points, _ in figure1_series(results).values() for n, _ in points}
    radii = sorted({*METHODS["symmetric"].parameter.tried, *trained} - {0})
    return {0: ("0", "elim."), **{n: (f"{n:g}",) for n in radii}, radii[-1] + 1.4: ("all", "KD")}


def figure1(results: Results, folder: str):
    """Writes ``figure1.svg`` and ``figure1.png`` into ``folder``."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context(
        {"svg.hashsalt": "figure1", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure, axes = plt.subplots(figsize=(6, 3.8), layout="constrained")
        _draw(axes, results)
        figure.savefig(os.path.join(folder, "figure1.svg"), metadata={"Date": None})
        figure.savefig(os.path.join(folder, "figure1.png"), dpi=200, metadata={"Software": None})
        plt.close(figure)


def _draw(axes, results: Results):
    labels = axis_labels(results)
    all_frames = max(labels)
    for weight, (points, kd) in figure1_series(results).items():
        index = results.weights.index(weight)
        style = {"color": COLOURS[index % 5], "marker": MARKERS[index % 5]}
        label = f"λ = {names.scale(weight)}"
        if points:
            axes.plot(*zip(*points, strict=True), **style, label=label)
            label = None
        if kd is not None:
            axes.plot([all_frames], [kd], **style, linestyle="none", label=label)
        if paper := results.paper_points(weight):
            axes.plot(*zip(*paper, strict=True), **style, linestyle="none", markerfacecolor="none")
    if baseline := results.best("baseline", None):
        axes.axhline(baseline.dev.wer, color="0.35", linestyle="--", linewidth=1.2, label="baseline")
    axes.set_xticks(list(labels), ["\n".join(label) for label in labels.values()])
    axes.set_xlim(-0.4, all_frames + 0.4)
    axes.set_xlabel("n, blank frames kept on each side of a label")
    axes.set_ylabel(f"dev {results.rate} [%], {results.corpus}")
    axes.grid(axis="y", color="0.9")
    if axes.has_data():
        axes.legend(frameon=False, fontsize=9, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))
