/*
 * operations_dispatch.c - operations deck: from a request to its function.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/operations/deck.yaml
 *   template  codegen/templates/deck_dispatch.c.j2
 *   rebuild   make gen
 */
#include "kernel/decks/operations/operations_ops.h"

static enum kerr run_jpeg_decode(struct deck_request *request)
{
    struct operations_jpeg_decode_call call = {
        .request = request,
        .picture = deck_input(request, OPERATIONS_JPEG_DECODE_INPUT_PICTURE),
        .pixels = deck_output(request),
    };
    enum kerr status = operations_jpeg_decode(&call);

    deck_set_output_length(request, call.pixels.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_JPEG_DECODE_VALUE_WIDTH, call.width);
        deck_set_value(request, OPERATIONS_JPEG_DECODE_VALUE_HEIGHT, call.height);
    }
    return status;
}

static enum kerr run_jpeg_encode(struct deck_request *request)
{
    struct operations_jpeg_encode_call call = {
        .request = request,
        .params = deck_params(request),
        .pixels = deck_input(request, OPERATIONS_JPEG_ENCODE_INPUT_PIXELS),
        .picture = deck_output(request),
    };
    enum kerr status = operations_jpeg_encode(&call);

    deck_set_output_length(request, call.picture.length);
    return status;
}

static enum kerr run_convolve(struct deck_request *request)
{
    struct operations_convolve_call call = {
        .request = request,
        .params = deck_params(request),
        .pixels = deck_input(request, OPERATIONS_CONVOLVE_INPUT_PIXELS),
        .filtered = deck_output(request),
    };
    enum kerr status = operations_convolve(&call);

    deck_set_output_length(request, call.filtered.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_CONVOLVE_VALUE_WIDTH, call.width);
        deck_set_value(request, OPERATIONS_CONVOLVE_VALUE_HEIGHT, call.height);
    }
    return status;
}

static enum kerr run_lz4_compress(struct deck_request *request)
{
    struct operations_lz4_compress_call call = {
        .request = request,
        .data = deck_input(request, OPERATIONS_LZ4_COMPRESS_INPUT_DATA),
        .packed = deck_output(request),
    };
    enum kerr status = operations_lz4_compress(&call);

    deck_set_output_length(request, call.packed.length);
    return status;
}

static enum kerr run_lz4_decompress(struct deck_request *request)
{
    struct operations_lz4_decompress_call call = {
        .request = request,
        .packed = deck_input(request, OPERATIONS_LZ4_DECOMPRESS_INPUT_PACKED),
        .data = deck_output(request),
    };
    enum kerr status = operations_lz4_decompress(&call);

    deck_set_output_length(request, call.data.length);
    return status;
}

static enum kerr run_zstd_compress(struct deck_request *request)
{
    struct operations_zstd_compress_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_input(request, OPERATIONS_ZSTD_COMPRESS_INPUT_DATA),
        .packed = deck_output(request),
    };
    enum kerr status = operations_zstd_compress(&call);

    deck_set_output_length(request, call.packed.length);
    return status;
}

static enum kerr run_zstd_decompress(struct deck_request *request)
{
    struct operations_zstd_decompress_call call = {
        .request = request,
        .packed = deck_input(request, OPERATIONS_ZSTD_DECOMPRESS_INPUT_PACKED),
        .data = deck_output(request),
    };
    enum kerr status = operations_zstd_decompress(&call);

    deck_set_output_length(request, call.data.length);
    return status;
}

static enum kerr run_sha256(struct deck_request *request)
{
    struct operations_sha256_call call = {
        .request = request,
        .data = deck_input(request, OPERATIONS_SHA256_INPUT_DATA),
        .digest = deck_output(request),
    };
    enum kerr status = operations_sha256(&call);

    deck_set_output_length(request, call.digest.length);
    return status;
}

static enum kerr run_crc32c(struct deck_request *request)
{
    struct operations_crc32c_call call = {
        .request = request,
        .data = deck_input(request, OPERATIONS_CRC32C_INPUT_DATA),
    };
    enum kerr status = operations_crc32c(&call);

    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_CRC32C_VALUE_CRC, call.crc);
    }
    return status;
}

static enum kerr run_seal(struct deck_request *request)
{
    struct operations_seal_call call = {
        .request = request,
        .data = deck_input(request, OPERATIONS_SEAL_INPUT_DATA),
        .key = deck_input(request, OPERATIONS_SEAL_INPUT_KEY),
        .sealed = deck_output(request),
    };
    enum kerr status = operations_seal(&call);

    deck_set_output_length(request, call.sealed.length);
    return status;
}

static enum kerr run_open(struct deck_request *request)
{
    struct operations_open_call call = {
        .request = request,
        .sealed = deck_input(request, OPERATIONS_OPEN_INPUT_SEALED),
        .key = deck_input(request, OPERATIONS_OPEN_INPUT_KEY),
        .data = deck_output(request),
    };
    enum kerr status = operations_open(&call);

    deck_set_output_length(request, call.data.length);
    return status;
}

static enum kerr run_statistics(struct deck_request *request)
{
    struct operations_statistics_call call = {
        .request = request,
        .params = deck_params(request),
        .samples = deck_input(request, OPERATIONS_STATISTICS_INPUT_SAMPLES),
        .record = deck_output(request),
    };
    enum kerr status = operations_statistics(&call);

    deck_set_output_length(request, call.record.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_STATISTICS_VALUE_COUNT, call.count);
        deck_set_value(request, OPERATIONS_STATISTICS_VALUE_MINIMUM, deck_f64_bits(call.minimum));
        deck_set_value(request, OPERATIONS_STATISTICS_VALUE_MAXIMUM, deck_f64_bits(call.maximum));
        deck_set_value(request, OPERATIONS_STATISTICS_VALUE_MEAN, deck_f64_bits(call.mean));
    }
    return status;
}

static enum kerr run_histogram(struct deck_request *request)
{
    struct operations_histogram_call call = {
        .request = request,
        .params = deck_params(request),
        .samples = deck_input(request, OPERATIONS_HISTOGRAM_INPUT_SAMPLES),
        .counts = deck_output(request),
    };
    enum kerr status = operations_histogram(&call);

    deck_set_output_length(request, call.counts.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_HISTOGRAM_VALUE_BELOW, call.below);
        deck_set_value(request, OPERATIONS_HISTOGRAM_VALUE_ABOVE, call.above);
        deck_set_value(request, OPERATIONS_HISTOGRAM_VALUE_UNORDERED, call.unordered);
    }
    return status;
}

static enum kerr run_merge(struct deck_request *request)
{
    struct operations_merge_call call = {
        .request = request,
        .params = deck_params(request),
        .part1 = deck_input(request, OPERATIONS_MERGE_INPUT_PART1),
        .part2 = deck_input(request, OPERATIONS_MERGE_INPUT_PART2),
        .part3 = deck_input(request, OPERATIONS_MERGE_INPUT_PART3),
        .part4 = deck_input(request, OPERATIONS_MERGE_INPUT_PART4),
        .part5 = deck_input(request, OPERATIONS_MERGE_INPUT_PART5),
        .part6 = deck_input(request, OPERATIONS_MERGE_INPUT_PART6),
        .part7 = deck_input(request, OPERATIONS_MERGE_INPUT_PART7),
        .part8 = deck_input(request, OPERATIONS_MERGE_INPUT_PART8),
        .merged = deck_output(request),
    };
    enum kerr status = operations_merge(&call);

    deck_set_output_length(request, call.merged.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_MERGE_VALUE_PARTS, call.parts);
    }
    return status;
}

static enum kerr run_sha256_update(struct deck_request *request)
{
    struct operations_sha256_update_call call = {
        .request = request,
        .data = deck_input(request, OPERATIONS_SHA256_UPDATE_INPUT_DATA),
        .state = deck_input(request, OPERATIONS_SHA256_UPDATE_INPUT_STATE),
        .next = deck_output(request),
    };
    enum kerr status = operations_sha256_update(&call);

    deck_set_output_length(request, call.next.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_SHA256_UPDATE_VALUE_SEEN, call.seen);
    }
    return status;
}

static enum kerr run_sha256_final(struct deck_request *request)
{
    struct operations_sha256_final_call call = {
        .request = request,
        .state = deck_input(request, OPERATIONS_SHA256_FINAL_INPUT_STATE),
        .digest = deck_output(request),
    };
    enum kerr status = operations_sha256_final(&call);

    deck_set_output_length(request, call.digest.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_SHA256_FINAL_VALUE_SEEN, call.seen);
    }
    return status;
}

static enum kerr run_spectrum(struct deck_request *request)
{
    struct operations_spectrum_call call = {
        .request = request,
        .params = deck_params(request),
        .samples = deck_input(request, OPERATIONS_SPECTRUM_INPUT_SAMPLES),
        .lines = deck_output(request),
    };
    enum kerr status = operations_spectrum(&call);

    deck_set_output_length(request, call.lines.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_SPECTRUM_VALUE_COUNT, call.count);
    }
    return status;
}

static enum kerr run_http_route(struct deck_request *request)
{
    struct operations_http_route_call call = {
        .request = request,
        .params = deck_params(request),
        .question = deck_input(request, OPERATIONS_HTTP_ROUTE_INPUT_QUESTION),
        .routes = deck_input(request, OPERATIONS_HTTP_ROUTE_INPUT_ROUTES),
        .path = deck_output(request),
    };
    enum kerr status = operations_http_route(&call);

    deck_set_output_length(request, call.path.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_HTTP_ROUTE_VALUE_KIND, call.kind);
        deck_set_value(request, OPERATIONS_HTTP_ROUTE_VALUE_ANSWER, call.answer);
        deck_set_value(request, OPERATIONS_HTTP_ROUTE_VALUE_OFFSET, call.offset);
        deck_set_value(request, OPERATIONS_HTTP_ROUTE_VALUE_BYTES, call.bytes);
    }
    return status;
}

static enum kerr run_http_form(struct deck_request *request)
{
    struct operations_http_form_call call = {
        .request = request,
        .question = deck_input(request, OPERATIONS_HTTP_FORM_INPUT_QUESTION),
        .line = deck_output(request),
    };
    enum kerr status = operations_http_form(&call);

    deck_set_output_length(request, call.line.length);
    return status;
}

static enum kerr run_http_render(struct deck_request *request)
{
    struct operations_http_render_call call = {
        .request = request,
        .params = deck_params(request),
        .question = deck_input(request, OPERATIONS_HTTP_RENDER_INPUT_QUESTION),
        .routes = deck_input(request, OPERATIONS_HTTP_RENDER_INPUT_ROUTES),
        .text = deck_input(request, OPERATIONS_HTTP_RENDER_INPUT_TEXT),
        .entries = deck_input(request, OPERATIONS_HTTP_RENDER_INPUT_ENTRIES),
        .page = deck_output(request),
    };
    enum kerr status = operations_http_render(&call);

    deck_set_output_length(request, call.page.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_HTTP_RENDER_VALUE_ANSWER, call.answer);
        deck_set_value(request, OPERATIONS_HTTP_RENDER_VALUE_HEAD_BYTES, call.head_bytes);
        deck_set_value(request, OPERATIONS_HTTP_RENDER_VALUE_BODY_BYTES, call.body_bytes);
        deck_set_value(request, OPERATIONS_HTTP_RENDER_VALUE_MORE_BYTES, call.more_bytes);
    }
    return status;
}

static enum kerr run_format(struct deck_request *request)
{
    struct operations_format_call call = {
        .request = request,
        .params = deck_params(request),
        .template = deck_input(request, OPERATIONS_FORMAT_INPUT_TEMPLATE),
        .text = deck_output(request),
    };
    enum kerr status = operations_format(&call);

    deck_set_output_length(request, call.text.length);
    return status;
}

static enum kerr run_entry(struct deck_request *request)
{
    struct operations_entry_call call = {
        .request = request,
        .params = deck_params(request),
        .entries = deck_input(request, OPERATIONS_ENTRY_INPUT_ENTRIES),
        .path = deck_output(request),
    };
    enum kerr status = operations_entry(&call);

    deck_set_output_length(request, call.path.length);
    if (status == KERR_OK) {
        deck_set_value(request, OPERATIONS_ENTRY_VALUE_COUNT, call.count);
    }
    return status;
}

enum kerr deck_dispatch(struct deck_request *request, uint16_t op)
{
    switch (op) {
    case OPERATIONS_OP_JPEG_DECODE:
        return run_jpeg_decode(request);
    case OPERATIONS_OP_JPEG_ENCODE:
        return run_jpeg_encode(request);
    case OPERATIONS_OP_CONVOLVE:
        return run_convolve(request);
    case OPERATIONS_OP_LZ4_COMPRESS:
        return run_lz4_compress(request);
    case OPERATIONS_OP_LZ4_DECOMPRESS:
        return run_lz4_decompress(request);
    case OPERATIONS_OP_ZSTD_COMPRESS:
        return run_zstd_compress(request);
    case OPERATIONS_OP_ZSTD_DECOMPRESS:
        return run_zstd_decompress(request);
    case OPERATIONS_OP_SHA256:
        return run_sha256(request);
    case OPERATIONS_OP_CRC32C:
        return run_crc32c(request);
    case OPERATIONS_OP_SEAL:
        return run_seal(request);
    case OPERATIONS_OP_OPEN:
        return run_open(request);
    case OPERATIONS_OP_STATISTICS:
        return run_statistics(request);
    case OPERATIONS_OP_HISTOGRAM:
        return run_histogram(request);
    case OPERATIONS_OP_MERGE:
        return run_merge(request);
    case OPERATIONS_OP_SHA256_UPDATE:
        return run_sha256_update(request);
    case OPERATIONS_OP_SHA256_FINAL:
        return run_sha256_final(request);
    case OPERATIONS_OP_SPECTRUM:
        return run_spectrum(request);
    case OPERATIONS_OP_HTTP_ROUTE:
        return run_http_route(request);
    case OPERATIONS_OP_HTTP_FORM:
        return run_http_form(request);
    case OPERATIONS_OP_HTTP_RENDER:
        return run_http_render(request);
    case OPERATIONS_OP_FORMAT:
        return run_format(request);
    case OPERATIONS_OP_ENTRY:
        return run_entry(request);
    default:
        return KERR_UNKNOWN_OP;
    }
}

bool deck_op_uses_fibre(uint16_t op)
{
    (void)op;
    return false;
}
