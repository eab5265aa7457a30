"""Pruning against the relative entropy that is summed up word by word."""

import math

import kenlm
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sisyphus import tk

from ctc_kd.lm.ngram_tree import read_model, write_model
from ctc_kd.lm.pruning import PruneLmJob, context_log10_p, history_log10_p, perplexity_rise, prune

VOCABULARY = ["A", "B", "C", "D"]
WORDS = [*VOCABULARY, "</s>", "<unk>"]
texts = st.lists(
    st.lists(st.sampled_from(VOCABULARY[:3]), min_size=1, max_size=8).map(" ".join), min_size=3, max_size=12
)
many = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = ["A B C A B", "B A", "A A B", "C C A B C", "A B C", "A B", "B B B C"]


def pruned(plain_lm, folder, lm, threshold):
    plain_lm.write(lm, folder / "full.arpa")
    model = read_model(str(folder / "full.arpa"))
    kept = prune(model, threshold, context_log10_p(model, model.log10_p))
    write_model(str(folder / "pruned.arpa"), model, kept)
    return plain_lm.read(folder / "pruned.arpa")


def plain_rise(lm, ngram):
    """exp(D) - 1, with D the relative entropy between the model with and without the n-gram."""
    history, word = ngram[:-1], ngram[-1]
    others = [n[-1] for n in lm.probabilities if n[:-1] == history and n[-1] != word]
    unlisted = [w for w in WORDS if w not in others]
    backoff = (1 - sum(lm(history, w) for w in others)) / sum(lm(history[1:], w) for w in unlisted)
    divergence = sum(
        lm(history, w) * (math.log(lm(history, w)) - math.log(backoff * lm(history[1:], w))) for w in unlisted
    )
    return math.expm1(context_probability(lm, history) * divergence)


def context_probability(lm, history):
    probability = 1.0
    for position, word in enumerate(history):
        probability *= lm(history[:position], "</s>" if word == "<s>" else word)
    return probability


@many
@given(texts, st.integers(2, 4))
@example(["A"], 4)  # too short for an n-gram of that order
def test_rise_of_the_perplexity_is_the_relative_entropy(plain_lm, tmp_path, text, order):
    lm = plain_lm.estimate(text, order, VOCABULARY)
    plain_lm.write(lm, tmp_path / "full.arpa")
    model = read_model(str(tmp_path / "full.arpa"))
    contexts = context_log10_p(model, model.log10_p)
    for length in range(2, lm.order + 1):
        rises = perplexity_rise(model, length, model.tree.prefixes(length), contexts[length - 2])
        for index, rise in enumerate(rises):
            ngram = tuple(model.words[w].decode() for w in model.tree.ngrams(length, [index])[0])
            assert math.isclose(rise, plain_rise(lm, ngram), rel_tol=1e-3, abs_tol=1e-6)


@many
@given(texts, st.integers(2, 4), st.sampled_from([1e-4, 1e-3, 1e-2, 0.1]))
def test_pruned_model(plain_lm, tmp_path, text, order, threshold):
    lm = plain_lm.estimate(text, order, VOCABULARY)
    smaller = pruned(plain_lm, tmp_path, lm, threshold)
    for ngram, probability in smaller.probabilities.items():
        if ngram != ("<s>",):
            assert math.isclose(probability, lm.probabilities[ngram], rel_tol=1e-6)
    contexts = smaller.contexts()
    needed = contexts | {ngram[1:] for ngram in smaller.probabilities}
    assert needed - {()} <= smaller.probabilities.keys()
    for ngram in lm.probabilities:
        if len(ngram) > 1 and not math.isclose(rise := plain_rise(lm, ngram), threshold, rel_tol=1e-2, abs_tol=1e-6):
            assert (ngram in smaller.probabilities) == (rise >= threshold or ngram in needed)
    for history in contexts:
        assert math.isclose(sum(smaller(history, word) for word in WORDS), 1, abs_tol=1e-5)
    if smaller.order > 1:
        model = kenlm.Model(str(tmp_path / "pruned.arpa"))
        words = "B A B C A D A B C C A".split()
        for position, (log10_p, _, _) in enumerate(model.full_scores(" ".join(words))):
            history = ("<s>", *words[:position])[-(smaller.order - 1) :]
            assert math.isclose(log10_p, math.log10(smaller(history, [*words, "</s>"][position])), abs_tol=1e-5)


def test_threshold_zero_changes_nothing(plain_lm, tmp_path):
    lm = plain_lm.estimate(TEXT, 3, VOCABULARY)
    same = pruned(plain_lm, tmp_path, lm, 0.0)
    assert same.probabilities.keys() == lm.probabilities.keys()
    for context, backoff in lm.backoffs.items():
        assert math.isclose(same.backoffs[context], backoff, rel_tol=1e-4)


def test_high_threshold_leaves_the_unigrams(plain_lm, tmp_path):
    lm = plain_lm.estimate(TEXT, 3, VOCABULARY)
    unigrams = pruned(plain_lm, tmp_path, lm, 100.0)
    assert unigrams.probabilities.keys() == {ngram for ngram in lm.probabilities if len(ngram) == 1}


def test_histories_say_how_probable_contexts_are(plain_lm, tmp_path):
    plain_lm.write(plain_lm.estimate(TEXT, 3, VOCABULARY), tmp_path / "full.arpa")
    model = read_model(str(tmp_path / "full.arpa"))
    histories = [plain_lm.estimate([*TEXT[:4], "X A C"], order, [*VOCABULARY, "X"]) for order in (1, 2)]
    for order, history in enumerate(histories, 1):
        plain_lm.write(history, tmp_path / f"{order}.arpa")
    last_word = [history_log10_p(model, str(tmp_path / f"{order}.arpa"), order) for order in (1, 2)]
    unigrams, bigrams = context_log10_p(model, last_word)
    words = [word.decode() for word in model.words]
    one, two = histories
    for index, (first, second) in enumerate(model.tree.ngrams(2, range(len(bigrams)))):
        first, second = words[first], words[second]
        expected = one((), "</s>" if first == "<s>" else first) * two((first,), second)
        assert math.isclose(bigrams[index], math.log10(expected), abs_tol=1e-5)
    assert math.isclose(unigrams[words.index("A")], math.log10(one((), "A")), abs_tol=1e-5)


def test_job(plain_lm, run_here, tmp_path):
    plain_lm.write(plain_lm.estimate(TEXT, 3, VOCABULARY), tmp_path / "full.arpa")
    paths = []
    for order in (1, 2):
        plain_lm.write(plain_lm.estimate(TEXT, order, VOCABULARY), tmp_path / f"{order}.arpa")
        paths.append(tk.Path(str(tmp_path / f"{order}.arpa")))
    arpa = tk.Path(str(tmp_path / "full.arpa"))
    job = run_here(PruneLmJob(arpa=arpa, threshold=1e-2, histories=paths))
    sizes = kenlm.Model(job.out_arpa.get_path()).order, len(plain_lm.read(job.out_arpa.get_path()).probabilities)
    assert sizes[0] == 3 and sizes[1] < len(plain_lm.read(tmp_path / "full.arpa").probabilities)
    with pytest.raises(ValueError, match="1 histories for .*full.arpa of order 3"):
        run_here(PruneLmJob(arpa=arpa, threshold=1e-2, histories=paths[:1]))


@pytest.mark.parametrize("threshold", [-1e-9, math.nan, math.inf])
def test_wrong_threshold(threshold):
    with pytest.raises(ValueError, match="threshold"):
        PruneLmJob(arpa=tk.Path("lm.arpa"), threshold=threshold)
