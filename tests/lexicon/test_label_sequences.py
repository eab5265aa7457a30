from pathlib import Path

import numpy as np
import pytest
from sisyphus import tk

from ctc_kd.inventory import Inventory, inventory_of, write_inventory
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


def test_a_label_between_words_and_words_in_either_case(run_here, write, tmp_path):
    inventory = Inventory("phonemes", ("<wb>", "æ", "ð", "ə", "k", "t", "_"), blank=6, case="upper", boundary="<wb>")
    write_inventory(tmp_path / "inventory.json", inventory)
    lexicon = write("ipa.txt", "the ð ə\nThe ð æ\nCAT k æ t\n")
    given = {"lexicon": lexicon, "inventory": tk.Path(str(tmp_path / "inventory.json"))}
    job = run_here(LabelSequencesJob(transcripts=write("transcripts.txt", "u1 the Cat\nu2 cat\n"), **given))
    names = {
        utterance: [inventory.labels[label] for label in sequence]
        for utterance, sequence in read_hdf(job.out_hdf.get_path())
    }
    assert names == {"u1": ["ð", "ə", "<wb>", "k", "æ", "t"], "u2": ["k", "æ", "t"]}
    assert inventory_of(job.out_hdf.get_path()) == inventory
    with pytest.raises(ValueError, match=r"such as DOG in utterance u3"):
        run_here(LabelSequencesJob(transcripts=write("more.txt", "u3 the dog\n"), **given))
    given["lexicon"] = write("other.txt", "the ð ə\ncat k a t\n")
    with pytest.raises(ValueError, match=r"other.txt: CAT: 'a' is none of the 7 labels, which are phonemes"):
        run_here(LabelSequencesJob(transcripts=job.transcripts, **given))
    with pytest.raises(ValueError, match="unknown_label adds a label to the phonemes"):
        LabelSequencesJob(transcripts=job.transcripts, unknown_label=True, **given)


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
