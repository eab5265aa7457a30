"""The command ``ctc-kd``: what is said in recordings, by the folder of an exported student."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TextIO

from ctc_kd.corpus.problems import printable
from ctc_kd.decoding.workers import WorkersDied, run_units
from ctc_kd.files import write_text
from ctc_kd.recognition.formats import FORMATS
from ctc_kd.recognition.recogniser import Recogniser, Segment

STANDARD_INPUT = "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """
    :return: the exit status: 0; 1 if the folder or a recording could not be read, others went on; 130 after Ctrl-C
    """
    transcription = Transcription(parse(arguments), out=sys.stdout)
    with redirect_stdout(sys.stderr), transcription:  # what decoders print is not the transcript
        try:
            return transcription.run()
        except BrokenPipeError:  # nobody reads on, as in `ctc-kd ... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), transcription.out.fileno())
            return 1
        except (OSError, ValueError) as error:
            print(f"ctc-kd: {printable(str(error))}")
            return 1
        except KeyboardInterrupt:
            return 130


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ctc-kd", description="Students of CTC models, outside of their pipeline.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("transcribe", help="print what is said in recordings")
    command.add_argument("folder", help="of an exported student")
    command.add_argument(
        "audio", nargs="+", help="any file that libsndfile reads, of any common sample rate; - for standard input"
    )
    command.add_argument("--greedy", action="store_true", help="the best path, without lexicon and language model")
    command.add_argument(
        "--blank-threshold",
        type=float,
        metavar="P",
        help="do not search frames that are blank with this probability, such as 0.99; faster, rarely another text",
    )
    command.add_argument("--format", choices=FORMATS, default="text")
    command.add_argument("--output", metavar="DIR", help="write a file for each recording there")
    command.add_argument("--processes", type=int, default=1, metavar="N", help="recordings that are read side by side")
    options = parser.parse_args(arguments)
    (name, times), *_ = Counter(map(_name, options.audio)).most_common()
    if options.output is None and len(options.audio) > 1 and not FORMATS[options.format].together:
        command.error(f"{options.format} of several recordings needs --output DIR")
    if times > 1 and (options.output is not None or options.format != "text"):
        command.error(f"{times} recordings would be called {name}; rename them, or call ctc-kd once for each")
    if options.processes < 1:
        command.error(f"--processes {options.processes}, expected 1 or more")
    if options.processes > 1 and STANDARD_INPUT in options.audio:
        command.error("standard input is read by one process; leave out --processes")
    return options


def _name(audio: str) -> str:
    return "stdin" if audio == STANDARD_INPUT else os.path.splitext(os.path.basename(audio))[0]


class Transcription:
    """One call of ``ctc-kd transcribe``.

    :param out: where transcripts go without ``--output``
    """

    def __init__(self, options: argparse.Namespace, *, out: TextIO):
        self.options = options
        self.out = out
        self.progress = Progress(len(options.audio))

    def __enter__(self) -> Transcription:
        return self

    def __exit__(self, *exception):
        self.progress.clear()

    def run(self) -> int:
        options = self.options
        if options.processes > 1:
            import torch

            self.threads = max(1, torch.get_num_threads() // options.processes)
            torch.set_num_threads(1)  # OpenMP would hang in the fork of a process that has several threads
        self.recogniser = Recogniser.from_folder(
            options.folder, greedy=options.greedy, blank_threshold=options.blank_threshold
        )
        if options.output is not None:
            os.makedirs(options.output, exist_ok=True)
        faults = self._one_by_one() if options.processes == 1 else self._side_by_side()
        failed = 0
        for self.progress.done, fault in enumerate(faults, 1):
            if fault is not None:
                failed += 1
                self.progress.clear()
                print(f"ctc-kd: {printable(fault)}", flush=True)
        return int(failed > 0)

    def _one_by_one(self) -> Iterator[str | None]:
        """What was wrong with each recording, None if nothing; writes what is said as soon as it is known."""
        for audio in self.options.audio:
            yield self._transcribe(audio, self._print)

    def _side_by_side(self) -> Iterator[str | None]:
        """The same by several processes; a recording is printed when it is complete and those before it are."""
        complete, due = {}, 0
        for number, result in self._in_processes():
            complete[number] = result
            while due in complete:
                parts, fault = complete.pop(due)
                self._print(parts)
                due += 1
                yield fault

    def _in_processes(self) -> Iterator[tuple[int, tuple[list[str], str | None]]]:
        """The number of each recording, and what :meth:`_collected` makes of it, in the order in which they finish.

        When processes die, each recording that is left has a process to itself: memory may suffice for one at a time.
        """
        left = {number: (number, audio) for number, audio in enumerate(self.options.audio)}
        try:
            for number, result in run_units(self._collected, left, workers=self.options.processes):
                del left[number]
                yield number, result
        except WorkersDied:
            for number, unit in left.items():
                try:
                    yield from run_units(self._collected, {number: unit}, workers=1)
                except WorkersDied:
                    yield number, ([], f"{unit[1]}: its process was killed, probably for lack of memory")

    def _collected(self, unit: tuple[int, str]) -> tuple[list[str], str | None]:
        import torch

        torch.set_num_threads(self.threads)
        self.progress.done, audio = unit
        parts: list[str] = []
        return parts, self._transcribe(audio, parts.extend)

    def _transcribe(self, audio: str, take) -> str | None:
        """
        :param take: gets the parts of the transcript, unless they go to a file
        :return: what is wrong with the recording, None if nothing
        """
        path = audio
        try:
            with local_file(audio) as path:
                parts = self._formatted(audio, path)
                if self.options.output is None:
                    take(parts)
                else:
                    name = _name(audio) + FORMATS[self.options.format].ending
                    write_text(os.path.join(self.options.output, name), "".join(parts))
        except BrokenPipeError:
            raise
        except (ValueError, OSError) as error:
            what = "standard input" if audio == STANDARD_INPUT else audio
            return f"{what}: {str(error).removeprefix(f'{path}: ')}"
        return None

    def _formatted(self, audio: str, path: str) -> Iterator[str]:
        options, name = self.options, printable(_name(audio))
        segments = self.progress.of(name, self.recogniser.transcribe_file(path))
        parts = FORMATS[options.format].write(name, segments)
        if options.format == "text" and options.output is None and len(options.audio) > 1:
            return (f"{printable(audio)}: {part}" for part in parts)
        return parts

    def _print(self, parts: Iterable[str]):
        for part in parts:
            self.progress.clear()
            self.out.write(part)
            self.out.flush()


@contextmanager
def local_file(audio: str) -> Iterator[str]:
    """The name of a file with the audio; standard input is copied, because audio is read twice."""
    if audio != STANDARD_INPUT:
        yield audio
        return
    with tempfile.NamedTemporaryFile() as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield file.name


class Progress:
    """A line on standard error, if that is a terminal.

    :param total: number of recordings
    """

    def __init__(self, total: int):
        self.total, self.done = total, 0

    def of(self, name: str, segments: Iterable[Segment]) -> Iterator[Segment]:
        """The same segments; shows how far each is."""
        for segment in segments:
            minutes, seconds = divmod(int(segment.words[-1].end_s), 60)
            self._write(f"\r{self.done + 1} of {self.total}, {name}: {minutes}:{seconds:02}\x1b[K")
            yield segment

    def clear(self):
        self._write("\r\x1b[K")

    def _write(self, text: str):
        if sys.stderr.isatty():
            with suppress(OSError):
                sys.stderr.write(text)
                sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
