/*
 * sockets.c - connections as parts of graphs, on the real stack, which talks to itself: a socket is a value that flows from stage to stage of an
 * event (docs/cookbook.md, test_sockets.py).
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_network.h"
#include "userland/libkwe/kwe_operations.h"

/* A port stays a workflow's for ten seconds beyond its end: each part has its own. */
#define TALK_PORT  7u
#define TIME_PORT  8u
#define FIRST_PORT 9u
#define QUIET_PORT 10u
#define STILL_PORT 11u
#define OWN        0xffff0a00020full /* 10.0.2.15 */
#define WORDS      100000u
#define AT_ONCE    16u
#define LONG_NS    60000000000ull

static struct kwe_rings rings;
static uint8_t words[WORDS];

static void bind_socket(struct kwe_builder *builder, kwe_stage_t stage, size_t offset,
                        kwe_stage_t producer, unsigned value)
{
    kwe_param_value(builder, stage, offset, 8, producer, value);
}

static kwe_stage_t listen_at(struct kwe_builder *builder, uint32_t port)
{
    struct network_tcp_listen_params params = network_tcp_listen_defaults();

    params.port = port;
    kwe_manifest_port(builder, port, KWE_MANIFEST_READ);
    return kwe_network_tcp_listen(builder, "listen", &params);
}

static kwe_stage_t accept_from(struct kwe_builder *builder, kwe_stage_t listener)
{
    struct network_tcp_accept_params params = network_tcp_accept_defaults();
    kwe_stage_t stage = kwe_network_tcp_accept(builder, "accept", &params);

    bind_socket(builder, stage, offsetof(struct network_tcp_accept_params, socket), listener,
                NETWORK_TCP_LISTEN_VALUE_SOCKET);
    return stage;
}

static kwe_stage_t connect_to(struct kwe_builder *builder, const char *name, uint32_t port)
{
    struct network_tcp_connect_params params = network_tcp_connect_defaults();

    params.address_low = OWN;
    params.port = port;
    kwe_manifest_port(builder, port, KWE_MANIFEST_WRITE);
    return kwe_network_tcp_connect(builder, name, &params);
}

/* The value of accept and of connect is the same one. */
_Static_assert((int)NETWORK_TCP_ACCEPT_VALUE_SOCKET == (int)NETWORK_TCP_CONNECT_VALUE_SOCKET,
               "one index");
#define SOCKET NETWORK_TCP_CONNECT_VALUE_SOCKET

static kwe_stage_t receive_on(struct kwe_builder *builder, const char *name, kwe_stage_t from,
                              uint64_t at_least)
{
    struct network_tcp_receive_params params = network_tcp_receive_defaults();

    params.at_least = at_least;
    kwe_stage_t stage = kwe_network_tcp_receive(builder, name, &params);
    bind_socket(builder, stage, offsetof(struct network_tcp_receive_params, socket), from, SOCKET);
    kwe_out_limit(builder, stage, WORDS);
    return stage;
}

static kwe_stage_t send_on(struct kwe_builder *builder, const char *name, kwe_stage_t to,
                           kwe_stage_t data)
{
    struct network_tcp_send_params params = network_tcp_send_defaults();
    kwe_stage_t stage = kwe_network_tcp_send(builder, name, data, &params);

    bind_socket(builder, stage, offsetof(struct network_tcp_send_params, socket), to, SOCKET);
    return stage;
}

static kwe_stage_t close_of(struct kwe_builder *builder, const char *name, kwe_stage_t socket,
                            kwe_stage_t after)
{
    struct network_tcp_close_params params = network_tcp_close_defaults();
    kwe_stage_t stage = kwe_network_tcp_close(builder, name, &params);

    bind_socket(builder, stage, offsetof(struct network_tcp_close_params, socket), socket, SOCKET);
    kwe_after(builder, stage, after);
    return stage;
}

/* Wait, receive so much, reply, close. */
static void register_server(struct kwe_workflow_info *info, uint32_t port, uint64_t at_least,
                            uint64_t timeout_ns)
{
    struct kwe_builder *builder = kwe_builder_create("server");

    kwe_slots(builder, AT_ONCE);
    kwe_stage_t accept = accept_from(builder, listen_at(builder, port));
    kwe_stage_t receive = receive_on(builder, "receive", accept, at_least);
    if (timeout_ns != 0) {
        kwe_timeout(builder, receive, timeout_ns);
    }
    kwe_stage_t reply = send_on(builder, "reply", accept, receive);
    (void)close_of(builder, "close", accept, reply);
    kwe_result(builder, reply);
    check_register(builder, info);
}

/* Open a connection, send, receive until so many bytes, close. */
static void register_client(struct kwe_workflow_info *info, uint32_t port)
{
    struct kwe_builder *builder = kwe_builder_create("client");

    kwe_slots(builder, AT_ONCE);
    kwe_program_bytes(builder, WORDS);
    kwe_stage_t open = connect_to(builder, "open", port);
    kwe_stage_t send = send_on(builder, "send", open, KWE_STAGE_NONE);
    kwe_input_event(builder, send, 0);
    kwe_stage_t receive = receive_on(builder, "receive", open, WORDS);
    kwe_after(builder, receive, send);
    (void)close_of(builder, "close", open, receive);
    kwe_result(builder, receive);
    check_register(builder, info);
}

static void submit(const struct kwe_workflow_info *info, uint64_t cookie, uint32_t bytes)
{
    const struct kwe_event event = { .cookie = cookie,
                                     .workflow = info->workflow,
                                     .input_length = bytes };

    CHECK(kwe_submit(&rings, &event, 1) == 1, "submit");
}

static struct kwe_result await(enum kerr status, uint64_t cookie)
{
    struct kwe_result result;

    check_result(&rings, &result, LONG_NS);
    CHECK(result.status == status && result.cookie == cookie, "event %llu: %s, stage %u",
          (unsigned long long)result.cookie, kerr_name((enum kerr)result.status), result.stage);
    return result;
}

/* Wait until a stage has been handed to the deck so many times. */
static void await_visits(const struct kwe_workflow_info *info, kwe_stage_t stage, uint64_t visits)
{
    struct kwe_workflow_status status;
    struct kwe_stage_status seen[16];

    do {
        CHECK(kwe_workflow_status(info, &status, seen, 16) >= 0, "status");
        check_sleep(&rings, 1000000);
    } while (seen[stage.index].visits < visits);
}

/* ---- what is shown -------------------------------------------------------------------------------------------------------------- */

static void sixteen_talk_at_once(void)
{
    struct kwe_workflow_info server, client;
    uint32_t servers = 0;

    register_server(&server, TALK_PORT, WORDS, 0);
    register_client(&client, TALK_PORT);
    memcpy(kwe_program_memory(&client), words, WORDS);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < AT_ONCE; i++) {
            submit(&server, 100 + i, 0);
            submit(&client, i, WORDS);
        }
        for (uint32_t i = 0; i < 2 * AT_ONCE; i++) {
            struct kwe_result result;
            check_result(&rings, &result, LONG_NS);
            CHECK(result.status == KERR_OK, "event %llu: %s, stage %u",
                  (unsigned long long)result.cookie, kerr_name((enum kerr)result.status),
                  result.stage);
            if (result.cookie < 100) {
                CHECK(result.length == WORDS &&
                          memcmp(kwe_result_bytes(&client, &result), words, WORDS) == 0,
                      "other words came back");
            }
            servers += result.cookie >= 100 ? 1 : 0;
        }
    }
    CHECK(servers == 3 * AT_ONCE, "%u", servers);
    CHECK(kwe_unregister(&server) == 0 && kwe_unregister(&client) == 0, "unregister");
}

/* Who connects and says nothing; its socket stays open. */
static void register_silent(struct kwe_workflow_info *info)
{
    struct kwe_builder *builder = kwe_builder_create("silent");

    (void)connect_to(builder, "open", TIME_PORT);
    check_register(builder, info);
}

static void a_client_that_says_nothing_is_given_up_by_stage(void)
{
    struct kwe_workflow_info server, client, silent;

    register_server(&server, TIME_PORT, WORDS, 300000000);
    register_client(&client, TIME_PORT);
    register_silent(&silent);
    submit(&server, 1, 0);
    submit(&silent, 2, 0);
    (void)await(KERR_OK, 2);
    CHECK(await(KERR_TIMED_OUT, 1).stage == 2, "another stage than receive");
    memcpy(kwe_program_memory(&client), words, WORDS);
    submit(&server, 3, 0); /* the next is served */
    submit(&client, 4, WORDS);
    for (unsigned i = 0; i < 2; i++) {
        struct kwe_result result;
        check_result(&rings, &result, LONG_NS);
        CHECK(result.status == KERR_OK, "%s", kerr_name((enum kerr)result.status));
    }
    CHECK(kwe_unregister(&server) == 0 && kwe_unregister(&client) == 0, "unregister");
    CHECK(kwe_unregister(&silent) == 0, "unregister");
}

/* Two connections, of which one is answered; both are there still to be closed. */
static void the_first_that_answers_wins_and_the_other_is_closed_too(void)
{
    struct kwe_builder *builder = kwe_builder_create("first");
    struct kwe_workflow_info server, first;
    struct kwe_result result;

    register_server(&server, FIRST_PORT, 5, 0);
    kwe_stage_t listener = listen_at(builder, QUIET_PORT);
    kwe_stage_t quiet = connect_to(builder, "quiet", QUIET_PORT);
    kwe_after(builder, quiet, listener);
    kwe_stage_t lively = connect_to(builder, "lively", FIRST_PORT);
    kwe_stage_t ask = send_on(builder, "ask", lively, KWE_STAGE_NONE);
    kwe_input_constant(builder, ask, 0, "hello", 5);
    kwe_stage_t never = receive_on(builder, "never", quiet, 5);
    kwe_stage_t soon = receive_on(builder, "soon", lively, 5);
    kwe_after(builder, soon, ask);
    kwe_stage_t winner =
        kwe_stage(builder, "winner", OPERATIONS_PREFIX, OPERATIONS_OP_SHA256, NULL, 0);
    kwe_after(builder, winner, never);
    kwe_after(builder, winner, soon);
    kwe_first(builder, winner);
    kwe_input_first(builder, winner, 0);
    (void)close_of(builder, "close quiet", quiet, winner);
    (void)close_of(builder, "close lively", lively, winner);
    kwe_result(builder, winner);
    check_register(builder, &first);
    for (uint64_t i = 0; i < 20; i++) {
        submit(&server, 100 + i, 0);
        submit(&first, i, 0);
        for (unsigned j = 0; j < 2; j++) {
            check_result(&rings, &result, LONG_NS);
            CHECK(result.status == KERR_OK, "event %llu: %s, stage %u",
                  (unsigned long long)result.cookie, kerr_name((enum kerr)result.status),
                  result.stage);
        }
    }
    CHECK(kwe_unregister(&server) == 0 && kwe_unregister(&first) == 0, "unregister");
}

static void a_receive_in_flight_is_cancelled(void)
{
    struct kwe_builder *builder = kwe_builder_create("listens");
    struct kwe_workflow_info listens, info;

    (void)listen_at(builder, STILL_PORT); /* nobody accepts what comes there */
    check_register(builder, &listens);
    submit(&listens, 1, 0);
    (void)await(KERR_OK, 1);
    builder = kwe_builder_create("waits");
    kwe_slots(builder, 1);
    kwe_stage_t open = connect_to(builder, "open", STILL_PORT);
    kwe_stage_t receive = receive_on(builder, "receive", open, 1);
    check_register(builder, &info);
    for (uint64_t i = 0; i < 20; i++) {
        submit(&info, i, 0);
        await_visits(&info, receive, i + 1);
        CHECK(kwe_cancel(&rings, i) == 1, "nothing to cancel");
        (void)await(KERR_CANCELLED, i);
    }
    CHECK(kwe_unregister(&info) == 0 && kwe_unregister(&listens) == 0, "unregister");
}

int main(void)
{
    check_rings(&rings, 64);
    for (uint32_t i = 0; i < WORDS; i++) {
        words[i] = (uint8_t)(i * 31 % 251);
    }
    sixteen_talk_at_once();
    a_client_that_says_nothing_is_given_up_by_stage();
    a_receive_in_flight_is_cancelled();
    the_first_that_answers_wins_and_the_other_is_closed_too();
    kwe_log("sockets: all as it should be");
    return 0;
}
