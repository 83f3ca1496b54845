/*
 * storage_validate.c - range checks of the storage deck's parameters.
 *
 * GENERATED, do not edit.
 *   spec      kernel/decks/storage/deck.yaml
 *   template  codegen/templates/deck_validate.c.j2
 *   rebuild   make gen
 */
#include "kernel/nucleus/deck_validate.h"

#include <stddef.h>

#include "kernel/abi/storage.h"

enum kerr storage_read_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_read_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_read_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr storage_write_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_write_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_write_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr storage_create_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_create_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_create_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr storage_mkdir_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_mkdir_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_mkdir_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr storage_list_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_list_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_list_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr storage_stat_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_stat_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_stat_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr storage_remove_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_remove_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_remove_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr storage_write_at_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_write_at_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_write_at_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr storage_open_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_open_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_open_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}

enum kerr storage_append_validate(const void *params, uint32_t *bad_offset)
{
    const struct storage_append_params *p = params;

    if (p->path.length > sizeof(p->path.bytes)) {
        *bad_offset = offsetof(struct storage_append_params, path);
        return KERR_BAD_PARAMETER;
    }
    return KERR_OK;
}
