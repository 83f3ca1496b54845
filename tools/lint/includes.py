"""Includes point one way: what each room may include, and that paths are written from the root."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.lint.files import c_files

# Room -> the rooms it may include besides itself. The longest prefix of a path is its room.
ALLOWED: dict[str, tuple[str, ...]] = {
    "boot": ("kernel/arch", "kernel/nucleus", "kernel/abi", "kernel/lib"),
    "drivers": ("kernel/abi", "kernel/lib"),
    "kernel/abi": (),
    "kernel/arch": ("kernel/nucleus", "kernel/abi", "kernel/lib"),
    "kernel/decks": ("kernel/abi", "kernel/lib", "drivers", "userland/libkwe"),
    "kernel/lib": (),
    "kernel/nucleus": ("kernel/abi", "kernel/lib"),
    "userland/libkwe": ("kernel/abi", "kernel/lib"),
    "userland/programs": ("kernel/abi", "kernel/lib", "userland/libkwe"),
    "userland/shim": (),
}

TEMPLATE = "_template"

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def room_of(path: str) -> str | None:
    """Return the room that a path lies in; None: one without rules, such as tests."""
    return next((room for room in ALLOWED if path.startswith(room + "/")), None)


def deck_of(path: str) -> str | None:
    """Return the deck that a path belongs to."""
    parts = path.split("/")
    return parts[2] if path.startswith("kernel/decks/") else None


def complaint(path: str, target: str) -> str | None:
    """Say what is wrong with `path` including `target`; None: nothing."""
    room, target_room = room_of(path), room_of(target)
    if room is None:
        return None
    if target_room is None:
        return f'"{target}" lies in no room that {room} may include; write the path from the root'
    if target_room != room and target_room not in ALLOWED[room]:
        allowed = ", ".join((room, *ALLOWED[room]))
        return f'{room} may not include {target_room} ("{target}"), only {allowed}'
    if room == "kernel/decks" and deck_of(target) not in (None, deck_of(path)):
        return f'one deck may not include another ("{target}")'
    return None


def check(root: Path) -> Iterator[str]:
    """Yield each include that points the wrong way."""
    for path in c_files(root, ".c", ".h", ".S"):
        if deck_of(str(path)) == TEMPLATE:
            continue  # to be copied elsewhere, under another name
        for number, line in enumerate((root / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and (what := complaint(str(path), match[1])):
                yield f"{path}:{number}: {what}"
