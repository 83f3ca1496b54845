"""Handles of open files: what a program does with them, and what it may not."""

from pathlib import Path

from tests.harness.plugin import Boot
from tools.kwe import abi
from tools.kwe.disk import make_image


def test_handles_flow_between_stages_and_are_refused_where_they_do_not_belong(
    boot: Boot, tmp_path: Path
) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"the quick brown fox jumps over the lazy dog")
    staging = tmp_path / "staging"
    staging.mkdir()
    make_image(tmp_path / "disk", staging, {b"/text": text}, [], 1 << 20)

    with boot("file_handles", disk=tmp_path / "disk") as guest:
        assert guest.exit_code == abi.EXIT_DONE
