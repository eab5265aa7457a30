"""What a model gets to hear."""

import numpy as np
import pytest
from returnn.datasets.basic import init_dataset

from ctc_kd.training.datasets import audio_dataset


@pytest.mark.parametrize("peak", [0.08, 0.0, 1.0])
def test_audio_arrives_as_recorded(tmp_path, archive, peak):
    samples = peak * np.sin(np.arange(2000) / 9)
    archive(tmp_path / "audio.zip", {"a": samples})
    dataset = init_dataset(audio_dataset([str(tmp_path / "audio.zip")], seq_ordering="default"))
    dataset.init_seq_order(epoch=1)
    dataset.load_seqs(0, 1)
    np.testing.assert_allclose(dataset.get_data(0, "data")[:, 0], samples, atol=1 / 2**15)
