"""The same jobs on real recordings, where they are at hand."""

import os
from pathlib import Path

import pytest
from sisyphus import tk

from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob, ReadLibriSpeechTranscriptsJob
from ctc_kd.corpus.ogg_zip import OggZipJob, read_segments
from ctc_kd.corpus.transcripts import read_transcripts

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED_DATA = Path(os.environ.get("CTC_KD_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
CORPUS = SHARED_DATA / "librispeech-train-clean-5-subset" / "LibriSpeech"


@pytest.mark.shared_data
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no real recordings in {CORPUS} (see CTC_KD_SHARED_DATA)")
def test_real_recordings(run_here):
    corpus = tk.Path(str(CORPUS))
    cuts = run_here(ReadLibriSpeechAudioJob(corpus_dir=corpus, part="train-clean-5")).out_cuts
    transcripts = run_here(ReadLibriSpeechTranscriptsJob(corpus_dir=corpus, part="train-clean-5", cuts=cuts))
    archive = run_here(OggZipJob(cuts=cuts))

    segments = read_segments(cuts.get_path())
    assert len(segments) == 236
    assert len({segment.speaker for segment in segments}) == 28
    assert sum(cut.duration for cut in read_cuts(cuts.get_path())) / 3600 == pytest.approx(0.822, abs=0.001)
    texts = read_transcripts(transcripts.out_transcripts.get_path())
    assert list(texts) == [segment.utterance for segment in segments]
    assert sum(len(text.split()) for text in texts.values()) == 7737
    assert os.path.getsize(archive.out_ogg_zip.get_path()) > 50e6
