"""Workflows in one line, presets, and the schema of workflow files."""

from pathlib import Path

import fastjsonschema
import pytest
import yaml

from tools.kwe.errors import SpecError
from tools.kwe.pipe import read_pipe
from tools.kwe.schema import make_schema
from tools.kwe.sources import Stage
from tools.kwe.stages import resolve_stages
from tools.kwe.system import System, load_system
from tools.kwe.tree import ROOT, find_build

EDGES = "read clip ! jpeg_decode ! convolve kernel=sobel ! jpeg_encode quality=70 ! write out"


@pytest.fixture(scope="module")
def system() -> System:
    return load_system(find_build().system)


def resolve(text: str, system: System) -> list[Stage]:
    source, spec = read_pipe(text, system)
    return resolve_stages(source, spec, system)


def test_a_line_is_a_chain_with_its_inputs_outputs_and_limits(system: System) -> None:
    source, spec = read_pipe(EDGES, system)
    stages = resolve_stages(source, spec, system)

    assert [stage.op.name for stage in stages] == [
        *("read", "jpeg_decode", "convolve", "jpeg_encode", "write")
    ]
    assert [stage.needs for stage in stages] == [(), (0,), (1,), (2,), (3,)]
    assert spec.inputs["clip"].media == "jpeg"
    assert spec.outputs["out"].kind == "files"
    assert spec.event_per == "clip"
    assert stages[2].arguments["weights"] == (-1, 0, 1, -2, 0, 2, -1, 0, 1)
    assert stages[2].arguments["divisor"] == 1
    assert stages[3].arguments["quality"] == 70


def test_what_several_decks_offer_is_left_open_unless_one_is_named(system: System) -> None:
    bare = resolve(EDGES, system)
    named = resolve(EDGES.replace("convolve", "hardware.convolve"), system)
    chosen = resolve(EDGES.replace("convolve", "convolve variant=hardware"), system)

    assert [stage.name for stage in bare if stage.is_open] == ["convolve", "jpeg_encode"]
    for stages in (named, chosen):
        assert (stages[2].deck.name, stages[2].is_open) == ("hardware", False)


def test_a_line_that_ends_in_a_digest_makes_a_list_of_them(system: System) -> None:
    _, spec = read_pipe("read files ! lz4_compress ! sha256", system)

    assert spec.result == "sha256"
    assert spec.outputs["digests"].kind == "sha256sum"


def test_an_operation_may_come_twice_and_by_its_full_name(system: System) -> None:
    stages = resolve("read files ! operations.lz4_compress ! lz4_compress ! write out", system)

    assert [stage.name for stage in stages] == ["read", "lz4_compress", "lz4_compress_3", "write"]


@pytest.mark.parametrize(
    ("line", "column", "complaint"),
    [
        ("read files ! sha25", 14, "there is no operation 'sha25'"),
        ("read files ! ! write out", 12, "an operation on each side"),
        ("read files ! open ! write out", 14, "which 'open'? operations.open or storage.open"),
        ("read files ! zstd_compress level=99 ! write out", 28, "99 is out of range"),
        ("read files ! zstd_compress level=1 level=2 ! write out", 36, "stands here twice"),
        ("read files ! zstd_compress best ! write out", 28, "its keys are level"),
        ("read files ! zstd_compress", 14, "goes nowhere; `! write NAME`"),
        ("lz4_compress ! write out", 1, "nothing is read"),
        ("read clip ! convolve kernel=sobel ! write out", 13, "takes rgb8"),
        (
            "read clip ! jpeg_decode ! convolve kernel=soft ! jpeg_encode ! write out",
            36,
            "'soft'; edges",
        ),
    ],
)
def test_a_wrong_word_is_pointed_at(line: str, column: int, complaint: str, system: System) -> None:
    with pytest.raises(SpecError) as refused:
        resolve(line, system)

    assert complaint in str(refused.value)
    assert f"--pipe:1:{column}: " in str(refused.value), str(refused.value)


@pytest.mark.parametrize("name", ["video", "archive", "science"])
def test_the_schema_knows_every_workflow_of_the_tree(name: str, system: System) -> None:
    check = fastjsonschema.compile(make_schema(system))

    check(yaml.safe_load((ROOT / f"userland/workflows/{name}.yaml").read_text()))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("stages", "load", "op"), "storage.reed"),
        (("stages", "pack", "level"), 99),
        (("stages", "pack", "levl"), 3),
        (("stages", "load", "timeout"), "soon"),
        (("stages", "load", "join"), "some"),
        (("stages", "load", "do"), {}),
        (("inputs", "files", "kind"), "file"),
        (("limits", "file"), "much"),
    ],
)
def test_the_schema_refuses_what_the_compiler_does(
    place: tuple[str, ...], value: object, system: System, tmp_path: Path
) -> None:
    document = yaml.safe_load((ROOT / "userland/workflows/archive.yaml").read_text())
    at = document
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value

    with pytest.raises(fastjsonschema.JsonSchemaException):
        fastjsonschema.compile(make_schema(system))(document)
