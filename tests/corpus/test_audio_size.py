"""Audio files that were cut short, and such as cannot know their length: every reader notices the first."""

import hashlib
import os
import tracemalloc

import numpy as np
import pytest
import soundfile

from ctc_kd.corpus.audio import Segment, encode_recording, read_header
from ctc_kd.corpus.audio_size import blocks_of, mended
from ctc_kd.corpus.problems import CorpusError

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


def test_of_ogg_files_that_were_joined_only_the_first_would_be_read(tmp_path):
    both = [written(tmp_path / name, "OGG", "VORBIS") for name in "ab"]
    (tmp_path / "a").write_bytes(b"".join(both))
    assert header(tmp_path / "a").startswith("several streams, and only the first would be read")


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
    for end in (8, begin):  # the sizes of the file and of its samples
        content[end - 4 : end] = size.to_bytes(4, "big" if options else "little")
    path.write_bytes(content)
    assert header(path) == len(NOISE)
    assert isinstance(decoded(path), bytes)


def test_a_streamed_wav_is_not_held_in_memory(tmp_path):
    soundfile.write(tmp_path / "a.wav", NOISE[:0], 16_000)
    os.truncate(tmp_path / "a.wav", 10**7)
    tracemalloc.start()
    try:
        with soundfile.SoundFile(mended(str(tmp_path / "a.wav"))) as audio:
            assert audio.frames > 10**6 and tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("chunk", [b"", b"LIST\xa0\x0f\0\0" + 1000 * b"INFO"])
def test_an_empty_wav_is_empty(tmp_path, chunk):
    soundfile.write(tmp_path / "a.wav", NOISE[:0], 16_000)
    content = bytearray((tmp_path / "a.wav").read_bytes() + chunk)
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(content)
    assert header(tmp_path / "a.wav").startswith("zero length")


def test_a_hole_in_an_ogg_file_is_noticed(tmp_path):
    content = bytearray(written(tmp_path / "a", "OGG", "VORBIS"))
    content[len(content) // 2] ^= 0x55
    (tmp_path / "a").write_bytes(content)
    assert decoded(tmp_path / "a", num_samples=2000).endswith(f"samples, but its header counts {len(NOISE)})")


def blocks(path):
    with soundfile.SoundFile(mended(str(path))) as audio:
        return np.concatenate(list(blocks_of(audio, 16_000)))[:, 0]


WHOLE = [("WAV", "PCM_16"), ("WAV", "GSM610"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")]


@pytest.mark.parametrize(("container", "subtype"), WHOLE)
def test_blocks_are_the_samples_of_the_file(tmp_path, container, subtype):
    written(tmp_path / "a", container, subtype)
    with soundfile.SoundFile(tmp_path / "a") as audio:
        np.testing.assert_array_equal(blocks(tmp_path / "a"), audio.read(48_000, dtype="float32"))


@pytest.mark.parametrize(("container", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS")])
def test_a_hole_before_the_last_block_is_noticed(tmp_path, container, subtype):
    soundfile.write(tmp_path / "a", np.tile(NOISE, 4), 16_000, format=container, subtype=subtype)
    content = bytearray((tmp_path / "a").read_bytes())
    content[len(content) // 4] ^= 0x55
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(CorpusError, match="cut short or damaged: .* samples are missing"):
        blocks(tmp_path / "a")


def test_blocks_of_a_streamed_flac_end(tmp_path):
    content = bytearray(written(tmp_path / "a", "FLAC", "PCM_16"))
    content[21:42] = bytes([content[21] & 0xF0, *bytes(20)])  # neither a number of samples nor a checksum
    (tmp_path / "a").write_bytes(content)
    assert len(blocks(tmp_path / "a")) == len(NOISE)


ID3 = b"ID3\4\0\0" + bytes([0, 4, 0, 0]) + bytes(65_536)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE", "AVERAGE"])
@pytest.mark.parametrize("tag", [b"", ID3])
def test_an_mp3_that_counts_its_samples_is_whole_or_refused(tmp_path, mode, tag):
    content = tag + written(tmp_path / "a", "MP3", "MPEG_LAYER_III", bitrate_mode=mode, compression_level=0.8)
    (tmp_path / "a").write_bytes(content)
    assert len(blocks(tmp_path / "a")) == len(NOISE)
    (tmp_path / "a").write_bytes(content[: (len(tag) + len(content)) // 2])
    with pytest.raises(CorpusError, match="cut short or damaged: .* samples are missing"):
        blocks(tmp_path / "a")


def test_an_mp3_of_constant_bit_rate_without_a_count_is_read_to_its_end(tmp_path):
    """libsndfile's estimate takes tags for audio."""
    content = written(tmp_path / "a", "MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=0.8)
    second_frame = content.index(content[:3], 4)
    (tmp_path / "a").write_bytes(ID3 + content[second_frame:])
    assert soundfile.info(tmp_path / "a").frames > 2 * len(NOISE)
    assert len(NOISE) <= len(blocks(tmp_path / "a")) < len(NOISE) + 4_000


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


def test_gsm_is_decoded(tmp_path):
    written(tmp_path / "a", "WAV", "GSM610")
    assert isinstance(decoded(tmp_path / "a"), bytes)


def test_audio_without_a_header_is_refused(tmp_path):
    written(tmp_path / "a.raw", "RAW", "PCM_16")
    assert header(tmp_path / "a.raw") == "cannot be read as audio (samplerate must be specified)"


def test_kinds_whose_end_cannot_be_checked_are_refused(tmp_path):
    written(tmp_path / "a.wav", "AIFF", "PCM_16")
    assert header(tmp_path / "a.wav").startswith("has the format AIFF, expected one of FLAC, WAV")
