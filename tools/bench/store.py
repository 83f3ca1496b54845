"""All samples of a run as a file, so that it can be told again with other rules for dropping."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tools.bench.rows import Sample
from tools.kwe.errors import SpecError


@dataclass
class Measured:
    """What a run has measured.

    Attributes:
        machine: What it ran on, in a sentence.
        peer: What both systems were given, in a sentence; "" without a peer.
        samples: All of them, before any is dropped.
    """

    machine: str
    peer: str
    samples: list[Sample] = field(default_factory=list)


def write_measured(measured: Measured, path: Path) -> None:
    """Write it, as one JSON object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(TypeAdapter(Measured).dump_json(measured, indent=1) + b"\n")


def read_measured(path: Path) -> Measured:
    """Read what write_measured() has written.

    Raises:
        SpecError: It is not there, or something else.
    """
    try:
        return TypeAdapter(Measured).validate_json(path.read_bytes())
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SpecError(
            f"{path}: {where}: {first['msg']}; a samples.json of `kwe bench` would be right"
        ) from error
