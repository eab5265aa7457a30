"""A small grid from audio to report by the command line, once undisturbed, once with kill -9 at random moments."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command_line import setup_folder, sis
from miniatures import arpa
from tones import speak

from ctc_kd.corpus.cuts import whole_recording_cut, write_cuts
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.store import HdfWriter

HERE = Path(__file__).parent
KILL_AND_RESUME = HERE.parents[1] / "benchmarks" / "kill_and_resume.py"

LEXICON = {"SEE": ("S", "IY"), "THE": ("DH", "AH"), "ZOO": ("Z", "UW"), "CAT": ("K", "AE", "T")}
SETTINGS = """
def engine():
    from sisyphus.localengine import LocalEngine
    return LocalEngine(cpus=2, mem=8)
"""


def write_set(data, part, size, rng):
    names = phonemes().labels
    archive = zipfile.ZipFile(data / f"{part}.zip", "w")
    with archive, HdfWriter(data / f"{part}_labels.hdf", labels=names) as targets:
        entries, cuts, transcripts = [], [], ""
        for number in range(size):
            name = f"{part}-{number:02d}"
            words = list(rng.choice(list(LEXICON), rng.integers(1, 4)))
            audio = speak([phoneme for word in words for phoneme in LEXICON[word]], rng)
            buffer = io.BytesIO()
            soundfile.write(buffer, audio, 16000, format="FLAC")
            archive.writestr(f"{part}/{name}.flac", buffer.getvalue())
            duration = len(audio) / 16000
            entries.append({"text": "", "file": f"{name}.flac", "seq_name": name, "duration": duration})
            speaker = f"speaker {number % 2}"
            cuts.append(
                whole_recording_cut(
                    name, audio=f"{name}.flac", num_samples=len(audio), sample_rate_hz=16000, speaker=speaker
                )
            )
            sequence = [phoneme + "#" * last for word in words for phoneme, last in marked(LEXICON[word])]
            targets.add(name, np.array([names.index(label) for label in sequence], "int32"))
            transcripts += f"{name} {' '.join(words)}\n"
        archive.writestr(f"{part}.txt", repr(entries))
    (data / f"{part}.txt").write_text(transcripts)
    write_cuts(data / f"{part}.jsonl.gz", cuts)


def marked(pronunciation):
    return [(phoneme, position == len(pronunciation)) for position, phoneme in enumerate(pronunciation, 1)]


@pytest.fixture(scope="module")
def setup(tmp_path_factory):
    """A folder with config, settings and data, in which the grid has run."""
    folder = setup_folder(tmp_path_factory.mktemp("grid") / "setup", HERE / "small_grid.py", settings=SETTINGS)
    data = folder / "data"
    for path in (data, folder / "work"):
        path.mkdir()
    rng = np.random.default_rng(0)
    for part, size in (("train", 40), ("dev", 8), ("test", 8)):
        write_set(data, part, size, rng)
    (data / "lexicon.txt").write_text("".join(f"{word} {' '.join(spoken)}\n" for word, spoken in LEXICON.items()))
    (data / "lm.arpa").write_text(arpa(LEXICON, likely="THE ZOO"))
    run_manager(folder)
    return folder


def run_manager(folder):
    status, output = sis(folder, "manager", "-r", "-co", "config/small_grid.py")
    assert status == 0, output[-5000:]
    return output


@pytest.mark.slow
def test_report_of_a_grid(setup):
    report = setup / "output" / "grid" / "small" / "report"
    records = [json.loads(line) for line in (report / "records.jsonl").read_text().splitlines()]
    assert [record["row"] for record in records] == ["teacher", "baseline", "symmetric-n1-l1"]
    assert [record["uses_transcripts"] for record in records] == [True, True, False]
    assert [record["test"]["utterances"] for record in records] == [8, 8, 8]
    assert {"training", "teacher logits", "posteriors", "scales", "score test"} <= set(records[-1]["job_ids"])
    assert "2 speakers" in (report / "significance.md").read_text()
    assert (report / "index.html").read_text().startswith("<!DOCTYPE html>")
    assert "started" not in run_manager(setup)


@pytest.mark.slow
def test_killed_anywhere_it_comes_to_the_same_end(setup, tmp_path):
    reference = setup / "output" / "grid" / "small" / "records"
    options = ["--setup", setup, "--reference", reference, "--config", "config/small_grid.py", "--speed", "10"]
    command, env = [sys.executable, KILL_AND_RESUME, *options], {**os.environ, "TMPDIR": str(tmp_path)}
    result = subprocess.run(command, capture_output=True, text=True, env=env)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    assert result.stdout.count("kill -9") == 5
    assert "3 of 3 rows equal" in result.stdout
