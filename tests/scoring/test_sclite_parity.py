"""Every utterance is counted as sclite counts it."""

import random
import re
import shutil
import subprocess

import pytest

from ctc_kd.scoring.alignment import align, count

SCLITE = ["sclite"] if shutil.which("sclite") else ["sctk", "sclite"]  # the second is Debian's


def random_pair(rng: random.Random, vocabulary: list[str]) -> tuple[list[str], list[str]]:
    reference = rng.choices(vocabulary, k=rng.randint(1, 15))
    if rng.random() < 0.3:
        return reference, rng.choices(vocabulary, k=rng.randint(0, 15))
    hypothesis = []
    for word in reference:
        hypothesis += rng.choices([[word], [], [rng.choice(vocabulary)], [rng.choice(vocabulary), word]], [7, 1, 1, 1])[
            0
        ]
    return reference, hypothesis


@pytest.mark.sclite
@pytest.mark.skipif(not shutil.which(SCLITE[0]), reason="no sclite program")
@pytest.mark.parametrize("vocabulary_size", [3, 8, 30])
def test_counts_equal_sclite(tmp_path, vocabulary_size):
    rng = random.Random(vocabulary_size)
    vocabulary = [f"{chr(65 + number)}'S" for number in range(26)] + ["THE", "CAT", "SAT", "ON"]
    pairs = [random_pair(rng, vocabulary[-vocabulary_size:]) for _ in range(2000)]
    for name, column in (("ref", 0), ("hyp", 1)):
        lines = [f"{' '.join(pair[column])} (spk-{number:05})\n" for number, pair in enumerate(pairs)]
        (tmp_path / f"{name}.trn").write_text("".join(lines))

    command = [*SCLITE, "-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-i", "rm", "-o", "pralign", "stdout"]
    report = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"id: \(spk-(\d+)\)\nScores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)", report)

    assert len(found) == len(pairs)
    for number, *expected in found:
        counts = count(align(*pairs[int(number)]))
        ours = (counts.hits, counts.substitutions, counts.deletions, counts.insertions)
        assert ours == tuple(map(int, expected)), pairs[int(number)]
