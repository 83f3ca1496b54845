/*
 * storage_dispatch.c - storage deck: from a request to its function.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/storage/deck.yaml
 *   template  codegen/templates/deck_dispatch.c.j2
 *   rebuild   make gen
 */
#include "kernel/decks/storage/storage_ops.h"

static enum kerr run_read(struct deck_request *request)
{
    struct storage_read_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_output(request),
    };
    enum kerr status = storage_read(&call);

    deck_set_output_length(request, call.data.length);
    if (status == KERR_OK) {
        deck_set_value(request, STORAGE_READ_VALUE_SIZE, call.size);
        deck_set_value(request, STORAGE_READ_VALUE_MTIME, call.mtime);
    }
    return status;
}

static enum kerr run_write(struct deck_request *request)
{
    struct storage_write_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_input(request, STORAGE_WRITE_INPUT_DATA),
    };
    enum kerr status = storage_write(&call);

    if (status == KERR_OK) {
        deck_set_value(request, STORAGE_WRITE_VALUE_WRITTEN, call.written);
    }
    return status;
}

static enum kerr run_create(struct deck_request *request)
{
    struct storage_create_call call = {
        .request = request,
        .params = deck_params(request),
    };
    return storage_create(&call);
}

static enum kerr run_mkdir(struct deck_request *request)
{
    struct storage_mkdir_call call = {
        .request = request,
        .params = deck_params(request),
    };
    return storage_mkdir(&call);
}

static enum kerr run_list(struct deck_request *request)
{
    struct storage_list_call call = {
        .request = request,
        .params = deck_params(request),
        .entries = deck_output(request),
    };
    enum kerr status = storage_list(&call);

    deck_set_output_length(request, call.entries.length);
    if (status == KERR_OK) {
        deck_set_value(request, STORAGE_LIST_VALUE_COUNT, call.count);
    }
    return status;
}

static enum kerr run_stat(struct deck_request *request)
{
    struct storage_stat_call call = {
        .request = request,
        .params = deck_params(request),
    };
    enum kerr status = storage_stat(&call);

    if (status == KERR_OK) {
        deck_set_value(request, STORAGE_STAT_VALUE_SIZE, call.size);
        deck_set_value(request, STORAGE_STAT_VALUE_KIND, call.kind);
        deck_set_value(request, STORAGE_STAT_VALUE_MTIME, call.mtime);
    }
    return status;
}

static enum kerr run_remove(struct deck_request *request)
{
    struct storage_remove_call call = {
        .request = request,
        .params = deck_params(request),
    };
    return storage_remove(&call);
}

static enum kerr run_sync(struct deck_request *request)
{
    struct storage_sync_call call = {
        .request = request,
    };
    return storage_sync(&call);
}

static enum kerr run_write_at(struct deck_request *request)
{
    struct storage_write_at_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_input(request, STORAGE_WRITE_AT_INPUT_DATA),
    };
    enum kerr status = storage_write_at(&call);

    if (status == KERR_OK) {
        deck_set_value(request, STORAGE_WRITE_AT_VALUE_WRITTEN, call.written);
    }
    return status;
}

static enum kerr run_open(struct deck_request *request)
{
    struct storage_open_call call = {
        .request = request,
        .params = deck_params(request),
    };
    enum kerr status = storage_open(&call);

    if (status == KERR_OK) {
        deck_set_value(request, STORAGE_OPEN_VALUE_HANDLE, call.handle);
        deck_set_value(request, STORAGE_OPEN_VALUE_SIZE, call.size);
    }
    return status;
}

static enum kerr run_read_at(struct deck_request *request)
{
    struct storage_read_at_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_output(request),
    };
    enum kerr status = storage_read_at(&call);

    deck_set_output_length(request, call.data.length);
    if (status == KERR_OK) {
        deck_set_value(request, STORAGE_READ_AT_VALUE_SIZE, call.size);
    }
    return status;
}

static enum kerr run_close(struct deck_request *request)
{
    struct storage_close_call call = {
        .request = request,
        .params = deck_params(request),
    };
    return storage_close(&call);
}

static enum kerr run_append(struct deck_request *request)
{
    struct storage_append_call call = {
        .request = request,
        .params = deck_params(request),
        .data = deck_input(request, STORAGE_APPEND_INPUT_DATA),
    };
    enum kerr status = storage_append(&call);

    if (status == KERR_OK) {
        deck_set_value(request, STORAGE_APPEND_VALUE_OFFSET, call.offset);
    }
    return status;
}

enum kerr deck_dispatch(struct deck_request *request, uint16_t op)
{
    switch (op) {
    case STORAGE_OP_READ:
        return run_read(request);
    case STORAGE_OP_WRITE:
        return run_write(request);
    case STORAGE_OP_CREATE:
        return run_create(request);
    case STORAGE_OP_MKDIR:
        return run_mkdir(request);
    case STORAGE_OP_LIST:
        return run_list(request);
    case STORAGE_OP_STAT:
        return run_stat(request);
    case STORAGE_OP_REMOVE:
        return run_remove(request);
    case STORAGE_OP_SYNC:
        return run_sync(request);
    case STORAGE_OP_WRITE_AT:
        return run_write_at(request);
    case STORAGE_OP_OPEN:
        return run_open(request);
    case STORAGE_OP_READ_AT:
        return run_read_at(request);
    case STORAGE_OP_CLOSE:
        return run_close(request);
    case STORAGE_OP_APPEND:
        return run_append(request);
    default:
        return KERR_UNKNOWN_OP;
    }
}

bool deck_op_uses_fibre(uint16_t op)
{
    switch (op) {
    case STORAGE_OP_READ:
    case STORAGE_OP_WRITE:
    case STORAGE_OP_CREATE:
    case STORAGE_OP_MKDIR:
    case STORAGE_OP_LIST:
    case STORAGE_OP_STAT:
    case STORAGE_OP_REMOVE:
    case STORAGE_OP_SYNC:
    case STORAGE_OP_WRITE_AT:
    case STORAGE_OP_OPEN:
    case STORAGE_OP_READ_AT:
    case STORAGE_OP_APPEND:
        return true;
    default:
        return false;
    }
}
