"""What the user hands in: a directory of files, each an event, and constant bytes such as a key."""

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.kwe.errors import SpecError
from tools.kwe.spec import Input, Workflow

# JPEG markers (ITU T.81, table B.1): those without a length, and the frame headers, which carry
# the picture's size.
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class InputFile:
    """One file; `name` is relative to the directory that was given, with / between its parts."""

    name: str
    path: Path
    size_bytes: int
    rgb8_bytes: int = 0  # of the picture in it; 0: not a picture, or not measured


@dataclass(frozen=True)
class Inputs:
    """All that was handed in for one run."""

    files: tuple[InputFile, ...]
    constants: Mapping[str, bytes]
    made: frozenset[str]  # constants that were made here, to be kept with the output
    notes: tuple[str, ...]  # worth saying, no errors


def parse_assignments(items: list[str]) -> dict[str, Path]:
    """Read the NAME=PATH of --input.

    Raises:
        SpecError: One is no NAME=PATH, or stands twice.
    """
    paths: dict[str, Path] = {}
    for item in items:
        name, equals, path = item.partition("=")
        if not (name and equals and path):
            raise SpecError(f"--input {item}: NAME=PATH would be right")
        if name in paths:
            raise SpecError(f"--input {name}: given twice")
        paths[name] = Path(path)
    return paths


def read_inputs(spec: Workflow, given: Mapping[str, Path], kept: Path) -> Inputs:
    """Collect the inputs; a constant that is not given is taken from directory `kept`, else made.

    Raises:
        SpecError: One is unknown, missing, or not what the workflow says.
    """
    if unknown := given.keys() - spec.inputs.keys():
        raise SpecError(
            f"--input {min(unknown)}: workflow {spec.workflow} has no such input; "
            f"{' and '.join(spec.inputs)} would be right"
        )
    notes: list[str] = []
    constants: dict[str, bytes] = {}
    made = set()
    files: tuple[InputFile, ...] = ()
    for name, item in spec.inputs.items():
        if item.kind == "files":
            if name not in given:
                raise SpecError(f"the input {name} is missing: --input {name}=DIR ({item.doc})")
            files = tuple(_read_files(name, item, given[name], notes))
        else:
            path = given.get(name)
            if path is None and item.text is not None:
                constants[name] = item.text.encode()
                continue
            if path is None and item.make is not None:
                path = kept / name
                if not path.exists():
                    constants[name] = secrets.token_bytes(item.bytes or 0)
                    made.add(name)
                    continue
                notes.append(f"{name}: taken from {path}, where an earlier run left it")
            if path is None:
                raise SpecError(f"the input {name} is missing: --input {name}=FILE ({item.doc})")
            constants[name] = _read_constant(name, item, path)
    return Inputs(files, constants, frozenset(made), tuple(notes))


def _read_constant(name: str, item: Input, path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpecError(f"input {name}: {path}: {error.strerror}") from error
    if item.bytes is not None and len(data) != item.bytes:
        raise SpecError(f"input {name}: {path} has {len(data)} bytes; {item.bytes} would be right")
    return data


def _read_files(name: str, item: Input, root: Path, notes: list[str]) -> Iterator[InputFile]:
    wanted = tuple(suffix.lower() for suffix in item.suffix)
    passed_over = 0
    found = 0
    try:
        if not root.exists():
            raise SpecError(f"input {name}: {root}: no such file or directory")
        paths = sorted(_walk(root), key=lambda pair: os.fsencode(pair[0]))
        for relative, path in paths:
            if not path.is_file() or (wanted and not relative.lower().endswith(wanted)):
                passed_over += 1
                continue
            found += 1
            with path.open("rb"):  # readable?
                size = path.stat().st_size
            pixels = jpeg_pixels(path) if item.media == "jpeg" else 0
            yield InputFile(relative, path, size, 3 * pixels)
    except OSError as error:
        raise SpecError(f"input {name}: {error.filename}: {error.strerror}") from error
    endings = f" ending in {' or '.join(item.suffix)}" if wanted else ""
    if passed_over and not found:
        raise SpecError(f"input {name}: {root} holds no files{endings}")
    if passed_over:
        notes.append(f"{name}: {passed_over} passed over, only files{endings} are taken")
    if not found:
        notes.append(f"{name}: {root} is empty")


def _walk(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file below `root` with its relative name; follow links, but never in a circle."""
    if not root.is_dir():
        yield root.name, root
        return
    todo = [(root, "", frozenset({root.resolve()}))]
    while todo:
        folder, prefix, above = todo.pop()
        for path in folder.iterdir():
            relative = prefix + path.name
            if not path.exists():
                raise SpecError(f"{path}: a link that leads nowhere")
            if not path.is_dir():
                yield relative, path
            elif (real := path.resolve()) not in above:
                todo.append((path, relative + "/", above | {real}))


def jpeg_pixels(path: Path) -> int:
    """Return width times height from a JPEG's frame header; 0 when there is none to be found."""
    with path.open("rb") as stream:
        if stream.read(2) != b"\xff\xd8":
            return 0
        while (byte := stream.read(1)) == b"\xff":
            while byte == b"\xff":
                byte = stream.read(1)
            if not byte:
                return 0
            marker = byte[0]
            if marker in _JPEG_BARE:
                continue
            length = int.from_bytes(stream.read(2), "big")
            if length < 2:
                return 0
            if marker in _JPEG_FRAME:
                header = stream.read(5)
                height, width = (int.from_bytes(header[at : at + 2], "big") for at in (1, 3))
                return height * width if len(header) == 5 else 0
            stream.seek(length - 2, os.SEEK_CUR)
    return 0
