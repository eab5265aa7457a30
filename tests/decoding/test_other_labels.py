"""Searches with characters and pieces, against the best of all CTC paths."""

import itertools
import re
from functools import cache

import kenlm
import numpy as np
import pytest

from ctc_kd.decoding.decoders import GreedyDecoder, decoder_of
from ctc_kd.decoding.found import found_by_labels
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


def pattern_of(words, blank):
    """The paths of a sequence of words, one character for each frame, as a regular expression.

    The last label of a word has several frames only before blank. After the same label of that word, blank must follow.
    """
    pattern, before = f"{blank}*", ""
    for word in words:
        for position, label in enumerate(word, 1):
            between = f"{blank}{'+' if label == before else '*'}"
            if position < len(word):
                pattern += f"{between}{label}+"
            else:
                pattern += f"{between}{label}" + (f"+{blank}" if word[-2:-1] == label else f"(?:{label}*{blank})?")
            before = label
    return re.compile(f"{pattern}{blank}*")


@cache
def paths_of_words(inventory, frames):
    """Words -> the places, among all paths, of those that say them; there is a blank after the last frame."""
    names = "abcdefg"[: len(inventory.labels)]
    paths = ["".join(path) for path in itertools.product(names, repeat=frames)]
    blank, lexicon = names[inventory.blank], LEXICA[inventory]
    spelled = {word: "".join(names[label] for label in inventory.word(units[0])) for word, units in lexicon.items()}
    found = {}
    for words in (words for count in range(5) for words in itertools.product(lexicon, repeat=count)):
        pattern = pattern_of([spelled[word] for word in words], blank)
        found[" ".join(words)] = [place for place, path in enumerate(paths) if pattern.fullmatch(path + blank)]
    return {words: places for words, places in found.items() if places}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("lm_scale", [0.0, 0.7, 2.5])
@pytest.mark.parametrize("inventory", [CHINESE, PIECES], ids=["characters", "pieces"])
def test_words_without_a_label_between_them(tmp_path, inventory, seed, lm_scale):
    rng = np.random.default_rng(seed)
    lexicon = {word: [tuple(units) for units in spelled] for word, spelled in LEXICA[inventory].items()}
    lm = write_arpa(tmp_path / "lm.arpa", lexicon, rng)
    model = kenlm.Model(lm)
    scores = random_scores(rng, 4, inventory)
    path_scores = np.array([score for _, score in all_paths(scores)])
    candidates = {
        words: path_scores[places].max() + lm_scale * model.score(words)
        for words, places in paths_of_words(inventory, len(scores)).items()
    }
    decoder = LexiconDecoder(lexicon=lexicon, lm=lm, config=WIDE, inventory=inventory)
    found = decoder.search(scores, lm_scale=lm_scale)
    assert candidates[found] == pytest.approx(max(candidates.values()), abs=1e-4)


def test_the_last_label_of_a_word_may_have_several_frames(tmp_path):
    lexicon = LEXICA[PIECES]
    lm = write_arpa(tmp_path / "lm.arpa", lexicon, np.random.default_rng(0))
    decoder = LexiconDecoder(lexicon=lexicon, lm=lm, config=SearchConfig(), inventory=PIECES)
    spoken = [1, 2, 2, 2, 3, 1, 1, 1, 3, 0, 2, 2, 2, 3, 1, 2, 3, 2, 2]
    scores = np.log(np.eye(4, dtype="float32")[spoken] + 1e-4)
    assert decoder.search(scores, lm_scale=0.1) == "ab a b abb"


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


def test_white_space_in_labels_divides_words_as_it_does_the_text():
    inventory = Inventory("characters", ("|", "A", " ", "B C", "_"), blank=4, boundary="|")
    found = found_by_labels([1, 2, 1, 3, 0, 1], inventory)
    assert found.text.split() == [word.text for word in found.words] == ["A", "AB", "C", "A"]


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
