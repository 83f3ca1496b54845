"""What the fuzzer of workflows begins with: the tree's own workflows, and random graphs."""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.host.guide.graphs import make_graph
from tools.kwe.job import compile_workflow
from tools.kwe.subworkflows import load_workflow
from tools.kwe.system import load_system
from tools.kwe.tree import ROOT, find_build

FOUND = Path(__file__).parent / "found"
GRAPHS = 64
SEED_BYTES = 8  # stand before the blob: how the run goes


def golden_blobs(folder: Path) -> Iterator[bytes]:
    """Yield the blobs of userland/workflows, each for one small file in ``folder``."""
    system = load_system(find_build().system)
    for path in sorted((ROOT / "userland/workflows").glob("*.yaml")):
        source, spec = load_workflow(path)
        given = {}
        for name, item in spec.inputs.items():
            if item.kind == "files":
                files = folder / path.stem
                files.mkdir()
                (files / f"one{next(iter(item.suffix), '')}").write_bytes(bytes(100))
                given[name] = files
        yield compile_workflow(source, spec, system, given, folder, cpus=2).blob


def write_corpus(folder: Path) -> None:
    """Write a file for each workflow to ``folder``, and what the fuzzer has found before."""
    folder.mkdir(parents=True, exist_ok=True)
    for found in FOUND.iterdir():
        (folder / found.name).write_bytes(found.read_bytes())
    with TemporaryDirectory() as scratch:
        blobs = list(golden_blobs(Path(scratch)))
    blobs += [make_graph(Random(seed)).encode(slots=2) for seed in range(GRAPHS)]
    for number, blob in enumerate(blobs):
        seed = number.to_bytes(SEED_BYTES, "little")
        (folder / f"first-{number:03}").write_bytes(seed + blob)


if __name__ == "__main__":
    write_corpus(Path(sys.argv[1]))
