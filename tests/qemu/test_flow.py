"""Workflows in YAML that go different ways for different files."""

import json
import subprocess
from pathlib import Path

from tests.qemu import pictures
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
