"""eSpeak NG through ctypes, and the rooms it speaks in."""

import numpy as np
import pytest
import soundfile

from ctc_kd.corpus.synthetic.acoustics import Acoustics, Pauses
from ctc_kd.corpus.synthetic.espeak import (
    SAMPLE_RATE_HZ,
    SILENCE,
    Espeak,
    Speech,
    Voice,
    in_fresh_process,
    resample,
)
from ctc_kd.corpus.synthetic.part import with_pauses, write_part
from ctc_kd.corpus.synthetic.recording import record
from ctc_kd.corpus.synthetic.speakers import Speaker
from ctc_kd.corpus.synthetic.voices import DEMO_VARIANTS, FEMALE, PRETRAINING_VARIANTS

TEXT = "THE BAKER FOUND A GOLDEN KEY"
VOICE = Voice("en-us", "f2")


def speak(voice, text=TEXT):
    return Espeak(seed=1).speak(text, voice)


def test_speech_and_its_phonemes():
    speech = in_fresh_process(speak, VOICE)
    assert 1.0 < len(speech.audio) / SAMPLE_RATE_HZ < 4.0
    assert 0.01 < np.abs(speech.audio).max() <= 1.0
    starts = [sample for sample, _ in speech.units]
    assert starts == sorted(starts)
    assert 0 <= starts[0] <= starts[-1] <= len(speech.audio)
    names = [unit for _, unit in speech.units]
    assert names[0] == SILENCE
    assert "g" in names  # "golden"
    assert len(names) > 15


def test_equal_histories_give_equal_audio():
    first, second = (in_fresh_process(speak, VOICE) for _ in range(2))
    np.testing.assert_array_equal(first.audio, second.audio)
    assert first.units == second.units


def test_a_shorter_vocal_tract_shifts_the_spectrum_and_keeps_the_speed():
    def centroid(audio):
        power = np.abs(np.fft.rfft(audio)) ** 2
        return (power * np.arange(len(power))).sum() / power.sum() / len(power)

    plain = in_fresh_process(speak, VOICE).audio
    short = in_fresh_process(speak, Voice("en-us", "f2", vocal_tract=1.12)).audio
    assert len(short) == pytest.approx(len(plain), rel=0.1)
    assert centroid(short) > 1.04 * centroid(plain)


@pytest.mark.parametrize("voice", [Voice("en-us", "nobody"), Voice("en-xx", "f2")], ids=["variant", "accent"])
def test_an_unknown_voice_is_named(voice):
    with pytest.raises(RuntimeError, match=rf"no voice {voice.accent}\+{voice.variant}"):
        in_fresh_process(speak, voice)


def test_resampling_keeps_a_tone():
    time_s = np.arange(22050) / 22050
    tone = np.sin(2 * np.pi * 440 * time_s)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    inside = slice(500, -500)
    half_a_sample = 2 * np.pi * 440 * 0.5 / 16000
    assert np.abs(resample(tone, 16000 / 22050)[inside] - expected[inside]).max() < half_a_sample


def test_recordings_are_noisy_reverberant_and_as_long_as_the_speech():
    speech = np.zeros(16000)
    speech[4000] = 1.0
    acoustics = Acoustics(snr_db=(20.0, 20.0), peak_db=(-6.0, -6.0))
    heard = record(speech, acoustics, np.random.default_rng(0))
    assert heard.dtype == np.int16
    assert heard.shape == speech.shape
    assert np.abs(heard).max() == pytest.approx(32767 * 10 ** (-6 / 20), abs=1)
    assert abs(int(np.abs(heard).argmax()) - 4000) <= 8  # the direct sound is where it was
    assert np.abs(heard[4200:6000].astype(float)).mean() > 1.5 * np.abs(heard[:3000].astype(float)).mean()


def test_speech_is_so_much_louder_than_noise_as_asked():
    speech = np.random.default_rng(1).standard_normal(64000)
    clean, loud = (
        record(speech, Acoustics(snr_db=(level, level)), np.random.default_rng(0)).astype(float)
        for level in (200.0, 10.0)
    )
    scale = (clean @ loud) / (clean @ clean)
    noise = loud - scale * clean
    assert 10 * np.log10(np.mean((scale * clean) ** 2) / np.mean(noise**2)) == pytest.approx(10.0, abs=0.5)


def test_the_same_recording_with_another_pause():
    def recordings(snr_db):
        acoustics = Acoustics(snr_db=(snr_db, snr_db), peak_db=(-6.0, -6.0), noise_slope=(0.0, 0.0))
        rngs = [np.random.default_rng(3) for _ in range(2)]
        plain = record(speech, acoustics, rngs[0]).astype(float)
        longer = record(speech, acoustics, rngs[1], instead=np.pad(speech, (0, 48000))).astype(float)
        assert rngs[0].random() == rngs[1].random()
        return plain, longer

    speech = np.random.default_rng(1).standard_normal(16000) * (np.arange(16000) < 8000)
    plain, longer = recordings(snr_db=200.0)
    np.testing.assert_allclose(longer[:16000], plain, atol=2)
    plain, longer = recordings(snr_db=0.0)
    noises = [audio.reshape(-1, 4000)[number:].std() for audio, number in ((plain, 3), (longer, 6))]
    assert noises[1] == pytest.approx(noises[0], rel=0.05)


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (0.0, [3, 4, 8, 9]),
        (0.5, [2, 3, 4, 5, 7, 8, 9]),
        (1.0, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (2.0, [1, 0, 0, 2, 3, 4, 5, 0, 0, 0, 6, 7, 8, 9]),
    ],
)
def test_pauses_grow_and_shrink_in_their_middle(factor, expected):
    speech = Speech(np.arange(1.0, 10.0), [(0, SILENCE), (2, "a"), (4, SILENCE), (7, "b")])
    assert with_pauses(speech, factor).tolist() == expected


def test_other_pauses_leave_sentences_and_speech(tmp_path):
    speaker = Speaker(100, VOICE, ("THE BAKER FOUND A GOLDEN KEY", "ANNA WALKED HOME", "IT WAS COLD AND WET"))
    pauses, lengths = Pauses(edge_s=(0.5, 0.5), word_share=0.5), {}
    for factor in (0.5, 1.0, 4.0):
        options = Acoustics(), pauses, True, 1, factor
        in_fresh_process(write_part, str(tmp_path / str(factor)), [speaker], 4.0, *options)
        files = sorted((tmp_path / str(factor) / "100").glob("*/*.flac"))
        lengths[factor] = [len(soundfile.read(file)[0]) for file in files]
        (transcript,) = (tmp_path / str(factor) / "100").glob("*/*.trans.txt")
        assert len(transcript.read_text().splitlines()) == len(files) == 2
    for half, plain, four in zip(*lengths.values(), strict=True):
        assert (four - plain) / (plain - half) == pytest.approx(6.0, rel=0.01)  # 3 pauses and half of one
        assert plain - half >= 0.5 * SAMPLE_RATE_HZ  # those at the edges


def test_no_voice_of_train_dev_or_test_is_used_twice():
    evaluated = [DEMO_VARIANTS[part] for part in ("train", "dev", "test")]
    for others in (PRETRAINING_VARIANTS, DEMO_VARIANTS["untranscribed"]):
        variants = [variant for part in [*evaluated, others] for variant in part]
        assert len(variants) == len(set(variants))
    assert {variant for part in [*evaluated, PRETRAINING_VARIANTS] for variant in part} >= FEMALE
    assert len(DEMO_VARIANTS["test"]) == 24
