"""Check every model in tests/model/ with spin: no assertion, deadlock or bad cycle is reachable."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted((ROOT / "tests/model").glob("*.pml"))


@pytest.mark.parametrize("model", MODELS, ids=[m.stem for m in MODELS])
def test_model_holds(model: Path, tmp_path: Path) -> None:
    steps = (
        ["spin", "-a", str(model)],
        ["gcc", "-O2", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"],
        ["./pan", "-m1000000"],
    )

    for step in steps:
        done = subprocess.run(step, cwd=tmp_path, capture_output=True, text=True, check=False)
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(step)}:\n{output[-4000:]}"

    assert "errors: 0" in output, output[-4000:]
    assert "search depth too small" not in output, output[-4000:]
