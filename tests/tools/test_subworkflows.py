"""Workflows inside workflows: what is inlined, under which names, and where errors point."""

from pathlib import Path

import fastjsonschema
import pytest
import yaml

from tools.kwe.errors import SpecError
from tools.kwe.schema import make_schema
from tools.kwe.sources import FromStage, FromValue, Stage
from tools.kwe.stages import resolve_stages
from tools.kwe.subworkflows import load_workflow
from tools.kwe.system import load_system
from tools.kwe.tree import find_build

MAIN = """\
workflow: outer
doc: test
inputs: {files: {kind: files}}
outputs: {made: {kind: files}}
event_per: files
stages:
  load: {op: storage.read, path: $files, at_most: 1 MiB}
"""
SAVE = "  save: {op: storage.write, data: pack.packed, path: $made}\n"
PACK = """\
subworkflow: pack
doc: Packed, when it is worth it.
inputs: {data: what is packed, level: {doc: how hard, default: 3}}
outputs: {packed: zip, digest: sum}
stages:
  sum: {op: operations.sha256, data: $data}
  zip: {op: operations.zstd_compress, data: $data, level: $level, if: "sum.length > 0"}
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def resolve(path: Path) -> dict[str, Stage]:
    source, spec = load_workflow(path)
    system = load_system(find_build().system)
    return {stage.name: stage for stage in resolve_stages(source, spec, system)}


def refusal(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        resolve(path)
    return str(caught.value).splitlines()[0].replace(str(path.parent) + "/", "")


def test_the_stages_of_a_file_stand_under_the_name_of_what_uses_it(tmp_path: Path) -> None:
    write(tmp_path, "pack.yaml", PACK)
    # Used below where it is taken from: the order of a file says nothing.
    use = "  pack: {use: pack.yaml, with: {data: load, level: 9}}\n"

    stages = resolve(write(tmp_path, "w.yaml", MAIN + SAVE + use))

    assert set(stages) == {"load", "save", "pack.sum", "pack.zip"}
    number = {name: index for index, name in enumerate(stages)}
    assert stages["pack.zip"].inputs == (FromStage(number["load"]),)
    assert stages["pack.zip"].arguments["level"] == 9
    assert [c.stage for c in stages["pack.zip"].flow.conditions] == ["pack.sum"]
    assert stages["save"].inputs == (FromStage(number["pack.zip"]),)


def test_one_may_be_used_twice_and_an_input_may_have_its_default(tmp_path: Path) -> None:
    write(tmp_path, "pack.yaml", PACK)
    text = MAIN + "".join(
        f"  {name}: {{use: pack.yaml, with: {{data: {data}}}}}\n"
        for name, data in (("one", "load"), ("two", "one.packed"))
    )
    text += "  save: {op: storage.write, data: two.packed, path: $made}\n"

    stages = resolve(write(tmp_path, "w.yaml", text))

    assert stages["one.zip"].arguments["level"] == 3
    number = {name: index for index, name in enumerate(stages)}
    assert stages["two.sum"].inputs == (FromStage(number["one.zip"]),)


def test_they_nest_with_paths_from_each_file_and_values_go_through(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(
        tmp_path / "deep",
        "read.yaml",
        "subworkflow: read\ninputs: {path: a file, size: bytes of it}\noutputs: {data: load}\n"
        "stages:\n"
        "  load: {op: storage.read, path: $path, length: $size, at_most: 1 MiB}\n",
    )
    write(
        tmp_path / "deep",
        "both.yaml",
        "subworkflow: both\ninputs: {path: a file}\noutputs: {data: inner.data}\nstages:\n"
        "  stat: {op: storage.stat, path: $path}\n"
        "  inner: {use: read.yaml, with: {path: $path, size: stat.size}}\n",
    )
    text = MAIN.replace("  load: {op: storage.read, path: $files, at_most: 1 MiB}\n", "")
    text += "  get: {use: deep/both.yaml, with: {path: $files}}\n"
    text += "  save: {op: storage.write, data: get, path: $made}\n"

    stages = resolve(write(tmp_path, "w.yaml", text))

    assert list(stages) == ["get.stat", "get.inner.load", "save"]
    assert stages["get.inner.load"].arguments["length"] == FromValue(0, 0)
    assert stages["save"].inputs == (FromStage(1),)


def test_a_file_may_bring_its_own_and_a_loop_may_use_one(tmp_path: Path) -> None:
    text = MAIN.replace(
        "stages:\n",
        "subworkflows:\n"
        "  seal:\n"
        "    inputs: {data: bytes}\n"
        "    outputs: {packed: pack}\n"
        "    stages:\n"
        "      pack: {op: operations.lz4_compress, data: $data}\n"
        "stages:\n",
    )
    text += (
        "  parts:\n"
        "    for_each: {bytes: load.length, part: 64 KiB}\n"
        "    do:\n"
        '      pack: {use: seal, with: {data: "load[part]"}}\n'
        "      sum: {op: operations.sha256, data: pack}\n"
        "  save: {op: storage.write, data: load, path: $made, needs: parts}\n"
    )

    stages = resolve(write(tmp_path, "w.yaml", text))

    assert list(stages) == ["load", "parts", "pack.pack", "sum", "save"]
    assert stages["pack.pack"].loop == stages["sum"].loop == 1
    assert stages["sum"].inputs == (FromStage(2),)


def test_the_result_may_be_an_output(tmp_path: Path) -> None:
    write(tmp_path, "pack.yaml", PACK)
    text = MAIN.replace("event_per", "result: pack.digest\nevent_per")

    _, spec = load_workflow(
        write(
            tmp_path,
            "w.yaml",
            text + SAVE + "  pack: {use: pack.yaml, with: {data: load}}\n",
        )
    )

    assert spec.result == "pack.sum"


REFUSED = {
    "{use: gone.yaml}": "w.yaml:8:15: stage pack: use: there is no file gone.yaml",
    "{use: nothing}": "w.yaml:8:15: stage pack: use: there is no sub-workflow 'nothing'; "
    "a file such as other.yaml would be right",
    "{use: pack.yaml}": "w.yaml:8:9: stage pack: the input 'data' of pack.yaml is missing; "
    "`with: {data: ...}` would be right",
    "{use: pack.yaml, with: {date: load}}": "w.yaml:8:33: stage pack: pack.yaml has no input "
    "'date'; data, level would be right",
    "{use: pack.yaml, needs: load}": "w.yaml:8:26: stage pack: what is used has no 'needs'; "
    "`with:` binds its inputs",
    # Where the mistake is found: in the file that is used.
    "{use: pack.yaml, with: {data: load, level: 77}}": "pack.yaml:7:59: stage pack.zip: level: 77 "
    "is out of range; a whole number from 1 to 19 would be right",
    "{use: w.yaml}": "w.yaml:8:15: stage pack: use: it would use itself: w.yaml > w.yaml",
    "{use: round.yaml}": "round.yaml:3:16: stage pack.again: use: it would use itself: "
    "round.yaml > round.yaml",
    "{use: unknown.yaml}": "unknown.yaml:3:33: $nothing: there is no such input here; "
    "none would be right",
    "{use: no_output.yaml}": "no_output.yaml:2:17: made: there is no stage 'gone'; "
    "one would be right",
}


@pytest.mark.parametrize("use", REFUSED)
def test_an_error_points_into_the_file_where_it_is(tmp_path: Path, use: str) -> None:
    write(tmp_path, "pack.yaml", PACK)
    write(tmp_path, "round.yaml", "subworkflow: round\nstages:\n  again: {use: round.yaml}\n")
    write(
        tmp_path,
        "unknown.yaml",
        "subworkflow: u\nstages:\n  one: {op: storage.stat, path: $nothing}\n",
    )
    write(
        tmp_path,
        "no_output.yaml",
        "subworkflow: n\noutputs: {made: gone}\nstages:\n  one: {op: storage.stat, path: /a}\n",
    )

    assert refusal(write(tmp_path, "w.yaml", MAIN + f"  pack: {use}\n")) == REFUSED[use]


def test_an_output_that_is_none_is_refused_where_it_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "pack.yaml", PACK)
    text = MAIN + "  pack: {use: pack.yaml, with: {data: load}}\n"
    text += "  save: {op: storage.write, data: pack.zip, path: $made}\n"

    assert refusal(write(tmp_path, "w.yaml", text)) == (
        "w.yaml:9:35: pack.zip: pack has no such output; pack.packed or pack.digest would be right"
    )


def test_the_schema_knows_both_kinds_of_file(tmp_path: Path) -> None:
    check = fastjsonschema.compile(make_schema(load_system(find_build().system)))
    main = MAIN + SAVE + "  pack: {use: pack.yaml, with: {data: load}}\n"

    check(yaml.safe_load(PACK))
    check(yaml.safe_load(main))

    with pytest.raises(fastjsonschema.JsonSchemaException):
        check(yaml.safe_load(main.replace("with:", "given:")))
    with pytest.raises(fastjsonschema.JsonSchemaException):
        check(yaml.safe_load(PACK.replace("outputs:", "gives:")))


def test_nesting_is_bounded(tmp_path: Path) -> None:
    for depth in range(12):
        inner = f"{{use: {depth + 1}.yaml}}" if depth < 11 else "{op: storage.stat, path: /a}"
        write(tmp_path, f"{depth}.yaml", f"subworkflow: n\nstages:\n  s: {inner}\n")

    said = refusal(write(tmp_path, "w.yaml", MAIN + "  deep: {use: 0.yaml}\n"))

    assert said == "7.yaml:3:12: stage deep.s.s.s.s.s.s.s.s: use: 8 deep; no deeper would be right"
