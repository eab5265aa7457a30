"""The report on alignment and decoders: means over seeds, the best student of each decoder, pictures that parse."""

import json
from xml.etree import ElementTree

import pytest

from ctc_kd.analysis.frame_counts import FrameCounts
from ctc_kd.analysis.spike_offsets import Spike, SpikeOffsets
from ctc_kd.report.analysis.alignment import histograms
from ctc_kd.report.analysis.decoders import picture
from ctc_kd.report.analysis.job import AnalysisReportJob
from ctc_kd.report.analysis.priors import interaction
from ctc_kd.report.analysis.rows import AnalysedRow, Errors, Rows
from ctc_kd.report.svg import spread_out


def counts(errors):
    """Of 1000 words, half of the errors are deletions."""
    kinds = {"substitutions": errors // 2, "deletions": errors - errors // 2, "insertions": 0}
    return {**kinds, "hits": 1000 - errors, "utterances": 9}


def alignment(offsets):
    frames, spikes = FrameCounts(frames=100, equal=90, label_frames=40, equal_labels=30), SpikeOffsets()
    spikes.add_matches((Spike(0, 10), Spike(0, 10 + offset)) for offset in offsets)
    return {"utterances": 9, "left_out": 0, **frames.summary(), **spikes.summary()}


@pytest.fixture
def report(run_report, store):
    """``report([(label, seed, {decoder: (errors on dev, on test)}, offsets)])``; a teacher has None for offsets."""

    def make(rows, priors=None):
        measured = [
            {
                "label": label,
                "seed": seed,
                "decoders": {
                    decoder: {on: store(counts(number)) for on, number in zip(("dev", "test"), pair, strict=True)}
                    for decoder, pair in errors.items()
                },
                "alignment": None if offsets is None else store(alignment(offsets)),
            }
            for label, seed, errors, offsets in rows
        ]
        return run_report(AnalysisReportJob(title="Rows of <it>", rows=measured, priors=priors and store(priors)))

    return make


ROWS = [
    ("Teacher", 1, {"no prior": (90, 100), "tuned": (80, 90)}, None),
    ("KD", 1, {"no prior": (250, 240), "tuned": (150, 160)}, [0, 0, 0, 1]),
    ("KD", 2, {"no prior": (270, 260), "tuned": (170, 160)}, [0, 0, 0, -5]),
    ("Elim.", 1, {"no prior": (220, 210), "tuned": (210, 200)}, [0, 0, 2, 2]),
    ("Elim.", 2, {"no prior": (220, 230), "tuned": (210, 200)}, [0, 0, 2, 2]),
]


def test_tables_show_means_and_who_is_best_with_which_decoder(report):
    read = report(ROWS)
    text = read("decoders.md")
    assert "| Teacher | 10.0 | 9.0 |" in text
    assert "| KD | 25.0 ± 1.41 | **16.0 ± 0.00** |" in text and "| Elim. | **22.0 ± 1.41** | 20.0 ± 0.00 |" in text
    assert "n-gram: Elim. (22.0 % on test); n-gram, prior: KD (16.0 % on test)" in text
    assert "| KD | 12.5 ± 0.71 | 12.5 ± 0.71 | 0.0 ± 0.00 | 8.0 ± 0.00 | 8.0 ± 0.00 | 0.0 ± 0.00 |" in text
    lines = read("alignment.md").splitlines()
    assert [line.split(" | ")[0] for line in lines[-2:]] == ["| KD", "| Elim."]
    # of KD, frames, spike error, blank there, surplus of blank, same frame, and at most one frame away
    of_kd = ["90.0 ± 0.00", "25.0 ± 0.00", "0.0 ± 0.00", "+40.00 ± 0.00", "**75.0 ± 0.00**", "**87.5 ± 17.68**"]
    assert lines[-2].split(" | ")[1:7] == of_kd
    assert "Rows of &lt;it&gt;" in read("index.html")


def test_results_can_be_read_by_programs(report):
    results = json.loads(report(ROWS)("results.json"))
    assert [(row["label"], row["seed"]) for row in results] == [(row[0], row[1]) for row in ROWS]
    assert results[1]["decoders"]["tuned"]["test"] == counts(160)
    assert results[1]["alignment"]["offsets"] == {"0": 3, "1": 1}


def test_a_teacher_alone_has_no_alignment(report):
    read = report(ROWS[:1])
    assert "Beside the teacher" not in read("index.html")
    with pytest.raises(FileNotFoundError):
        read("alignment.md")


def test_a_row_may_lack_a_decoder(report):
    text = report([*ROWS[:2], ("Trim", 1, {"no prior": (230, 250)}, [0])])("decoders.md")
    assert "| KD | **24.0** | **16.0** |" in text and "| Trim | 25.0 | – |" in text
    assert "n-gram: Trim (25.0 % on test)" in text


def test_what_the_prior_gains(report):
    factors = interaction("Elim.", "KD")
    tested = [
        {"contrast": "Elim. − KD", "factors": factors, "differences": [-7.0, -8.0], "difference": -7.5, "spread": 0.5}
        | {"low": -9.0, "high": -6.0, "p": 0.0004, "holm": 0.0008},
        {"contrast": "Trim − KD", "factors": factors, "differences": [0.0, 0.0], "difference": 0.0, "spread": 0.1}
        | {"low": -0.5, "high": 0.5, "p": 0.9, "holm": 0.9},
    ]
    tested[1]["factors"] = interaction("Trim", "KD")
    wer = dict(zip(factors, (22.0, 25.5, 20.0, 16.0), strict=True))
    wer |= {"Trim | no prior": 25.4, "Trim | tuned": 15.9}
    tuned = [
        {"row": f"{row} | tuned", "against": "KD | tuned", "equivalence": {"margin": 0.5, "p": p / 2, "holm": p}}
        for row, p in (("Elim.", 1.0), ("Trim", 0.02))
    ]
    read = report(ROWS, {"wer": wer, "speakers": 24, "contrasts": tested, "comparisons": tuned})
    lines = read("priors.md").splitlines()
    assert lines[-2:] == [
        "| Elim. − KD | −3.50 | +4.00 | **−7.50 ± 0.50 [−9.00, −6.00]** | **< 0.001** | **< 0.001** | 1.000 |",
        "| Trim − KD | −0.10 | −0.10 | +0.00 ± 0.10 [−0.50, +0.50] | 0.900 | 0.900 | **0.020** |",
    ]
    assert "over seeds (± standard deviation) and 24 speakers" in lines[0]
    assert "Bold means yes: p of a difference of 0.5 points or more" in lines[0]
    assert "<b>&lt; 0.001</b>" in read("index.html")
    assert "Does the prior gain" not in report(ROWS)("index.html")


def test_pictures_are_svg_and_have_every_row_and_decoder():
    errors = Errors(10.0, 5.0, 3.0, 2.0)
    rows = Rows(
        [
            AnalysedRow(label, 1, {decoder: {"test": errors} for decoder in ("labels", "tuned")}, aligned)
            for label, aligned in (("Teacher", None), ("KD", alignment([0, 9])), ("Silent", alignment([])))
        ]
    )
    root = ElementTree.fromstring(picture(rows, "test"))
    texts = [element.text for element in root.iter("text")]
    assert {"Teacher", "KD", "Silent", "labels", "n-gram, prior"} <= set(texts)
    assert len(list(root.iter("circle"))) + len(list(root.iter("rect"))) == 6
    panels = histograms(rows)
    assert panels.count("<figcaption>") == 1 and "KD" in panels and "≥+3" in panels
    ElementTree.fromstring(panels)


def test_labels_do_not_overlap():
    placed = spread_out([100.0, 98.0, 40.0, 99.0], 15, 120.0)
    assert placed[2] == 40.0
    ordered = sorted(placed)
    assert all(upper + 15 <= lower for upper, lower in zip(ordered, ordered[1:], strict=False))
    assert spread_out([130.0], 15, 120.0) == [120.0]
