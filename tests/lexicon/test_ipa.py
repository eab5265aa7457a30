"""English words in IPA: every phoneme of the dictionary has a label of hama."""

from pathlib import Path

import pytest
from sisyphus import tk

from ctc_kd.lexicon.inventory import PHONEMES
from ctc_kd.lexicon.ipa import IPA, IpaLexiconJob, cmu_in_ipa


def test_every_phoneme_has_its_sign():
    assert {phoneme.rstrip("012") for phoneme in IPA} == set(PHONEMES)
    assert len(set(IPA.values())) == len(IPA) - 1  # AH1 and AH2


def test_the_stress_of_ah_decides():
    lines = ["above AH0 B AH1 V", "the DH AH0", "the(2) DH IY0", "the(3) DH IY1"]
    assert cmu_in_ipa(lines) == {"ABOVE": [("ə", "b", "ʌ", "v")], "THE": [("ð", "ə"), ("ð", "i")]}


def test_words_of_texts_get_their_pronunciations(run_here, tmp_path):
    (tmp_path / "text.txt").write_text("Church judge\nxqzt the don’t\n", encoding="utf-8")
    job = run_here(IpaLexiconJob(texts=[tk.Path(str(tmp_path / "text.txt"))]))
    lines = Path(job.out_lexicon.get_path()).read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["CHURCH t͡ʃ ɝ t͡ʃ", "DON'T d oʊ n t"]
    assert lines[3] == "JUDGE d͡ʒ ʌ d͡ʒ"
    assert [line.split()[0] for line in lines] == ["CHURCH", "DON'T", "DON'T", "JUDGE", *["THE"] * 3]


def test_words_of_transcripts_too(run_here, tmp_path):
    (tmp_path / "spoken.txt").write_text("the a judge\n")
    (tmp_path / "text.txt").write_text("church\n")
    text, spoken = (tk.Path(str(tmp_path / name)) for name in ("text.txt", "spoken.txt"))
    job = run_here(IpaLexiconJob(texts=[text], transcripts=[spoken]))
    lines = Path(job.out_lexicon.get_path()).read_text(encoding="utf-8").splitlines()
    assert {line.split()[0] for line in lines} == {"A", "CHURCH", "JUDGE"}  # "the" is an utterance
    assert IpaLexiconJob(texts=[text], transcripts=()).job_id() == IpaLexiconJob(texts=[text]).job_id()


def test_hama_has_all_of_them():
    pytest.importorskip("hama")
    from ctc_kd.lexicon.finished_vocabulary import hama_inventory

    inventory = hama_inventory()
    assert len(inventory.word(list(IPA.values()))) == len(IPA)
