"""The errors that people see as one line, and the exit status of each.

Raised anywhere, caught only in ``main()``. Anything else that escapes is a bug and keeps its
traceback.
"""

EXIT_DONE = 0
EXIT_WORKFLOW = 1
EXIT_INPUT = 2
EXIT_MACHINE = 3
EXIT_PANIC = 4


class KweError(Exception):
    """Something a person can act on; its text is the whole line that they see."""

    exit_code = EXIT_INPUT
    code = "INPUT"  # what --json calls it


class WorkflowError(KweError):
    """The workflow ran, and one or more of its events failed."""

    exit_code = EXIT_WORKFLOW
    code = "WORKFLOW"


class SpecError(KweError):
    """A deck or workflow description, or what was given with it, is wrong: ``path:line: what``."""


class BuildError(KweError):
    """The image, or something made from it, is missing or malformed."""


class MachineError(KweError):
    """The machine cannot do it: no QEMU, a missing package, a deadline passed."""

    exit_code = EXIT_MACHINE
    code = "MACHINE"


class PanicError(KweError):
    """The nucleus panicked, or ended without the agreed last line."""

    exit_code = EXIT_PANIC
    code = "PANIC"
