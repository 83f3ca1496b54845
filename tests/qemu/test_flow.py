"""Workflows in YAML that go different ways for different files."""

import hashlib
import json
import subprocess
from pathlib import Path

from tests.qemu import lz4_block, pictures
from tools.kwe.tree import ROOT

KWE = ROOT / ".venv/bin/kwe"

MIXED = """\
workflow: mixed
doc: Pictures become small JPEGs, everything else is packed as it is.
inputs:
  files: {kind: files}
outputs:
  pictures: {kind: files, suffix: .small.jpg}
  packed: {kind: files, suffix: .zst}
limits:
  file: {from: files.bytes, at_most: 1 MiB}
  pixels: 4 MiB
event_per: files
timeout: 60 s
stages:
  load: {op: storage.read, path: $files, at_most: limits.file}
  decode: {op: operations.jpeg_decode, needs: load, at_most: limits.pixels, timeout: 30 s}
  encode: {op: operations.jpeg_encode, needs: decode, quality: 30}
  picture: {op: storage.write, needs: encode, path: $pictures}
  other:
    op: operations.zstd_compress
    data: load
    needs: [load, {stage: decode, tolerate: true}]
    if: decode.status == NOT_A_JPEG
  keep: {op: storage.write, needs: other, path: $packed}
"""

FIRST = """\
workflow: race
doc: Whichever of two packings is done first is kept.
inputs:
  files: {kind: files}
outputs:
  packed: {kind: files}
limits:
  file: {from: files.bytes, at_most: 1 MiB}
event_per: files
stages:
  load: {op: storage.read, path: $files, at_most: limits.file}
  quick: {op: operations.lz4_compress, needs: load}
  small: {op: operations.zstd_compress, needs: load, level: 19}
  keep: {op: storage.write, needs: [quick, small], join: first, path: $packed}
"""


PARTS = """\
workflow: parts
doc: Files digested in order while their parts are packed side by side; each copied part by part.
inputs:
  files: {kind: files}
outputs:
  copies: {kind: files}
  sums: {kind: sha256sum}
event_per: files
result: digest
stages:
  make: {op: storage.create, path: $copies}
  size: {op: storage.stat, path: $files}
  parts:
    for_each: {bytes: size.size, part: 4 KiB, window: 4}
    do:
      load:
        {op: storage.read, path: $files, offset: part.offset, length: part.length, at_most: 4 KiB}
      update: {op: operations.sha256_update, data: load, state: previous.update}
      pack: {op: operations.lz4_compress, needs: load}
      unpack: {op: operations.lz4_decompress, needs: pack, at_most: 4 KiB}
      save: {op: storage.write_at, data: unpack, path: $copies, offset: part.offset, needs: make}
  digest: {op: operations.sha256_final, state: update}
"""


def run(text: str, files: Path, tmp_path: Path) -> dict[str, object]:
    workflow = tmp_path / "workflow.yaml"
    workflow.write_text(text)
    words = [str(KWE), "run", str(workflow), "--input", f"files={files}"]
    words += ["--output", str(tmp_path / "out")]
    done = subprocess.run(
        [*words, "--json", "-"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def test_each_file_goes_the_way_that_its_content_asks_for(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    pictures.write_jpeg(files / "real.jpg", 64, 48)
    (files / "text.txt").write_bytes(b"no picture\n" * 100)
    (files / "cut.jpg").write_bytes((files / "real.jpg").read_bytes()[:200])

    report = run(MIXED, files, tmp_path)

    made = sorted(str(path.relative_to(tmp_path / "out")) for path in _files(tmp_path / "out"))
    assert made == [
        "packed/cut.jpg.zst",
        "packed/text.txt.zst",
        "pictures/real.jpg.small.jpg",
    ]
    stages = {stage["name"]: stage for stage in report["stages"]}  # type: ignore[attr-defined]
    assert (stages["decode"]["events"], stages["decode"]["failed"]) == (1, 2)
    assert (stages["encode"]["events"], stages["other"]["events"]) == (1, 2)
    assert report["errors"] == []


def test_the_first_packing_is_kept_and_one_only(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for i in range(6):
        (files / f"{i}").write_bytes(b"again and again " * 3000)

    report = run(FIRST, files, tmp_path)

    assert report["events"] == {"submitted": 6, "completed": 6, "failed": 0}
    assert len(_files(tmp_path / "out")) == 6
    stages = {stage["name"]: stage for stage in report["stages"]}  # type: ignore[attr-defined]
    assert stages["keep"]["events"] == 6


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_loop_goes_over_the_parts_of_every_file(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for size in (1, 4096, 4097, 50_000):  # the last part is short, whole, a byte
        (files / str(size)).write_bytes(bytes(i * i % 251 for i in range(size)))

    run(PARTS, files, tmp_path)

    for path in files.iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes(), path.name
    sums = (tmp_path / "out/SHA256SUMS").read_text().splitlines()
    wanted = {f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}" for p in files.iterdir()}
    assert set(sums) == wanted


def test_a_workflow_in_one_line(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for size in (0, 1, 5000):
        (files / str(size)).write_bytes(bytes(size))

    done = subprocess.run(
        [
            *(KWE, "run", "--pipe", "read files ! lz4_compress ! write packed"),
            *("--input", f"files={files}", "--output", tmp_path / "out"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for path in files.iterdir():
        packed = (tmp_path / "out" / path.name).read_bytes()
        assert lz4_block.unpacked(packed[8:], path.stat().st_size) == path.read_bytes()
