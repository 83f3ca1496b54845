"""Numbers that the host's tools and tests share with the kernel.

GENERATED, do not edit.
  spec      kernel/abi/errors.yaml
            kernel/abi/calls.yaml
            kernel/decks/execution/deck.yaml
            kernel/decks/operations/deck.yaml
            kernel/decks/hardware/deck.yaml
            kernel/decks/storage/deck.yaml
            kernel/decks/network/deck.yaml
  template  codegen/templates/kwe_constants.py.j2
  rebuild   make gen
"""

from enum import IntEnum


class Kerr(IntEnum):
    """What the system can answer with."""

    OK = 0
    BAD_CALL = 1
    BAD_ADDRESS = 2
    BAD_HANDLE = 3
    NOT_BUILT = 4
    NOT_PERMITTED = 5
    TOO_MANY = 6
    NO_MEMORY = 7
    TIMED_OUT = 8
    BAD_WORKFLOW = 9
    BAD_CYCLE = 10
    UNKNOWN_DECK = 11
    UNKNOWN_OP = 12
    BAD_PARAMETER = 13
    BAD_BINDING = 14
    OVER_LIMITS = 15
    BAD_EVENT = 16
    OVERLOADED = 17
    CANCELLED = 18
    DEADLINE_PASSED = 19
    DECK_FAULT = 20
    DECK_DOWN = 21
    DECK_BROKE_RULES = 22
    OUTPUT_TOO_LARGE = 23
    TOO_LARGE = 24
    OUT_OF_SCRATCH = 25
    NOT_A_JPEG = 26
    BAD_PICTURE = 27
    CORRUPT_DATA = 28
    NOT_AUTHENTIC = 29
    BAD_KEY = 30
    NO_SUCH_FILE = 31
    EXISTS = 32
    NOT_A_DIRECTORY = 33
    IS_A_DIRECTORY = 34
    NOT_EMPTY = 35
    NO_SPACE = 36
    NAME_TOO_LONG = 37
    BAD_PATH = 38
    IO_ERROR = 39
    CORRUPT_FILESYSTEM = 40
    NOT_SUPPORTED = 41
    DEVICE_GONE = 42
    DEVICE_TIMEOUT = 43
    DEVICE_REFUSED = 44
    NO_DEVICE = 45
    BOUND_REACHED = 46
    BAD_SAMPLES = 47
    BAD_STATE = 48
    NETWORK_DOWN = 49
    CONNECTION_REFUSED = 50
    CONNECTION_RESET = 51
    CONNECTION_CLOSED = 52
    UNREACHABLE = 53
    PORT_IN_USE = 54
    BAD_NAME = 55
    NO_SUCH_NAME = 56
    BAD_REQUEST = 57
    BAD_RESPONSE = 58
    NEED_ROOM = 59


class Call(IntEnum):
    """Numbers of the kernel's own calls."""

    KERNEL_NOTIFY = 0x1000
    RING_CREATE = 0x1001
    RING_DESTROY = 0x1002
    WORKFLOW_REGISTER = 0x1003
    WORKFLOW_UNREGISTER = 0x1004
    WORKFLOW_STATUS = 0x1005
    WORKFLOW_CANCEL = 0x1006
    EVENT_CANCEL = 0x1007
    WORKFLOW_PLAN = 0x1008
    ARENA_CREATE = 0x1009
    UPCALL_SET = 0x100A
    UPCALL_RETURN = 0x100B
    STATISTICS = 0x100C
    TRACE_READ = 0x100D
    BOOT_FILE = 0x100E
    CONTROL_WRITE = 0x100F
    CONTROL_READ = 0x1010
    INJECT = 0x1011
    DECK_NEXT = 0x1012
    DECK_DIE = 0x1013
    DECK_INFO = 0x1014
    DMA_ALLOC = 0x1015
    LOG = 0x1016


class Prefix(IntEnum):
    """The decks."""

    EXECUTION = 0
    OPERATIONS = 1
    HARDWARE = 2
    STORAGE = 3
    NETWORK = 4


class ExecutionOp(IntEnum):
    """Operations of the execution deck."""

    NOP = 0
    HISTORY = 1
    COUNTERS = 2


class OperationsOp(IntEnum):
    """Operations of the operations deck."""

    NOP = 0
    JPEG_DECODE = 1
    JPEG_ENCODE = 2
    CONVOLVE = 3
    LZ4_COMPRESS = 4
    LZ4_DECOMPRESS = 5
    ZSTD_COMPRESS = 6
    ZSTD_DECOMPRESS = 7
    SHA256 = 8
    CRC32C = 9
    SEAL = 10
    OPEN = 11
    STATISTICS = 12
    HISTOGRAM = 13
    MERGE = 14
    SHA256_UPDATE = 15
    SHA256_FINAL = 16
    SPECTRUM = 17
    HTTP_ROUTE = 18
    HTTP_FORM = 19
    HTTP_RENDER = 20
    FORMAT = 21
    ENTRY = 22


class HardwareOp(IntEnum):
    """Operations of the hardware deck."""

    NOP = 0
    CONVOLVE = 1
    JPEG_ENCODE = 2
    TICK = 3
    WAIT = 4


class StorageOp(IntEnum):
    """Operations of the storage deck."""

    NOP = 0
    READ = 1
    WRITE = 2
    CREATE = 3
    MKDIR = 4
    LIST = 5
    STAT = 6
    REMOVE = 7
    SYNC = 8
    WRITE_AT = 9
    OPEN = 10
    READ_AT = 11
    CLOSE = 12
    APPEND = 13


class NetworkOp(IntEnum):
    """Operations of the network deck."""

    NOP = 0
    LINK = 1
    ADDRESS = 2
    UDP_SEND = 3
    UDP_RECEIVE = 4
    TCP_CONNECT = 5
    TCP_LISTEN = 6
    TCP_ACCEPT = 7
    TCP_SEND = 8
    TCP_RECEIVE = 9
    TCP_CLOSE = 10
    RESOLVE = 11
    HTTP_RECEIVE = 12
    HTTP_SEND = 13
    HTTP_MORE = 14
    HTTP_GET = 15
    METRICS = 16
