"""What a model gets to hear."""

import numpy as np
import pytest
import torch
from returnn.datasets.basic import init_dataset

from ctc_kd.training.datasets import audio_dataset, utterance_durations
from ctc_kd.training.step_parts import SAMPLES, in_few_shapes


@pytest.mark.parametrize("peak", [0.08, 0.0, 1.0])
def test_audio_arrives_as_recorded(tmp_path, archive, peak):
    samples = peak * np.sin(np.arange(2000) / 9)
    archive(tmp_path / "audio.zip", {"a": samples})
    dataset = init_dataset(audio_dataset([str(tmp_path / "audio.zip")], seq_ordering="default"))
    dataset.init_seq_order(epoch=1)
    dataset.load_seqs(0, 1)
    np.testing.assert_allclose(dataset.get_data(0, "data")[:, 0], samples, atol=1 / 2**15)


def test_an_id_of_two_archives_names_both(tmp_path, archive):
    paths = [tmp_path / f"{name}.zip" for name in ("first", "second", "third")]
    for path, names in zip(paths, ("ab", "cd", "ec"), strict=True):
        archive(path, {name: np.zeros(2000) for name in names})
    with pytest.raises(ValueError, match=r"utterance c is in .*second\.zip and in .*third\.zip"):
        utterance_durations(list(map(str, paths)))


@pytest.mark.parametrize(("length", "found"), [(1, SAMPLES), (SAMPLES, SAMPLES), (SAMPLES + 1, 2 * SAMPLES)])
def test_batches_on_a_cpu_have_few_lengths(length, found):
    audio = torch.randn(2, length)
    padded = in_few_shapes(audio)
    assert padded.shape == (2, found)
    assert torch.equal(padded[:, :length], audio)
    assert not padded[:, length:].any()
