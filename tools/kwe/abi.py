"""The structs of kernel/abi/ that cross between host and guest.

tests/tools/test_abi.py holds each to its C header.
"""

from tools.kwe.layout import Layout

NO_STAGE = 0xFFFF
NO_DECK = 0xFF

# ---- kernel/abi/workflow.h --------------------------------------------------------------------

WORKFLOW_MAGIC = 0x3057464B
WORKFLOW_VERSION = 1
MAX_BLOCK_BYTES = 2048
MAX_SLOTS = 4096
MAX_BLOB_BYTES = 1 << 20
MAX_PATH_BYTES = 254

BIND_INPUT_STAGE = 0
BIND_INPUT_EVENT = 1
BIND_INPUT_CONSTANT = 2
BIND_PARAM_VALUE = 3
BIND_PARAM_LENGTH = 4
BIND_PARAM_STATUS = 5
BIND_PARAM_BLOCK = 7
BIND_PARAM_PART = 8
BIND_INPUT_PREVIOUS = 9
BIND_PARAM_PREVIOUS = 10
BIND_INPUT_PART = 11
BIND_PARAM_OUTPUT = 12
PART_NUMBER = 0
PART_OFFSET = 1
PART_LENGTH = 2

STAGE_OP = 0
STAGE_FOR_EACH = 1
STAGE_UNTIL = 2
JOIN_ALL = 0
JOIN_FIRST = 1
DEPENDENCY_TOLERATES = 1
ANY_STAGE = 0xFFFE
MAX_STAGES = 64
MAX_WINDOW = 16
MAX_ROUNDS = (1 << 32) - 1

IF_STATUS = 0
IF_VALUE = 1
IF_LENGTH = 2
RELATIONS = {"==": 0, "!=": 1, "<": 2, "<=": 3, ">": 4, ">=": 5}

MANIFEST_SUBTREE = 0
MANIFEST_PORT = 1
MANIFEST_READ = 1
MANIFEST_WRITE = 2

WORKFLOW = Layout(
    "kwe_workflow",
    magic="I",
    version="H",
    flags="H",
    total_bytes="I",
    stage_count="H",
    result_stage="H",
    dependency_count="H",
    binding_count="H",
    condition_count="H",
    manifest_count="H",
    params_bytes="I",
    constant_bytes="I",
    names_bytes="I",
    slots="I",
    max_waiting="I",
    block_bytes="I",
    large_slots="I",
    program_bytes="Q",
    timeout_ns="Q",
)
STAGE = Layout(
    "kwe_stage",
    kind="B",
    join="B",
    deck="B",
    flags="B",
    op="H",
    dependency_first="H",
    dependency_count="H",
    binding_first="H",
    binding_count="H",
    condition_first="H",
    condition_count="H",
    body_first="H",
    body_count="H",
    fallback="H",
    compensation="H",
    retries="H",
    params_offset="I",
    params_bytes="I",
    bound="I",
    name_offset="I",
    out_limit="I",
    out_most="I",
    timeout_ns="Q",
    backoff_ns="Q",
)
DEPENDENCY = Layout("kwe_dependency", stage="H", flags="H")
BINDING = Layout(
    "kwe_binding",
    kind="B",
    width="B",
    stage="H",
    target="H",
    source_index="H",
    source_offset="I",
    source_bytes="I",
)
CONDITION = Layout(
    "kwe_condition", stage="H", what="B", relation="B", source_index="I", constant="Q"
)
PARTS = Layout("kwe_parts", total_bytes="Q", part_bytes="Q")
PATH = Layout("kwe_path", length="H", bytes="254s")
MANIFEST_ENTRY = Layout("kwe_manifest_entry", kind="I", rights="I", number="Q", path=PATH)
WORKFLOW_INFO = Layout(
    "kwe_workflow_info",
    workflow="I",
    stage="H",
    status="H",
    detail="I",
    slots="I",
    arena_base="Q",
    arena_bytes="Q",
    program_offset="Q",
    program_bytes="Q",
    slot_bytes="Q",
)
WORKFLOW_STATUS = Layout(
    "kwe_workflow_status",
    workflow="I",
    stage_count="I",
    submitted="Q",
    completed="Q",
    failed="Q",
    in_flight="Q",
    waiting="Q",
    armed="Q",
)
MAX_VARIANTS = 4
STAGE_ANY_VARIANT = 1
STAGE_STATUS = Layout(
    "kwe_stage_status",
    events="Q",
    failed="Q",
    bytes_in="Q",
    bytes_out="Q",
    busy_ns="Q",
    queued_ns="Q",
    visits="Q",
    fused="Q",
    deck="B",
    reserved="7s",
    # events, busy_ns of each other variant
    other=f"{2 * (MAX_VARIANTS - 1)}Q",
)

PLAN = Layout(
    "kwe_plan",
    workflow="I",
    stage_count="I",
    slots="I",
    levels="I",
    slot_bytes="Q",
    outputs_bytes="Q",
    shared_bytes="Q",
    total_ns="Q",
    critical_ns="Q",
)
PLAN_VARIANT = Layout("kwe_plan_variant", cost_ns="Q", op="H", deck="B", reserved="5s")
PLAN_STAGE = Layout(
    "kwe_plan_stage",
    out_offset="Q",
    out_room="Q",
    cost_ns="Q",
    before_ns="Q",
    level="H",
    flags="H",
    deck="B",
    lanes="B",
    place_of="H",
    fused_after="H",
    not_early="B",
    not_fused="B",
    variant_count="B",
    reserved="3s",
    variant=f"{(MAX_VARIANTS - 1) * PLAN_VARIANT.size}s",
)
PLAN_DROPPED = 1
PLAN_CRITICAL = 2
PLAN_BODY = 4
PLAN_EARLY = 8
PLAN_OPEN = 16
# enum kwe_plan_why
WHY_NONE = 0
WHY_TAKES = 1
WHY_CHANGES = 2
WHY_UNSURE = 3
WHY_BODY = 4
WHY_SHORT = 5
WHY_DECK = 6
WHY_OPEN = 7
WHY_TIMEOUT = 8
WHY_ONE = 9

# ---- kernel/abi/trace.h -----------------------------------------------------------------------

TRACE_HEAD = Layout(
    "kwe_trace_head",
    count="I",
    record_ns="I",
    kept="Q",
    lost="Q",
    read_ns="Q",
    room="I",
    waiting="I",
)
TRACE_RECORD = Layout(
    "kwe_trace_record",
    time_ns="Q",
    value="Q",
    event="Q",
    workflow="I",
    elapsed_ns="I",
    stage="H",
    status="H",
    kind="B",
    cpu="B",
    deck="B",
    instance="B",
)
# kernel/abi/work.h: the unit of a completion's `answered`.
ANSWERED_UNIT_NS = 16
TRACE_ADMITTED = 1
TRACE_READY = 2
TRACE_HANDED = 3
TRACE_ANSWERED = 4
TRACE_ENDED = 5
TRACE_VISIT = 6
TRACE_RUN = 7
TRACE_IDLE = 8
TRACE_INTERRUPT = 9
TRACE_DEATH = 10
TRACE_BACK = 11
TRACE_FORSAKEN = 12
TRACE_GAP = 13

# ---- kernel/abi/event.h -----------------------------------------------------------------------

RESULT = Layout(
    "kwe_result",
    cookie="Q",
    workflow="I",
    status="H",
    stage="H",
    deck="B",
    step="B",
    reserved="H",
    length="I",
    offset="Q",
    value="Q",
    submitted_ns="Q",
    finished_ns="Q",
    spare="Q",
)

# ---- kernel/abi/statistics.h ------------------------------------------------------------------

MAX_DECKS_REPORTED = 16

DECK_STATISTICS = Layout(
    "kwe_deck_statistics",
    visits="Q",
    events="Q",
    interrupt_entries="Q",
    completions="Q",
    restarts="Q",
    cpu_ns="Q",
    copied_cache="Q",
    copied_device="Q",
    state="B",
    instances="B",
    reserved="6s",
)
STATISTICS = Layout(
    "kwe_statistics",
    now_ns="Q",
    first_program_ns="Q",
    first_result_ns="Q",
    program_syscalls="Q",
    notify_calls="Q",
    results="Q",
    idle_ns="Q",
    frames_total="Q",
    frames_free="Q",
    frames_quarantined="Q",
    iommu_present="Q",
    iommu_faults="Q",
    observe_dropped="Q",
    cpus="I",
    reserved="I",
)

# ---- kernel/abi/job.h -------------------------------------------------------------------------

JOB_FILE = "opt/kwe/job"
JOB_MAGIC = 0x304A574B
JOB_VERSION = 1
JOB_SYNC_AT_END = 1
JOB_STANDING = 2
MAX_JOBS = 8

JOB = Layout(
    "kwe_job",
    magic="I",
    version="H",
    header_bytes="H",
    flags="I",
    workflow_bytes="I",
    workflow_offset="Q",
    rows_offset="Q",
    total_bytes="Q",
    row_count="I",
    row_bytes="I",
    ring_slots="I",
    batch="I",
    progress_ms="I",
    reserved="I",
)

# ---- kernel/abi/control.h ---------------------------------------------------------------------

CONTROL_MAGIC = 0xF1E57C4B
CONTROL_VERSION = 1
CONTROL_MAX_PAYLOAD = 65536
CONTROL_MAX_OUTPUT = 64

CONTROL_HELLO = 1
CONTROL_REGISTERED = 2
CONTROL_PROGRESS = 3
CONTROL_RESULTS = 4
CONTROL_STAGES = 5
CONTROL_STATISTICS = 6
CONTROL_DONE = 7
CONTROL_ERROR = 8
CONTROL_PLAN = 9
CONTROL_TRACE = 10
CONTROL_STOP = 11
CONTROL_JOB = 12
CONTROL_MARK_BEGIN = 13
CONTROL_MARK_END = 14

FRAME = Layout("kwe_control_frame", magic="I", type="H", flags="H", length="I", crc32c="I")
HELLO = Layout("kwe_control_hello", version="I", row_count="I", now_ns="Q")
CONTROL_JOB_HEAD = Layout("kwe_control_job", index="I", reserved="I")
PROGRESS = Layout("kwe_control_progress", submitted="Q", completed="Q", failed="Q", armed="Q")
CONTROL_RESULT = Layout("kwe_control_result", row="I", output_bytes="I", result=RESULT)
DONE = Layout(
    "kwe_control_done",
    status="I",
    sync_status="I",
    started_ns="Q",
    finished_ns="Q",
    trace_ns="Q",
)
ERROR = Layout("kwe_control_error", status="H", stage="H", text_bytes="I")

# How the machine ends: kernel/nucleus/exit.h. QEMU's status is code << 1 | 1.
EXIT_DONE = 0x10
EXIT_PROGRAM_FAILED = 0x11
EXIT_PANIC = 0x20
EXIT_MACHINE = 0x21
