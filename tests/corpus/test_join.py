"""Long recordings made of short utterances."""

import numpy as np
import pytest
import soundfile
from sisyphus import tk

from ctc_kd.corpus.cuts import read_cuts, write_cuts
from ctc_kd.corpus.join import BETWEEN, JoinUtterancesJob, Noise, mixed
from ctc_kd.corpus.librispeech import ReadLibriSpeechAudioJob
from ctc_kd.corpus.transcripts import read_texts
from own_corpora import LibriSpeechFolder


@pytest.fixture
def part(run_here, tmp_path, monkeypatch):
    monkeypatch.setattr("ctc_kd.corpus.join.BETWEEN", dict.fromkeys(BETWEEN, 1))
    folder = LibriSpeechFolder(tmp_path / "in")
    cuts = run_here(ReadLibriSpeechAudioJob(corpus_dir=folder.path, part=folder.part)).out_cuts
    texts = tmp_path / "transcripts.txt"
    texts.write_text("".join(f"{cut.id} TEXT OF {cut.id}\n" for cut in read_cuts(cuts.get_path())))
    return {"cuts": cuts, "transcripts": tk.Path(str(texts))}


def test_utterances_are_where_the_references_say(run_here, part):
    cuts = part["cuts"]
    joined = run_here(JoinUtterancesJob(**part, minutes=60))
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


def test_names_of_speakers_become_ids(run_here, part):
    cuts = list(read_cuts(part["cuts"].get_path()))
    for cut in cuts:
        cut.fields["supervisions"][0]["speaker"] = f"Dr. Ann/{cut.speaker}"
    write_cuts(part["cuts"].get_path(), cuts)
    joined = run_here(JoinUtterancesJob(**part, minutes=60))
    found = list(read_cuts(joined.out_cuts.get_path()))
    assert [(cut.id, cut.speaker) for cut in found] == [
        ("Dr._Ann_19-0000", "Dr. Ann/19"),
        ("Dr._Ann_26-0001", "Dr. Ann/26"),
    ]


def test_noise_is_over_its_share_of_the_utterances(run_here, part):
    joined = run_here(JoinUtterancesJob(**part, minutes=60, noise=Noise(share=0.5, snr_db=(0.0, 0.0))))
    changed = []
    for cut, original in zip(
        read_cuts(joined.out_reference_cuts.get_path()), read_cuts(part["cuts"].get_path()), strict=True
    ):
        expected, _ = soundfile.read(original.audio)
        start = round(cut.start * 16000)
        heard = soundfile.read(cut.audio)[0][start : start + cut.num_samples]
        changed.append(np.abs(heard - expected).max() > 1e-3)
    assert 0 < sum(changed) < len(changed)
    with pytest.raises(ValueError, match="a share from 0 to 1, and two levels"):
        Noise(share=0.5, snr_db=(5.0, 0.0))


def test_noise_is_as_far_below_speech_as_asked():
    chance = np.random.default_rng(0)
    speech, noise = (scale * chance.standard_normal(16000) for scale in (0.1, 0.01))
    added = mixed(speech, noise, 10.0) - speech
    assert 10 * np.log10(np.mean(speech**2) / np.mean(added**2)) == pytest.approx(10.0, abs=1e-3)
    assert np.abs(mixed(10 * speech, noise, -20.0)).max() <= 1.0
