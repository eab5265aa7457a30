"""Models over a closed vocabulary, and the whole chain to a pruned mixture, with KenLM's own programs."""

import random

import kenlm
import pytest
from sisyphus import tk

from ctc_kd.files import read_json, write_lines
from ctc_kd.lm.mixture import MixLmsJob
from ctc_kd.lm.mixture_weights import MixtureWeightsJob
from ctc_kd.lm.ngram import KenLmBinaryJob, NgramLmJob, limit_vocabulary
from ctc_kd.lm.pruning import PruneLmJob

VOCABULARY = ["THE", "CAT", "SAT", "ON", "MAT", "DOG", "ABSENT", "MISSING"]


def test_job_without_vocabulary_keeps_its_id():
    arguments = {"text": tk.Path("a"), "order": 4, "kenlm_tools": tk.Path("b")}
    assert NgramLmJob(**arguments).job_id() == "ctc_kd/lm/ngram/NgramLmJob.BkQpMMN06Tei"
    assert NgramLmJob(**arguments, vocabulary=tk.Path("c")).job_id() != NgramLmJob(**arguments).job_id()


def test_vocabulary_of_a_lexicon(tmp_path):
    (tmp_path / "lexicon.txt").write_text("\ufeffThe DH AH\nTHE(2) DH IY\n\nCAT K AE T\n")
    options = limit_vocabulary(str(tmp_path / "lexicon.txt"), str(tmp_path / "words.txt"))
    assert (tmp_path / "words.txt").read_text() == "THE\nCAT\n"
    assert options == ["--limit_vocab_file", str(tmp_path / "words.txt"), "--vocab_pad", "4"]
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(ValueError, match="empty.txt: no words"):
        limit_vocabulary(str(tmp_path / "empty.txt"), str(tmp_path / "words.txt"))


def test_a_text_without_words_of_the_vocabulary_is_named(run_here, tmp_path):
    (tmp_path / "lmplz").write_text(
        "#!/bin/sh\ncat > /dev/null\nfor last; do :; done\nprintf '\\\\data\\\\\\nngram 1=3\\n\\n' > $last\n"
    )
    (tmp_path / "lmplz").chmod(0o755)
    (tmp_path / "text").write_text("the cat\n")
    write_lines(tmp_path / "vocabulary.txt", VOCABULARY)
    text, vocabulary, tools = (tk.Path(str(tmp_path / name)) for name in ("text", "vocabulary.txt", "."))
    with pytest.raises(ValueError, match="text: none of its words is in .*vocabulary.txt, .* in upper case"):
        run_here(NgramLmJob(text=text, kenlm_tools=tools, vocabulary=vocabulary))


def random_text(path, words, seed):
    rng = random.Random(seed)
    write_lines(path, (" ".join(rng.choices(words, k=rng.randint(1, 8))) for _ in range(60)))
    return tk.Path(str(path))


@pytest.fixture
def models(kenlm_programs, tmp_path):
    """Two 3-grams over one vocabulary, of texts that lack some of its words and have others."""
    write_lines(tmp_path / "vocabulary.txt", VOCABULARY)
    common = {"kenlm_tools": tk.Path(kenlm_programs), "vocabulary": tk.Path(str(tmp_path / "vocabulary.txt"))}
    texts = [random_text(tmp_path / "1.txt", ["THE", "CAT", "SAT", "ON", "x-ray"], 1)]
    texts.append(random_text(tmp_path / "2.txt", ["THE", "DOG", "SAT", "ON", "MAT", "MAT", "<UNK>"], 2))
    return [NgramLmJob(text=text, order=3, **common).out_arpa for text in texts], common["kenlm_tools"]


def total(lm, history):
    return sum(lm(history, word) for word in [*VOCABULARY, "</s>", "<unk>"])


@pytest.mark.slow
def test_probabilities_of_the_vocabulary_sum_to_one(models, run_jobs, plain_lm):
    arpas, _ = models
    run_jobs(*arpas)
    for arpa in arpas:
        lm = plain_lm.read(arpa.get_path())
        assert {word for ngram in lm.probabilities for word in ngram} <= {*VOCABULARY, "<s>", "</s>", "<unk>"}
        assert not any("<unk>" in ngram for ngram in lm.probabilities if len(ngram) > 1)
        for history in lm.contexts():
            assert total(lm, history) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_chain_to_a_pruned_mixture(models, run_jobs, plain_lm, tmp_path):
    arpas, tools = models
    (tmp_path / "dev.txt").write_text("1-1-0000 THE CAT SAT ON\n1-1-0001 THE DOG SAT MISSING\n1-1-0002 CAT THE\n")
    weights = MixtureWeightsJob(lms=arpas, transcripts=tk.Path(str(tmp_path / "dev.txt"))).out_weights
    mixture = MixLmsJob(arpas=arpas, weights=weights).out_arpa
    pruned = PruneLmJob(arpa=mixture, threshold=1e-3).out_arpa
    binaries = [KenLmBinaryJob(arpa=arpa, kenlm_tools=tools).out_binary for arpa in (mixture, pruned)]
    run_jobs(*binaries)

    plain = plain_lm.read(mixture.get_path())
    smaller = plain_lm.read(pruned.get_path())
    assert 20 < len(smaller.probabilities) < len(plain.probabilities)
    components = [kenlm.Model(arpa.get_path()) for arpa in arpas]
    both = list(zip(read_json(weights.get_path()), components, strict=True))
    whole, part = (kenlm.Model(binary.get_path()) for binary in binaries)
    for ngram, probability in plain.probabilities.items():
        if ngram[-1] != "<s>":
            expected = sum(weight * 10 ** query(model, ngram) for weight, model in both)
            assert probability == pytest.approx(expected, rel=1e-5)
            assert 10 ** query(whole, ngram) == pytest.approx(expected, rel=1e-5)
            assert 10 ** query(part, ngram) == pytest.approx(smaller(ngram[:-1], ngram[-1]), rel=1e-4)
    for lm in (plain, smaller):
        for history in lm.contexts():
            assert total(lm, history) == pytest.approx(1, abs=1e-5)


def query(model, ngram):
    """log10 p(last word | first words)."""
    state, after = kenlm.State(), kenlm.State()
    model.NullContextWrite(state)
    if ngram[0] == "<s>":
        model.BeginSentenceWrite(state)
    log10_p = 0.0
    for word in ngram[1:] if ngram[0] == "<s>" else ngram:
        log10_p = model.BaseScore(state, word, after)
        state, after = after, state
    return log10_p
