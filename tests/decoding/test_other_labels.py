"""Searches with characters and pieces, against the best of all CTC paths."""

import itertools

import kenlm
import numpy as np
import pytest

from ctc_kd.decoding.decoders import GreedyDecoder, decoder_of
from ctc_kd.decoding.label_search import LabelDecoder
from ctc_kd.decoding.search import LexiconDecoder, SearchConfig
from ctc_kd.inventory import Inventory

CHARACTERS = Inventory("characters", ("_", "|", "<s>", "a", "b"), blank=0, boundary="|", unspoken=("<s>",))
CHINESE = Inventory("characters", ("你", "好", "们", "_"), blank=3)
PIECES = Inventory("pieces", ("▁", "▁a", "b", "_"), blank=3, boundary="▁")
LEXICA = {
    CHARACTERS: {"a": ["a"], "ab": ["ab"], "bb": ["bb"], "b": ["b"]},
    CHINESE: {"你": ["你"], "你好": ["你好"], "好": ["好"], "你们": ["你们"], "好好": ["好好"]},
    PIECES: {"ab": [("▁a", "b")], "a": [("▁a",)], "b": [("▁", "b")], "abb": [("▁a", "b", "b")]},
}
WIDE = SearchConfig(beam_size=100_000, beam_size_token=10, beam_threshold=1e6)


def write_arpa(path, words, rng):
    """A bigram model with random probabilities; some pairs back off."""
    starts, ends = ["<s>", *words], [*words, "</s>"]
    pairs = [pair for pair in itertools.product(starts, ends) if rng.random() < 0.6]
    lines = ["\\data\\", f"ngram 1={len(words) + 3}", f"ngram 2={len(pairs)}", "", "\\1-grams:", "-2\t<unk>"]
    lines += ["-99\t<s>\t-0.4", f"{-rng.uniform(0.3, 2)}\t</s>"]
    lines += [f"{-rng.uniform(0.3, 2)}\t{word}\t{-rng.uniform(0, 1)}" for word in words]
    lines += ["", "\\2-grams:", *(f"{-rng.uniform(0.1, 2)}\t{a} {b}" for a, b in pairs), "", "\\end\\"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def random_scores(rng, frames, inventory):
    return rng.normal(-3, 3, size=(frames, len(inventory.labels))).astype("float32")


def all_paths(scores):
    """``(labels of each frame, score)`` of all paths."""
    frames = range(len(scores))
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        yield path, float(scores[frames, path].sum())


def best_texts(scores, inventory):
    """Text -> score of its best path, by the definition of CTC."""
    unspoken = {inventory.labels.index(label) for label in inventory.unspoken}
    best = {}
    for path, score in all_paths(scores):
        if not unspoken.intersection(path):
            text = tuple(inventory.collapsed(path))
            best[text] = max(score, best.get(text, -np.inf))
    return best


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lm_scale", [0.0, 0.7, 2.5])
def test_words_with_a_label_between_them(tmp_path, seed, lm_scale):
    """An utterance may end with or without that label, start with it, and have several of it in a row."""
    rng = np.random.default_rng(seed)
    lexicon = LEXICA[CHARACTERS]
    lm = write_arpa(tmp_path / "lm.arpa", lexicon, rng)
    model = kenlm.Model(lm)
    scores = random_scores(rng, 5, CHARACTERS)
    candidates = {}
    for labels, score in best_texts(scores, CHARACTERS).items():
        text = CHARACTERS.text(labels)
        if all(word in lexicon for word in text.split()):
            candidates[text] = max(score + lm_scale * model.score(text), candidates.get(text, -np.inf))
    decoder = LexiconDecoder(lexicon=lexicon, lm=lm, config=WIDE, inventory=CHARACTERS)
    found = decoder.search(scores, lm_scale=lm_scale)
    assert candidates[found] == pytest.approx(max(candidates.values()), abs=1e-4)


def flashlight_score(scores, words, blank):
    """The best path of a sequence of words, whose last labels have one frame, and no blank before them by need."""
    states, last, follows = [blank], [False], [True]
    for word in words:
        for position, label in enumerate(word, 1):
            ends = position == len(word)
            may_follow = label != states[-2] if len(states) > 1 else True
            states += [label, blank]
            last += [ends, False]
            follows += [may_follow or (ends and len(word) > 1), False]
    best = np.full(len(states), -np.inf)
    best[:2] = scores[0, states[:2]]
    for frame in scores[1:]:
        previous = best.copy()
        for state, label in enumerate(states):
            before = [] if last[state] else [previous[state]]
            before += [previous[state - 1]] if state else []
            before += [previous[state - 2]] if state > 1 and follows[state] else []
            best[state] = max(before) + frame[label]
    return max(best[-2:])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lm_scale", [0.0, 0.7, 2.5])
@pytest.mark.parametrize("inventory", [CHINESE, PIECES], ids=["characters", "pieces"])
def test_words_without_a_label_between_them(tmp_path, inventory, seed, lm_scale):
    rng = np.random.default_rng(seed)
    lexicon = LEXICA[inventory]
    lm = write_arpa(tmp_path / "lm.arpa", lexicon, rng)
    model = kenlm.Model(lm)
    scores = random_scores(rng, 6, inventory)
    candidates = {}
    for count in range(5):
        for words in itertools.product(lexicon, repeat=count):
            spelled = [inventory.word(lexicon[word][0]) for word in words]
            score = flashlight_score(scores, spelled, inventory.blank)
            candidates[" ".join(words)] = score + lm_scale * model.score(" ".join(words))
    decoder = LexiconDecoder(lexicon=lexicon, lm=lm, config=WIDE, inventory=inventory)
    found = decoder.search(scores, lm_scale=lm_scale)
    assert candidates[found] == pytest.approx(max(candidates.values()), abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lm_scale", [0.0, 0.7, 2.5])
@pytest.mark.parametrize("inventory", [CHARACTERS, CHINESE, PIECES], ids=["characters", "Chinese", "pieces"])
def test_labels_without_lexicon(tmp_path, inventory, seed, lm_scale):
    rng = np.random.default_rng(seed)
    spoken = [token for token in inventory.tokens if token not in ("_", "<s>")]
    lm = write_arpa(tmp_path / "lm.arpa", spoken[:-1], rng)  # the last label is unknown to the model
    model = kenlm.Model(lm)
    scores = random_scores(rng, 5, inventory)
    candidates = {
        labels: score + lm_scale * model.score(" ".join(inventory.tokens[label] for label in labels))
        for labels, score in best_texts(scores, inventory).items()
    }
    best = max(candidates, key=candidates.get)
    found = LabelDecoder(lm=lm, config=WIDE, inventory=inventory).search(scores, lm_scale=lm_scale)
    assert found == inventory.text(best)


def test_the_best_path_says_a_label_twice_only_with_blank_between():
    path = [3, 3, 0, 3, 1, 1, 2, 4, 0]
    scores = np.log(np.eye(5, dtype="float32")[path] + 1e-3)
    assert GreedyDecoder(inventory=CHARACTERS).search(scores, lm_scale=1.0) == "aa b"


def test_nothing_said(tmp_path):
    nothing = np.zeros((0, 5), dtype="float32")
    silence = np.log(np.eye(5, dtype="float32")[[0, 0]] + 1e-3)
    lm = write_arpa(tmp_path / "lm.arpa", LEXICA[CHARACTERS], np.random.default_rng(0))
    for decoder in (
        LexiconDecoder(lexicon=LEXICA[CHARACTERS], lm=lm, config=WIDE, inventory=CHARACTERS),
        LabelDecoder(lm=lm, config=WIDE, inventory=CHARACTERS),
        GreedyDecoder(inventory=CHARACTERS),
    ):
        assert decoder.search(nothing, lm_scale=1.0) == decoder.search(silence, lm_scale=1.0) == ""


def test_what_a_corpus_has_chooses_the_decoder(tmp_path):
    lm = write_arpa(tmp_path / "lm.arpa", LEXICA[CHARACTERS], np.random.default_rng(0))
    (tmp_path / "lexicon.txt").write_text("ab a b\nab b\n")
    lexicon = str(tmp_path / "lexicon.txt")

    def kind(**files):
        return type(decoder_of(CHARACTERS, **{"lexicon": None, "lm": None, **files}, config=WIDE))

    assert kind(lexicon=lexicon, lm=lm) is LexiconDecoder
    assert kind(lm=lm) is LabelDecoder
    assert kind() is GreedyDecoder
    with pytest.raises(ValueError, match=r"lexicon.txt: a search for words needs a language model"):
        kind(lexicon=lexicon)
