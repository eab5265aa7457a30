"""Where two curves over hours meet: by hand, on simulated curves whose crossing is known, and through the job."""

import math

import numpy as np
import pytest
from sisyphus import tk

from ctc_kd.corpus.cuts import whole_recording_cut, write_cuts
from ctc_kd.corpus.transcripts import write_transcripts
from ctc_kd.files import read_json
from ctc_kd.scoring.exchange import Crossing, ExchangeJob, crossing, interpolated

WORDS = np.full(4, 100.0)


def equal(errors):
    """Three seeds and four speakers that all have as many errors."""
    return np.full((3, 4), float(errors))


def test_points_between_are_linear_in_the_logarithm_of_hours():
    points = interpolated([(0.5, equal(8)), (1.0, equal(4)), (4.0, equal(-4))])
    hours = [hours for hours, _ in points]
    assert hours == sorted(hours) and len(points) == 2 * 24 + 1
    assert hours[12] == pytest.approx(math.sqrt(0.5)) and points[12][1][0, 0] == pytest.approx(6.0)
    assert hours[36] == pytest.approx(2.0) and points[36][1][0, 0] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("surplus", "expected"),
    [
        ([8, 4, -4], (2.0, 2.0, 2.0)),  # nothing deviates, so the interval is a point
        ([9, 1, -5], (4 ** (1 / 6),) * 3),  # between two hours that are tried
        ([8, 4, 2], (None, None, None)),
        ([8, 4, 0], (4.0, 4.0, None)),
        ([0, 8, 4], (0.5, 0.0, 0.5)),
        ([-1, -2, -4], (0.5, 0.0, 0.5)),
    ],
)
def test_curves_without_deviations(surplus, expected):
    curve = [(hours, equal(errors)) for hours, errors in zip((0.5, 1.0, 4.0), surplus, strict=True)]
    assert crossing(curve, WORDS) == pytest.approx(Crossing(*expected))


def test_the_interval_has_the_estimate():
    """A seed that errs at the fewest hours, alone, does not make more hours impossible."""
    generator = np.random.default_rng(0)
    noisy = generator.normal(0, 1, (3, 24)) + np.array([[30.0], [0.0], [0.0]])
    found = crossing([(0.5, noisy), (1.0, np.full((3, 24), 5.0)), (4.0, np.full((3, 24), 4.0))], np.full(24, 100.0))
    assert found == (None, 0.0, None)


def test_the_interval_holds_the_true_crossing(monkeypatch):
    """Simulated rows that cross at two hours. Twice the hours are five points; seeds and speakers deviate by some."""
    monkeypatch.setattr("ctc_kd.scoring.exchange.STEPS", 6)
    generator, held, closed = np.random.default_rng(5), 0, 0
    words = np.full(24, 250.0)
    for _ in range(20):
        shared = generator.normal(0, 2.0, (3, 1)) + generator.normal(0, 6.0, 24)  # of the target's errors
        curve = [
            (hours, 250 * 0.05 * math.log2(2.0 / hours) + shared + generator.normal(0, 4.0, (3, 24)))
            for hours in (0.5, 1.0, 2.0, 4.0)
        ]
        found = crossing(curve, words)
        held += found.low <= 2.0 <= (found.high or math.inf)
        closed += found.low > 0 and found.high is not None
    assert held >= 18
    assert closed >= 15


@pytest.fixture
def files(tmp_path):
    """Three speakers with two utterances of ten words, and ``texts(name, wrong words in each)``."""
    names = [f"{speaker}-{number}" for speaker in "abc" for number in range(2)]
    cuts = [
        whole_recording_cut(name, audio="a.flac", num_samples=16_000, sample_rate_hz=16_000, speaker=name[0])
        for name in names
    ]
    write_cuts(str(tmp_path / "cuts.jsonl.gz"), cuts)

    def texts(name, wrong):
        write_transcripts(str(tmp_path / name), dict.fromkeys(names, " ".join("ABCDEFGHIJ"[wrong:])))
        return tk.Path(str(tmp_path / name))

    return {"references": texts("references", 0), "cuts": tk.Path(str(tmp_path / "cuts.jsonl.gz"))}, texts


def test_job(files, run_here):
    inputs, texts = files
    rates = {"CTC": {1.0: (4, 6), 2.0: (2, 2)}, "KD": {4.0: (5, 3), 1.0: (7, 7)}}
    curves = {
        label: [
            (hours, [texts(f"{label}-{hours}-{seed}", wrong) for seed, wrong in enumerate(wrongs)])
            for hours, wrongs in points.items()
        ]
        for label, points in rates.items()
    }
    job = run_here(ExchangeJob(**inputs, curves=curves, reference="CTC", target=1.0))
    result = read_json(job.out_exchange.get_path())
    assert result["curves"]["KD"] == [{"hours": 1.0, "rates": [70.0, 70.0]}, {"hours": 4.0, "rates": [50.0, 30.0]}]
    assert result["speakers"] == 3
    # 70 % fall to 40 % from 1 to 4 hours; 50 % is two thirds of the way
    assert result["crossings"]["KD"]["hours"] == pytest.approx(4 ** (2 / 3), rel=1e-6)
    assert result["crossings"]["KD"]["high"] is None  # two seeds that deviate by 20 points exclude little
    assert job.job_id() == ExchangeJob(**inputs, curves=curves, reference="CTC", target=1.0, margin=None).job_id()
    with pytest.raises(ValueError, match="CTC is not measured at 0.5 hours"):
        ExchangeJob(**inputs, curves=curves, reference="CTC", target=0.5)
    with pytest.raises(ValueError, match="unlike numbers of seeds"):
        ExchangeJob(**inputs, curves={**curves, "CTC": [(1.0, [texts("one", 1)])]}, reference="CTC", target=1.0)


def test_points_as_good_as_the_target(files, run_here):
    """Rows with 50 % errors at the target: equal in both seeds, worse by a word in one of them, and better."""
    inputs, texts = files
    wrongs = {"CTC": {1.0: (4, 6), 2.0: (4, 6)}, "KD": {1.0: (4, 7), 2.0: (4, 6), 4.0: (3, 5)}}
    curves = {
        label: [
            (hours, [texts(f"{label}-{hours}-{seed}", wrong) for seed, wrong in enumerate(pair)])
            for hours, pair in points.items()
        ]
        for label, points in wrongs.items()
    }
    job = run_here(ExchangeJob(**inputs, curves=curves, reference="CTC", target=1.0, margin=2.0))
    found = read_json(job.out_exchange.get_path())["curves"]
    assert not any("equivalence" in point for point in found["CTC"])
    worse, equal, better = (point["equivalence"] for point in found["KD"])
    assert equal == {"margin": 2.0, "p": 0.0, "holm": 0.0}
    assert worse["p"] > 0.5 and worse["holm"] == 1.0
    assert better == {"margin": 2.0, "p": 1.0, "holm": 1.0}
