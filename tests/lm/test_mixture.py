"""Mixtures of models against their definition; and the weights of mixtures."""

import json
import math

import kenlm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sisyphus import tk

from ctc_kd.files import read_json
from ctc_kd.lm.mixture import MixLmsJob
from ctc_kd.lm.mixture_weights import MixtureWeightsJob, mixture_weights, word_probabilities

VOCABULARY = ["A", "B", "C", "D", "'S"]
sentences = st.lists(
    st.lists(st.sampled_from(VOCABULARY[:4]), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=8
)
components = st.lists(st.tuples(sentences, st.integers(1, 4), st.floats(0.01, 1)), min_size=1, max_size=3)
many = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def mixed(plain_lm, folder, lms, weights):
    """Run the job's work on plain models; the mixture as plain model."""
    from ctc_kd.lm.components import Component
    from ctc_kd.lm.mixture import mix
    from ctc_kd.lm.ngram_tree import write_model

    for index, lm in enumerate(lms):
        plain_lm.write(lm, folder / f"{index}.arpa")
    model = mix([Component(str(folder / f"{index}.arpa")) for index in range(len(lms))], weights)
    write_model(str(folder / "mixture.arpa"), model)
    return plain_lm.read(folder / "mixture.arpa")


@many
@given(components)
def test_mixture_is_what_its_definition_says(plain_lm, tmp_path, components):
    texts, orders, scales = zip(*components, strict=True)
    weights = [scale / sum(scales) for scale in scales]
    lms = [plain_lm.estimate(text, order, VOCABULARY) for text, order in zip(texts, orders, strict=True)]
    mixture = mixed(plain_lm, tmp_path, lms, weights)

    assert set(mixture.probabilities) == {ngram for lm in lms for ngram in lm.probabilities}
    for ngram, probability in mixture.probabilities.items():
        if ngram != ("<s>",):
            expected = sum(weight * lm(ngram[:-1], ngram[-1]) for weight, lm in zip(weights, lms, strict=True))
            assert math.isclose(probability, expected, rel_tol=2e-6)
    for history in mixture.contexts():
        # the vocabulary's words that no component lists each have the probability of <unk>
        assert math.isclose(sum(mixture(history, word) for word in [*VOCABULARY, "</s>", "<unk>"]), 1, abs_tol=1e-5)

    if mixture.order > 1:  # KenLM takes no unigrams
        model = kenlm.Model(str(tmp_path / "mixture.arpa"))
        words = "B A 'S A B C D A X C".split()
        for position, (log10_p, _, unknown) in enumerate(model.full_scores(" ".join(words))):
            word = [*words, "</s>"][position]
            history = ("<s>", *words[:position])[-(mixture.order - 1) :]
            assert math.isclose(log10_p, math.log10(mixture(history, word)), abs_tol=1e-5)
            assert unknown == ((word,) not in mixture.probabilities)


def test_one_component_stays_itself(plain_lm, tmp_path):
    lm = plain_lm.estimate(["A B C A B", "B A", "A A B"], 3, VOCABULARY)
    mixture = mixed(plain_lm, tmp_path, [lm], [1.0])
    for ngram, probability in lm.probabilities.items():
        assert ngram == ("<s>",) or math.isclose(mixture.probabilities[ngram], probability, rel_tol=1e-6)
    for context, backoff in lm.backoffs.items():
        assert math.isclose(mixture.backoffs[context], backoff, rel_tol=1e-5)


def test_different_vocabularies_are_refused(plain_lm, tmp_path):
    lms = [plain_lm.estimate(["A A A"], 2, ["A"]), plain_lm.estimate(["B"], 2, ["B"])]
    with pytest.raises(ValueError, match="not estimated over one closed vocabulary"):
        mixed(plain_lm, tmp_path, lms, [0.5, 0.5])


def test_ngrams_with_unk_are_refused(plain_lm, tmp_path):
    lm = plain_lm.estimate(["A B"], 2, VOCABULARY)
    lm.probabilities["A", "<unk>"] = 0.1
    with pytest.raises(ValueError, match="0.arpa: 2-grams with <unk>"):
        mixed(plain_lm, tmp_path, [lm], [1.0])


def test_jobs(plain_lm, run_jobs, tmp_path):
    texts = [["A B C", "A B"] * 5, ["C B A", "D C B"] * 5]
    for index, text in enumerate(texts):
        plain_lm.write(plain_lm.estimate(text, 3, VOCABULARY), tmp_path / f"{index}.arpa")
    (tmp_path / "dev.txt").write_text("1-1-0000 A B C\n1-1-0001 A B X\n1-1-0002 D C B\n")
    arpas = [tk.Path(str(tmp_path / f"{index}.arpa")) for index in range(2)]
    weights = MixtureWeightsJob(lms=arpas, transcripts=tk.Path(str(tmp_path / "dev.txt")))
    mixture = MixLmsJob(arpas=arpas, weights=weights.out_weights)
    run_jobs(mixture.out_arpa, weights.out_perplexities)

    first, second = read_json(weights.out_weights.get_path())
    assert math.isclose(first + second, 1) and first > second > 0.05
    perplexities = read_json(weights.out_perplexities.get_path())
    assert perplexities["mixture"] < min(perplexities["components"])
    assert kenlm.Model(mixture.out_arpa.get_path()).order == 3


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.6], [1.5, -0.5]])
def test_wrong_weights_are_refused(run_here, tmp_path, weights):
    (tmp_path / "weights.json").write_text(json.dumps(weights))
    arpas = [tk.Path("0.arpa"), tk.Path("1.arpa")]
    with pytest.raises(ValueError, match="weights.json: .* expected 2 weights"):
        run_here(MixLmsJob(arpas=arpas, weights=tk.Path(str(tmp_path / "weights.json"))))


@given(st.integers(1, 5), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_likelihood_never_falls_and_ends_at_the_maximum(models, words, seed):
    probabilities = np.random.default_rng(seed).uniform(1e-3, 1, (models, words))
    steps = list(mixture_weights(probabilities))
    likelihoods = [likelihood for _, likelihood in steps]
    assert all(later >= earlier - 1e-12 for earlier, later in zip(likelihoods, likelihoods[1:], strict=False))
    weights = steps[-1][0]
    assert math.isclose(weights.sum(), 1, abs_tol=1e-9) and weights.min() >= 0
    # at the maximum no model deserves more weight: the likelihood's derivative exceeds 1 for none of them
    gradient = (probabilities / (weights @ probabilities)).mean(1)
    assert gradient.max() < 1 + 1e-2
    assert abs(weights * (gradient - 1)).max() < 1e-6


def test_models_that_are_alike_end_with_the_steps(monkeypatch):
    monkeypatch.setattr("ctc_kd.lm.mixture_weights.MAX_STEPS", 50)
    first = np.random.default_rng(2).uniform(0.1, 1, 100)
    steps = list(mixture_weights(np.array([first, 0.999 * first])))
    assert len(steps) == 50


def test_known_mixture_is_recovered():
    rng = np.random.default_rng(1)
    distributions = rng.dirichlet(np.full(50, 0.1), size=3)
    true = np.array([0.6, 0.3, 0.1])
    words = rng.choice(50, size=50_000, p=true @ distributions)
    *_, (weights, _) = mixture_weights(distributions[:, words])
    assert abs(weights - true).max() < 0.01


def test_words_that_nobody_knows_are_left_out(plain_lm, tmp_path):
    lms = [plain_lm.estimate(["A B"], 2, VOCABULARY), plain_lm.estimate(["C B"], 2, VOCABULARY)]
    for index, lm in enumerate(lms):
        plain_lm.write(lm, tmp_path / f"{index}.arpa")
    found = word_probabilities([str(tmp_path / "0.arpa"), str(tmp_path / "1.arpa")], ["C X B"])
    expected = [[lm(h, w) for h, w in [(("<s>",), "C"), (("X",), "B"), (("B",), "</s>")]] for lm in lms]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert expected[0][0] == lms[0](("<s>",), "<unk>")  # a word that only the other one knows


def test_a_model_that_knows_no_word_is_named(plain_lm, tmp_path):
    for name, text in (("good", "A B"), ("lower", "a b")):
        plain_lm.write(plain_lm.estimate([text], 2, text.split()), tmp_path / f"{name}.arpa")
    with pytest.raises(ValueError, match="lower.arpa: knows none of the words"):
        word_probabilities([str(tmp_path / f"{name}.arpa") for name in ("good", "lower")], ["A B", ""])


def test_nothing_to_mix():
    with pytest.raises(ValueError, match="no model"):
        MixtureWeightsJob(lms=[], transcripts=tk.Path("dev.txt"))


def test_no_dev_sentence_is_an_error(plain_lm, run_here, tmp_path):
    plain_lm.write(plain_lm.estimate(["A B"], 2, VOCABULARY), tmp_path / "0.arpa")
    (tmp_path / "dev.txt").write_text("")
    job = MixtureWeightsJob(lms=[tk.Path(str(tmp_path / "0.arpa"))], transcripts=tk.Path(str(tmp_path / "dev.txt")))
    with pytest.raises(ValueError, match="dev.txt: no sentence"):
        run_here(job)
