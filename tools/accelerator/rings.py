"""The worker's ends of the two rings, in memory that the guest may change at any time.

Python cannot issue fences. On x86 none are needed here: stores become visible in order, and each
index is one aligned 32-bit
store or load through a memoryview. Sleeping needs no flag, since both sides always ring after
publishing.
"""

from tools.accelerator import protocol

_MASK = 0xFFFFFFFF


class RingBrokenError(Exception):
    """The guest's index cannot be: it erred or lies."""


class Ring:
    """One ring of 64-byte slots; the indices that count are the ones kept here."""

    def __init__(self, memory: memoryview, offset: int) -> None:
        self._bytes = memory[offset:]
        self._words = self._bytes.cast("I")
        self._head = 0
        self._tail = 0

    def reset(self) -> None:
        """Empty it, for a new session."""
        self._head = 0
        self._tail = 0
        self._words[protocol.RING_HEAD // 4] = 0
        self._words[protocol.RING_TAIL // 4] = 0

    def pop(self) -> bytes | None:
        """Copy the oldest slot out and take it; None: there is none.

        Raises:
            RingBrokenError: More is said to be there than the ring holds.

        """
        used = (self._words[protocol.RING_TAIL // 4] - self._head) & _MASK
        if used > protocol.SLOTS:
            raise RingBrokenError(f"request ring: {used} slots used of {protocol.SLOTS}")
        if used == 0:
            return None
        slot = bytes(self._slot(self._head))
        self._head = (self._head + 1) & _MASK
        self._words[protocol.RING_HEAD // 4] = self._head
        return slot

    def has_room(self) -> bool:
        """Say whether there is a free slot.

        Raises:
            RingBrokenError: The guest says that it took what was never there.

        """
        used = (self._tail - self._words[protocol.RING_HEAD // 4]) & _MASK
        if used > protocol.SLOTS:
            raise RingBrokenError(f"response ring: {used} slots used of {protocol.SLOTS}")
        return used < protocol.SLOTS

    def push(self, slot: bytes) -> None:
        """Publish one slot; only after has_room()."""
        self._slot(self._tail)[:] = slot
        self._tail = (self._tail + 1) & _MASK
        self._words[protocol.RING_TAIL // 4] = self._tail

    def _slot(self, index: int) -> memoryview:
        start = protocol.RING_SLOT + (index & (protocol.SLOTS - 1)) * protocol.SLOT_BYTES
        return self._bytes[start : start + protocol.SLOT_BYTES]
