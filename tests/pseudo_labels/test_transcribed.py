"""Transcribed utterances in the place of what a model wrote."""

from sisyphus import tk

from ctc_kd.corpus.cuts import recording_of, segment_cut, write_cuts
from ctc_kd.pseudo_labels.pieces import Segment, read_pieces
from ctc_kd.pseudo_labels.transcribed import TranscribedChunksJob

SPOKEN = {"a": [(0.01, 3.0, "ONE"), (4.0, 2.0, "TWO"), (7.0, 5.0, "THREE")], "b": [(0.0, 20.0, "FOUR")]}


def test_utterances_of_a_recording_are_merged_up_to_the_limit(run_here, tmp_path):
    cuts, lines = [], []
    for name, utterances in SPOKEN.items():
        recording = recording_of(name, audio=f"/{name}.flac", num_samples=20 * 16000, sample_rate_hz=16000)
        for start, seconds, text in utterances:
            place = {"start": round(16000 * start), "num_samples": round(16000 * seconds)}
            cuts.append(segment_cut(text, recording=recording, speaker="s", **place))
            lines.append(f"{text} {text} IT IS\n")
    write_cuts(str(tmp_path / "cuts.jsonl.gz"), cuts)
    (tmp_path / "transcripts.txt").write_text("".join(lines))
    files = {
        "cuts": tk.Path(str(tmp_path / "cuts.jsonl.gz")),
        "transcripts": tk.Path(str(tmp_path / "transcripts.txt")),
    }
    made = list(read_pieces(run_here(TranscribedChunksJob(**files, max_seconds=6.0)).out_chunks.get_path()))
    assert [(one.recording, one.text) for one in made] == [
        ("a", "one it is two it is"),
        ("a", "three it is"),
        ("b", "four it is"),
    ]
    assert made[0].segments == (Segment(1, 150, "one it is"), Segment(200, 300, "two it is"))  # whole ticks of 20 ms
