"""Texts as people and their programs leave them, and folders that are complete or absent."""

import gzip
from pathlib import Path

import pytest

from ctc_kd.files import complete_folder, text_lines


def read(folder, content):
    (folder / "text").write_bytes(content)
    return list(text_lines(folder / "text"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_marks(tmp_path, end):
    joined = f"\ufefféa b{end}" + f"\ufeffc\td{end}"
    assert read(tmp_path, joined.encode()) == ["éa b\n", "c\td\n"]


def test_no_other_character_ends_a_line(tmp_path):
    assert read(tmp_path, "a\u2028b\x0cc\x85d\n".encode()) == ["a\u2028b\x0cc\x85d\n"]


def test_what_is_packed_is_told_by_the_content(tmp_path):
    assert read(tmp_path, gzip.compress(b"a\nb")) == ["a\n", "b"]
    (tmp_path / "plain.gz").write_text("a\nb")
    assert list(text_lines(tmp_path / "plain.gz")) == ["a\n", "b"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("A\nÉ\nB\n".encode("latin-1"), ":2: the byte 0xc9"),
        (10_000 * b"A\n" + b"B \xe2\x80 C\n", ":10001: the byte 0xe2"),
        ("A\n".encode("utf-16"), ":1: the byte 0xff"),
        ("A\n".encode("utf-16-be"), ":1: a zero byte"),
        (gzip.compress(b"A\n\xff\n"), ":2: the byte 0xff"),
        (gzip.compress(b"A\n" * 1000)[:-10], ": damaged after line "),
    ],
    ids=["latin-1", "half a character", "utf-16", "utf-16 without mark", "packed latin-1", "cut short"],
)
def test_what_is_no_text_is_named_with_its_line(tmp_path, content, fault):
    with pytest.raises(ValueError) as error:
        read(tmp_path, content)
    assert str(error.value).startswith(f"{tmp_path / 'text'}{fault}")


def test_a_folder_takes_its_place_only_when_it_is_complete(tmp_path):
    folder = tmp_path / "folder"
    for name in ("first", "second"):
        with complete_folder(folder) as partial:
            (Path(partial) / name).touch()
        assert [path.name for path in folder.iterdir()] == [name]
    with pytest.raises(KeyError), complete_folder(folder) as partial:
        (Path(partial) / "third").touch()
        raise KeyError
    assert [path.name for path in folder.iterdir()] == ["second"]
