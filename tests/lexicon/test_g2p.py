import os
from itertools import product
from pathlib import Path

import pytest
from sisyphus import tk

from ctc_kd.corpus.problems import CorpusError
from ctc_kd.lexicon import g2p, joint_sequence
from ctc_kd.lexicon.g2p import ApplyG2PJob, OovWordsJob, TrainG2PJob
from ctc_kd.lexicon.pronunciations import read_lexicon

SOUNDS = {"B": "B", "D": "D", "K": "K", "S": "S", "T": "T", "A": "AE", "I": "IH", "O": "AA"}


def spell(word):
    return tuple(SOUNDS[letter] for letter in word)


@pytest.fixture
def regular_lexicon(write):
    """75 words, each letter one sound."""
    words = map("".join, product("BDKST", "AIO", "BDKST"))
    return write("regular.txt", "".join(f"{word} {' '.join(spell(word))}\n" for word in words))


def test_oov_words(run_here, write, regular_lexicon):
    transcripts = write("transcripts.txt", "1-1-0 TAB SIKOT BAT\n1-1-1 ABBA TAB SIKOT\n")
    job = run_here(OovWordsJob(transcripts=transcripts, lexicon=regular_lexicon))
    assert Path(job.out_words.get_path()).read_text() == "ABBA\nSIKOT\n"


def test_words_that_g2p_can_never_pronounce_are_refused_before_it_is_trained(run_here, write, regular_lexicon):
    transcripts = write("transcripts.txt", "1-1-0 HE SAID ' GO ' TO ME\n1-1-1 AN' SO\n1-1-2 ROOM 2\n")
    with pytest.raises(CorpusError, match=r"(?s)2 problem.*utterance 1-1-0: a word without .*utterance 1-1-2: unknown"):
        run_here(OovWordsJob(transcripts=transcripts, lexicon=regular_lexicon))


def train_job(lexicon, **arguments):
    return TrainG2PJob(lexicon=lexicon, ramp_ups=1, max_iterations=8, devel_share=0.1, **arguments)


def test_unseen_words_are_spelled_by_rule(run_here, write, regular_lexicon):
    model = run_here(train_job(regular_lexicon)).out_model
    words = ["SIKOT", "TABODA", "KID"]
    job = run_here(ApplyG2PJob(model=model, words=write("words.txt", "\n".join(words))))
    assert read_lexicon(job.out_lexicon.get_path()) == {word: [spell(word)] for word in words}


def test_no_words_give_an_empty_lexicon(run_here, write, regular_lexicon):
    model = run_here(train_job(regular_lexicon)).out_model
    job = run_here(ApplyG2PJob(model=model, words=write("words.txt", "")))
    assert read_lexicon(job.out_lexicon.get_path()) == {}


def test_words_that_cannot_be_pronounced_are_named(run_here, write, regular_lexicon):
    model = run_here(train_job(regular_lexicon)).out_model
    with pytest.raises(ValueError, match=r"2 of 3 words .*: QUIZ BAX\. .*by hand"):
        run_here(ApplyG2PJob(model=model, words=write("words.txt", "QUIZ\nBAT\nBAX\n")))


def test_a_killed_training_goes_on_after_the_last_order_and_ends_the_same(run_here, monkeypatch, regular_lexicon):
    def parameters(path):
        return sorted(map(str, g2p.load(path).sequenceModel.get()))

    undisturbed = parameters(run_here(train_job(regular_lexicon)).out_model.get_path())
    job = train_job(regular_lexicon, seed=1)  # another work folder
    trained, original = [], joint_sequence.train_stage

    def killed_in_second_order(initial, *args, **kwargs):
        trained.append(initial is None)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return original(initial, *args, **kwargs)

    job.seed = 0
    monkeypatch.setattr(joint_sequence, "train_stage", killed_in_second_order)
    with pytest.raises(KeyboardInterrupt):
        run_here(job)
    assert not os.path.exists(job.out_model.get_path())
    run_here(job)
    assert trained == [True, False, False]  # order 1 was not trained again
    assert parameters(job.out_model.get_path()) == undisturbed


def test_the_model_with_the_fewest_errors_is_chosen(run_here, monkeypatch, regular_lexicon):
    errors = iter([7, 3, 5])
    monkeypatch.setattr(joint_sequence, "symbol_errors", lambda model, sample: (next(errors), 20))
    job = TrainG2PJob(lexicon=regular_lexicon, ramp_ups=2, max_iterations=3, devel_share=0.1)
    run_here(job)
    chosen = sorted(map(str, g2p.load(job.out_model.get_path()).sequenceModel.get()))
    of_order = [sorted(map(str, g2p.load(f"order-{n}.pickle")["model"].sequenceModel.get())) for n in (1, 2, 3)]
    assert [chosen == candidate for candidate in of_order] == [False, True, False]


def test_many_objects_of_the_wrapper_can_be_freed(regular_lexicon):
    """Each takes a reference of sequitur's type table with it; as delivered, a dozen are too many."""
    lexicon = read_lexicon(regular_lexicon.get_path())
    train, devel = joint_sequence.split_sample(lexicon, devel_share=0.1, seed=0)
    sequitur = joint_sequence.sequitur.Sequitur()
    template = joint_sequence.sequitur.ModelTemplate(sequitur)
    context = template.makeContext(sequitur.compileSample(train), sequitur.compileSample(devel))
    builder = context.trainSample.builder
    builder.setSequenceModel(sequitur.inventory, context.model.sequenceModel)
    for letters, phonemes in context.trainSample.sample:
        graph = builder.create(letters, phonemes)
        graph.thisown = True
        assert graph.memoryUsed() > 0


def test_too_small_a_lexicon_is_an_error(run_here, write):
    with pytest.raises(ValueError, match="2 words are too few"):
        run_here(train_job(write("lexicon.txt", "A AH\nB B IY\n")))


def test_a_single_iteration_is_refused():
    with pytest.raises(ValueError, match="max_iterations"):
        TrainG2PJob(lexicon=tk.Path("lexicon.txt"), max_iterations=1)
