/*
 * op_values.c - the values that operations answer, by name.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/execution/deck.yaml
 *             kernel/decks/operations/deck.yaml
 *             kernel/decks/hardware/deck.yaml
 *             kernel/decks/storage/deck.yaml
 *             kernel/decks/network/deck.yaml
 *   template  codegen/templates/op_values.c.j2
 *   rebuild   make gen
 */
#include "userland/libkwe/op_values.h"

#include "kernel/abi/execution.h"
#include "kernel/abi/hardware.h"
#include "kernel/abi/network.h"
#include "kernel/abi/operations.h"
#include "kernel/abi/storage.h"

const struct kwe_op_value kwe_op_values[34] = {
    {
        .deck = EXECUTION_PREFIX,
        .width = 8,
        .op = EXECUTION_OP_HISTORY,
        .index = EXECUTION_HISTORY_VALUE_RECORDED,
        .name = "recorded",
    },
    {
        .deck = EXECUTION_PREFIX,
        .width = 8,
        .op = EXECUTION_OP_COUNTERS,
        .index = EXECUTION_COUNTERS_VALUE_SEEN,
        .name = "seen",
    },
    {
        .deck = EXECUTION_PREFIX,
        .width = 8,
        .op = EXECUTION_OP_COUNTERS,
        .index = EXECUTION_COUNTERS_VALUE_FAILED,
        .name = "failed",
    },
    {
        .deck = EXECUTION_PREFIX,
        .width = 8,
        .op = EXECUTION_OP_COUNTERS,
        .index = EXECUTION_COUNTERS_VALUE_LONGEST_NS,
        .name = "longest_ns",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 4,
        .op = OPERATIONS_OP_JPEG_DECODE,
        .index = OPERATIONS_JPEG_DECODE_VALUE_WIDTH,
        .name = "width",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 4,
        .op = OPERATIONS_OP_JPEG_DECODE,
        .index = OPERATIONS_JPEG_DECODE_VALUE_HEIGHT,
        .name = "height",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 4,
        .op = OPERATIONS_OP_CONVOLVE,
        .index = OPERATIONS_CONVOLVE_VALUE_WIDTH,
        .name = "width",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 4,
        .op = OPERATIONS_OP_CONVOLVE,
        .index = OPERATIONS_CONVOLVE_VALUE_HEIGHT,
        .name = "height",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 4,
        .op = OPERATIONS_OP_CRC32C,
        .index = OPERATIONS_CRC32C_VALUE_CRC,
        .name = "crc",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_STATISTICS,
        .index = OPERATIONS_STATISTICS_VALUE_COUNT,
        .name = "count",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_STATISTICS,
        .index = OPERATIONS_STATISTICS_VALUE_MINIMUM,
        .name = "minimum",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_STATISTICS,
        .index = OPERATIONS_STATISTICS_VALUE_MAXIMUM,
        .name = "maximum",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_STATISTICS,
        .index = OPERATIONS_STATISTICS_VALUE_MEAN,
        .name = "mean",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_HISTOGRAM,
        .index = OPERATIONS_HISTOGRAM_VALUE_BELOW,
        .name = "below",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_HISTOGRAM,
        .index = OPERATIONS_HISTOGRAM_VALUE_ABOVE,
        .name = "above",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_HISTOGRAM,
        .index = OPERATIONS_HISTOGRAM_VALUE_UNORDERED,
        .name = "unordered",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_MERGE,
        .index = OPERATIONS_MERGE_VALUE_PARTS,
        .name = "parts",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_SHA256_UPDATE,
        .index = OPERATIONS_SHA256_UPDATE_VALUE_SEEN,
        .name = "seen",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_SHA256_FINAL,
        .index = OPERATIONS_SHA256_FINAL_VALUE_SEEN,
        .name = "seen",
    },
    {
        .deck = OPERATIONS_PREFIX,
        .width = 8,
        .op = OPERATIONS_OP_SPECTRUM,
        .index = OPERATIONS_SPECTRUM_VALUE_COUNT,
        .name = "count",
    },
    {
        .deck = HARDWARE_PREFIX,
        .width = 4,
        .op = HARDWARE_OP_CONVOLVE,
        .index = HARDWARE_CONVOLVE_VALUE_WIDTH,
        .name = "width",
    },
    {
        .deck = HARDWARE_PREFIX,
        .width = 4,
        .op = HARDWARE_OP_CONVOLVE,
        .index = HARDWARE_CONVOLVE_VALUE_HEIGHT,
        .name = "height",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 8,
        .op = STORAGE_OP_READ,
        .index = STORAGE_READ_VALUE_SIZE,
        .name = "size",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 8,
        .op = STORAGE_OP_WRITE,
        .index = STORAGE_WRITE_VALUE_WRITTEN,
        .name = "written",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 8,
        .op = STORAGE_OP_LIST,
        .index = STORAGE_LIST_VALUE_COUNT,
        .name = "count",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 8,
        .op = STORAGE_OP_STAT,
        .index = STORAGE_STAT_VALUE_SIZE,
        .name = "size",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 4,
        .op = STORAGE_OP_STAT,
        .index = STORAGE_STAT_VALUE_KIND,
        .name = "kind",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 8,
        .op = STORAGE_OP_STAT,
        .index = STORAGE_STAT_VALUE_MTIME,
        .name = "mtime",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 8,
        .op = STORAGE_OP_WRITE_AT,
        .index = STORAGE_WRITE_AT_VALUE_WRITTEN,
        .name = "written",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 8,
        .op = STORAGE_OP_OPEN,
        .index = STORAGE_OPEN_VALUE_HANDLE,
        .name = "handle",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 8,
        .op = STORAGE_OP_OPEN,
        .index = STORAGE_OPEN_VALUE_SIZE,
        .name = "size",
    },
    {
        .deck = STORAGE_PREFIX,
        .width = 8,
        .op = STORAGE_OP_READ_AT,
        .index = STORAGE_READ_AT_VALUE_SIZE,
        .name = "size",
    },
    {
        .deck = NETWORK_PREFIX,
        .width = 8,
        .op = NETWORK_OP_LINK,
        .index = NETWORK_LINK_VALUE_MAC,
        .name = "mac",
    },
    {
        .deck = NETWORK_PREFIX,
        .width = 4,
        .op = NETWORK_OP_LINK,
        .index = NETWORK_LINK_VALUE_UP,
        .name = "up",
    },
};
const size_t kwe_op_value_count = 34;
