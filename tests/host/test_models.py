"""Check every model in tests/model/ with spin.

As it stands, no failed assertion and no state that nobody leaves is reachable. And a model has
teeth: with each of the mistakes that it names in its first comment, spin does find one.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted((ROOT / "tests/model").glob("*.pml"))
MISTAKES = [
    (model, mistake)
    for model in MODELS
    for line in re.findall(r"^ \* breaks: (.+)$", model.read_text(), re.MULTILINE)
    for mistake in line.split()
]


def errors_found(model: Path, folder: Path, *defines: str) -> int:
    """Search all states; the number of errors that spin reports."""
    steps = (
        ["spin", *(f"-D{name}" for name in defines), "-a", str(model)],
        ["gcc", "-O1", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"],
        ["./pan", "-m1000000"],
    )
    output = ""
    for step in steps:
        done = subprocess.run(step, cwd=folder, capture_output=True, text=True, check=False)
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(step)}:\n{output[-4000:]}"
    assert "search depth too small" not in output, output[-4000:]
    found = re.search(r"errors: (\d+)", output)
    assert found is not None, output[-4000:]
    return int(found[1])


@pytest.mark.parametrize("model", MODELS, ids=[m.stem for m in MODELS])
def test_model_holds(model: Path, tmp_path: Path) -> None:
    assert errors_found(model, tmp_path) == 0


@pytest.mark.parametrize(
    ("model", "mistake"), MISTAKES, ids=[f"{m.stem}-{mistake}" for m, mistake in MISTAKES]
)
def test_model_breaks(model: Path, mistake: str, tmp_path: Path) -> None:
    assert errors_found(model, tmp_path, mistake) > 0
