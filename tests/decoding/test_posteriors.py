import numpy as np
import pytest

from ctc_kd.decoding.posteriors import load_log_prior, load_posteriors
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.store import HdfWriter


def write_posteriors(path, classes, *, value=0.0):
    with HdfWriter(path, labels=classes) as writer:
        writer.add("1-1-0000", np.full((3, len(classes)), value, dtype="float16"))
    return str(path)


def test_posteriors_of_a_diverged_model_are_refused(tmp_path):
    path = write_posteriors(tmp_path / "posteriors.hdf", phonemes().labels, value=np.nan)
    with pytest.raises(ValueError, match="utterance 1-1-0000 has NaN"):
        load_posteriors(path)


@pytest.mark.parametrize("values", [[-1.0] * 79, [-1.0] * 79 + [-np.inf]])
def test_a_prior_of_another_model_is_refused(tmp_path, values):
    np.savetxt(tmp_path / "log_prior.txt", values)
    with pytest.raises(ValueError, match=r"log_prior.txt: expected 80 finite"):
        load_log_prior(str(tmp_path / "log_prior.txt"), num_classes=80)
