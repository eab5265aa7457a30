"""Manifests are lhotse's, and are read and written without lhotse."""

import json
import subprocess
import sys

import numpy as np
import soundfile
from lhotse import CutSet

from ctc_kd.corpus.cuts import Cut, read_cuts, recording_of, segment_cut, whole_recording_cut, write_cuts
from ctc_kd.training.run_returnn import RECIPES


def test_lhotse_reads_and_writes_the_same(tmp_path):
    audio, samples = str(tmp_path / "talk.flac"), np.arange(24000) / 2**15
    soundfile.write(audio, samples, 16000)
    whole = whole_recording_cut("talk", audio=audio, num_samples=24000, sample_rate_hz=16000, speaker="Zoë")
    parts = [
        segment_cut(f"talk-{number}", recording=whole.recording, start=start, num_samples=size, speaker="s")
        for number, (start, size) in enumerate([(0, 8001), (8001, 1), (7999, 16001)])
    ]
    write_cuts(tmp_path / "cuts.jsonl.gz", [whole, *parts])
    ours, theirs = list(read_cuts(tmp_path / "cuts.jsonl.gz")), list(CutSet.from_file(tmp_path / "cuts.jsonl.gz"))
    assert ours == [whole, *parts]
    for cut, other in zip(ours, theirs, strict=True):
        assert cut.fields == other.to_dict()
        assert (cut.id, cut.start, cut.duration) == (other.id, other.start, other.duration)
        assert (cut.num_samples, cut.sample_rate_hz) == (other.num_samples, other.sampling_rate)
        assert (cut.speaker, cut.audio) == (other.supervisions[0].speaker, other.recording.sources[0].source)
    np.testing.assert_array_equal(theirs[3].load_audio()[0], samples[7999:].astype("float32"))
    CutSet.from_cuts(theirs).to_file(tmp_path / "theirs.jsonl.gz")
    assert list(read_cuts(tmp_path / "theirs.jsonl.gz")) == ours


def test_lhotse_reads_and_writes_utterances_of_several_channels(tmp_path):
    recording = recording_of("talk", audio="talk.wav", num_samples=24000, sample_rate_hz=8000, channels=2)
    cuts = [
        segment_cut(name, recording=recording, start=8, num_samples=800, speaker="s", language="de", channels=channels)
        for name, channels in (("both", (0, 1)), ("second", (1,)))
    ]
    write_cuts(tmp_path / "cuts.jsonl.gz", cuts)
    assert list(read_cuts(tmp_path / "cuts.jsonl.gz")) == cuts
    assert [cut.fields for cut in cuts] == [cut.to_dict() for cut in CutSet.from_file(tmp_path / "cuts.jsonl.gz")]
    assert [(cut.channels, cut.language) for cut in cuts] == [((0, 1), "de"), ((1,), "de")]


def test_what_others_have_written_is_kept(tmp_path):
    whole = whole_recording_cut("u", audio="u.flac", num_samples=5, sample_rate_hz=16000, speaker="s")
    foreign = {**whole.fields, "supervisions": [], "custom": {"snr": 12.5}}
    (tmp_path / "foreign.jsonl").write_text(json.dumps(foreign) + "\n")
    (cut,) = read_cuts(tmp_path / "foreign.jsonl")
    assert cut == Cut(foreign) and cut.speaker is None
    write_cuts(tmp_path / "copy.jsonl.gz", [cut])
    assert list(read_cuts(tmp_path / "copy.jsonl.gz")) == [cut]


def test_jobs_on_manifests_load_no_tensors():
    rooms = "librispeech tedlium audio_folder sets known_counts read_transcripts read_listed convert pauses"
    code = "".join(f"import ctc_kd.corpus.{room}\n" for room in rooms.split()) + "import sys\nprint(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], env={"PYTHONPATH": RECIPES}, text=True).split()
    assert "ctc_kd.corpus.cuts" in loaded and not {"torch", "lhotse"} & set(loaded)
