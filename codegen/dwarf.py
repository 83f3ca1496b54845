"""Reads struct layouts out of the DWARF of ELF files."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import DWARFError, ELFError
from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

from tools.kwe.errors import BuildError

_WRAPPERS = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type")
_POINTER_BYTES = 8


@dataclass(frozen=True)
class Member:
    """A member as the compiler laid it out."""

    name: str
    offset: int
    bytes: int


@dataclass(frozen=True)
class Struct:
    """A struct as the compiler laid it out."""

    name: str
    bytes: int
    members: tuple[Member, ...]


def built_structs(file: Path, names: Collection[str]) -> dict[str, set[Struct]]:
    """Return each layout that the file's compilation units have for the structs of these names.

    Raises:
        BuildError: It is no ELF file, or has no DWARF.
    """
    found: dict[str, set[Struct]] = {}
    try:
        with file.open("rb") as stream:
            elf = ELFFile(stream)
            if not elf.has_dwarf_info():
                raise BuildError(f"{file}: no debug information; it must be built with -g")
            for unit in elf.get_dwarf_info().iter_CUs():
                for die in unit.get_top_DIE().iter_children():
                    name = _name(die)
                    if (
                        die.tag == "DW_TAG_structure_type"
                        and name in names
                        and "DW_AT_byte_size" in die.attributes
                    ):
                        found.setdefault(name, set()).add(_struct(name, die))
    except (OSError, ELFError, DWARFError) as error:
        raise BuildError(f"{file}: cannot be read as an ELF file: {error}") from error
    return found


def _struct(name: str, die: DIE) -> Struct:
    members = tuple(
        Member(
            _name(child),
            int(child.attributes["DW_AT_data_member_location"].value),
            _bytes(child.get_DIE_from_attribute("DW_AT_type")),
        )
        for child in die.iter_children()
        if child.tag == "DW_TAG_member"
    )
    return Struct(name, int(die.attributes["DW_AT_byte_size"].value), members)


def _bytes(die: DIE) -> int:
    """Return the size of a type."""
    if die.tag in _WRAPPERS:
        return _bytes(die.get_DIE_from_attribute("DW_AT_type"))
    if die.tag == "DW_TAG_array_type":
        count = 1
        for child in die.iter_children():
            if child.tag == "DW_TAG_subrange_type":
                count *= _count(child)
        return count * _bytes(die.get_DIE_from_attribute("DW_AT_type"))
    if die.tag == "DW_TAG_pointer_type":
        return _POINTER_BYTES
    return int(die.attributes["DW_AT_byte_size"].value)


def _count(subrange: DIE) -> int:
    if "DW_AT_count" in subrange.attributes:
        return int(subrange.attributes["DW_AT_count"].value)
    if "DW_AT_upper_bound" in subrange.attributes:
        return int(subrange.attributes["DW_AT_upper_bound"].value) + 1
    return 0  # a flexible array member


def _name(die: DIE) -> str:
    attribute = die.attributes.get("DW_AT_name")
    return attribute.value.decode() if attribute else ""
