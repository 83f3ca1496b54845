"""Templates to text: the jinja environment, the banner, and the file that comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from codegen.emit import text

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
REBUILD = "make gen"


@dataclass(frozen=True)
class GeneratedFile:
    """One output: its path below the output folder, and its whole content."""

    path: str
    content: str


class Renderer:
    """The templates, ready for use."""

    def __init__(self) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        self._environment.filters.update(
            comment=text.comment,
            c_string=text.c_string,
            c_size=text.c_size,
            size_words=text.size_words,
        )
        self._environment.globals.update(
            assigned=text.assigned,
            initializer=text.initializer,
            rows=text.rows,
            signature=text.signature,
            wrapped=text.wrapped,
        )

    def render(
        self, path: str, template: str, title: str, specs: Sequence[str], **names: Any
    ) -> GeneratedFile:
        """Return one output.

        Args:
            path: Below the output folder.
            template: Its file name in templates/.
            title: First line of the banner: what the file is.
            specs: The YAML files that it is made from.
            names: What the template uses besides ``banner``.
        """
        lines = banner(title, specs, template)
        content = self._environment.get_template(template).render(banner=lines, **names)
        return GeneratedFile(path, content)


def banner(title: str, specs: Sequence[str], template: str) -> list[str]:
    """Return the lines every generated file opens with, without comment marks."""
    made_from = [
        f"  {'spec' if index == 0 else '    '}      {spec}" for index, spec in enumerate(specs)
    ]
    return [
        title,
        "",
        "GENERATED, do not edit.",
        *made_from,
        f"  template  codegen/templates/{template}",
        f"  rebuild   {REBUILD}",
    ]
