"""The programs of this folder, built once."""

from pathlib import Path

import pytest

from tests.host.ext4.disk_image import compile_program


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = ["ext4_tool.c", "fake_disk.c"]
    return compile_program(
        "ext4_tool", sources, tmp_path_factory.mktemp("ext4"), "address,undefined"
    )
