/*
 * deck_validate.h - range checks of operations' parameters.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/execution/deck.yaml
 *             kernel/decks/operations/deck.yaml
 *             kernel/decks/hardware/deck.yaml
 *             kernel/decks/storage/deck.yaml
 *             kernel/decks/network/deck.yaml
 *   template  codegen/templates/deck_validate.h.j2
 *   rebuild   make gen
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/errors.h"

/*
 * Each reads one parameter struct, 8-byte aligned and of its full size, and changes nothing.
 * KERR_BAD_PARAMETER: *bad_offset is the field that is out of range; else *bad_offset stays as it was.
 * Fields that a workflow binds to another stage's value by default are looked at last: before they are bound
 * they are 0 and may fail, and by then all others have passed.
 * Context: any. Called when a workflow is registered, and again on a bound struct before it is handed over.
 */
enum kerr execution_history_validate(const void *params, uint32_t *bad_offset);
enum kerr operations_jpeg_encode_validate(const void *params, uint32_t *bad_offset);
enum kerr operations_convolve_validate(const void *params, uint32_t *bad_offset);
enum kerr operations_zstd_compress_validate(const void *params, uint32_t *bad_offset);
enum kerr operations_statistics_validate(const void *params, uint32_t *bad_offset);
enum kerr operations_histogram_validate(const void *params, uint32_t *bad_offset);
enum kerr operations_merge_validate(const void *params, uint32_t *bad_offset);
enum kerr operations_spectrum_validate(const void *params, uint32_t *bad_offset);
enum kerr operations_http_route_validate(const void *params, uint32_t *bad_offset);
enum kerr operations_entry_validate(const void *params, uint32_t *bad_offset);
enum kerr hardware_convolve_validate(const void *params, uint32_t *bad_offset);
enum kerr hardware_jpeg_encode_validate(const void *params, uint32_t *bad_offset);
enum kerr hardware_tick_validate(const void *params, uint32_t *bad_offset);
enum kerr hardware_wait_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_read_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_write_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_create_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_mkdir_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_list_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_stat_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_remove_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_write_at_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_open_validate(const void *params, uint32_t *bad_offset);
enum kerr storage_append_validate(const void *params, uint32_t *bad_offset);
enum kerr network_udp_send_validate(const void *params, uint32_t *bad_offset);
enum kerr network_udp_receive_validate(const void *params, uint32_t *bad_offset);
enum kerr network_tcp_connect_validate(const void *params, uint32_t *bad_offset);
enum kerr network_tcp_listen_validate(const void *params, uint32_t *bad_offset);
enum kerr network_tcp_receive_validate(const void *params, uint32_t *bad_offset);
enum kerr network_http_receive_validate(const void *params, uint32_t *bad_offset);
enum kerr network_http_send_validate(const void *params, uint32_t *bad_offset);
enum kerr network_http_more_validate(const void *params, uint32_t *bad_offset);
enum kerr network_http_get_validate(const void *params, uint32_t *bad_offset);
