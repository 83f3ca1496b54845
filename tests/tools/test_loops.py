"""Loops and bound parameters in workflow files: what is compiled, what is refused and where."""

from pathlib import Path

import pytest

from tools.kwe import abi
from tools.kwe.errors import SpecError
from tools.kwe.sources import (
    FromLength,
    FromPart,
    FromPiece,
    FromPrevious,
    FromPreviousValue,
    FromStage,
    FromStatus,
    FromValue,
    Stage,
)
from tools.kwe.stages import resolve_stages
from tools.kwe.subworkflows import load_workflow
from tools.kwe.system import load_system
from tools.kwe.tree import find_build

HEAD = """\
workflow: loops
doc: Loops.
inputs:
  files: {kind: files}
outputs:
  packed: {kind: files}
event_per: files
stages:
"""

PACK = (
    HEAD
    + """\
  make: {op: storage.create, path: $packed}
  size: {op: storage.stat, path: $files}
  parts:
    for_each: {bytes: size.size, part: 64 KiB, window: 3}
    do:
      load:
        {op: storage.read, path: $files, offset: part.offset, length: part.length, at_most: 64 KiB}
      update: {op: operations.sha256_update, data: load, state: previous.update}
      pack: {op: operations.lz4_compress, needs: load}
      save: {op: storage.write_at, data: pack, path: $packed, offset: part.offset, needs: make}
  digest: {op: operations.sha256_final, state: update}
"""
)


def resolve(text: str, tmp_path: Path) -> dict[str, Stage]:
    path = tmp_path / "loops.yaml"
    path.write_text(text)
    source, spec = load_workflow(path)
    stages = resolve_stages(source, spec, load_system(find_build().system))
    return {stage.name: stage for stage in stages}


def test_a_body_stands_behind_its_loop_and_takes_from_its_part(tmp_path: Path) -> None:
    stages = resolve(PACK, tmp_path)
    names = list(stages)
    number = {name: index for index, name in enumerate(names)}
    parts = number["parts"]

    assert names[parts : parts + 5] == ["parts", "load", "update", "pack", "save"]
    assert (stages["parts"].kind, stages["parts"].body) == (abi.STAGE_FOR_EACH, 4)
    assert stages["parts"].bound == 3
    assert stages["parts"].arguments == {"bytes": FromValue(number["size"], 0), "part": 65536}
    assert stages["load"].arguments["offset"] == FromPart(abi.PART_OFFSET)
    assert stages["load"].arguments["length"] == FromPart(abi.PART_LENGTH)
    assert stages["update"].inputs == (
        FromStage(number["load"]),
        FromPrevious(number["update"]),
    )
    # What a body takes from outside, its loop waits for.
    assert set(stages["parts"].needs) == {number["size"], number["make"]}
    assert stages["save"].needs == (number["pack"],)
    assert stages["digest"].needs == (parts,)
    assert {stages[name].loop for name in ("load", "update", "pack", "save")} == {parts}


def test_until_looks_at_its_body_and_counts_on_from_the_round_before(tmp_path: Path) -> None:
    stages = resolve(
        HEAD
        + """\
  load: {op: storage.read, path: $files, at_most: 1 MiB}
  again:
    until: [probe.size >= 16, probe.status == OK]
    rounds: 20
    do:
      probe: {op: storage.read, path: $files, offset: previous.probe.size, at_most: 1 MiB}
  save: {op: storage.write, data: load, path: $packed, needs: again}
""",
        tmp_path,
    )

    loop = stages["again"]
    assert (loop.kind, loop.bound, loop.body) == (abi.STAGE_UNTIL, 20, 1)
    assert [(c.stage, c.relation, c.constant) for c in loop.flow.conditions] == [
        ("probe", ">=", 16),
        ("probe", "==", 0),
    ]
    probe = list(stages).index("probe")
    assert stages["probe"].arguments["offset"] == FromPreviousValue(probe, 0, 0)


def test_parameters_and_pieces_are_taken_from_stages(tmp_path: Path) -> None:
    stages = resolve(
        HEAD
        + """\
  load: {op: storage.read, path: $files, at_most: 1 MiB}
  open: {op: storage.open, path: $files}
  again: {op: storage.read_at, handle: open.handle, length: load.length, at_most: 1 MiB}
  parts:
    for_each: {bytes: load.length, part: 4096}
    do:
      pack: {op: operations.lz4_compress, data: "load[part]"}
  save: {op: storage.write_at, data: again, path: $packed, offset: open.status}
""",
        tmp_path,
    )
    number = {name: index for index, name in enumerate(stages)}

    assert stages["again"].arguments["handle"] == FromValue(number["open"], 0)
    assert stages["again"].arguments["length"] == FromLength(number["load"])
    assert stages["pack"].inputs == (FromPiece(number["load"]),)
    assert stages["parts"].bound == 4
    assert stages["save"].arguments["offset"] == FromStatus(number["open"])
    assert number["open"] in stages["save"].needs


@pytest.mark.parametrize(
    ("stages", "place", "complaint"),
    [
        ("  x: {do: {}, until: a.b == 1}\n", "9:11", "do: stages by name"),
        ("  x: {do: {y: {op: storage.sync}}}\n", "9:6", "one of them"),
        (
            "  x: {for_each: {bytes: 1, part: 1, window: 17}, do: {y: {op: storage.sync}}}\n",
            "9:45",
            "window: a number from 1 to 16",
        ),
        (
            "  x: {for_each: {bytes: 1, part: 0}, do: {y: {op: storage.sync}}}\n",
            None,
            "part: 0 is out of range",
        ),
        (
            "  x: {until: z.status == OK, rounds: 2, do: {y: {op: storage.sync}}}\n"
            "  z: {op: storage.sync}\n",
            "9:14",
            "until: z is not in the loop; y would be right",
        ),
        (
            "  x: {for_each: {bytes: 1, part: 1}, do: {x: {op: storage.sync}}}\n",
            "9:46",
            "there is another one",
        ),
        ("  part: {op: storage.sync}\n", "9:9", "'part' is a word of loops"),
        (
            "  x: {op: storage.read, path: $files, at_most: 1, offset: part.offset}\n",
            "9:59",
            "it stands in no loop",
        ),
        (
            "  x: {op: storage.open, path: $files}\n"
            "  y: {op: storage.read_at, handle: x.hand, at_most: 1}\n",
            "10:36",
            "x has no 'hand'; x.status, x.handle",
        ),
        (
            "  x: {op: storage.read_at, handle: z.handle, at_most: 1}\n",
            "9:36",
            "no other stage 'z'",
        ),
        (
            "  x: {for_each: {bytes: 1, part: 1}, do: {y: {for_each: {bytes: 1, part: 1}, "
            "do: {z: {op: storage.sync}}}}}\n",
            "9:82",
            "loops do not nest",
        ),
    ],
)
def test_what_is_no_loop_is_refused_at_its_place(
    stages: str, place: str | None, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as refused:
        resolve(HEAD + stages, tmp_path)

    message = str(refused.value)
    assert complaint in message
    assert place is None or f"loops.yaml:{place}:" in message, message
