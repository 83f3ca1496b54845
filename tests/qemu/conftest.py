"""Everything here boots the image."""

from pathlib import Path

import pytest

from tests.harness.plugin import (
    RunWorkflow,
    boot,
    image,
    kwe,
    pytest_runtest_makereport,
    run_workflow,
    test_image,
)
from tests.qemu.trials import Trial

__all__ = ["boot", "image", "kwe", "pytest_runtest_makereport", "run_workflow", "test_image"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.qemu)


@pytest.fixture
def trial(run_workflow: RunWorkflow, tmp_path: Path) -> Trial:
    return Trial(run_workflow, tmp_path)
