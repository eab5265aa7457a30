"""Long recordings made of short utterances."""

import numpy as np
import soundfile
from sisyphus import tk

from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.corpus.join import BETWEEN, JoinUtterancesJob
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob
from ctc_kd.corpus.transcripts import read_texts
from own_corpora import LibriSpeechFolder


def test_utterances_are_where_the_references_say(run_here, tmp_path, monkeypatch):
    monkeypatch.setattr("ctc_kd.corpus.join.BETWEEN", dict.fromkeys(BETWEEN, 1))
    folder = LibriSpeechFolder(tmp_path / "in")
    cuts = run_here(ReadLibriSpeechAudioJob(corpus_dir=folder.path, part=folder.part)).out_cuts
    texts = tmp_path / "transcripts.txt"
    texts.write_text("".join(f"{cut.id} TEXT OF {cut.id}\n" for cut in read_cuts(cuts.get_path())))
    joined = run_here(JoinUtterancesJob(cuts=cuts, transcripts=tk.Path(str(texts)), minutes=60))
    recordings = {cut.id: cut for cut in read_cuts(joined.out_cuts.get_path())}
    references = list(read_cuts(joined.out_reference_cuts.get_path()))
    assert list(recordings) == ["19-0000", "26-0001"]
    assert [cut.id for cut in references] == [cut.id for cut in read_cuts(cuts.get_path())]
    assert list(read_texts(joined.out_transcripts.get_path()).values())[0] == f"TEXT OF {references[0].id}"
    for cut, original in zip(references, read_cuts(cuts.get_path()), strict=True):
        expected, _ = soundfile.read(original.audio, dtype="int16")
        whole, _ = soundfile.read(cut.audio, dtype="int16")
        start = round(cut.start * 16000)
        np.testing.assert_array_equal(whole[start : start + cut.num_samples], expected)
        assert len(whole) == recordings[cut.recording["id"]].num_samples
