/*
 * deck_table.c - every deck and its operations, as the nucleus and the Guide read them.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/execution/deck.yaml
 *             kernel/decks/operations/deck.yaml
 *             kernel/decks/hardware/deck.yaml
 *             kernel/decks/storage/deck.yaml
 *             kernel/decks/network/deck.yaml
 *   template  codegen/templates/deck_table.c.j2
 *   rebuild   make gen
 */
#include "kernel/nucleus/deck/spec.h"

#include "kernel/abi/execution.h"
#include "kernel/abi/hardware.h"
#include "kernel/abi/network.h"
#include "kernel/abi/operations.h"
#include "kernel/abi/storage.h"
#include "kernel/abi/work.h"
#include "kernel/nucleus/deck_validate.h"

/* codegen has refused what is larger; it and work.h must mean the same. */
_Static_assert(KWE_MAX_PARAM_BYTES == 384, "codegen/model/check_op.py");
_Static_assert(KWE_MAX_INPUTS == 8 && KWE_MAX_VALUES == 4, "codegen/spec/deck.py");
_Static_assert(KWE_MAX_VARIANTS - 1 == 3, "codegen/model/check_variants.py");
_Static_assert(KWE_MAX_DEPTH == 128 && KWE_MAX_DECK_DEVICES == 4, "codegen/spec/deck.py");

/* ---- execution: History and counters of what has finished. ---- */

static const struct op_spec execution_ops[] = {
    /* Takes any inputs, does nothing, answers at once. */
    [EXECUTION_OP_NOP] = {
        .name = "nop",
        .inputs_max = KWE_MAX_INPUTS,
        .traits = OP_TRAIT_PURE,
    },
    /*
     * The newest results, oldest first, as lines: cookie workflow status stage deck submitted_ns
     * finished_ns.
     */
    [EXECUTION_OP_HISTORY] = {
        .name = "history",
        .params_bytes = sizeof(struct execution_history_params),
        .validate = execution_history_validate,
        .value_count = 1,
        .traits = OP_TRAIT_IDEMPOTENT,
        .output = { .present = true, .base_bytes = 524288, .of = 0xffff },
        .cost_fixed_ns = 20000,
    },
    /*
     * Results seen since this instance started, how many of them failed, and the longest time from
     * submit to verdict.
     */
    [EXECUTION_OP_COUNTERS] = {
        .name = "counters",
        .value_count = 3,
        .traits = OP_TRAIT_IDEMPOTENT,
        .cost_fixed_ns = 2000,
    },
};

/* ---- operations: Compression, hashing, encryption, pictures and arithmetic, by well-kept libraries; requests and pages of HTTP. ---- */

static const struct op_variant operations_jpeg_encode_variants[] = {
    { HARDWARE_PREFIX, HARDWARE_OP_JPEG_ENCODE },
};
static const uint16_t operations_jpeg_encode_own_errors[] = {
    KERR_OUT_OF_SCRATCH,
};

static const struct op_variant operations_convolve_variants[] = {
    { HARDWARE_PREFIX, HARDWARE_OP_CONVOLVE },
};

static const struct op_spec operations_ops[] = {
    /* Takes any inputs, does nothing, answers at once. */
    [OPERATIONS_OP_NOP] = {
        .name = "nop",
        .inputs_max = KWE_MAX_INPUTS,
        .traits = OP_TRAIT_PURE,
    },
    /* Decode one JPEG picture to 8-bit RGB, rows without padding. */
    [OPERATIONS_OP_JPEG_DECODE] = {
        .name = "jpeg_decode",
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 2,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 20000,
        .cost_ns_per_kib = 12288,
        .cost_most_ns_per_kib = 12288,
        .scratch_max_bytes = 64ull << 20,
    },
    /* Encode 8-bit RGB to a baseline JPEG picture. */
    [OPERATIONS_OP_JPEG_ENCODE] = {
        .name = "jpeg_encode",
        .params_bytes = sizeof(struct operations_jpeg_encode_params),
        .validate = operations_jpeg_encode_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 65536,
            .of = 0, /* pixels */
            .numerator = 1,
            .denominator = 1,
        },
        .cost_fixed_ns = 20000,
        .cost_ns_per_kib = 12288,
        .cost_most_ns_per_kib = 12288,
        .variant_count = 1,
        .variants = operations_jpeg_encode_variants,
        .own_error_count = 1,
        .own_errors = operations_jpeg_encode_own_errors,
        .scratch_max_bytes = 64ull << 20,
    },
    /*
     * 3x3 convolution with integer weights; edges replicated, rounded half away from zero, clamped
     * to 0..255, each channel alone.
     */
    [OPERATIONS_OP_CONVOLVE] = {
        .name = "convolve",
        .params_bytes = sizeof(struct operations_convolve_params),
        .validate = operations_convolve_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 2,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 0,
            .of = 0, /* pixels */
            .numerator = 1,
            .denominator = 1,
        },
        .cost_fixed_ns = 2000,
        .cost_ns_per_kib = 30720,
        .cost_most_ns_per_kib = 30720,
        .variant_count = 1,
        .variants = operations_convolve_variants,
    },
    /* One LZ4 block behind an 8-byte little-endian length of the plain data. */
    [OPERATIONS_OP_LZ4_COMPRESS] = {
        .name = "lz4_compress",
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 64,
            .of = 0, /* data */
            .numerator = 256,
            .denominator = 255,
        },
        .cost_fixed_ns = 2000,
        .cost_ns_per_kib = 3072,
        .cost_most_ns_per_kib = 3072,
    },
    /* The reverse of lz4_compress. */
    [OPERATIONS_OP_LZ4_DECOMPRESS] = {
        .name = "lz4_decompress",
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 2000,
        .cost_ns_per_kib = 3072,
        .cost_most_ns_per_kib = 3072,
    },
    /*
     * One zstd frame with content size and checksum. High levels search as far as 32 MiB of memory
     * allow.
     */
    [OPERATIONS_OP_ZSTD_COMPRESS] = {
        .name = "zstd_compress",
        .params_bytes = sizeof(struct operations_zstd_compress_params),
        .validate = operations_zstd_compress_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 1024,
            .of = 0, /* data */
            .numerator = 129,
            .denominator = 128,
        },
        .cost_fixed_ns = 20000,
        .cost_ns_per_kib = 10240,
        .cost_most_ns_per_kib = 1024000,
        .scratch_max_bytes = 32ull << 20,
    },
    /* One or more zstd frames. */
    [OPERATIONS_OP_ZSTD_DECOMPRESS] = {
        .name = "zstd_decompress",
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 20000,
        .cost_ns_per_kib = 5120,
        .cost_most_ns_per_kib = 5120,
        .scratch_max_bytes = 16ull << 20,
    },
    /* SHA-256 (FIPS 180-4) of the data; 32 bytes. */
    [OPERATIONS_OP_SHA256] = {
        .name = "sha256",
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .base_bytes = 32, .of = 0xffff },
        .cost_fixed_ns = 2000,
        .cost_ns_per_kib = 11264,
        .cost_most_ns_per_kib = 11264,
    },
    /* CRC-32C (Castagnoli) of the data. */
    [OPERATIONS_OP_CRC32C] = {
        .name = "crc32c",
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 1,
        .traits = OP_TRAIT_PURE,
        .cost_fixed_ns = 1000,
        .cost_ns_per_kib = 6144,
        .cost_most_ns_per_kib = 6144,
    },
    /*
     * ChaCha20-Poly1305 (RFC 8439) with a fresh random nonce; nonce (12 bytes), ciphertext, tag (16
     * bytes).
     */
    [OPERATIONS_OP_SEAL] = {
        .name = "seal",
        .inputs_min = 2,
        .inputs_max = 2,
        .output = {
            .present = true,
            .base_bytes = 28,
            .of = 0, /* data */
            .numerator = 1,
            .denominator = 1,
        },
        .cost_fixed_ns = 4000,
        .cost_ns_per_kib = 8192,
        .cost_most_ns_per_kib = 8192,
    },
    /* The reverse of seal. */
    [OPERATIONS_OP_OPEN] = {
        .name = "open",
        .inputs_min = 2,
        .inputs_max = 2,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 0,
            .of = 0, /* sealed */
            .numerator = 1,
            .denominator = 1,
        },
        .cost_fixed_ns = 4000,
        .cost_ns_per_kib = 8192,
        .cost_most_ns_per_kib = 8192,
    },
    /*
     * Of samples: a record of u64 count and f64 minimum, maximum, mean, variance (of the whole, by
     * count); a NaN among them makes all four NaN.
     */
    [OPERATIONS_OP_STATISTICS] = {
        .name = "statistics",
        .params_bytes = sizeof(struct operations_statistics_params),
        .validate = operations_statistics_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 4,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .base_bytes = 40, .of = 0xffff },
        .cost_fixed_ns = 2000,
        .cost_ns_per_kib = 10240,
        .cost_most_ns_per_kib = 10240,
    },
    /*
     * How many samples lie in each of the bins of equal width from low to high, the last one with
     * high itself: u64 for each bin, then below, above, NaN.
     */
    [OPERATIONS_OP_HISTOGRAM] = {
        .name = "histogram",
        .params_bytes = sizeof(struct operations_histogram_params),
        .validate = operations_histogram_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 3,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .base_bytes = 32792, .of = 0xffff },
        .cost_fixed_ns = 2000,
        .cost_ns_per_kib = 10240,
        .cost_most_ns_per_kib = 10240,
    },
    /*
     * The inputs one behind the other, in order; with a header first when wished: u64 how many they
     * are, then each one's u64 length.
     */
    [OPERATIONS_OP_MERGE] = {
        .name = "merge",
        .params_bytes = sizeof(struct operations_merge_params),
        .validate = operations_merge_validate,
        .inputs_min = 1,
        .inputs_max = 8,
        .value_count = 1,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 1000,
        .cost_ns_per_kib = 307,
        .cost_most_ns_per_kib = 307,
    },
    /*
     * SHA-256 in parts. Takes the data in behind what the state has already seen; no state, or an
     * empty one, begins. The state is for sha256_final and the next sha256_update only.
     */
    [OPERATIONS_OP_SHA256_UPDATE] = {
        .name = "sha256_update",
        .inputs_min = 1,
        .inputs_max = 2,
        .value_count = 1,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .base_bytes = 112, .of = 0xffff },
        .cost_fixed_ns = 2000,
        .cost_ns_per_kib = 11264,
        .cost_most_ns_per_kib = 11264,
    },
    /*
     * The digest of all that the state has seen, as sha256 of the whole would be; an empty state
     * has seen nothing.
     */
    [OPERATIONS_OP_SHA256_FINAL] = {
        .name = "sha256_final",
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 1,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .base_bytes = 32, .of = 0xffff },
        .cost_fixed_ns = 3000,
    },
    /*
     * Discrete Fourier transform of real samples, of any length up to 2^18: f64 magnitudes of the
     * lines 0 to size / 2, not scaled.
     */
    [OPERATIONS_OP_SPECTRUM] = {
        .name = "spectrum",
        .params_bytes = sizeof(struct operations_spectrum_params),
        .validate = operations_spectrum_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 1,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 64,
            .of = 0, /* samples */
            .numerator = 2,
            .denominator = 1,
        },
        .cost_fixed_ns = 20000,
        .cost_ns_per_kib = 512000,
        .cost_most_ns_per_kib = 512000,
        .scratch_max_bytes = 24ull << 20,
    },
    /*
     * What a request is for, by a table: lines of METHODS PATH KIND TARGET, the first that fits
     * counts; a path that ends with /... fits all below it. KIND: file (its path is the output),
     * change, text, stream. kind 0 refused, 1 file, 2 change, 3 text, 4 stream; answer: the status
     * so far; offset and bytes are what storage.read has to read.
     */
    [OPERATIONS_OP_HTTP_ROUTE] = {
        .name = "http_route",
        .params_bytes = sizeof(struct operations_http_route_params),
        .validate = operations_http_route_validate,
        .inputs_min = 2,
        .inputs_max = 2,
        .value_count = 4,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .base_bytes = 256, .of = 0xffff },
        .cost_fixed_ns = 5000,
    },
    /*
     * A form that was sent (application/x-www-form-urlencoded) as one line of JSON, an object of
     * texts.
     */
    [OPERATIONS_OP_HTTP_FORM] = {
        .name = "http_form",
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 64,
            .of = 0, /* question */
            .numerator = 6,
            .denominator = 1,
        },
        .cost_fixed_ns = 3000,
        .cost_ns_per_kib = 10240,
        .cost_most_ns_per_kib = 10240,
    },
    /*
     * The answer, for http_send: lines of fields and, but for a file, the body. What the stages
     * before said of the file, the directory and the change comes as statuses; a failure becomes an
     * error page. By the same table as http_route. Of a stream, text is the beginning, and
     * more_bytes 2^64 - 1.
     */
    [OPERATIONS_OP_HTTP_RENDER] = {
        .name = "http_render",
        .params_bytes = sizeof(struct operations_http_render_params),
        .inputs_min = 2,
        .inputs_max = 4,
        .value_count = 4,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 10000,
        .cost_ns_per_kib = 5120,
        .cost_most_ns_per_kib = 5120,
    },
    /*
     * The template with numbers in it: {a}, {b}, {c} and {d} become the parameters, in decimal; all
     * else stays as it is.
     */
    [OPERATIONS_OP_FORMAT] = {
        .name = "format",
        .params_bytes = sizeof(struct operations_format_params),
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 64,
            .of = 0, /* template */
            .numerator = 7,
            .denominator = 1,
        },
        .cost_fixed_ns = 1500,
        .cost_ns_per_kib = 5120,
        .cost_most_ns_per_kib = 5120,
    },
    /*
     * The path of one of a directory's files, in the order of their names: the first has number 0,
     * and behind the last comes the first again. The entries are storage.list's.
     */
    [OPERATIONS_OP_ENTRY] = {
        .name = "entry",
        .params_bytes = sizeof(struct operations_entry_params),
        .validate = operations_entry_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 1,
        .traits = OP_TRAIT_PURE,
        .output = { .present = true, .base_bytes = 256, .of = 0xffff },
        .cost_fixed_ns = 3000,
        .cost_ns_per_kib = 10240,
        .cost_most_ns_per_kib = 10240,
    },
};

/* ---- hardware: The accelerator behind ivshmem, a process on the host that computes; and the timer. ---- */

static const struct op_variant hardware_convolve_variants[] = {
    { OPERATIONS_PREFIX, OPERATIONS_OP_CONVOLVE },
};
static const uint16_t hardware_convolve_own_errors[] = {
    KERR_TOO_LARGE,
    KERR_NO_DEVICE,
    KERR_DEVICE_GONE,
    KERR_DEVICE_TIMEOUT,
    KERR_DEVICE_REFUSED,
};

static const struct op_variant hardware_jpeg_encode_variants[] = {
    { OPERATIONS_PREFIX, OPERATIONS_OP_JPEG_ENCODE },
};
static const uint16_t hardware_jpeg_encode_own_errors[] = {
    KERR_TOO_LARGE,
    KERR_NO_DEVICE,
    KERR_DEVICE_GONE,
    KERR_DEVICE_TIMEOUT,
    KERR_DEVICE_REFUSED,
};

static const struct op_spec hardware_ops[] = {
    /* Takes any inputs, does nothing, answers at once. */
    [HARDWARE_OP_NOP] = {
        .name = "nop",
        .inputs_max = KWE_MAX_INPUTS,
        .traits = OP_TRAIT_PURE,
    },
    /*
     * 3x3 convolution with integer weights; edges replicated, rounded half away from zero, clamped
     * to 0..255, each channel alone.
     */
    [HARDWARE_OP_CONVOLVE] = {
        .name = "convolve",
        .params_bytes = sizeof(struct hardware_convolve_params),
        .validate = hardware_convolve_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 2,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 0,
            .of = 0, /* pixels */
            .numerator = 1,
            .denominator = 1,
        },
        .cost_fixed_ns = 200000,
        .cost_ns_per_kib = 3072,
        .cost_most_ns_per_kib = 3072,
        .variant_count = 1,
        .variants = hardware_convolve_variants,
        .own_error_count = 5,
        .own_errors = hardware_convolve_own_errors,
    },
    /* Encode 8-bit RGB to a baseline JPEG picture. */
    [HARDWARE_OP_JPEG_ENCODE] = {
        .name = "jpeg_encode",
        .params_bytes = sizeof(struct hardware_jpeg_encode_params),
        .validate = hardware_jpeg_encode_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_PURE,
        .output = {
            .present = true,
            .base_bytes = 65536,
            .of = 0, /* pixels */
            .numerator = 1,
            .denominator = 1,
        },
        .cost_fixed_ns = 200000,
        .cost_ns_per_kib = 6144,
        .cost_most_ns_per_kib = 6144,
        .variant_count = 1,
        .variants = hardware_jpeg_encode_variants,
        .own_error_count = 5,
        .own_errors = hardware_jpeg_encode_own_errors,
    },
    /*
     * Wait for the next multiple of period_ns of the time since the system started. Nothing adds
     * up, so that it does not drift: one that comes too late has missed ticks, which the number
     * shows.
     */
    [HARDWARE_OP_TICK] = {
        .name = "tick",
        .params_bytes = sizeof(struct hardware_tick_params),
        .validate = hardware_tick_validate,
        .value_count = 3,
        .traits = OP_TRAIT_TRIGGER,
        .cost_fixed_ns = 3000,
    },
    /* Wait for so long. */
    [HARDWARE_OP_WAIT] = {
        .name = "wait",
        .params_bytes = sizeof(struct hardware_wait_params),
        .validate = hardware_wait_validate,
        .cost_fixed_ns = 3000,
    },
};

static const struct deck_device_spec hardware_devices[] = {
    /* accelerator */
    {
        .vendor = 0x1af4,
        .device = 0x1110,
        .interrupts = 1,
        .quiesce = PORT_QUIESCE_NONE,
        .required = false,
    },
};

/* ---- storage: Files and directories of an ext4 file system on a virtio disk. ---- */

static const struct op_spec storage_ops[] = {
    /* Takes any inputs, does nothing, answers at once. */
    [STORAGE_OP_NOP] = {
        .name = "nop",
        .inputs_max = KWE_MAX_INPUTS,
        .traits = OP_TRAIT_PURE,
    },
    /*
     * Read a file, or length bytes of it from offset; fewer when it ends before. length 0 is all of
     * it; an offset of 2^64 - n counts n bytes back from the end. size and mtime are the whole
     * file's.
     */
    [STORAGE_OP_READ] = {
        .name = "read",
        .params_bytes = sizeof(struct storage_read_params),
        .validate = storage_read_validate,
        .value_count = 2,
        .traits = OP_TRAIT_IDEMPOTENT,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 100000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /*
     * Make the file's content the data; the file and the directories on the way are made when
     * missing.
     */
    [STORAGE_OP_WRITE] = {
        .name = "write",
        .params_bytes = sizeof(struct storage_write_params),
        .validate = storage_write_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 1,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 200000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /* Make an empty file that does not exist yet. */
    [STORAGE_OP_CREATE] = {
        .name = "create",
        .params_bytes = sizeof(struct storage_create_params),
        .validate = storage_create_validate,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 100000,
    },
    /* Make a directory that does not exist yet. */
    [STORAGE_OP_MKDIR] = {
        .name = "mkdir",
        .params_bytes = sizeof(struct storage_mkdir_params),
        .validate = storage_mkdir_validate,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 100000,
    },
    /* A directory's entries, one line each: f or d, size in bytes, name. */
    [STORAGE_OP_LIST] = {
        .name = "list",
        .params_bytes = sizeof(struct storage_list_params),
        .validate = storage_list_validate,
        .value_count = 1,
        .traits = OP_TRAIT_IDEMPOTENT,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 100000,
    },
    /* Size, kind (1 file, 2 directory) and time of change of a path. */
    [STORAGE_OP_STAT] = {
        .name = "stat",
        .params_bytes = sizeof(struct storage_stat_params),
        .validate = storage_stat_validate,
        .value_count = 3,
        .traits = OP_TRAIT_IDEMPOTENT,
        .cost_fixed_ns = 50000,
    },
    /* Remove a file or an empty directory. */
    [STORAGE_OP_REMOVE] = {
        .name = "remove",
        .params_bytes = sizeof(struct storage_remove_params),
        .validate = storage_remove_validate,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 100000,
    },
    /* Everything that was answered so far is on the device. */
    [STORAGE_OP_SYNC] = {
        .name = "sync",
        .traits = OP_TRAIT_IDEMPOTENT,
        .cost_fixed_ns = 400000,
    },
    /* Overwrite a file that exists from offset on; it grows when the data ends behind its end. */
    [STORAGE_OP_WRITE_AT] = {
        .name = "write_at",
        .params_bytes = sizeof(struct storage_write_at_params),
        .validate = storage_write_at_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 1,
        .traits = OP_TRAIT_EFFECT | OP_TRAIT_IDEMPOTENT,
        .cost_fixed_ns = 100000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /*
     * Look a file up for reading. The handle is for read_at and close of this workflow; it is void
     * when the path names another file, and may be taken back after 10 s without use.
     */
    [STORAGE_OP_OPEN] = {
        .name = "open",
        .params_bytes = sizeof(struct storage_open_params),
        .validate = storage_open_validate,
        .value_count = 2,
        .cost_fixed_ns = 50000,
    },
    /*
     * Read length bytes of an open file from offset; fewer when it ends before. length 0 is all
     * that follows.
     */
    [STORAGE_OP_READ_AT] = {
        .name = "read_at",
        .params_bytes = sizeof(struct storage_read_at_params),
        .value_count = 1,
        .traits = OP_TRAIT_IDEMPOTENT,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 100000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /* Give a handle back. */
    [STORAGE_OP_CLOSE] = {
        .name = "close",
        .params_bytes = sizeof(struct storage_close_params),
        .cost_fixed_ns = 1000,
    },
    /*
     * Put the data behind the file's end, whole or not at all; the file is made when missing.
     * Others see all of it or nothing, and no two of them mix.
     */
    [STORAGE_OP_APPEND] = {
        .name = "append",
        .params_bytes = sizeof(struct storage_append_params),
        .validate = storage_append_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 1,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 200000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
};

static const struct deck_device_spec storage_devices[] = {
    /* disk */
    {
        .vendor = 0x1af4,
        .device = 0x1042,
        .interrupts = 1,
        .quiesce = PORT_QUIESCE_VIRTIO,
        .required = true,
    },
};

/* ---- network: Connections, datagrams and names over the virtio network card. An address is two numbers, the 128 bits of IPv6; that of IPv4 a.b.c.d is ::ffff:a.b.c.d. ---- */

static const struct op_spec network_ops[] = {
    /* Takes any inputs, does nothing, answers at once. */
    [NETWORK_OP_NOP] = {
        .name = "nop",
        .inputs_max = KWE_MAX_INPUTS,
        .traits = OP_TRAIT_PURE,
    },
    /* The card's MAC address (first byte lowest) and whether its link is up (1) or down (0). */
    [NETWORK_OP_LINK] = {
        .name = "link",
        .value_count = 2,
        .traits = OP_TRAIT_IDEMPOTENT,
        .cost_fixed_ns = 2000,
    },
    /* The system's own IPv4 address, once it has one. */
    [NETWORK_OP_ADDRESS] = {
        .name = "address",
        .value_count = 2,
        .traits = OP_TRAIT_IDEMPOTENT,
        .cost_fixed_ns = 5000,
    },
    /* Send the data as one datagram. from 0 is any port of the system. */
    [NETWORK_OP_UDP_SEND] = {
        .name = "udp_send",
        .params_bytes = sizeof(struct network_udp_send_params),
        .validate = network_udp_send_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 20000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /*
     * Wait for a datagram at this port. The port is the workflow's from then on, until its last
     * wait there is called back or 10 s pass without use.
     */
    [NETWORK_OP_UDP_RECEIVE] = {
        .name = "udp_receive",
        .params_bytes = sizeof(struct network_udp_receive_params),
        .validate = network_udp_receive_validate,
        .value_count = 3,
        .traits = OP_TRAIT_EFFECT | OP_TRAIT_TRIGGER,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 20000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /*
     * Connect. The socket is for the operations below and this workflow; it may be taken back after
     * 10 s without use.
     */
    [NETWORK_OP_TCP_CONNECT] = {
        .name = "tcp_connect",
        .params_bytes = sizeof(struct network_tcp_connect_params),
        .validate = network_tcp_connect_validate,
        .value_count = 1,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 100000,
    },
    /*
     * Take connections at this port, backlog of them before they are accepted. A workflow that does
     * so already gets the same socket.
     */
    [NETWORK_OP_TCP_LISTEN] = {
        .name = "tcp_listen",
        .params_bytes = sizeof(struct network_tcp_listen_params),
        .validate = network_tcp_listen_validate,
        .value_count = 1,
        .traits = OP_TRAIT_IDEMPOTENT,
        .cost_fixed_ns = 10000,
    },
    /* Wait for a connection, and take it. */
    [NETWORK_OP_TCP_ACCEPT] = {
        .name = "tcp_accept",
        .params_bytes = sizeof(struct network_tcp_accept_params),
        .value_count = 4,
        .traits = OP_TRAIT_EFFECT | OP_TRAIT_TRIGGER,
        .cost_fixed_ns = 20000,
    },
    /*
     * Send all the data. More than 8 KiB go from where they lie, and the operation ends when the
     * other side has them; less is copied.
     */
    [NETWORK_OP_TCP_SEND] = {
        .name = "tcp_send",
        .params_bytes = sizeof(struct network_tcp_send_params),
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 1,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 20000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /*
     * Wait for at_least bytes, or the end, and take what is there. ended is 1 when nothing will
     * follow; a receive that is cancelled may have taken bytes along.
     */
    [NETWORK_OP_TCP_RECEIVE] = {
        .name = "tcp_receive",
        .params_bytes = sizeof(struct network_tcp_receive_params),
        .validate = network_tcp_receive_validate,
        .value_count = 2,
        .traits = OP_TRAIT_EFFECT,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 20000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /* Close a socket. What was sent still arrives. */
    [NETWORK_OP_TCP_CLOSE] = {
        .name = "tcp_close",
        .params_bytes = sizeof(struct network_tcp_close_params),
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 5000,
    },
    /* The address of a host's name, which is the input; IPv4 where there are both. */
    [NETWORK_OP_RESOLVE] = {
        .name = "resolve",
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 2,
        .traits = OP_TRAIT_IDEMPOTENT,
        .cost_fixed_ns = 1000000,
    },
    /*
     * Wait for one whole HTTP request at this port. Connections, keep-alive, pipelining, limits and
     * refusals are the deck's business. The output is a struct kwe_http_request (kernel/abi/http.h)
     * and what it names, the body among it, chunks put together.
     */
    [NETWORK_OP_HTTP_RECEIVE] = {
        .name = "http_receive",
        .params_bytes = sizeof(struct network_http_receive_params),
        .validate = network_http_receive_validate,
        .value_count = 3,
        .traits = OP_TRAIT_EFFECT | OP_TRAIT_TRIGGER,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 30000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /*
     * Answer a request. The page's first head_bytes are lines of fields, each with its end; what
     * follows them, and then file, is the body. More than 8 KiB of either go from where they lie,
     * and the operation ends when the client has them; less is copied. The value more: so many
     * bytes wait for http_more now; none when there is no body, as to HEAD.
     */
    [NETWORK_OP_HTTP_SEND] = {
        .name = "http_send",
        .params_bytes = sizeof(struct network_http_send_params),
        .validate = network_http_send_validate,
        .inputs_min = 0,
        .inputs_max = 2,
        .value_count = 2,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 30000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /*
     * The next part of a body that http_send has begun: head, data and tail; parts that come too
     * early wait for their turn. The operation ends when the client has the part.
     */
    [NETWORK_OP_HTTP_MORE] = {
        .name = "http_more",
        .params_bytes = sizeof(struct network_http_more_params),
        .validate = network_http_more_validate,
        .inputs_min = 0,
        .inputs_max = 3,
        .value_count = 1,
        .traits = OP_TRAIT_EFFECT,
        .cost_fixed_ns = 30000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /*
     * Ask an HTTP server for a path, and wait for the whole answer; the output is its body, the
     * answer its status. An address of 0 is looked up by the host's name.
     */
    [NETWORK_OP_HTTP_GET] = {
        .name = "http_get",
        .params_bytes = sizeof(struct network_http_get_params),
        .validate = network_http_get_validate,
        .inputs_min = 1,
        .inputs_max = 1,
        .value_count = 1,
        .traits = OP_TRAIT_EFFECT,
        .output = { .present = true, .by_limit = true, .of = 0xffff },
        .cost_fixed_ns = 300000,
        .cost_ns_per_kib = 1024,
        .cost_most_ns_per_kib = 1024,
    },
    /*
     * What the system has counted, and how long requests took from their end to their answer, as
     * OpenMetrics text; a deck is named by its prefix.
     */
    [NETWORK_OP_METRICS] = {
        .name = "metrics",
        .traits = OP_TRAIT_IDEMPOTENT,
        .output = { .present = true, .base_bytes = 16384, .of = 0xffff },
        .cost_fixed_ns = 60000,
    },
};

static const struct deck_device_spec network_devices[] = {
    /* nic */
    {
        .vendor = 0x1af4,
        .device = 0x1041,
        .interrupts = 3,
        .quiesce = PORT_QUIESCE_VIRTIO,
        .required = false,
    },
};

/* In prefix order. */
const struct deck_spec deck_specs[] = {
    {
        .name = "execution",
        .prefix = EXECUTION_PREFIX,
        .per_cpu = false,
        .device_class = false,
        .observes = true,
        .depth = 64,
        .restart_limit = 8,
        .restart_window_ns = 10ull * 1000000000,
        .heap_max_bytes = 8ull << 20,
        .op_count = sizeof(execution_ops) / sizeof(execution_ops[0]),
        .ops = execution_ops,
    },
    {
        .name = "operations",
        .prefix = OPERATIONS_PREFIX,
        .per_cpu = true,
        .device_class = false,
        .observes = false,
        .depth = 64,
        .restart_limit = 8,
        .restart_window_ns = 10ull * 1000000000,
        .heap_max_bytes = 96ull << 20,
        .op_count = sizeof(operations_ops) / sizeof(operations_ops[0]),
        .ops = operations_ops,
    },
    {
        .name = "hardware",
        .prefix = HARDWARE_PREFIX,
        .per_cpu = false,
        .device_class = true,
        .observes = false,
        .depth = 32,
        .restart_limit = 8,
        .restart_window_ns = 10ull * 1000000000,
        .heap_max_bytes = 16ull << 20,
        .op_count = sizeof(hardware_ops) / sizeof(hardware_ops[0]),
        .ops = hardware_ops,
        .device_count = 1,
        .devices = hardware_devices,
    },
    {
        .name = "storage",
        .prefix = STORAGE_PREFIX,
        .per_cpu = false,
        .device_class = true,
        .observes = false,
        .depth = 64,
        .restart_limit = 8,
        .restart_window_ns = 10ull * 1000000000,
        .heap_max_bytes = 48ull << 20,
        .op_count = sizeof(storage_ops) / sizeof(storage_ops[0]),
        .ops = storage_ops,
        .device_count = 1,
        .devices = storage_devices,
    },
    {
        .name = "network",
        .prefix = NETWORK_PREFIX,
        .per_cpu = false,
        .device_class = true,
        .observes = false,
        .depth = 128,
        .restart_limit = 8,
        .restart_window_ns = 10ull * 1000000000,
        .heap_max_bytes = 24ull << 20,
        .op_count = sizeof(network_ops) / sizeof(network_ops[0]),
        .ops = network_ops,
        .device_count = 1,
        .devices = network_devices,
    },
};
const uint32_t deck_spec_count = sizeof(deck_specs) / sizeof(deck_specs[0]);
