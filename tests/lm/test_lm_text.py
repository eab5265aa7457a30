"""Text in the lexicon's spelling."""

import gzip
import json
import random

import pytest
from sisyphus import tk

from ctc_kd.inventory import Inventory, write_inventory
from ctc_kd.lm.text import LmTextJob


def run(run_here, tmp_path, **files):
    paths = {kind: [tk.Path(str(tmp_path / name)) for name in names] for kind, names in files.items()}
    job = run_here(LmTextJob(**paths))
    with gzip.open(job.out_text.get_path(), "rt") as file, open(job.out_counts.get_path()) as counts:
        return file.read().splitlines(), json.load(counts)


def test_texts_and_transcripts_become_one(run_here, tmp_path):
    with gzip.open(tmp_path / "news.en.gz", "wt") as file:
        file.write("it 's  the end </s>\n\n<s> </s>\n<s> a naïve e-mail of 1999 </s>\n")
    (tmp_path / "more.txt").write_text("</S>hm <s>\r\nthe <unk> end’s")
    (tmp_path / "train.txt").write_text("talk/1 IT 'S\ntalk/2\ntalk/3 THE END\n")
    sentences, counts = run(run_here, tmp_path, texts=["news.en.gz", "more.txt"], transcripts=["train.txt"])
    assert sentences == ["IT 'S THE END", "A NAïVE E-MAIL OF 1999", "</S>HM", "THE <UNKNOWN> END'S", "IT 'S", "THE END"]
    assert counts == {"sentences": 6, "words": 17, "words with other characters": 5}


def test_texts_can_be_written_as_labels_are(run_here, tmp_path):
    (tmp_path / "news.txt").write_text("It’s ЁЖ </s>\nЁж 9\n")
    (tmp_path / "train.txt").write_text("u1 Its\n")
    write_inventory(tmp_path / "i.json", Inventory("characters", ("_", *"its'ёж"), blank=0, case="lower"))
    paths = {"texts": [tk.Path(str(tmp_path / "news.txt"))], "transcripts": [tk.Path(str(tmp_path / "train.txt"))]}
    job = run_here(LmTextJob(**paths, inventory=tk.Path(str(tmp_path / "i.json"))))
    with gzip.open(job.out_text.get_path(), "rt", encoding="utf-8") as file:
        assert file.read() == "it's ёж\nёж 9\nits\n"
    with open(job.out_counts.get_path()) as counts:
        assert json.load(counts) == {"sentences": 3, "words": 5, "words with other characters": 1}


def test_letters_of_words_are_no_other_characters_where_labels_are_phonemes(run_here, tmp_path):
    (tmp_path / "news.txt").write_text("It's ёж 9, ok\n")
    write_inventory(tmp_path / "i.json", Inventory("phonemes", ("_", "ð"), blank=0, case="upper"))
    job = run_here(LmTextJob(texts=[tk.Path(str(tmp_path / "news.txt"))], inventory=tk.Path(str(tmp_path / "i.json"))))
    with gzip.open(job.out_text.get_path(), "rt", encoding="utf-8") as file:
        assert file.read() == "IT'S ЁЖ 9, OK\n"
    with open(job.out_counts.get_path()) as counts:
        assert json.load(counts) == {"sentences": 1, "words": 4, "words with other characters": 1}


def test_text_that_is_cut_off_is_refused(run_here, tmp_path):
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"a b c\n" * 1000)[:-10])
    with pytest.raises(ValueError, match="cut.gz: .*end-of-stream"):
        run(run_here, tmp_path, texts=["cut.gz"])
    assert not list(tmp_path.rglob("output/text.gz"))


def test_text_that_is_damaged_is_refused(run_here, tmp_path):
    content = bytearray(gzip.compress(random.Random(0).randbytes(1000).hex().encode()))
    content[100:110] = bytes(10)
    (tmp_path / "bad.gz").write_bytes(content)
    with pytest.raises(ValueError, match="bad.gz: "):
        run(run_here, tmp_path, texts=["bad.gz"])


def test_other_encodings_are_refused(run_here, tmp_path):
    (tmp_path / "latin.txt").write_bytes("naïve\n".encode("latin-1"))
    with pytest.raises(ValueError, match="latin.txt:1: .*UTF-8"):
        run(run_here, tmp_path, texts=["latin.txt"])


def test_text_without_sentences_is_refused(run_here, tmp_path):
    (tmp_path / "empty.txt").write_text("\n</s>\n")
    with pytest.raises(ValueError, match="empty.txt: no sentence"):
        run(run_here, tmp_path, texts=["empty.txt"])
    assert not list(tmp_path.rglob("output/text.gz"))


def test_nothing_to_read():
    with pytest.raises(ValueError, match="neither"):
        LmTextJob()
