"""ARPA files as arrays: words are integers, sections are read and written in pieces."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import BinaryIO

import numpy as np

from ctc_kd.files import open_unpacked

LINES_AT_ONCE = 1 << 18
NEVER = -99.0
"""The log10 probability that ARPA files write for zero."""


class ArpaReader:
    """Reads an ARPA model (optionally ``.gz``) from front to back: :meth:`unigrams`, then each order's :meth:`section`.

    ``counts``: number of n-grams of each order.

    :raises ValueError: from all methods; the error names the file and the place
    """

    def __init__(self, path: str):
        self.path = path
        self.file = self._lines()
        self.counts = list(self._read_counts())
        if not self.counts or not self.counts[0]:
            raise ValueError(f"{path}: not an ARPA file: expected a \\data\\ section with the numbers of n-grams")

    def unigrams(self) -> tuple[list[bytes], np.ndarray, np.ndarray]:
        """Words, their log10 probabilities ``[N]`` and log10 back-off weights ``[N]``, float32."""
        pieces, words = [], []
        for tokens in self._pieces(1):
            words.extend(tokens[1 :: self._width(1)])
            pieces.append(self._values(tokens, 1))
        if len(set(words)) < len(words):
            raise ValueError(f"{self.path}: a 1-gram occurs twice")
        return words, *np.concatenate(pieces, axis=1)

    def section(self, order: int, ids: Mapping[bytes, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The words of all n-grams of one order ``[N, order]`` int32, log10 probabilities and back-off weights ``[N]``.

        :param ids: word -> integer
        """
        words = np.empty((self.counts[order - 1], order), np.int32)
        values = np.zeros((2, self.counts[order - 1]), np.float32)
        done, width = 0, self._width(order)
        for tokens in self._pieces(order):
            piece = slice(done, done + len(tokens) // width)
            for place in range(order):
                try:
                    words[piece, place] = list(map(ids.__getitem__, tokens[place + 1 :: width]))
                except KeyError as unknown:
                    raise ValueError(f"{self.path}: {order}-grams: {unknown} is not among the 1-grams") from None
            values[:, piece] = self._values(tokens, order)
            done = piece.stop
        return words, *values

    def _lines(self) -> Iterator[bytes]:
        try:
            with open_unpacked(self.path) as file:
                yield from file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{self.path}: {error}; expected a complete .gz") from error

    def _width(self, order: int) -> int:
        """The number of fields in a line; the highest order has no back-off weights."""
        return order + 2 if order < len(self.counts) else order + 1

    def _values(self, tokens: list[bytes], order: int) -> np.ndarray:
        width = self._width(order)
        values = np.zeros((2, len(tokens) // width), np.float32)
        for row, place in enumerate([0, order + 1][: width - order]):
            try:
                values[row] = list(map(float, tokens[place::width]))
            except ValueError as error:
                raise ValueError(f"{self.path}: {order}-grams: {error}") from None
        return values

    def _read_counts(self) -> Iterator[int]:
        for line in self.file:
            if line.strip() == b"\\data\\":
                break
        for line in self.file:
            match = re.fullmatch(rb"ngram\s+\d+\s*=\s*(\d+)", line.strip())
            if not match:
                break
            yield int(match[1])

    def _pieces(self, order: int) -> Iterator[list[bytes]]:
        """Yields the fields of many lines at a time, with a back-off weight of 0 where a line has none."""
        for line in self.file:
            if line.strip():
                break
        else:
            line = b"the end of the file"
        if line.strip() != b"\\%d-grams:" % order:
            raise ValueError(f"{self.path}: found {line!r}, expected the section \\{order}-grams:")
        missing = self.counts[order - 1]
        while missing:
            lines = list(islice(self.file, min(missing, LINES_AT_ONCE)))
            if not lines:
                raise ValueError(f"{self.path}: {missing} {order}-grams are missing: the file is cut off")
            missing -= len(lines)
            yield self._split(lines, order)

    def _split(self, lines: list[bytes], order: int) -> list[bytes]:
        width, text = self._width(order), b"".join(lines)
        if width == order + 2 and text.count(b"\t") != 2 * len(lines):
            text = re.sub(rb"(?m)^([^\t\n]*\t[^\t\n]*)$", rb"\1\t0", text)
        tokens = text.split()
        if len(tokens) != width * len(lines):
            wrong = next((line for line in text.splitlines() if len(line.split()) != width), b"the last one")
            raise ValueError(f"{self.path}: {order}-grams: {wrong!r}: expected {width} fields")
        return tokens


def write_section(
    file: BinaryIO, words: Sequence[bytes], ngrams: np.ndarray, log10_p: np.ndarray, log10_backoff: np.ndarray | None
):
    """Write (a part of) one order's n-grams.

    :param words: integer -> word
    :param ngrams: ``[N, order]``
    :param log10_backoff: None for the highest order
    """
    columns = [[words[index] for index in place.tolist()] for place in ngrams.T]
    columns.insert(0, log10_p.clip(NEVER, 0).tolist())
    line = b"%.9g\t" + b" ".join([b"%b"] * ngrams.shape[1])
    if log10_backoff is not None:
        columns.append(log10_backoff.tolist())
        line += b"\t%.9g"
    file.writelines(map((line + b"\n").__mod__, zip(*columns, strict=True)))
