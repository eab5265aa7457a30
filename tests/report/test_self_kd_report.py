"""The report on self-distillation: means over seeds, the paper's numbers, what may be chance."""

from xml.etree import ElementTree

import pytest
from sisyphus import tk

from ctc_kd.analysis.frame_counts import FrameCounts
from ctc_kd.analysis.spike_offsets import Spike, SpikeOffsets
from ctc_kd.report.self_kd import GREEDY, TUNED, SelfKdReportJob

COMPARED = {
    "speakers": 24,
    "exact": False,
    "comparisons": [
        {"row": "Self-KD, 2", "against": "Layer pruning, 2", "difference": -3.0, "low": -4, "high": -2, "p": 0.01}
        | {"holm": 0.02, "seeds": {"low": -5.0, "high": -1.0, "p": 0.04, "holm": 0.08}},
        {"row": "Layer pruning, 2", "against": "Self-KD, 2", "difference": 3.0, "low": 2, "high": 4, "p": 0.01}
        | {"holm": 0.02},
    ],
}


@pytest.fixture
def read(run_report, store, tmp_path):
    """``read(file of the report)``"""

    def counts(errors):
        return store({"substitutions": errors, "deletions": 0, "insertions": 0, "hits": 1000 - errors})

    def alignment():
        spikes = SpikeOffsets()
        spikes.add_matches([(Spike(0, 10), Spike(0, 11))])
        frames = FrameCounts(frames=100, equal=90, label_frames=40, equal_labels=30)
        return store({**frames.summary(), **spikes.summary()})

    (tmp_path / "size").write_text("1234567")
    found = {
        "Self-KD, 2": [200, 220],
        "Self-KD, 2, last head": [150, 150],
        "Layer pruning, 2": [240, 240],
    }
    rows = [
        {
            "label": label,
            "seed": seed,
            "decoders": {name: {on: counts(number) for on in ("dev", "test")} for name in (TUNED, GREEDY)},
            "alignment": None if "head" in label else alignment(),
        }
        for label, numbers in found.items()
        for seed, number in enumerate(numbers)
    ]
    return run_report(
        SelfKdReportJob(
            title="Rows of <it>",
            rate="WER",
            rows=rows,
            students=["Self-KD, 2", "Layer pruning, 2"],
            parameters=dict.fromkeys(found, tk.Variable(str(tmp_path / "size"))),
            papers={"Self-KD, 2": 13.4},
            significance=store(COMPARED),
            notes=["Nobody knows."],
        )
    )


def test_the_table_has_means_the_papers_numbers_and_the_best_student(read):
    lines = read("table.md").splitlines()
    assert lines[2] == (
        "| Self-KD, 2 | 1.23 | **21.0 ± 1.41** | **21.0 ± 1.41** | **21.0 ± 1.41** | 21.0 ± 1.41 | 0.0 ± 0.00 "
        "| 0.0 ± 0.00 | 13.4 |"
    )
    assert lines[3].startswith("| Self-KD, 2, last head | 1.23 | 15.0 ± 0.00 |")
    assert lines[4].endswith("| – |")
    assert "Nobody knows." in lines[-1]


def test_chance_is_that_of_seeds_where_there_are_several(read):
    lines = read("significance.md").splitlines()
    assert lines[2] == "| Self-KD, 2 | Layer pruning, 2 | −3.00 | −5.00 to −1.00 | 0.040 | 0.080 |"
    assert lines[3] == "| Layer pruning, 2 | Self-KD, 2 | +3.00 | +2.00 to +4.00 | 0.010 | 0.020 |"


def test_the_page_shows_all_of_it_and_parses(read):
    page = read("index.html")
    ElementTree.fromstring(page[page.index("<body") : page.index("</body>") + 7])
    for text in ("Rows of &lt;it&gt;", "What may be chance", "Beside the teacher on test", "Nobody knows."):
        assert text in page
