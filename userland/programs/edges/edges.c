/*
 * edges.c - the job of userland/workflows/video.yaml as a program: every frame in /in/clip, read, decoded, filtered, encoded, written to /out/edges.
 * The example to copy. To run it:
 *
 *   kwe disk make frames.img clip=DIR
 *   kwe boot edges --disk frames.img
 *   kwe disk fetch frames.img /out/edges OUT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userland/libkwe/kwe_hardware.h"
#include "userland/libkwe/kwe_operations.h"
#include "userland/libkwe/kwe_storage.h"

#define IN            "/in/clip"
#define OUT           "/out/edges"
#define LIST_BYTES    (1u << 20)
#define PICTURE_BYTES (1u << 20) /* a larger file ends with OUTPUT_TOO_LARGE ... */
#define PIXEL_BYTES   (4u << 20) /* ... and so does a larger picture */
#define SLOTS         4          /* frames under way at once */
#define PLACES        64 /* frames submitted at once; a power of two: it is the ring's size */

/* What differs from frame to frame: the event's block. It lies in the program's part of the arena, and the kernel copies it at intake. */
struct frame_paths {
    struct kwe_path in, out;
};

static void give_up(const char *what, const char *why)
{
    kwe_log("%s: %s", what, why);
    exit(1);
}

static void must(int answer, const char *what)
{
    if (answer < 0) {
        give_up(what, kerr_sentence((enum kerr) - answer));
    }
}

static void register_or_die(struct kwe_builder *builder, struct kwe_workflow_info *workflow)
{
    if (kwe_register(builder, workflow) < 0) {
        give_up("registering", kwe_builder_error(builder));
    }
    kwe_builder_destroy(builder);
}

/* Run a workflow of one event that has no variables; its output as a text of our own. */
static char *run_once(struct kwe_rings *rings, struct kwe_builder *builder, const char *what)
{
    struct kwe_workflow_info workflow;
    struct kwe_result result;

    register_or_die(builder, &workflow);
    struct kwe_event event = { .workflow = workflow.workflow };
    must(kwe_submit(rings, &event, 1), what);
    must(kwe_wait(rings, 1, UINT64_MAX), what);
    if (!kwe_result_next(rings, &result) || result.status != KERR_OK) {
        give_up(what, kerr_sentence((enum kerr)result.status));
    }
    char *text =
        strndup(result.length > 0 ? kwe_result_bytes(&workflow, &result) : "", result.length);
    must(kwe_unregister(&workflow), what);
    return text;
}

static char *list_frames(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("list");
    struct storage_list_params params = storage_list_defaults();

    kwe_path(&params.path, IN);
    kwe_stage_t list = kwe_storage_list(builder, "list", &params);
    kwe_out_limit(builder, list, LIST_BYTES);
    kwe_manifest_subtree(builder, IN, KWE_MANIFEST_READ);
    kwe_result(builder, list);
    return run_once(rings, builder, "listing " IN);
}

/* Until this has its result, what was written may still be in the Storage deck's memory. */
static void sync_disk(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("sync");

    kwe_storage_sync(builder, "sync");
    free(run_once(rings, builder, "syncing"));
}

/* Route [3, 1, 2, 1, 3, 0]. Mistakes stick in the builder until it is registered, so nothing needs a check here. */
static void register_edges(struct kwe_workflow_info *workflow)
{
    struct kwe_builder *builder = kwe_builder_create("edges");
    struct storage_read_params read = storage_read_defaults();
    struct storage_write_params write = storage_write_defaults();
    struct hardware_convolve_params filter = hardware_convolve_defaults();
    struct operations_jpeg_encode_params quality = operations_jpeg_encode_defaults();

    for (unsigned i = 0; i < 9; i++) {
        filter.weights[i] = i == 4 ? 8 : -1;
    }
    kwe_stage_t load = kwe_storage_read(builder, "load", &read);
    kwe_stage_t decode = kwe_operations_jpeg_decode(builder, "decode", load);
    kwe_stage_t edges = kwe_hardware_convolve(builder, "edges", decode, &filter);
    kwe_stage_t encode = kwe_operations_jpeg_encode(builder, "encode", edges, &quality);
    kwe_stage_t save = kwe_storage_write(builder, "save", encode, &write);

    kwe_out_limit(builder, load, PICTURE_BYTES);
    kwe_out_limit(builder, decode, PIXEL_BYTES);
    kwe_block_bytes(builder, sizeof(struct frame_paths));
    kwe_program_bytes(builder, PLACES * sizeof(struct frame_paths));
    kwe_param_block(builder, load, offsetof(struct storage_read_params, path),
                    sizeof(struct kwe_path), offsetof(struct frame_paths, in));
    kwe_param_block(builder, save, offsetof(struct storage_write_params, path),
                    sizeof(struct kwe_path), offsetof(struct frame_paths, out));
    kwe_manifest_subtree(builder, IN, KWE_MANIFEST_READ);
    kwe_manifest_subtree(builder, OUT, KWE_MANIFEST_WRITE);
    kwe_slots(builder, SLOTS);
    register_or_die(builder, workflow);
}

/* The next file of a list ("f SIZE NAME" a line), its paths put into `paths`. False: that was all. */
static bool next_frame(char **list, struct frame_paths *paths)
{
    char text[sizeof(IN) + 256];
    char *line;

    while ((line = strsep(list, "\n")) != NULL) {
        char *name = line[0] == 'f' ? strchr(line + 2, ' ') : NULL;
        if (name == NULL) {
            continue; /* a directory, or the end */
        }
        snprintf(text, sizeof(text), IN "/%s", name + 1);
        bool fits = kwe_path(&paths->in, text);
        snprintf(text, sizeof(text), OUT "/%s", name + 1);
        if (fits && kwe_path(&paths->out, text)) {
            return true;
        }
        kwe_log("%s: its path is too long", name + 1);
    }
    return false;
}

int main(void)
{
    struct kwe_rings rings;
    struct kwe_workflow_info workflow;
    struct kwe_event batch[PLACES];
    struct kwe_result result;
    unsigned submitted = 0, done = 0, failed = 0;

    must(kwe_rings_create(&rings, PLACES), "making rings");
    char *frames = list_frames(&rings);
    char *list = frames;
    register_edges(&workflow);
    struct frame_paths *blocks = kwe_program_memory(&workflow);

    for (unsigned count = PLACES; count == PLACES;) {
        /* A batch: one entry into the kernel, however many there are. All results of the last one have come, so all places are free. */
        for (count = 0; count < PLACES && next_frame(&list, &blocks[count]); count++) {
            batch[count] = (struct kwe_event){
                .cookie = count,
                .workflow = workflow.workflow,
                .block_offset = count * (uint32_t)sizeof(struct frame_paths),
                .block_length = sizeof(struct frame_paths),
            };
        }
        must(kwe_submit(&rings, batch, count), "submitting");
        submitted += count;
        while (done + failed < submitted) {
            must(kwe_wait(&rings, 1, UINT64_MAX), "waiting");
            while (kwe_result_next(&rings, &result)) {
                const struct kwe_path *path = &blocks[result.cookie].in;
                if (result.status == KERR_OK) {
                    done++;
                    continue;
                }
                failed++;
                kwe_log("%.*s: stage %u: %s", path->length, path->bytes, result.stage,
                        kerr_sentence((enum kerr)result.status));
            }
        }
    }
    free(frames);
    sync_disk(&rings);
    kwe_log("%u frames done, %u failed", done, failed);
    return failed > 0 ? 1 : 0;
}
