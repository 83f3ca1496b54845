"""What `kwe run` refuses before anything is booted: exit status 2, and what would be right."""

from pathlib import Path

import pytest

from tools.kwe.cli import main
from tools.kwe.errors import EXIT_INPUT
from tools.kwe.tree import ROOT

WORKFLOWS = ROOT / "userland/workflows"

GOOD = """\
workflow: copy
doc: Files copied.
inputs:
  files: {kind: files}
outputs:
  copies: {kind: files}
limits:
  file: {from: files.bytes, at_most: 1 MiB}
event_per: files
stages:
  load: {op: storage.read, path: $files, at_most: limits.file}
  save: {op: storage.write, needs: load, path: $copies}
"""

# Stages in front of those of GOOD.
HOLE = "stages:\n  both: {op: operations.merge, part1: load, part3: load, at_most: 4096}"
ENDLESS = """\
stages:
  bins: {op: operations.histogram, needs: load, format: 2, bins: 4, low: 0, high: .inf}"""
SWITCH = "stages:\n  both: {op: operations.merge, part1: load, at_most: 4096, header: 2}"

ROUTE = """\
touches: [/www]
stages:
  ask: {op: network.http_receive, port: 80, at_most: 64 KiB}
  route: {op: operations.http_route, question: ask, routes: ask}"""

# What is replaced in GOOD, by what; the line and words of the error.
MISTAKES = {
    "no needs": ("needs: load", "needs: {stage: load, tolerates: true}", 12, "tolerate: true"),
    "a join of one": ("needs: load", "needs: load, join: first", 12, "first of 1 stages"),
    "no join": ("needs: load", "needs: load, join: any", 12, "all or first would be right"),
    "no condition": ("needs: load", "needs: load, if: load.size", 12, "STAGE.length > 0"),
    "no such value": (
        *("needs: load", "needs: load, if: load.width > 1", 12),
        "load has no 'width'; load.status, load.length, load.size, load.mtime would be right",
    ),
    "no such code": ("needs: load", "needs: load, if: load.status == FINE", 12, "a code such as"),
    "no number": ("needs: load", "needs: load, if: load.size > big", 12, "a number would be right"),
    "no duration": ("needs: load", "needs: load, timeout: 5", 12, "50 ms or 2 s would be right"),
    "no event's duration": ("event_per: files", "event_per: files\ntimeout: 0 s", 10, "timeout"),
    "an unknown key": ("doc: Files", "dock: Files", 2, "unknown key 'dock'; known here are"),
    "no stages": (GOOD.partition("stages:")[2], " {}\n", 10, "stages"),
    "not YAML": ("inputs:", "inputs: [", 5, "this is not YAML"),
    "a key twice": ("limits:", "inputs: {}\nlimits:", 7, "'inputs' stands here twice"),
    "an unknown deck": ("storage.read", "storge.read", 11, "there is no deck 'storge'; "),
    "an unknown operation": ("storage.read", "storage.raed", 11, "no operation 'raed'; nop"),
    "no operation": ("op: storage.read, ", "", 11, "`op` is missing"),
    "an unknown stage": ("needs: load", "needs: laod", 12, "'laod'"),
    "a circle": ("path: $files,", "path: $files, needs: save,", 11, "save"),
    "an unknown parameter": ("path: $copies", "path: $copies, sync: 1", 12, "sync"),
    "no path of a stage": (
        *(
            "stages:\n  load: {op: storage.read, path: $files,",
            f"{ROUTE}\n  load: {{op: storage.read, path: route.bytes,",
            14,
        ),
        "route.bytes is no path that a stage finds; route.path would be right",
    ),
    "a path that may lie anywhere": (
        *(
            "stages:\n  load: {op: storage.read, path: $files,",
            f"{ROUTE[16:]}\n  load: {{op: storage.read, path: route.path,",
            13,
        ),
        "route.path is only known as it runs; `touches: [$input]` or [/a/subtree] says",
    ),
    "touching no subtree": ("event_per: files", "event_per: files\ntouches: [www]", 10, "'www'"),
    "touching no input": (
        *("event_per: files", "event_per: files\ntouches: [$copies]", 10),
        "$copies is no input of kind files",
    ),
    "two kinds of bytes": (
        *("inputs:", "inputs:\n  key: {kind: bytes, bytes: 3, text: abc}", 4),
        "`bytes: 32`, or what they are, `text: ...`",
    ),
    "a missing parameter": (", path: $copies", "", 12, "path"),
    "an unknown variable": ("path: $copies", "path: $copes", 12, "$copes"),
    "writing to an input": ("path: $copies", "path: $files", 12, "would change the input $files"),
    "an unknown limit": ("limits.file", "limits.flie", 11, "there is no limits.flie"),
    "no limit": (", at_most: limits.file", "", 11, "how large storage.read's output may be"),
    "no size": ("1 MiB", "1 MB", 8, "is no size; 4096, 64 KiB or 16 MiB would be right"),
    "pictures of no pictures": ("files.bytes", "files.rgb8_bytes", 8, "needs `media: jpeg`"),
    "an input without the one before": ("stages:", HOLE, 11, "`part2: STAGE` would be right"),
    "an infinite number": ("stages:", ENDLESS, 11, "inf is no"),
    "a switch that is neither": ("stages:", SWITCH, 11, "header: 2 is out of range"),
    "events of nothing": ("event_per: files", "event_per: file", 9, "files would be right"),
    "no events": ("event_per: files\n", "", 1, "`standing:` for events that wait"),
    "events of two kinds": ("event_per: files", "event_per: files\nstanding: {}", 9, "not both"),
    "nobody waits": ("event_per: files", "standing: {concurrency: 0}", 9, "greater than or equal"),
    "an output of what stands": ("event_per: files", "standing: {}", 6, "do not end"),
}

# A workflow that stands, and what is replaced in it.
STANDING = """\
workflow: ticks
doc: Something, again and again.
standing: {concurrency: 2}
limits:
  file: 64 KiB
stages:
  tick: {op: hardware.tick, period_ns: 1000000}
  load: {op: storage.read, needs: tick, path: /in/file, at_most: limits.file}
"""
STANDING_MISTAKES = {
    "a measure without a file": (
        *("file: 64 KiB", "file: {from: files.bytes, at_most: 64 KiB}", 5),
        "no file to be measured",
    ),
    "an event's file": ("/in/file", "$files", 8, "names no files of an event; /a/path"),
    "no period": (", period_ns: 1000000", "", 7, "period_ns"),
    "too short a period": ("period_ns: 1000000", "period_ns: 10", 7, "period_ns: 10 is out of"),
    "the same with its unit": ("1000000", "10 ns", 7, "period_ns: 10 is out of"),
    "no unit of time": ("1000000", "10 min", 7, "50 ms or 2 s would be right"),
}


@pytest.fixture(autouse=True)
def _built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in messages are relative to the tree, as a person's are."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/a").write_text("a")
    return tmp_path / "files"


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """Run the command; return what it complains about."""
    assert main([str(word) for word in words]) == EXIT_INPUT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("kwe: ")
    return captured.err


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_workflow_is_pointed_at(
    mistake: str, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, line, words = MISTAKES[mistake]
    assert GOOD.count(old) == 1
    path = tmp_path / "copy.yaml"
    path.write_text(GOOD.replace(old, new))

    complaint = refused(capsys, "run", path, "--input", f"files={files}")

    assert complaint.startswith(f"kwe: {path}:{line}:")
    assert words in complaint
    assert "^" in complaint.splitlines()[-1]


@pytest.mark.parametrize("mistake", STANDING_MISTAKES)
def test_a_mistake_in_a_workflow_that_stands_is_pointed_at(
    mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, line, words = STANDING_MISTAKES[mistake]
    assert STANDING.count(old) == 1
    path = tmp_path / "ticks.yaml"
    path.write_text(STANDING.replace(old, new))

    complaint = refused(capsys, "run", path)

    assert complaint.startswith(f"kwe: {path}:{line}:")
    assert words in complaint


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "the input clip is missing: --input clip=DIR"),
        (["--input", "clip"], "--input clip: NAME=PATH would be right"),
        (["--input", "clip=/nowhere"], "input clip: /nowhere: no such file or directory"),
        (["--input", "clip=kernel"], "input clip: kernel holds no files ending in .jpg or .jpeg"),
        (
            ["--input", "clip=tests", "--input", "film=tests"],
            "--input film: workflow video has no such input; clip would be right",
        ),
        (["--input", "clip=tests", "--input", "clip=tests"], "--input clip: given twice"),
        (["--cpus", "9"], "--cpus 9: 1 to 8 would be right"),
        (["--memory", "4"], "--memory 4: 16 to"),
        (["--tap", "a,b"], "--tap a,b: the name of a tap device, as tap0, would be right"),
        (["--tap", "a", "--forward", "0:7"], "--tap and --forward: one of them"),
        (["--queues", "2"], "--queues 2: only of a tap device; --tap NAME with it would be right"),
        (["--tap", "a", "--queues", "0"], "--queues 0: 1 to 8 would be right"),
        (["--tap", "a", "--queues", "9"], "--queues 9: 1 to 8 would be right"),
        (["--timeout", "0"], "--timeout 0: a number of seconds above 0 would be right"),
        (["--for", "0"], "--for 0: a number of seconds above 0 would be right"),
        (["--runs", "0"], "--runs 0: a number above 0 would be right"),
        (["--timeout", "nan"], "--timeout nan: a number of seconds above 0 would be right"),
        (["--output", "README.md"], "--output README.md: it is no directory"),
        (["--json", "docs"], "--json docs: it is a directory"),
        (["--disk", "nowhere/disk"], "--disk nowhere/disk: a file in a directory that exists"),
        (["--build", "nowhere"], "gen/system.json is missing: run `make`"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_refused(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint in refused(capsys, "run", WORKFLOWS / "video.yaml", *words)


def test_what_does_not_stand_is_not_ended_by_a_count(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "copy.yaml"
    path.write_text(GOOD)

    complaint = refused(capsys, "run", path, "--input", f"files={files}", "--runs", "2")

    assert complaint == (
        "kwe: --for and --runs end a workflow that stands; copy ends with its events\n"
    )


TICKS = """\
workflow: ticks
doc: Something, again and again.
standing: {}
stages:
  tick: {op: hardware.tick, period_ns: 1 ms}
"""


@pytest.mark.parametrize(
    ("names", "words", "complaint"),
    [
        (["ticks", "copy"], ["--input", "files=docs"], "copy ends with its events, and only"),
        (["ticks", "ticks"], [], "ticks and ticks: each workflow once would be right"),
        (["ticks", "other"], ["--input", "clip=docs"], "none of the workflows has such an input"),
        (["ticks", "other"], ["--trace", "trace.json"], "--trace tells of one workflow"),
        (["ticks"] * 9, [], "9 workflows; at most 8 would be right"),
    ],
)
def test_what_cannot_run_side_by_side_is_refused(
    names: list[str],
    words: list[str],
    complaint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "copy.yaml").write_text(GOOD)
    (tmp_path / "ticks.yaml").write_text(TICKS)
    (tmp_path / "other.yaml").write_text(TICKS.replace("ticks", "other"))

    paths = [tmp_path / f"{name}.yaml" for name in names]

    assert complaint in refused(capsys, "run", *paths, *words)
    assert complaint in refused(capsys, "explain", "--analyze", *paths, *words)


def test_a_workflow_file_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    complaint = refused(capsys, "run", "nowhere.yaml")

    assert complaint == "kwe: nowhere.yaml: cannot be read: No such file or directory\n"


def test_a_link_that_leads_nowhere_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "link").symlink_to("nowhere")

    complaint = refused(capsys, "run", WORKFLOWS / "archive.yaml", "--input", f"files={files}")

    assert complaint == f"kwe: {files}/link: a link that leads nowhere\n"


def test_two_outputs_of_one_name_are_refused(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "SHA256SUMS").write_text("mine\n")
    path = tmp_path / "archive.yaml"
    path.write_text((WORKFLOWS / "archive.yaml").read_text().replace("suffix: .zst.sealed, ", ""))

    complaint = refused(capsys, "run", path, "--input", f"files={files}")

    assert "the file 'SHA256SUMS' would land on that of digests" in complaint
