"""The web server and the stream beside it, as a browser and wget see them."""

import io
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.harness.browser import Browser, browser
from tests.harness.standing import DEADLINE_S, standing
from tests.harness.terminal import CTRL_C
from tests.harness.workflow import WORKFLOWS, workflow_file
from tests.qemu import pictures
from tools.kwe.errors import EXIT_DONE
from tools.kwe.tree import ROOT, Build

SITE = WORKFLOWS / "web"
PICTURE = "#video img"
FRAMES = 8
# Between two JPEG decoders, and of a picture that is another: steps of 0..255.
SAME_LOSS = 6.0

# Until the picture shows something else than at first; a picture of nothing counts as none.
CHANGED = """
const picture = document.querySelector(arguments[0]);
const canvas = document.createElement("canvas");
let first = null;
function look() {
  if (picture.naturalWidth > 0) {
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    const now = context.getImageData(0, 0, canvas.width, canvas.height).data.toString();
    first = first ?? now;
    if (now !== first) {
      done([canvas.width, canvas.height]);
      return;
    }
  }
  requestAnimationFrame(look);
}
look();
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return some frames of the demo's clip, no two of them neighbours."""
    folder = tmp_path / "clip"
    folder.mkdir()
    frames = sorted((ROOT / "build/clip").glob("*.jpg"))
    for frame in frames[:: len(frames) // FRAMES][:FRAMES]:
        (folder / frame.name).write_bytes(frame.read_bytes())
    return folder


@pytest.fixture
def port(image: Build, clip: Path) -> Iterator[int]:
    """Serve the site and the stream at one port; in the end both stop in order."""
    with standing(
        *(image, workflow_file("web"), workflow_file("stream")),
        *("--input", f"site={SITE}", "--input", f"clip={clip}", "--forward", "0:80"),
    ) as (terminal, port):
        yield port
        terminal.press(CTRL_C)
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text


def shown(window: Browser) -> pictures.Pixels:
    """Return the pixels that the window shows of the stream."""
    with Image.open(io.BytesIO(window.screenshot(PICTURE))) as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_browser_shows_the_page_and_the_stream_moves_in_it(
    port: int, clip: Path, tmp_path: Path
) -> None:
    wanted = [pictures.edges(pictures.decode(frame)) for frame in sorted(clip.iterdir())]

    with browser(tmp_path) as window:
        window.open(f"http://127.0.0.1:{port}/")
        assert window.text("h1") == "Served by a workflow"
        assert "ten times a second" in window.text("#video figcaption")

        assert window.wait(CHANGED, PICTURE) == [640, 360]
        one = shown(window)
        other = one
        deadline = time.monotonic() + DEADLINE_S
        while pictures.loss(one, other) <= SAME_LOSS:  # the clip may have come round
            assert time.monotonic() < deadline, "what the window shows does not change"
            window.wait(CHANGED, PICTURE)
            other = shown(window)

    for pixels in (one, other):
        assert pixels.shape == wanted[0].shape
        assert min(pictures.loss(pixels, frame) for frame in wanted) < SAME_LOSS


def test_the_page_without_a_stream_shows_none(image: Build, tmp_path: Path) -> None:
    hidden = """
const video = document.getElementById("video");
if (video.hidden) {
  done(true);
} else {
  new MutationObserver(() => done(video.hidden)).observe(video, { attributes: true });
}
"""
    with (
        standing(image, workflow_file("web"), "--input", f"site={SITE}", "--forward", "0:80") as (
            _,
            port,
        ),
        browser(tmp_path) as window,
    ):
        window.open(f"http://127.0.0.1:{port}/")
        assert window.wait(hidden) is True
        assert "figcaption" not in window.text("body")
        assert window.text("h1") == "Served by a workflow"


def test_wget_fetches_the_site(port: int, tmp_path: Path) -> None:
    words = ["wget", "--no-verbose", "--no-proxy", "--timeout=60", "--tries=1"]
    subprocess.run(
        [*words, f"http://127.0.0.1:{port}/files/README.txt"],
        cwd=tmp_path,
        check=True,
        timeout=DEADLINE_S,
    )
    assert (tmp_path / "README.txt").read_bytes() == (SITE / "files/README.txt").read_bytes()

    # What hangs together by links: what the front page names, and no picture that never ends.
    subprocess.run(
        [
            *(*words, "--recursive", "--no-host-directories", "--directory-prefix=all"),
            *("--reject-regex=/(stream|metrics)$", f"http://127.0.0.1:{port}/"),
        ],
        cwd=tmp_path,
        check=True,
        timeout=DEADLINE_S,
    )
    for name in ("index.html", "style.css", "stream.js", "live.html", "live.js", "guestbook.html"):
        assert (tmp_path / "all" / name).read_bytes() == (SITE / name).read_bytes(), name
