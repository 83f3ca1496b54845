/*
 * calls.c - wait, receive, reply, close as one workflow: the program submits it once and is not asked between the stages, whenever somebody
 * calls. And a wait that nobody wants any more.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_line.h"
#include "userland/libkwe/kwe_operations.h"

#define CALLS  10u
#define TEXT   32u
#define FAR_NS 20000000000u

static struct kwe_rings servers, callers;

/* What the caller says is packed, and goes back. */
static void register_server(struct kwe_workflow_info *info)
{
    struct kwe_builder *builder = kwe_builder_create("server");
    struct line_receive_params from = { 0 };
    struct line_reply_params to = { 0 };
    struct line_close_params end = { 0 };

    kwe_stage_t wait = kwe_line_wait(builder, "wait");
    kwe_stage_t receive = kwe_line_receive(builder, "receive", &from);
    kwe_param_from(builder, receive, offsetof(struct line_receive_params, line), 8, wait, "line");
    kwe_stage_t pack = kwe_operations_lz4_compress(builder, "pack", receive);
    kwe_stage_t reply = kwe_line_reply(builder, "reply", pack, &to);
    kwe_param_from(builder, reply, offsetof(struct line_reply_params, line), 8, wait, "line");
    kwe_stage_t hang_up = kwe_line_close(builder, "close", &end);
    kwe_param_from(builder, hang_up, offsetof(struct line_close_params, line), 8, wait, "line");
    kwe_after(builder, hang_up, reply);
    kwe_slots(builder, CALLS);
    check_register(builder, info);
}

static void register_caller(struct kwe_workflow_info *info)
{
    struct kwe_builder *builder = kwe_builder_create("caller");
    kwe_stage_t call = kwe_line_call(builder, "call", KWE_STAGE_NONE);

    kwe_input_event(builder, call, 0);
    kwe_stage_t heard = kwe_operations_lz4_decompress(builder, "heard", call);
    kwe_out_limit(builder, heard, TEXT);
    kwe_result(builder, heard);
    kwe_program_bytes(builder, CALLS * TEXT);
    kwe_slots(builder, CALLS);
    check_register(builder, info);
}

static void submit(struct kwe_rings *rings, const struct kwe_workflow_info *info, bool has_text)
{
    struct kwe_event events[CALLS];

    for (uint32_t i = 0; i < CALLS; i++) {
        events[i] = (struct kwe_event){ .cookie = i,
                                        .workflow = info->workflow,
                                        .input_offset = has_text ? i * TEXT : 0,
                                        .input_length = has_text ? TEXT : 0 };
    }
    CHECK(kwe_submit(rings, events, CALLS) == (int)CALLS, "submit");
}

static void each_call_is_answered(const struct kwe_workflow_info *server,
                                  const struct kwe_workflow_info *caller)
{
    struct kwe_result result;
    uint8_t *texts = kwe_program_memory(caller);

    for (uint32_t i = 0; i < CALLS; i++) {
        memset(texts + i * TEXT, 'a' + (int)i, TEXT);
    }
    submit(&servers, server, false);
    CHECK(kwe_wait(&servers, 1, 100000000) == 0, "nobody has called");
    submit(&callers, caller, true);
    for (uint32_t i = 0; i < CALLS; i++) {
        check_result(&callers, &result, FAR_NS);
        CHECK(result.status == KERR_OK && result.length == TEXT &&
                  memcmp(kwe_result_bytes(caller, &result), texts + result.cookie * TEXT, TEXT) ==
                      0,
              "call %llu: %s, stage %u", (unsigned long long)result.cookie,
              kerr_name((enum kerr)result.status), result.stage);
    }
    for (uint32_t i = 0; i < CALLS; i++) {
        check_result(&servers, &result, FAR_NS);
        CHECK(result.status == KERR_OK && result.step == 5, "server %llu: %s, stage %u",
              (unsigned long long)result.cookie, kerr_name((enum kerr)result.status), result.stage);
    }
}

static void a_wait_is_given_up(const struct kwe_workflow_info *server)
{
    struct kwe_result result;

    submit(&servers, server, false);
    CHECK(kwe_wait(&servers, 1, 50000000) == 0, "nobody has called");
    for (uint32_t i = 0; i < CALLS; i++) {
        CHECK(kwe_cancel(&servers, i) == 1, "cancel %u", i);
    }
    for (uint32_t i = 0; i < CALLS; i++) {
        check_result(&servers, &result, FAR_NS);
        CHECK(result.status == KERR_CANCELLED, "%s", kerr_name((enum kerr)result.status));
    }
}

int main(void)
{
    struct kwe_workflow_info server, caller;

    check_rings(&servers, 16);
    check_rings(&callers, 16);
    register_server(&server);
    register_caller(&caller);
    each_call_is_answered(&server, &caller);
    a_wait_is_given_up(&server);
    each_call_is_answered(&server, &caller);
    CHECK(kwe_unregister(&server) == 0 && kwe_unregister(&caller) == 0, "unregister");
    return 0;
}
