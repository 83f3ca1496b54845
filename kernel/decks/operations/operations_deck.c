/*
 * operations_deck.c - Operations' side of the typed calls: each hands buffers and parameters to its core and fills in the answer.
 *
 * What a core answers is what the stage answers. The libraries' state is made once, in deck_start(): one instance, one thread.
 */
#include "kernel/decks/operations/operations_ops.h"

#include <sodium.h>
#include <string.h>

#include "kernel/decks/operations/convolve_core.h"
#include "kernel/decks/operations/digest_core.h"
#include "kernel/decks/operations/entry_core.h"
#include "kernel/decks/operations/format_core.h"
#include "kernel/decks/operations/http_render_core.h"
#include "kernel/decks/operations/merge_core.h"
#include "kernel/decks/operations/pack_core.h"
#include "kernel/decks/operations/picture_core.h"
#include "kernel/decks/operations/samples_core.h"
#include "kernel/decks/operations/seal_core.h"
#include "kernel/decks/operations/spectrum_core.h"
#include "kernel/decks/operations/statistics_core.h"
#include "userland/libkwe/common/crc32c.h"
#include "userland/libkwe/deck/deck.h"

static struct picture_codec codec;
static struct packer packer;

enum kerr deck_start(const struct kwe_deck_info *info)
{
    (void)info;
    if (!picture_codec_init(&codec) || !packer_init(&packer)) {
        return KERR_NO_MEMORY;
    }
    if (!seal_init()) {
        deck_die("libsodium found no random numbers");
    }
    return KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits; /* no device */
}

uint64_t deck_idle(void)
{
    return UINT64_MAX;
}

/* Is there room for all that comes out? Its length is said either way. */
static enum kerr take_room(struct deck_room *out, size_t bytes)
{
    out->length = bytes;
    return bytes > out->capacity ? KERR_OUTPUT_TOO_LARGE : KERR_OK;
}

/* ---- pictures -------------------------------------------------------------------------------------------------- */

enum kerr operations_jpeg_decode(struct operations_jpeg_decode_call *call)
{
    return picture_decode(&codec, call->picture.data, call->picture.length, call->pixels.data,
                          call->pixels.capacity, &call->pixels.length, &call->width, &call->height);
}

enum kerr operations_jpeg_encode(struct operations_jpeg_encode_call *call)
{
    size_t copied;
    enum kerr status =
        picture_encode(&codec, call->pixels.data, call->pixels.length, call->params->width,
                       call->params->height, call->params->quality, call->picture.data,
                       call->picture.capacity, &call->picture.length, &copied);

    deck_count_copied_cache(call->request, copied);
    return status;
}

enum kerr operations_convolve(struct operations_convolve_call *call)
{
    const struct operations_convolve_params *params = call->params;
    struct convolution convolution = { .divisor = params->divisor, .bias = params->bias };
    uint64_t bytes = (uint64_t)params->width * params->height * 3;

    if (bytes == 0 || bytes != call->pixels.length) {
        return KERR_BAD_PICTURE;
    }
    if (take_room(&call->filtered, bytes) != KERR_OK) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    memcpy(convolution.weight, params->weights, sizeof(convolution.weight));
    convolve_rgb8(&convolution, call->pixels.data, call->filtered.data, params->width,
                  params->height);
    call->width = params->width;
    call->height = params->height;
    return KERR_OK;
}

/* ---- compression ----------------------------------------------------------------------------------------------- */

enum kerr operations_lz4_compress(struct operations_lz4_compress_call *call)
{
    return pack_lz4(&packer, call->data.data, call->data.length, call->packed.data,
                    call->packed.capacity, &call->packed.length);
}

enum kerr operations_lz4_decompress(struct operations_lz4_decompress_call *call)
{
    return unpack_lz4(call->packed.data, call->packed.length, call->data.data, call->data.capacity,
                      &call->data.length);
}

enum kerr operations_zstd_compress(struct operations_zstd_compress_call *call)
{
    return pack_zstd(&packer, call->params->level, call->data.data, call->data.length,
                     call->packed.data, call->packed.capacity, &call->packed.length);
}

enum kerr operations_zstd_decompress(struct operations_zstd_decompress_call *call)
{
    return unpack_zstd(&packer, call->packed.data, call->packed.length, call->data.data,
                       call->data.capacity, &call->data.length);
}

/* ---- digests ------------------------------------------------------------------------------------------------------ */

enum kerr operations_sha256(struct operations_sha256_call *call)
{
    const enum kerr status = take_room(&call->digest, DIGEST_BYTES);

    if (status == KERR_OK) {
        crypto_hash_sha256(call->digest.data, call->data.data, call->data.length);
    }
    return status;
}

enum kerr operations_sha256_update(struct operations_sha256_update_call *call)
{
    struct digest_state state;
    enum kerr status = digest_load(&state, call->state.data, call->state.length);

    if (status == KERR_OK) {
        status = digest_update(&state, call->data.data, call->data.length);
    }
    if (status == KERR_OK) {
        status = take_room(&call->next, DIGEST_STATE_BYTES);
    }
    if (status != KERR_OK) {
        return status;
    }
    digest_store(&state, call->next.data);
    call->seen = digest_seen(&state);
    return KERR_OK;
}

enum kerr operations_sha256_final(struct operations_sha256_final_call *call)
{
    struct digest_state state;
    enum kerr status = digest_load(&state, call->state.data, call->state.length);

    if (status == KERR_OK) {
        status = take_room(&call->digest, DIGEST_BYTES);
    }
    if (status != KERR_OK) {
        return status;
    }
    call->seen = digest_seen(&state);
    digest_final(&state, call->digest.data);
    return KERR_OK;
}

enum kerr operations_crc32c(struct operations_crc32c_call *call)
{
    call->crc = crc32c(0, call->data.data, call->data.length);
    return KERR_OK;
}

/* ---- sealing ------------------------------------------------------------------------------------------------------ */

enum kerr operations_seal(struct operations_seal_call *call)
{
    return seal_data(call->key.data, call->key.length, call->data.data, call->data.length,
                     call->sealed.data, call->sealed.capacity, &call->sealed.length);
}

enum kerr operations_open(struct operations_open_call *call)
{
    bool changing = call->sealed.writable_by_program;
    enum kerr status =
        seal_open(call->key.data, call->key.length, call->sealed.data, call->sealed.length,
                  changing, call->data.data, call->data.capacity, &call->data.length);

    if (changing) {
        deck_count_copied_cache(call->request, call->sealed.length);
    }
    return status;
}

/* ---- measurements ------------------------------------------------------------------------------------------------- */

enum kerr operations_statistics(struct operations_statistics_call *call)
{
    struct samples samples;
    struct statistics statistics;
    enum kerr status =
        samples_view(&samples, call->params->format, call->samples.data, call->samples.length);

    if (status == KERR_OK) {
        status = take_room(&call->record, sizeof(statistics));
    }
    if (status != KERR_OK) {
        return status;
    }
    statistics_of(&samples, &statistics);
    memcpy(call->record.data, &statistics, sizeof(statistics));
    call->count = statistics.count;
    call->minimum = statistics.minimum;
    call->maximum = statistics.maximum;
    call->mean = statistics.mean;
    return KERR_OK;
}

enum kerr operations_histogram(struct operations_histogram_call *call)
{
    const struct operations_histogram_params *params = call->params;
    const struct histogram histogram = { params->low, params->high, params->bins };
    const size_t bytes = ((size_t)params->bins + HISTOGRAM_RESTS) * sizeof(uint64_t);
    uint64_t *counts = (uint64_t *)(void *)call->counts.data; /* outputs lie on cache lines */
    struct samples samples;
    enum kerr status =
        samples_view(&samples, params->format, call->samples.data, call->samples.length);

    if (status == KERR_OK) {
        status = take_room(&call->counts, bytes);
    }
    if (status == KERR_OK) {
        status = histogram_of(&samples, &histogram, counts);
    }
    if (status != KERR_OK) {
        return status;
    }
    call->below = counts[params->bins + HISTOGRAM_BELOW];
    call->above = counts[params->bins + HISTOGRAM_ABOVE];
    call->unordered = counts[params->bins + HISTOGRAM_UNORDERED];
    return KERR_OK;
}

enum kerr operations_spectrum(struct operations_spectrum_call *call)
{
    const struct operations_spectrum_params *params = call->params;
    struct samples samples;
    enum kerr status =
        samples_view(&samples, params->format, call->samples.data, call->samples.length);

    if (status != KERR_OK) {
        return status;
    }
    const struct spectrum spectrum = {
        .size = params->size != 0 ? params->size : samples.count,
        .window = (enum spectrum_window)params->window,
        .power = params->power != 0,
        .progress = deck_progress,
    };
    if (spectrum.size > SPECTRUM_SIZE_MAX) {
        return KERR_TOO_LARGE;
    }
    const size_t bytes = spectrum_lines(spectrum.size) * sizeof(double);
    if (take_room(&call->lines, bytes) != KERR_OK) {
        return KERR_OUTPUT_TOO_LARGE;
    }
    /* Outputs lie on cache lines. */
    status = spectrum_of(&samples, &spectrum, (double *)(void *)call->lines.data);
    call->count = spectrum_lines(spectrum.size);
    return status;
}

/* ---- joining ------------------------------------------------------------------------------------------------------ */

enum kerr operations_merge(struct operations_merge_call *call)
{
    const struct deck_bytes inputs[] = { call->part1, call->part2, call->part3, call->part4,
                                         call->part5, call->part6, call->part7, call->part8 };
    struct merge_part parts[sizeof(inputs) / sizeof(inputs[0])];
    size_t count = 0;

    while (count < sizeof(inputs) / sizeof(inputs[0]) && inputs[count].data != NULL) {
        parts[count] = (struct merge_part){ inputs[count].data, inputs[count].length };
        count++;
    }
    enum kerr status = merge_parts(parts, count, call->params->header != 0, call->merged.data,
                                   call->merged.capacity, &call->merged.length);
    if (status == KERR_OK) {
        deck_count_copied_cache(call->request, call->merged.length);
    }
    call->parts = count;
    return status;
}

/* ---- texts -------------------------------------------------------------------------------------------------------- */

enum kerr operations_format(struct operations_format_call *call)
{
    const struct operations_format_params *params = call->params;
    const uint64_t numbers[FORMAT_NUMBERS] = { params->a, params->b, params->c, params->d };

    return format_text((const char *)call->template.data, call->template.length, numbers,
                       (char *)call->text.data, call->text.capacity, &call->text.length);
}

enum kerr operations_entry(struct operations_entry_call *call)
{
    const struct operations_entry_params *params = call->params;
    struct kwe_path path;
    enum kerr status = entry_path((const char *)call->entries.data, call->entries.length,
                                  &params->directory, params->number, &path, &call->count);

    if (status == KERR_OK) {
        status = take_room(&call->path, sizeof(path));
    }
    if (status == KERR_OK) {
        memcpy(call->path.data, &path, sizeof(path));
    }
    return status;
}

/* ---- HTTP ------------------------------------------------------------------------------------------------------ */

static struct http_words words(struct deck_bytes bytes)
{
    return (struct http_words){ (const char *)bytes.data, bytes.length };
}

/* The table of routes that came last; an instance is one thread. */
static struct http_table routes_table;

enum kerr operations_http_route(struct operations_http_route_call *call)
{
    struct kwe_http_request request;
    struct http_route route;
    enum kerr status = http_table_read(&routes_table, words(call->routes));

    if (status == KERR_OK) {
        status =
            http_route(call->question.data, call->question.length, &routes_table, &request, &route);
    }
    if (status == KERR_OK) {
        status = take_room(&call->path, sizeof(route.path));
    }
    if (status != KERR_OK) {
        return status;
    }
    memcpy(call->path.data, &route.path, sizeof(route.path));
    call->kind = route.kind;
    call->answer = route.status;
    http_route_part(&route, &request, call->params->part_bytes, &call->offset, &call->bytes);
    return KERR_OK;
}

enum kerr operations_http_form(struct operations_http_form_call *call)
{
    struct http_text line = { .bytes = (char *)call->line.data, .capacity = call->line.capacity };
    enum kerr status = http_form(call->question.data, call->question.length, &line);

    call->line.length = line.length;
    return status;
}

enum kerr operations_http_render(struct operations_http_render_call *call)
{
    const struct operations_http_render_params *params = call->params;
    const uint32_t change =
        params->form_status != KERR_OK ? params->form_status : params->change_status;
    const struct http_outcome outcome = { .load = (enum kerr)params->load_status,
                                          .list = (enum kerr)params->list_status,
                                          .change = (enum kerr)change,
                                          .size = params->size,
                                          .mtime = params->mtime,
                                          .loaded = params->loaded,
                                          .list_lines = words(call->entries),
                                          .text = words(call->text) };
    struct http_page page = { .text = { .bytes = (char *)call->page.data,
                                        .capacity = call->page.capacity } };
    enum kerr status = http_table_read(&routes_table, words(call->routes));

    if (status == KERR_OK) {
        status =
            http_render(call->question.data, call->question.length, &routes_table, &outcome, &page);
    }
    call->page.length = page.text.length;
    call->answer = page.status;
    call->head_bytes = page.head_bytes;
    call->body_bytes = page.length;
    call->more_bytes = page.more_bytes;
    return status;
}
