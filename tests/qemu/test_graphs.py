"""What a graph can say beyond a chain, on the booted system."""

from pathlib import Path

import pytest

from tests.harness.plugin import Boot
from tests.qemu import guest_disk
from tools.kwe import abi
from tools.kwe.disk import make_image

PART_BYTES = 65536


@pytest.mark.parametrize("cpus", [1, 2])
def test_each_event_has_one_verdict_whatever_way_it_goes(
    boot: Boot, tmp_path: Path, cpus: int
) -> None:
    whole = bytes(i * 31 % 251 for i in range(4 * PART_BYTES + 1234))  # the last part is short
    for name, content in (("whole", whole), ("copy", b"")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "staging").mkdir()
    files = {b"/whole": tmp_path / "whole", b"/copy": tmp_path / "copy"}
    disk = tmp_path / "disk"
    make_image(disk, tmp_path / "staging", files, [], 4 << 20)

    with boot("graphs", cpus=cpus, disk=disk) as guest:
        assert guest.exit_code == abi.EXIT_DONE

    guest_disk.assert_clean(disk)
    assert guest_disk.content(disk, "/copy") == whole


def test_the_longest_chains_do_not_overrun_the_nucleus(boot: Boot) -> None:
    with boot("long_chain") as guest:
        assert guest.exit_code == abi.EXIT_DONE


@pytest.mark.parametrize("cpus", [1, 2])
def test_events_may_bring_their_own_graphs(boot: Boot, tmp_path: Path, cpus: int) -> None:
    (tmp_path / "whole").write_bytes(b"the whole file")
    (tmp_path / "staging").mkdir()
    disk = tmp_path / "disk"
    make_image(disk, tmp_path / "staging", {b"/whole": tmp_path / "whole"}, [], 4 << 20)

    with boot("own_routes", cpus=cpus, disk=disk) as guest:
        assert guest.exit_code == abi.EXIT_DONE
