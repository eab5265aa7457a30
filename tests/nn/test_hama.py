"""hama as a teacher: its log probabilities are those of the package, at the student's frame rate."""

import numpy as np
import pytest
import torch

from ctc_kd.frames import num_frames, student_centre_s

pytest.importorskip("hama")
from ctc_kd.nn.alone import batch_dependence  # noqa: E402
from ctc_kd.nn.config import HamaConfig  # noqa: E402
from ctc_kd.nn.hama import HamaCtc  # noqa: E402


@pytest.fixture(scope="module")
def hama():
    return HamaCtc(HamaConfig(num_labels_with_blank=191, pool="probabilities")).eval()


def theirs(hama, samples):
    feeds = {"waveform": samples.numpy(), "waveform_lengths": np.array([len(samples)])}
    return torch.from_numpy(hama.hama.session.run(["log_probs"], feeds)[0][0])


def test_log_probabilities_are_those_of_the_package_for_every_utterance_of_a_batch(hama):
    audio, lengths = 0.1 * torch.randn(2, 8000), torch.tensor([8000, 5555])
    logits, frames = hama(audio, lengths)
    for row, samples, length, found in zip(logits, audio, lengths.tolist(), frames.tolist(), strict=True):
        pairs = theirs(hama, samples[:length])[1:][: 2 * found].exp().unflatten(0, (found, 2))
        torch.testing.assert_close(row[:found], pairs.mean(dim=1).log(), atol=1e-4, rtol=1e-4)
        assert abs(found - num_frames(length / 16000)) <= 1
    assert batch_dependence(hama) < 1e-4


def test_its_frames_are_near_those_of_the_student(hama):
    assert hama.frame_shift_s == 0.04
    assert abs(hama.first_centre_s - student_centre_s(4)) < 0.003
    assert hama.identity == "hama 1.7.0"


def test_what_hama_lacks_is_refused():
    with pytest.raises(ValueError, match="hama: the model has 191 outputs, expected 79"):
        HamaCtc(HamaConfig(num_labels_with_blank=79))
    with pytest.raises(ValueError, match="pool 'hidden': expected one of path, probabilities, logits"):
        HamaConfig(num_labels_with_blank=191, pool="hidden")
