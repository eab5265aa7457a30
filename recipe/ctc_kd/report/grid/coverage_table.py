"""Share of frames that each selection distils, beside the paper's: as Markdown and as HTML."""

from __future__ import annotations

from ctc_kd.frames import HOP_SAMPLES, SAMPLE_RATE_HZ, student_centre_s
from ctc_kd.methods import METHODS
from ctc_kd.report import names
from ctc_kd.report.grid.charts import share_bar
from ctc_kd.report.grid.results import Results
from ctc_kd.report.svg import grouped_rows

NOTE = (
    "Frames of the students' audio and of the validation set are counted, without padding. The paper's shares come "
    "from its own data and teacher. Its published script counts frames to the right of a label only at distance "
    "exactly n, so its figures for n ≥ 2 are somewhat low."
)


def coverage_markdown(coverage: dict, results: Results) -> str:
    """:param coverage: ``CoverageJob.out_coverage``"""
    lines = [
        [METHODS[entry["rule"]].long, *_numbers(entry), _paper(entry, results)] for entry in coverage["selections"]
    ]
    table = names.markdown(["Selection", "Hyper-param.", "Frames", "Share", "Paper"], lines)
    facts = "\n".join(f"- {name}: {value}" for name, value in coverage_facts(coverage).items())
    return f"**Coverage.** Frames of the teacher that a selection distils. {NOTE}\n\n{table}\n{facts}\n"


def coverage_html(coverage: dict, results: Results) -> str:
    names_ = ["Selection", "Hyper-param.", "frames", "share"]
    head = "".join(f"<th>{name}</th>" for name in names_) + '<th class="plot"></th><th class="paper">Paper</th>'
    rows = []
    for entry in coverage["selections"]:
        paper_share = results.paper_share(entry["rule"], entry["parameter"])
        cells = "".join(f"<td>{text}</td>" for text in _numbers(entry))
        cells += f'<td class="plot">{share_bar(entry["share"], paper_share)}</td>'
        cells += f'<td class="paper">{_paper(entry, results)}</td>'
        rows.append((METHODS[entry["rule"]].long, cells))
    table = f'<table class="coverage"><thead><tr>{head}</tr></thead><tbody>{grouped_rows(rows)}</tbody></table>'
    return f'<div class="scroll">{table}</div>'


def _numbers(entry: dict) -> list[str]:
    parameter = names.parameter(entry["rule"], entry["parameter"])
    return [parameter, names.count(entry["frames"]), names.percent(entry["share"])]


def _paper(entry: dict, results: Results) -> str:
    return names.percent(results.paper_share(entry["rule"], entry["parameter"]), digits=0)


def coverage_facts(coverage: dict) -> dict[str, str]:
    """Facts about the teacher's frames and spikes, name -> text."""
    spikes = coverage["spikes"]
    hours = coverage["frames"] * coverage["frame_shift_s"] / 3600
    facts = {
        "Speech": f"{hours:.2f} h, {names.count(coverage['utterances'])} utterances",
        "Frames": f"{names.count(coverage['frames'])} of {1000 * coverage['frame_shift_s']:.0f} ms",
        **_centre(coverage.get("first_centre_s"), coverage["frame_shift_s"]),
        "Blank is the best label": names.percent(coverage["blank_share"]),
        "Entropy": f"{coverage['mean_entropy']:.2f} nats per frame",
        "Spikes": f"{names.count(spikes['count'])}, {spikes['per_second']:.1f} per second",
    }
    if spikes["count"]:
        facts["Length of a spike"] = (
            f"{spikes['mean_length_frames']:.2f} frames, {names.percent(spikes['single_frame_share'], 0)} single frames"
        )
    if spikes["mean_gap_frames"] is not None:
        facts["Blank frames between spikes"] = f"{spikes['mean_gap_frames']:.2f}"
    return facts


def coverage_shares(coverage: dict) -> dict[str, str]:
    """How many frames each selection distils, name -> text."""
    shares = {}
    for entry in coverage["selections"]:
        parameter, _, share = _numbers(entry)
        name = METHODS[entry["rule"]].short
        shares[name if parameter == names.DASH else f"{name}, {parameter}"] = share
    return shares


def _centre(first_centre_s: float | None, frame_shift_s: float) -> dict[str, str]:
    """When the first frame of the teacher is, beside the student's."""
    if first_centre_s is None:
        return {}
    distance_s = first_centre_s - student_centre_s(round(frame_shift_s * SAMPLE_RATE_HZ / HOP_SAMPLES))
    side = "after" if distance_s > 0 else "before"
    return {"First frame": f"at {1000 * first_centre_s:.1f} ms, {1000 * abs(distance_s):.1f} ms {side} the student’s"}
