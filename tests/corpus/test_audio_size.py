"""Audio files that were cut short, and such as cannot know their length: every reader notices the first."""

import hashlib

import numpy as np
import pytest
import soundfile

from ctc_kd.corpus.audio import Segment, encode_recording, read_header

NOISE = np.random.default_rng(0).integers(-9000, 9000, 48_000).astype("int16")


def written(path, container, subtype, **options):
    with soundfile.SoundFile(path, "w", 16_000, 1, format=container, subtype=subtype, **options) as file:
        file.write(NOISE)
    return path.read_bytes()


def header(path):
    return read_header(str(path))


def decoded(path, num_samples=48_000):
    (result,) = encode_recording([Segment("u", "s", str(path), 0, num_samples)])
    return result


KINDS = [
    ("WAV", "PCM_16", {}),
    ("WAV", "PCM_24", {}),
    ("WAV", "FLOAT", {}),
    ("WAV", "ULAW", {}),
    ("WAV", "PCM_16", {"endian": "BIG"}),
    ("WAVEX", "PCM_16", {}),
    ("RF64", "PCM_16", {}),
    ("NIST", "PCM_16", {}),
    ("OGG", "VORBIS", {}),
    ("OGG", "OPUS", {}),
]


@pytest.mark.parametrize(("container", "subtype", "options"), KINDS)
def test_a_file_that_was_cut_short_is_noticed_by_every_reader(tmp_path, container, subtype, options):
    path = tmp_path / "a"
    content = written(path, container, subtype, **options)
    assert header(path) == len(NOISE)
    assert isinstance(decoded(path), bytes)
    for end in (len(content) - 2, len(content) // 2, 5000):
        path.write_bytes(content[:end])
        assert header(path).startswith("cut short: ")
        assert decoded(path).startswith("cut short: ")


def test_an_ogg_file_without_its_last_page_was_cut_short(tmp_path):
    content = written(tmp_path / "a", "OGG", "VORBIS")
    (tmp_path / "a").write_bytes(content[: content.rindex(b"OggS")])
    assert header(tmp_path / "a").startswith("cut short: its last page")


def test_what_follows_the_samples_does_no_harm(tmp_path):
    for container, subtype in (("WAV", "PCM_16"), ("OGG", "VORBIS")):
        content = written(tmp_path / "a", container, subtype)
        (tmp_path / "a").write_bytes(content + b"LIST\4\0\0\0INFO")
        assert header(tmp_path / "a") == len(NOISE)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0x80000000, 0x7FFFFFFF, 0x7FFFF000])
@pytest.mark.parametrize(("subtype", "options"), [("PCM_16", {}), ("FLOAT", {}), ("PCM_16", {"endian": "BIG"})])
def test_a_streamed_wav_has_the_samples_that_are_there(tmp_path, size, subtype, options):
    path = tmp_path / "a.wav"
    content = bytearray(written(path, "WAV", subtype, **options))
    begin = content.index(b"data") + 8
    content[begin - 4 : begin] = size.to_bytes(4, "big" if options else "little")
    path.write_bytes(content)
    assert header(path) == len(NOISE)
    assert isinstance(decoded(path), bytes)


def test_an_empty_wav_is_empty(tmp_path):
    soundfile.write(tmp_path / "a.wav", NOISE[:0], 16_000)
    assert header(tmp_path / "a.wav").startswith("zero length")


def test_a_hole_in_an_ogg_file_is_noticed(tmp_path):
    content = bytearray(written(tmp_path / "a", "OGG", "VORBIS"))
    content[len(content) // 2] ^= 0x55
    (tmp_path / "a").write_bytes(content)
    assert decoded(tmp_path / "a", num_samples=2000).endswith(f"samples, but its header counts {len(NOISE)})")


@pytest.mark.parametrize(("subtype", "width"), [("PCM_16", 2), ("PCM_24", 3), ("PCM_S8", 1)])
def test_the_checksum_of_flac_is_that_of_its_samples(tmp_path, subtype, width):
    content = bytearray(written(tmp_path / "a", "FLAC", subtype))
    samples, _ = soundfile.read(tmp_path / "a", dtype="int32")
    low_bytes_first = b"".join(
        (int(sample) >> 8 * (4 - width)).to_bytes(width, "little", signed=True) for sample in samples
    )
    assert content[26:42] == hashlib.md5(low_bytes_first).digest()
    assert isinstance(decoded(tmp_path / "a"), bytes)
    content[24:26] = (20_000).to_bytes(2, "big")  # counts fewer samples than there are
    (tmp_path / "a").write_bytes(content)
    assert "MD5" in decoded(tmp_path / "a", num_samples=2000)


def test_kinds_whose_end_cannot_be_checked_are_refused(tmp_path):
    written(tmp_path / "a.wav", "AIFF", "PCM_16")
    assert header(tmp_path / "a.wav").startswith("has the format AIFF, expected one of FLAC, WAV")
