"""What is wrong with a corpus, as one error that names the first problems and counts the others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence

MAX_SHOWN = 10


class CorpusError(ValueError):
    """The corpus on disk is not what the reader expects."""


def shortened(lines: Sequence[str]) -> list[str]:
    """The first :data:`MAX_SHOWN` lines, indented, and the count of the others."""
    shown = [f"  {line}" for line in lines[:MAX_SHOWN]]
    if len(lines) > MAX_SHOWN:
        shown.append(f"  ... and {len(lines) - MAX_SHOWN} more")
    return shown


def refuse(problems: Sequence[str], *, where: str, remedy: str):
    """Do nothing if there are no problems, else raise.

    :param problems: one line for each, naming the utterance and the file
    :param where: the corpus part, folder or file
    :param remedy: what the user can do
    :raises CorpusError: the first :data:`MAX_SHOWN` problems and the count of the others
    """
    if not problems:
        return
    raise CorpusError(printable("\n".join([f"{where}: {len(problems)} problem(s)", *shortened(problems), remedy])))


def printable(text: str) -> str:
    """The text, with ``\\xfc`` for the bytes of file names that are not UTF-8, which could not be printed."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def print_left_out(names: Iterable[str]):
    """Prints how many files of a corpus were not read, by their endings."""
    endings = Counter(os.path.splitext(name)[1] or name for name in names)
    if endings:
        print(printable(f"left out: {', '.join(f'{count} {ending}' for ending, count in sorted(endings.items()))}"))
