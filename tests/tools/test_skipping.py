"""Which outputs an event that is done may not have."""

from pathlib import Path

import pytest

from tools.kwe.skipping import may_be_skipped
from tools.kwe.stages import resolve_stages
from tools.kwe.subworkflows import load_workflow
from tools.kwe.system import load_system
from tools.kwe.tree import find_build

TEXT = """\
workflow: w
doc: For a test.
inputs: {{files: {{kind: files}}}}
event_per: files
stages:
  load: {{op: storage.read, path: $files, at_most: 4096}}
  one: {{op: operations.sha256, needs: load{one}}}
  two: {{op: operations.sha256, needs: load}}
  last: {{op: operations.sha256, {last}}}
  after: {{op: operations.sha256, needs: last}}
"""


@pytest.mark.parametrize(
    ("one", "last", "expected"),
    [
        ("", "data: one, needs: [one, two]", set()),
        (", if: load.size > 1", "data: one, needs: [one, two]", {"one", "last", "after"}),
        ("", "data: two, needs: [{stage: one, tolerate: true}, two]", {"one"}),
        ("", "needs: [one, two], join: first", {"load", "one", "two"}),
    ],
)
def test_what_may_be_skipped(tmp_path: Path, one: str, last: str, expected: set[str]) -> None:
    (tmp_path / "w.yaml").write_text(TEXT.format(one=one, last=last))
    source, spec = load_workflow(tmp_path / "w.yaml")
    stages = resolve_stages(source, spec, load_system(find_build().system))

    skipped = may_be_skipped(stages)

    if "first" in last:  # all that the loser alone needed; what came before both is needed anyway
        assert {"one", "two"} <= {stages[i].name for i in skipped}
    else:
        assert {stages[i].name for i in skipped} == expected
