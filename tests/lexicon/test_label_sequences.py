from pathlib import Path

import numpy as np
import pytest

from ctc_kd.inventory import inventory_of
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.lexicon.label_sequences import LabelSequencesJob
from ctc_kd.store import read_hdf

TRANSCRIPTS = "1-1-0000 THE CAT\n1-1-0001 CAT XYLOPHONE\n1-1-0002 CAT\n"
LEXICON = "THE DH AH\nTHE DH IY\nCAT K AE T\n"
THE, CAT = ["DH", "AH#"], ["K", "AE", "T#"]


@pytest.fixture
def inputs(write):
    return {"transcripts": write("transcripts.txt", TRANSCRIPTS), "lexicon": write("lexicon.txt", LEXICON)}


def as_names(sequence):
    return [phonemes().labels[index] for index in sequence]


def test_first_pronunciations_with_word_ends(run_here, inputs):
    job = run_here(LabelSequencesJob(**inputs, skip_unknown_words=True))
    sequences = {utterance: as_names(sequence) for utterance, sequence in read_hdf(job.out_hdf.get_path())}
    assert sequences == {"1-1-0000": THE + CAT, "1-1-0002": CAT}
    assert inventory_of(job.out_hdf.get_path()) == phonemes()
    assert Path(job.out_utterances.get_path()).read_text().split() == ["1-1-0000", "1-1-0002"]


def test_with_the_label_that_is_never_a_target(run_here, inputs):
    job = run_here(LabelSequencesJob(**inputs, skip_unknown_words=True, unknown_label=True))
    assert inventory_of(job.out_hdf.get_path()) == phonemes(80)
    names = phonemes(80).labels
    sequences = {utterance: list(sequence) for utterance, sequence in read_hdf(job.out_hdf.get_path())}
    assert [names[index] for index in sequences["1-1-0000"]] == THE + CAT
    assert sequences["1-1-0002"] == [names.index("K"), names.index("AE"), phonemes().labels.index("T#") + 1]


def test_another_inventory_is_another_job(inputs):
    assert LabelSequencesJob(**inputs, unknown_label=True).job_id() != LabelSequencesJob(**inputs).job_id()


def test_an_unknown_word_is_named_with_its_utterance_and_the_remedy(run_here, inputs):
    with pytest.raises(ValueError, match=r"1 word\(s\) in 1 utterance\(s\) .*XYLOPHONE in utterance 1-1-0001.*G2P"):
        run_here(LabelSequencesJob(**inputs))


def test_nothing_left_is_an_error(run_here, inputs, write):
    inputs["transcripts"] = write("unknown.txt", "1-1-0001 CAT XYLOPHONE\n")
    with pytest.raises(ValueError, match="every utterance has a word outside"):
        run_here(LabelSequencesJob(**inputs, skip_unknown_words=True))


def test_returnn_reads_sparse_labels_by_tag(run_here, inputs):
    from returnn.datasets.hdf import HDFDataset

    path = run_here(LabelSequencesJob(**inputs, skip_unknown_words=True)).out_hdf.get_path()
    data = HDFDataset([path], use_cache_manager=False)
    data.initialize()
    data.init_seq_order(epoch=1)
    data.load_seqs(0, 2)
    assert data.is_data_sparse("data")
    assert data.get_data_dim("data") == 79
    assert tuple(data.labels["data"]) == phonemes().labels
    assert data.get_data_dtype("data") == "int32"
    assert [data.get_tag(index) for index in range(2)] == ["1-1-0000", "1-1-0002"]
    assert as_names(np.asarray(data.get_data(1, "data"))) == CAT
