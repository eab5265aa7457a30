"""The tokens of pieces, by the tokenizer of a tiny Whisper."""

import pytest
from sisyphus import tk

from ctc_kd.pseudo_labels import tokens as tokens_module
from ctc_kd.pseudo_labels.pieces import Piece, Segment, read_pieces, write_pieces
from ctc_kd.pseudo_labels.tokens import TokensJob, prompt_of, tokens_of
from ctc_kd.store import read_hdf, read_labels, read_metadata
from tiny_whisper import SPECIAL, save_whisper

PIECE = Piece("talk", "s", (Segment(100, 151, "ab"), Segment(160, 1600, "c")))


@pytest.fixture(scope="module")
def model(built_once):
    return str(built_once("tiny whisper", save_whisper))


@pytest.fixture(scope="module")
def tokenizer(model):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model)


def test_times_are_those_within_the_piece(tokenizer):
    timed = tokenizer.convert_ids_to_tokens(tokens_of(PIECE, tokenizer, timed=True))
    assert timed == [*("<|0.00|>", "Ġ", "a", "b", "<|1.02|>", "<|1.20|>", "Ġ", "c", "<|30.00|>"), "<|endoftext|>"]
    plain = tokenizer.convert_ids_to_tokens(tokens_of(PIECE, tokenizer, timed=False))
    assert plain == ["<|notimestamps|>", "Ġ", "a", "b", "Ġ", "c", "<|endoftext|>"]


def test_a_model_of_several_languages_reads_which_one_it_is(tokenizer):
    read = tokenizer.convert_ids_to_tokens(prompt_of(tokenizer, "zh"))
    assert read == ["<|startoftranscript|>", "<|zh|>", "<|transcribe|>"]
    with pytest.raises(ValueError, match=r"the tokenizer has no <\|fr\|>"):
        prompt_of(tokenizer, "fr")


def test_each_piece_may_have_a_language_of_its_own(run_here, tmp_path, model, monkeypatch):
    monkeypatch.setattr(tokens_module, "LARGEST_ENGLISH_VOCABULARY", 0)
    pieces = [Piece(name, "s", (Segment(0, 50, "ab", name),)) for name in ("zh", "en")]
    unknown = Piece("talk", "s", (Segment(0, 50, "ab"),))
    for name, written in (("known", pieces), ("unknown", [unknown])):
        write_pieces(str(tmp_path / f"{name}.jsonl.gz"), written)
    job = TokensJob(pieces=tk.Path(str(tmp_path / "known.jsonl.gz")), model=tk.Path(model), language=None)
    store = run_here(job).out_hdf.get_path()
    read = {name: [read_labels(store)[token] for token in tokens[:3]] for name, tokens in read_hdf(store)}
    start, write = "<|startoftranscript|>", "<|transcribe|>"
    assert read == {f"{name}-00000000": [start, f"<|{name}|>", write] for name in ("zh", "en")}
    assert read_metadata(store) == {"prompt": 3}
    job = TokensJob(pieces=tk.Path(str(tmp_path / "unknown.jsonl.gz")), model=tk.Path(model), language=None)
    with pytest.raises(ValueError, match="talk-00000000 has no language; give TokensJob the language of all"):
        run_here(job)


def test_pieces_that_are_too_long_are_left_out(run_here, tmp_path, model, capsys):
    long = Piece("long", "s", (Segment(0, 10, "x" * 448),))
    write_pieces(str(tmp_path / "pieces.jsonl.gz"), [PIECE, long])
    job = TokensJob(pieces=tk.Path(str(tmp_path / "pieces.jsonl.gz")), model=tk.Path(model), language="en")
    store = run_here(job).out_hdf.get_path()
    ((name, tokens),) = read_hdf(store)
    assert name == PIECE.id and read_metadata(store) == {"prompt": 1}
    assert [read_labels(store)[token] for token in tokens[[0, -1]]] == [SPECIAL[1], SPECIAL[0]]
    assert list(read_pieces(job.out_pieces.get_path())) == [PIECE]
    assert "1 left out, too long: long-00000000" in capsys.readouterr().out
