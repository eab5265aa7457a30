"""Text files as paths of a graph."""

import pytest
from sisyphus import tk


@pytest.fixture
def write(tmp_path):
    """``write(name, text)`` -> the file as ``tk.Path``"""

    def write_file(name, text):
        (tmp_path / name).write_text(text)
        return tk.Path(str(tmp_path / name))

    return write_file
