/*
 * http.c - HTTP operations with clients outside of the guest (test_http.py). Boot files say which part is played, and how:
 *
 *   what    echo: every request is answered by its own record, until one asks for /end; mute: requests are taken and never answered;
 *           death: as echo, but the deck dies with all events waiting in it
 *           get: one request is asked by http_get of the system itself
 *   armed   events that wait for requests        room, patience, idle, answer   of http_receive
 */
#include "kernel/abi/http.h"
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/kwe_network.h"

#define PORT      80u
#define FOREVER   600000000000ull
#define ARMED_MAX 64u

static uint32_t number(const char *name, uint32_t otherwise)
{
    char text[32];

    check_option(name, text, sizeof(text));
    return text[0] == '\0' ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

static void build_server(struct kwe_builder *builder, uint32_t armed, bool answers)
{
    struct network_http_receive_params receive_params = network_http_receive_defaults();
    struct network_http_send_params send_params = network_http_send_defaults();

    kwe_manifest_port(builder, PORT, KWE_MANIFEST_READ);
    kwe_slots(builder, armed);
    receive_params.port = PORT;
    receive_params.patience_ms = number("patience", receive_params.patience_ms);
    receive_params.idle_ms = number("idle", receive_params.idle_ms);
    receive_params.answer_ms = number("answer", receive_params.answer_ms);
    kwe_stage_t receive = kwe_network_http_receive(builder, "receive", &receive_params);
    kwe_out_limit(builder, receive, number("room", 65536));
    kwe_result(builder, receive);
    if (answers) {
        kwe_stage_t send =
            kwe_network_http_send(builder, "send", receive, KWE_STAGE_NONE, &send_params);
        kwe_param_value(builder, send, offsetof(struct network_http_send_params, connection), 8,
                        receive, NETWORK_HTTP_RECEIVE_VALUE_CONNECTION);
    }
}

static void arm(struct kwe_rings *rings, const struct kwe_workflow_info *info, uint64_t cookie)
{
    const struct kwe_event event = { .cookie = cookie, .workflow = info->workflow };
    int answer = kwe_submit(rings, &event, 1);

    CHECK(answer == 1, "submitted %d", answer);
}

static bool asks_for_the_end(const struct kwe_workflow_info *info, const struct kwe_result *result)
{
    const struct kwe_http_request *request = kwe_result_bytes(info, result);

    if (result->length < sizeof(*request)) {
        return false;
    }
    const struct kwe_http_span path = request->text[KWE_HTTP_PATH];
    return path.length == 4 && memcmp((const uint8_t *)request + path.offset, "/end", 4) == 0;
}

/* The deck dies once it has all of the events. */
static void kill_deck(struct kwe_rings *rings, uint32_t armed)
{
    struct kwe_deck_statistics deck = { .events = 0 };

    while (deck.events - deck.completions < armed) {
        struct kwe_statistics statistics;
        check_statistics(&statistics);
        deck = statistics.deck[NETWORK_PREFIX];
        check_sleep(rings, 1000000);
    }
    CHECK(kwe_call_inject(NETWORK_PREFIX, 0, 0) == 0, "inject");
}

/* A hundred events at most, so that one that goes wrong at once does not go on for ever. */
static void play_server(struct kwe_rings *rings, bool answers, bool dies)
{
    struct kwe_builder *builder = kwe_builder_create("http");
    const uint32_t armed = number("armed", 4);
    struct kwe_workflow_info info;
    struct kwe_result result;
    uint32_t failed = 0;

    build_server(builder, armed, answers);
    check_register(builder, &info);
    for (uint32_t i = 0; i < armed; i++) {
        arm(rings, &info, i);
    }
    if (dies) {
        kill_deck(rings, armed);
    }
    kwe_log("ready");
    for (;;) {
        check_result(rings, &result, FOREVER);
        if (result.status != KERR_OK) {
            kwe_log("an event ended with %s", kerr_name((enum kerr)result.status));
            failed++;
        }
        CHECK(failed < 100, "too many fail");
        if (asks_for_the_end(&info, &result)) {
            return;
        }
        arm(rings, &info, result.cookie);
    }
}

/* The system is server and client, over its own stack's loop. The answer's body is the request's record. */
static void play_get(struct kwe_rings *rings)
{
    static const char host[] = "10.0.2.15";
    static const char path[] = "/a%20b?c=d";
    struct kwe_builder *builder = kwe_builder_create("http");
    struct network_http_get_params params = network_http_get_defaults();
    struct kwe_workflow_info server, client;
    struct kwe_result result;

    build_server(builder, 1, true);
    check_register(builder, &server);
    arm(rings, &server, 1);
    builder = kwe_builder_create("get");
    kwe_manifest_port(builder, PORT, KWE_MANIFEST_WRITE);
    params.port = PORT;
    params.path.length = sizeof(path) - 1;
    memcpy(params.path.bytes, path, sizeof(path) - 1);
    kwe_stage_t get = kwe_network_http_get(builder, "get", KWE_STAGE_NONE, &params);
    kwe_input_constant(builder, get, 0, host, sizeof(host) - 1);
    kwe_out_limit(builder, get, 4096);
    kwe_result(builder, get);
    check_register(builder, &client);
    arm(rings, &client, 2);
    do {
        check_result(rings, &result, FOREVER);
    } while (result.cookie != 2);
    const struct kwe_http_request *request = kwe_result_bytes(&client, &result);
    CHECK(result.status != KERR_OK || result.length > sizeof(*request), "a short body");
    kwe_log("got %s status %u: path %.*s", kerr_name((enum kerr)result.status),
            (unsigned)result.value, result.status == KERR_OK ? (int)sizeof(path) - 1 : 0,
            (const char *)request + request->text[KWE_HTTP_PATH].offset);
}

int main(void)
{
    struct kwe_rings rings;
    char what[32];

    check_rings(&rings, ARMED_MAX);
    check_option("what", what, sizeof(what));
    if (strcmp(what, "get") == 0) {
        play_get(&rings);
    } else {
        play_server(&rings, strcmp(what, "mute") != 0, strcmp(what, "death") == 0);
    }
    kwe_log("http: done");
    return 0;
}
