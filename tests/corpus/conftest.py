import pytest

from own_corpora import LibriSpeechFolder


@pytest.fixture
def librispeech(tmp_path):
    return LibriSpeechFolder(tmp_path / "corpus")
