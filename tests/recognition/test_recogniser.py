"""What a student hears of sound of all kinds, and with which decoder."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from ctc_kd.decoding.search import LexiconDecoder
from ctc_kd.recognition import folder
from ctc_kd.recognition.recogniser import Recogniser
from levels import INVENTORY, spoken, student
from random_student import random_student

SPOKEN = spoken("_" * 8 + "A_B_|_C" + "_" * 8)


def texts(segments):
    return [word.text for segment in segments for word in segment.words if word.text.strip("E")]


def test_words_and_labels_have_times():
    (segment,) = Recogniser(student()).transcribe(SPOKEN)
    assert segment.text == "EAB CE"
    assert [label.text for label in segment.labels] == ["E", "A", "B", "|", "C", "E"]
    assert segment.labels[1][1:] == pytest.approx((0.32, 0.36))
    assert segment.words[1][1:] == pytest.approx((14 * 0.04, 23 * 0.04))


@pytest.mark.parametrize("threshold", [0.5, 0.99])
def test_frames_that_are_surely_blank_need_not_be_searched(threshold):
    searched = []
    whole, fewer = Recogniser(student()), Recogniser(student(), blank_threshold=threshold)
    search = fewer._decoder.found
    fewer._decoder.found = lambda scores, **scales: searched.append(len(scores)) or search(scores, **scales)
    assert fewer.transcribe(SPOKEN) == whole.transcribe(SPOKEN)
    assert 0 < sum(searched) < len(whole.log_posteriors(SPOKEN))


def test_a_blank_threshold_that_makes_no_sense():
    with pytest.raises(ValueError, match="blank threshold 0.2, expected a probability"):
        Recogniser(student(), blank_threshold=0.2)


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.stack([SPOKEN + 0.1, SPOKEN - 0.1], axis=1), 16000),
        ((SPOKEN * 2**15).round().astype("int16"), 16000),
        ((SPOKEN * 2**7 + 2**7).round().astype("uint8"), 16000),
        (SPOKEN.astype("float64"), 16000),
        (np.repeat(SPOKEN, 3), 48000),
        (np.stack([SPOKEN[::2], SPOKEN[::2]], axis=1), 8000),
    ],
    ids=["stereo", "int16", "uint8", "float64", "48 kHz", "8 kHz stereo"],
)
def test_any_channels_types_and_rates(samples, rate):
    assert Recogniser(student()).transcribe(samples, rate)[0].text == "EAB CE"


@pytest.mark.parametrize(("length", "subsampling"), [(0, 4), (1, 4), (879, 4), (399, 2), (1519, 8)])
def test_what_is_shorter_than_a_frame_says_nothing(length, subsampling):
    reader = replace(student(), model=random_student(subsampling=subsampling))
    assert len(Recogniser(reader).log_posteriors(np.ones(length, "float32"))) == 0
    fewest = 400 + 160 * (subsampling - 1)
    assert len(Recogniser(reader).log_posteriors(np.ones(fewest, "float32"))) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sample_that_is_not_finite(value):
    samples = SPOKEN.copy()
    samples[8000] = value
    with pytest.raises(ValueError, match=f"a sample at 0.500 s is {value}, expected finite"):
        Recogniser(student()).transcribe(samples)


@pytest.mark.parametrize(("shape", "rate"), [((2, 2, 2), 16000), ((4,), 0), ((4,), 16000.5)])
def test_samples_that_make_no_sense(shape, rate):
    with pytest.raises(ValueError, match="expected \\[T\\] or \\[T, channels\\]"):
        Recogniser(student()).transcribe(np.zeros(shape), rate)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 16000)), r"shape \(2, 16000\): more channels than samples, .*; transpose them"),
        (np.zeros(16000, bool), "the type bool, expected floats or whole numbers"),
        (np.zeros(16000, complex), "the type complex128, expected floats or whole numbers"),
        (np.zeros(16000, object), "the type object, expected floats or whole numbers"),
    ],
    ids=["channels first", "bool", "complex", "object"],
)
def test_arrays_that_are_no_samples(samples, message):
    with pytest.raises(ValueError, match=message):
        Recogniser(student()).transcribe(samples)


def test_a_model_that_has_diverged():
    reader = student()
    reader.model.forward = lambda audio, lengths: (
        np.nan * audio.new_zeros(1, 5, len(INVENTORY.labels)),
        lengths // 640,
    )
    with pytest.raises(ValueError, match="has diverged"):
        Recogniser(reader).transcribe(SPOKEN)


def test_a_folder_brings_its_decoder_prior_and_scales(student):
    posteriors = torch.randn(60, 5, generator=torch.Generator().manual_seed(0)).log_softmax(dim=1).numpy()
    decoder = LexiconDecoder(
        lexicon={"AB": ["AB"], "CAB": ["CAB"]},
        lm=student.decoding.lm,
        config=student.decoding.search,
        inventory=student.inventory,
    )
    found = decoder.search(posteriors - 0.25 * np.arange(-1, -6, -1, dtype="float32"), lm_scale=0.5)
    recogniser = Recogniser.from_folder(student.written)
    recogniser.log_posteriors = lambda samples: posteriors
    assert found and [segment.text for segment in recogniser.transcribe(SPOKEN)] == [found]


def test_greedy_uses_nothing_but_the_model(student):
    posteriors = torch.eye(5)[[1, 1, 4, 2, 0, 3]].log_softmax(dim=1).numpy()
    recogniser = Recogniser.from_folder(student.written, greedy=True)
    recogniser.log_posteriors = lambda samples: posteriors
    assert [segment.text for segment in recogniser.transcribe(SPOKEN)] == ["AB C"]


def test_a_damaged_language_model(student):
    (student.written / "lm.kenlm").write_text("\\data\\\nngram 1=7\n")
    with pytest.raises(ValueError, match=r"lm.kenlm: no language model of KenLM") as error:
        Recogniser.from_folder(student.written)
    assert "\n" not in str(error.value)
    Recogniser.from_folder(student.written, greedy=True)  # does not read it


def test_sound_files(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, SPOKEN, 16000)
    assert texts(Recogniser(student()).transcribe_file(str(path))) == ["EAB", "CE"]


def test_nothing_of_jobs_is_needed():
    """Neither the workflow manager nor RETURNN nor what only they need can be imported here."""
    code = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("sisyphus", "returnn", "transformers", "h5py", "lhotse", "matplotlib"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import pathlib
import ctc_kd.recognition.command
import ctc_kd.nn.student, flashlight.lib.text.decoder.kenlm, silero_vad
print("imported")
"""
    recipes = str(Path(folder.__file__).parents[2])
    assert subprocess.check_output([sys.executable, "-c", code], env={"PYTHONPATH": recipes}, text=True) == "imported\n"
