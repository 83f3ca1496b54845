/*
 * network.c - the Network deck with a client outside of the guest (test_network.py). The boot file `what` says which part of it is played;
 * "ready" on the console says that the client may come.
 */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_network.h"

#define PORT    7u
#define MIB     (1u << 20)
#define STAGES  5u
#define FOREVER 60000000000ull

/* ---- the workflows ---------------------------------------------------------------------------------------------------------- */

static void bind_socket(struct kwe_builder *builder, kwe_stage_t stage, size_t offset,
                        kwe_stage_t producer, unsigned value)
{
    kwe_param_value(builder, stage, offset, 8, producer, value);
}

/* Wait for a client, receive at least so much, send it back, close. The first stage listens. */
static void build_echo(struct kwe_builder *builder, uint64_t at_least, uint32_t room)
{
    struct network_tcp_listen_params listen_params = network_tcp_listen_defaults();
    struct network_tcp_accept_params accept_params = network_tcp_accept_defaults();
    struct network_tcp_receive_params receive_params = network_tcp_receive_defaults();
    struct network_tcp_send_params send_params = network_tcp_send_defaults();
    struct network_tcp_close_params close_params = network_tcp_close_defaults();

    kwe_manifest_port(builder, PORT, KWE_MANIFEST_READ);
    kwe_slots(builder, 4);
    listen_params.port = PORT;
    kwe_stage_t listen = kwe_network_tcp_listen(builder, "listen", &listen_params);
    kwe_stage_t accept = kwe_network_tcp_accept(builder, "accept", &accept_params);
    bind_socket(builder, accept, offsetof(struct network_tcp_accept_params, socket), listen,
                NETWORK_TCP_LISTEN_VALUE_SOCKET);
    receive_params.at_least = at_least;
    kwe_stage_t receive = kwe_network_tcp_receive(builder, "receive", &receive_params);
    bind_socket(builder, receive, offsetof(struct network_tcp_receive_params, socket), accept,
                NETWORK_TCP_ACCEPT_VALUE_SOCKET);
    kwe_out_limit(builder, receive, room);
    kwe_stage_t send = kwe_network_tcp_send(builder, "send", receive, &send_params);
    bind_socket(builder, send, offsetof(struct network_tcp_send_params, socket), accept,
                NETWORK_TCP_ACCEPT_VALUE_SOCKET);
    kwe_stage_t close = kwe_network_tcp_close(builder, "close", &close_params);
    bind_socket(builder, close, offsetof(struct network_tcp_close_params, socket), accept,
                NETWORK_TCP_ACCEPT_VALUE_SOCKET);
    kwe_after(builder, close, send);
    kwe_result(builder, send);
}

static void register_echo(struct kwe_workflow_info *info, uint64_t at_least, uint32_t room)
{
    struct kwe_builder *builder = kwe_builder_create("echo");

    build_echo(builder, at_least, room);
    check_register(builder, info);
}

static void submit(struct kwe_rings *rings, const struct kwe_workflow_info *info, uint64_t cookie)
{
    const struct kwe_event event = { .cookie = cookie, .workflow = info->workflow };
    int answer = kwe_submit(rings, &event, 1);

    CHECK(answer == 1, "submitted %d", answer);
}

/*
 * Wait until the workflow's first stage has answered so many times, and its second was handed to the deck: that looks at what came in only
 * when all its work has begun.
 */
static void await_first(struct kwe_rings *rings, const struct kwe_workflow_info *info,
                        uint64_t times)
{
    const uint64_t until_ns = kwe_now_ns() + FOREVER;
    struct kwe_workflow_status status;
    struct kwe_stage_status stage[STAGES];

    for (;;) {
        int answer = kwe_workflow_status(info, &status, stage, STAGES);
        CHECK(answer >= 0, "no status: %d", answer);
        CHECK(stage[0].failed == 0 && kwe_now_ns() < until_ns, "it does not begin");
        if (stage[0].events >= times && stage[1].visits >= times) {
            return;
        }
        check_sleep(rings, 1000000);
    }
}

static struct kwe_result await_result(struct kwe_rings *rings, enum kerr wanted)
{
    struct kwe_result result;

    check_result(rings, &result, FOREVER);
    CHECK(result.status == wanted, "%s at stage %u, not %s", kerr_name((enum kerr)result.status),
          result.stage, kerr_name(wanted));
    return result;
}

static uint32_t number(const char *name, uint32_t otherwise)
{
    char text[32];

    check_option(name, text, sizeof(text));
    return text[0] == '\0' ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

/* ---- what the test asks for --------------------------------------------------------------------------------------------------- */

/*
 * The system ends with its last program, and sends nothing again: so a client that wants to see the end of its connection comes once more
 * when it has, and just leaves.
 */
static void await_goodbye(struct kwe_rings *rings, const struct kwe_workflow_info *info,
                          uint32_t number, uint64_t times)
{
    struct kwe_result result;

    submit(rings, info, number);
    await_first(rings, info, times);
    kwe_log("ready %u", number);
    check_result(rings, &result, FOREVER);
}

/* So many clients, one after the other. */
static void play_echo(struct kwe_rings *rings, uint64_t at_least, uint32_t room, uint32_t clients)
{
    struct kwe_workflow_info info;

    register_echo(&info, at_least, room);
    for (uint32_t i = 0; i < clients; i++) {
        submit(rings, &info, i);
        await_first(rings, &info, i + 1);
        kwe_log("ready %u", i);
        struct kwe_result result = await_result(rings, KERR_OK);
        CHECK(result.value >= at_least, "%llu bytes went back", (unsigned long long)result.value);
    }
    await_goodbye(rings, &info, clients, clients + 1);
}

static void play_udp(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("udp");
    struct network_udp_receive_params receive_params = network_udp_receive_defaults();
    struct network_udp_send_params send_params = network_udp_send_defaults();
    struct kwe_workflow_info info;

    kwe_manifest_port(builder, PORT, KWE_MANIFEST_READ);
    kwe_manifest_port(builder, 0, KWE_MANIFEST_WRITE);
    kwe_stage_t address = kwe_network_address(builder, "address");
    receive_params.port = PORT;
    kwe_stage_t receive = kwe_network_udp_receive(builder, "receive", &receive_params);
    kwe_out_limit(builder, receive, 1500);
    kwe_after(builder, receive, address);
    send_params.from = PORT;
    send_params.port = 1; /* bound below */
    kwe_stage_t send = kwe_network_udp_send(builder, "send", receive, &send_params);
    kwe_param_value(builder, send, offsetof(struct network_udp_send_params, address_high), 8,
                    receive, NETWORK_UDP_RECEIVE_VALUE_ADDRESS_HIGH);
    kwe_param_value(builder, send, offsetof(struct network_udp_send_params, address_low), 8,
                    receive, NETWORK_UDP_RECEIVE_VALUE_ADDRESS_LOW);
    kwe_param_value(builder, send, offsetof(struct network_udp_send_params, port), 4, receive,
                    NETWORK_UDP_RECEIVE_VALUE_PORT);
    kwe_result(builder, receive);
    check_register(builder, &info);
    for (uint32_t i = 0; i < 10; i++) {
        submit(rings, &info, i);
        await_first(rings, &info, i + 1);
        kwe_log("ready %u", i);
        (void)await_result(rings, KERR_OK);
    }
}

/* One that waits for a client is cancelled; the next one gets it. */
static void play_cancel(struct kwe_rings *rings)
{
    struct kwe_workflow_info info;

    register_echo(&info, 5, 64);
    submit(rings, &info, 1);
    await_first(rings, &info, 1);
    CHECK(kwe_cancel(rings, 1) == 1, "nothing to cancel");
    (void)await_result(rings, KERR_CANCELLED);
    submit(rings, &info, 2);
    await_first(rings, &info, 2);
    kwe_log("ready 0");
    (void)await_result(rings, KERR_OK);
    await_goodbye(rings, &info, 1, 3);
}

/* The deck dies while one waits for a client; its successor serves the next. */
static void play_death(struct kwe_rings *rings)
{
    struct kwe_workflow_info info;

    register_echo(&info, 5, 64);
    submit(rings, &info, 1);
    await_first(rings, &info, 1);
    CHECK(kwe_call_inject(NETWORK_PREFIX, 0, 0) == 0, "inject");
    (void)await_result(rings, KERR_DECK_FAULT);
    submit(rings, &info, 2);
    await_first(rings, &info, 2);
    kwe_log("ready 0");
    (void)await_result(rings, KERR_OK);
    await_goodbye(rings, &info, 1, 3);
}

/* A datagram goes to where a name says; another name is nobody's. */
static void play_resolve(struct kwe_rings *rings)
{
    static const char *const names[] = { "there.example", "nowhere.example" };
    struct network_udp_send_params params = network_udp_send_defaults();
    struct kwe_workflow_info info;

    for (unsigned i = 0; i < 2; i++) {
        struct kwe_builder *builder = kwe_builder_create("resolve");
        kwe_manifest_port(builder, 9, KWE_MANIFEST_WRITE);
        kwe_stage_t found = kwe_network_resolve(builder, "found", KWE_STAGE_NONE);
        kwe_input_constant(builder, found, 0, names[i], strlen(names[i]));
        params.port = 9;
        kwe_stage_t send = kwe_network_udp_send(builder, "send", KWE_STAGE_NONE, &params);
        kwe_input_constant(builder, send, 0, "found", 5);
        bind_socket(builder, send, offsetof(struct network_udp_send_params, address_high), found,
                    NETWORK_RESOLVE_VALUE_ADDRESS_HIGH);
        bind_socket(builder, send, offsetof(struct network_udp_send_params, address_low), found,
                    NETWORK_RESOLVE_VALUE_ADDRESS_LOW);
        check_register(builder, &info);
        submit(rings, &info, i);
        (void)await_result(rings, i == 0 ? KERR_OK : KERR_NO_SUCH_NAME);
    }
}

/* What may not be, and what is not there. */
static void play_refusals(struct kwe_rings *rings)
{
    struct kwe_builder *builder = kwe_builder_create("no_right");
    struct network_tcp_listen_params listen_params = network_tcp_listen_defaults();
    struct network_tcp_connect_params connect_params = network_tcp_connect_defaults();
    struct network_tcp_close_params close_params = network_tcp_close_defaults();
    struct kwe_workflow_info info;
    struct kwe_workflow_info holder;

    kwe_manifest_port(builder, PORT + 1, KWE_MANIFEST_READ);
    kwe_manifest_port(builder, PORT, KWE_MANIFEST_WRITE);
    listen_params.port = PORT;
    kwe_network_tcp_listen(builder, "listen", &listen_params);
    check_register(builder, &info);
    submit(rings, &info, 1);
    (void)await_result(rings, KERR_NOT_PERMITTED);

    register_echo(&holder, 1, 64);
    submit(rings, &holder, 2);
    await_first(rings, &holder, 1);
    builder = kwe_builder_create("thief");
    kwe_manifest_port(builder, PORT, KWE_MANIFEST_READ);
    kwe_network_tcp_listen(builder, "listen", &listen_params);
    check_register(builder, &info);
    submit(rings, &info, 3);
    (void)await_result(rings, KERR_PORT_IN_USE);

    builder = kwe_builder_create("nobody");
    kwe_manifest_port(builder, 9, KWE_MANIFEST_WRITE);
    connect_params.address_low = 0xffff0a00020full; /* itself */
    connect_params.port = 9;
    kwe_network_tcp_connect(builder, "connect", &connect_params);
    check_register(builder, &info);
    submit(rings, &info, 4);
    (void)await_result(rings, KERR_CONNECTION_REFUSED);

    builder = kwe_builder_create("closer");
    close_params.socket = 1ull << 32;
    kwe_network_tcp_close(builder, "close", &close_params);
    check_register(builder, &info);
    submit(rings, &info, 5);
    (void)await_result(rings, KERR_BAD_HANDLE);
    CHECK(kwe_unregister(&holder) == 0, "unregister");
    (void)await_result(rings, KERR_CANCELLED);

    builder = kwe_builder_create("heir"); /* the port is free at once */
    kwe_manifest_port(builder, PORT, KWE_MANIFEST_READ);
    kwe_network_tcp_listen(builder, "listen", &listen_params);
    check_register(builder, &info);
    submit(rings, &info, 6);
    (void)await_result(rings, KERR_OK);
}

int main(void)
{
    struct kwe_rings rings;
    char what[32];

    check_rings(&rings, 64);
    check_option("what", what, sizeof(what));
    if (strcmp(what, "echo") == 0) {
        play_echo(&rings, 5, 64, 20);
    } else if (strcmp(what, "bulk") == 0) {
        const uint32_t room = number("mib", 1) * MIB;
        play_echo(&rings, room, room, 2);
    } else if (strcmp(what, "udp") == 0) {
        play_udp(&rings);
    } else if (strcmp(what, "resolve") == 0) {
        play_resolve(&rings);
    } else if (strcmp(what, "cancel") == 0) {
        play_cancel(&rings);
    } else if (strcmp(what, "death") == 0) {
        play_death(&rings);
    } else {
        play_refusals(&rings);
    }
    kwe_log("network: all as it should be");
    return 0;
}
