"""Finds the decks, reads all YAML files, and says what is malformed, each mistake with its line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from codegen.spec.abi import CallsSpec, ErrorsSpec
from codegen.spec.deck import DeckSpec
from codegen.spec.source import Problems, Source, nearest, read_source
from tools.kwe.errors import SpecError

Model = TypeVar("Model", bound=BaseModel)

DECK_FILE = "deck.yaml"


@dataclass(frozen=True)
class LoadedDeck:
    """A deck.yaml that has the right shape, with its positions and folder."""

    spec: DeckSpec
    source: Source
    folder: Path


@dataclass(frozen=True)
class Loaded:
    """Everything that was read."""

    errors: ErrorsSpec
    calls: CallsSpec
    decks: list[LoadedDeck]


def load_all(root: Path, decks: Path, extra: list[Path], problems: Problems) -> Loaded:
    """Read errors.yaml, calls.yaml and every deck.yaml.

    Args:
        root: The source tree; paths below it are shown relative to it.
        decks: The folder of deck folders.
        extra: More of them, or deck folders themselves.
        problems: Where mistakes of single decks go; those decks are left out.

    Raises:
        SpecError: A list or a folder that all else needs is missing or malformed.
    """
    errors = _load(root / "kernel/abi/errors.yaml", root, ErrorsSpec, problems)
    calls = _load(root / "kernel/abi/calls.yaml", root, CallsSpec, problems)
    folders = [*_deck_folders(decks), *(found for one in extra for found in _extra_folders(one))]
    if not folders:
        raise SpecError(f"{decks}: no deck here; a deck is a folder with a {DECK_FILE}")
    loaded = []
    for folder in folders:
        pair = _load(folder / DECK_FILE, root, DeckSpec, problems, deck=folder.name)
        if pair is not None:
            loaded.append(LoadedDeck(pair[0], pair[1], folder))
    if errors is None or calls is None:
        problems.raise_if_any()
        raise AssertionError("a file that could not be loaded left no problem")
    return Loaded(errors[0], calls[0], loaded)


def shown_path(file: Path, root: Path) -> str:
    """Return the path for messages and banners: from the root when it lies below it."""
    absolute = file.resolve()
    if absolute.is_relative_to(root.resolve()):
        return absolute.relative_to(root.resolve()).as_posix()
    return file.as_posix()


def _deck_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SpecError(f"{folder}: no such folder; decks are looked for in it")
    return sorted(
        item
        for item in folder.iterdir()
        if not item.name.startswith("_") and (item / DECK_FILE).is_file()
    )


def _extra_folders(folder: Path) -> list[Path]:
    if (folder / DECK_FILE).is_file():
        return [folder]
    found = _deck_folders(folder)
    if not found:
        raise SpecError(
            f"{folder}: neither a deck nor a folder of decks; a deck is a folder with a {DECK_FILE}"
        )
    return found


def _load(
    file: Path, root: Path, model: type[Model], problems: Problems, deck: str = ""
) -> tuple[Model, Source] | None:
    subject = f"In deck '{deck}': " if deck else ""  # the folder, until the file says its name
    source = read_source(file, shown_path(file, root), problems, subject)
    if source is None:
        return None
    if deck and isinstance(source.value.get("deck"), str):
        source.subject = f"In deck '{source.value['deck']}': "
    try:
        return model.model_validate(source.value), source
    except ValidationError as error:
        for details in error.errors():
            _report(source, model, details)
        return None


def _report(source: Source, model: type[BaseModel], details: ErrorDetails) -> None:
    place = tuple(part for part in details["loc"] if part != "[key]")
    at_key = len(place) != len(details["loc"])
    name = next((part for part in reversed(place) if isinstance(part, str)), "file")
    context: dict[str, Any] = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            around = _keys_around(model, place)
            text = f"unknown key '{name}'; {nearest(name, around)}"
            source.problem(place, f"{_where(place)}{text}", at_key=True)
            return
        case "missing":
            text = f"the key '{name}' is missing"
            source.problem(place[:-1], f"{_where(place)}{text}", at_key=True)
            return
        case "value_error":
            text = str(context["error"])
        case "literal_error":
            text = f"{details['input']!r} is not known; {context['expected']} would be right"
        case "string_pattern_mismatch":
            text = f"{details['input']!r} is no code; capitals, digits and _ would be right"
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            bound = _bound(details["type"], context)
            text = f"{details['input']!r} is out of range; {bound} would be right"
        case "int_type" | "float_type":
            text = f"{details['input']!r} is no number"
        case "too_long":
            most = context["max_length"]
            text = f"{len(details['input'])} given; at most {most} would be right"
        case "too_short":
            least = context["min_length"]
            text = f"{len(details['input'])} given; at least {least} would be right"
        case "string_type":
            text = f"{details['input']!r} is no word"
        case "dict_type" | "model_type":
            text = "`key: value` pairs are expected here"
        case "list_type":
            text = "a [list] is expected here"
        case "bool_type":
            text = f"{details['input']!r} is neither true nor false"
        case _:
            text = details["msg"]
    source.problem(place, f"{_where(place)}{name}: {text}", at_key=at_key)


def _bound(kind: str, context: dict[str, Any]) -> str:
    match kind:
        case "greater_than_equal":
            return f"{context['ge']} or more"
        case "less_than_equal":
            return f"{context['le']} or less"
        case "greater_than":
            return f"more than {context['gt']}"
        case _:
            return f"less than {context['lt']}"


def _where(place: tuple[str | int, ...]) -> str:
    """Return ``op 'read': cost: `` for a key of the cost of an operation; indices are left out."""
    words = [part for part in place if isinstance(part, str)][:-1]
    if len(place) > 2 and words[0] == "ops":
        words = [f"op '{words[1]}'", *(word for word in words[2:] if word not in ("params", "in"))]
    return "".join(f"{word}: " for word in words)


def _keys_around(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    """Return the keys that may stand where `place` stands."""
    for part in place[:-1]:
        model = _step(model, part) or model
    return [info.alias or name for name, info in model.model_fields.items()]


def _step(model: type[BaseModel], key: str | int) -> type[BaseModel] | None:
    """Return the model of what stands under a key; None: the key is free, or an index."""
    for name, info in model.model_fields.items():
        if key == (info.alias or name):
            return _model_in(info.annotation)
    return None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None
