"""Puts outputs on disk: writes what changed, removes what is no longer made."""

from collections.abc import Sequence
from pathlib import Path

from codegen.emit.render import GeneratedFile
from tools.kwe.errors import BuildError

# One path a line: what the last run made. What this one does not make any more is removed.
MANIFEST = ".generated"


def write_all(files: Sequence[GeneratedFile], out: Path) -> list[str]:
    """Make the output folder hold exactly these files (others' files in it stay).

    Returns:
        The paths that were written or removed, relative to `out`.

    Raises:
        BuildError: The folder cannot be written.
    """
    try:
        removed = _remove_stale({file.path for file in files}, out)
        written = [file.path for file in files if _write_if_changed(file, out)]
        listing = "".join(f"{path}\n" for path in sorted(file.path for file in files))
        _write_if_changed(GeneratedFile(MANIFEST, listing), out)
    except OSError as error:
        raise BuildError(f"{out}: cannot be written: {error}") from error
    return removed + written


def _write_if_changed(file: GeneratedFile, out: Path) -> bool:
    path = out / file.path
    content = file.content.encode()
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


def _remove_stale(made: set[str], out: Path) -> list[str]:
    manifest = out / MANIFEST
    if not manifest.is_file():
        return []
    stale = [path for path in manifest.read_text(encoding="utf-8").split("\n") if path not in made]
    removed = []
    for path in filter(None, stale):
        (out / path).unlink(missing_ok=True)
        removed.append(path)
        for folder in (out / path).parents:
            if folder == out or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()
    return removed
