"""The same jobs on real recordings, where they are at hand."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sisyphus import tk

import own_corpora
from ctc_kd.corpus.audio_folder import ReadAudioFolderJob
from ctc_kd.corpus.cuts import read_cuts
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob, ReadLibriSpeechTranscriptsJob
from ctc_kd.corpus.ogg_zip import OggZipJob, read_segments
from ctc_kd.corpus.pauses import CutAtPausesJob
from ctc_kd.corpus.read_listed import ReadListedAudioJob, ReadListedTranscriptsJob
from ctc_kd.corpus.transcripts import read_transcripts

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED_DATA = Path(os.environ.get("CTC_KD_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
CORPUS = SHARED_DATA / "librispeech-train-clean-5-subset" / "LibriSpeech"


PART = "train-clean-5"

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no real recordings in {CORPUS} (see CTC_KD_SHARED_DATA)"),
]


def test_real_recordings(run_here):
    corpus = tk.Path(str(CORPUS))
    cuts = run_here(ReadLibriSpeechAudioJob(corpus_dir=corpus, part=PART)).out_cuts
    transcripts = run_here(ReadLibriSpeechTranscriptsJob(corpus_dir=corpus, part=PART, cuts=cuts))
    archive = run_here(OggZipJob(cuts=cuts))

    segments = read_segments(cuts.get_path())
    assert len(segments) == 236
    assert len({segment.speaker for segment in segments}) == 28
    assert sum(cut.duration for cut in read_cuts(cuts.get_path())) / 3600 == pytest.approx(0.822, abs=0.001)
    texts = read_transcripts(transcripts.out_transcripts.get_path())
    assert list(texts) == [segment.utterance for segment in segments]
    assert sum(len(text.split()) for text in texts.values()) == 7737
    assert os.path.getsize(archive.out_ogg_zip.get_path()) > 50e6


class RealFolder:
    """What ``own_corpora`` needs to know of the real recordings."""

    root, part = CORPUS, PART


@pytest.mark.parametrize("name", ["manifests", "cuts", "kaldi"])
def test_lhotses_recipe_gives_the_same_utterances_audio_and_transcripts(run_here, tmp_path, name):
    corpus = tk.Path(str(CORPUS))
    ours = run_here(ReadLibriSpeechAudioJob(corpus_dir=corpus, part=PART)).out_cuts
    our_texts = run_here(ReadLibriSpeechTranscriptsJob(corpus_dir=corpus, part=PART, cuts=ours)).out_transcripts
    layout, write = own_corpora.LAYOUTS[name]
    files = [tk.Path(str(path)) for path in write(RealFolder, tmp_path / "other")]
    theirs = run_here(ReadListedAudioJob(layout=layout, files=files)).out_cuts
    their_texts = run_here(ReadListedTranscriptsJob(layout=layout, files=files, cuts=theirs)).out_transcripts
    segments = [read_segments(cuts.get_path()) for cuts in (ours, theirs)]
    assert segments[0] == segments[1]
    assert read_transcripts(our_texts.get_path()) == read_transcripts(their_texts.get_path())


def test_pauses_between_real_utterances_are_found(run_here, tmp_path):
    (tmp_path / "in").mkdir()
    silence, samples, borders = np.zeros(48000, "int16"), [], []
    for path in sorted(CORPUS.rglob("*.flac"))[:4]:
        utterance, _ = soundfile.read(path, dtype="int16")
        samples += [utterance, silence]
        borders.append(sum(map(len, samples)) - len(silence) // 2)
    soundfile.write(tmp_path / "in" / "talk.flac", np.concatenate(samples), 16000)
    cuts = run_here(ReadAudioFolderJob(folder=tk.Path(str(tmp_path / "in")), max_seconds=math.inf)).out_cuts
    pieces = read_segments(run_here(CutAtPausesJob(cuts=cuts, max_seconds=20.0)).out_cuts.get_path())
    assert all(piece.num_samples <= 20 * 16000 for piece in pieces)
    kept = np.zeros(borders[-1] + 24000, bool)
    for piece in pieces:
        kept[piece.start : piece.start + piece.num_samples] = True
    assert not kept[borders].any()
    loud = np.abs(np.concatenate(samples).astype(float)) > 2000
    assert kept[loud].mean() > 0.999
