"""Flashlight's decoder on constructed posteriors, and against an exhaustive search."""

import itertools

import kenlm
import numpy as np
import pytest

from ctc_kd.decoding.posteriors import emissions
from ctc_kd.decoding.search import LexiconDecoder, SearchConfig
from ctc_kd.inventory import BLANK
from ctc_kd.lexicon.inventory import UNKNOWN, phonemes

NO_PRIOR = np.zeros(len(phonemes().labels), dtype="float32")


@pytest.fixture
def lm(tiny, tmp_path):
    (tmp_path / "lm.arpa").write_text(tiny.arpa)
    return str(tmp_path / "lm.arpa")


@pytest.fixture
def decoder(tiny, lm):
    return LexiconDecoder(lexicon=tiny.lexicon, lm=lm, config=SearchConfig(), inventory=phonemes())


@pytest.fixture
def search(tiny, decoder):
    """``search("DH AH", "K AE T", lm_scale=1.0)``: the words found in posteriors that spell this."""

    def search(*spoken, lm_scale=1.0):
        return decoder.search(emissions(tiny.spell(*spoken), NO_PRIOR, 0.0), lm_scale=lm_scale)

    return search


@pytest.mark.parametrize("the", ["DH AH", "DH IY"])
@pytest.mark.parametrize("lm_scale", [0.0, 1.0, 3.0])
def test_all_pronunciations_are_searched(search, the, lm_scale):
    assert search(the, "K AE T", lm_scale=lm_scale) == "THE CAT"


def test_words_end_where_their_last_phoneme_says(search):
    assert search("S IY T") == "SEAT"
    assert search("S IY", "DH AH") == "SEE THE"


def test_language_model_decides_between_homophones(search):
    assert search("S IY") == "SEE"
    assert search("DH AH", "S IY") == "THE SEA"


def test_homophones_of_equal_score_are_chosen_alphabetically(search):
    spoken = ["S IY", "DH AH", "S IY", "S IY"]
    assert search(*spoken, lm_scale=0.0) == "SEA THE SEA SEA"


def test_the_most_probable_of_many_homophones_can_be_found(tiny, lm, capfd):
    """Flashlight keeps six words with one pronunciation: the first ones, if it were given all."""
    rare = [f"A{letter}" for letter in "BCDEFG"]  # not in the language model
    lexicon = {**dict.fromkeys(rare, [("S", "IY")]), **tiny.lexicon}
    decoder = LexiconDecoder(lexicon=lexicon, lm=lm, config=SearchConfig(), inventory=phonemes())
    assert decoder.search(emissions(tiny.spell("S IY"), NO_PRIOR, 0.0), lm_scale=1.0) == "SEE"
    printed = capfd.readouterr()
    assert "note: 2 words cannot be found by a pronunciation that 6 more probable words have" in printed.out
    assert printed.out.strip().endswith("AF, AG")
    assert "limit" not in printed.err


def test_a_homophone_that_starts_no_sentence_is_ranked_by_its_unigram(tiny, tmp_path):
    starters = [f"A{letter}" for letter in "BCDEFG"]
    unigrams = {"<unk>": -3, "<s>": -99, "</s>": -1, "THE": -1, "SEE": -0.6, **dict.fromkeys(starters, -2)}
    bigrams = {"<s> THE": -0.5, **{f"<s> {word}": -0.8 for word in starters}}
    lines = ["\\data\\", f"ngram 1={len(unigrams)}", f"ngram 2={len(bigrams)}", "", "\\1-grams:"]
    lines += [f"{score}\t{word}\t{-5 if word == '<s>' else 0}" for word, score in unigrams.items()]
    lines += ["", "\\2-grams:", *(f"{score}\t{words}" for words, score in bigrams.items()), "", "\\end\\"]
    (tmp_path / "lm.arpa").write_text("\n".join(lines) + "\n")
    lexicon = {**dict.fromkeys([*starters, "SEE"], [("S", "IY")]), "THE": tiny.lexicon["THE"]}
    decoder = LexiconDecoder(lexicon=lexicon, lm=str(tmp_path / "lm.arpa"), config=SearchConfig(), inventory=phonemes())
    spoken = emissions(tiny.spell("DH AH", "S IY"), NO_PRIOR, 0.0)
    assert decoder.search(spoken, lm_scale=1.0) == "THE SEE"


def test_language_model_scale_weighs_against_the_acoustics(search):
    assert search("DH AH", "S|K IY|AE T", lm_scale=0.0) == "THE SEAT"
    assert search("DH AH", "S|K IY|AE T", lm_scale=1.0) == "THE CAT"
    # the decoder goes back to an earlier scale
    assert search("DH AH", "S|K IY|AE T", lm_scale=0.0) == "THE SEAT"


def test_word_unknown_to_the_language_model_is_found(search):
    assert search("DH AH", "Z UW") == "THE ZOO"


def test_prior_brings_back_labels_below_a_likely_blank(tiny, decoder):
    log_prior = np.log([0.3 / 78] * 78 + [0.7]).astype("float32")
    posteriors = tiny.spell("DH AH", "K AE T", confidence=0.3)
    assert decoder.search(emissions(posteriors, log_prior, 0.0), lm_scale=1.0) == ""
    assert decoder.search(emissions(posteriors, log_prior, 0.3), lm_scale=1.0) == "THE CAT"


def test_nothing_said(search, decoder):
    assert search() == ""
    assert decoder.search(np.zeros((0, len(NO_PRIOR)), dtype="float32"), lm_scale=1.0) == ""


@pytest.mark.parametrize("spelling", [("B", "XX"), ("B", UNKNOWN), (UNKNOWN, "B"), (BLANK, "B")])
def test_words_are_spelled_with_phonemes_only(lm, spelling):
    with pytest.raises(ValueError, match=r"BAD: '(XX#|\[\w+\]#?)' is none of the 80 labels"):
        LexiconDecoder(lexicon={"BAD": [spelling]}, lm=lm, config=SearchConfig(), inventory=phonemes(80))


def best_path_score(scores, label_sequence, blank):
    """The most probable CTC path of a label sequence, by the plain recursion.

    As in Flashlight, which returns to the root of its tree there, the last label of a word has one frame.
    """
    names = phonemes().labels
    states = [blank]
    for label in label_sequence:
        states += [label, blank]
    best = np.full(len(states), -np.inf)
    best[:2] = scores[0, states[:2]]
    for frame in scores[1:]:
        previous = best.copy()
        for state, label in enumerate(states):
            before = [] if names[label].endswith("#") else [previous[state]]
            if state:
                before.append(previous[state - 1])
            if state > 1 and label not in (blank, states[state - 2]):
                before.append(previous[state - 2])
            best[state] = max(before) + frame[label]
    return max(best[-2:])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("lm_scale", [0.0, 0.7, 2.5])
def test_finds_what_an_exhaustive_search_finds(tiny, lm, seed, lm_scale):
    config = SearchConfig(beam_size=100_000, beam_size_token=len(NO_PRIOR), beam_threshold=1e6)
    decoder = LexiconDecoder(lexicon=tiny.lexicon, lm=lm, config=config, inventory=phonemes())
    names = phonemes().labels
    rng = np.random.default_rng(seed)
    spell = phonemes().word
    used = {label for variants in tiny.lexicon.values() for spoken in variants for label in spell(spoken)}
    used.add(names.index(BLANK))
    scores = np.full((6, len(names)), -12.0, dtype="float32")
    scores[:, sorted(used)] = rng.normal(-3, 3, size=(6, len(used)))

    model = kenlm.Model(lm)
    candidates = {}
    for count in range(4):
        for words in itertools.product(tiny.lexicon, repeat=count):
            grammar = lm_scale * model.score(" ".join(words), bos=True, eos=True)
            for spoken in itertools.product(*(tiny.lexicon[word] for word in words)):
                sequence = [label for variant in spoken for label in spell(variant)]
                score = best_path_score(scores, sequence, names.index(BLANK)) + grammar
                candidates[words] = max(score, candidates.get(words, -np.inf))

    found = tuple(decoder.search(scores, lm_scale=lm_scale).split())
    assert candidates[found] == pytest.approx(max(candidates.values()), abs=1e-4)
