/* The stack frame by frame: what comes together with the address; ports whose workflow goes; clients that take nothing. */
// uses: tests/host/network/network_world.c tests/host/network/fuzz_frames.c tests/host/network/fuzz_work.c tests/host/network/fuzz_network.c
// uses: tests/host/network/fuzz_deck.c kernel/decks/network/network_deck.c
// uses: tests/host/network/segmenter.c kernel/decks/network/network_lanes.c kernel/decks/network/network_offload_core.c
// uses: kernel/decks/network/network_card.c kernel/decks/network/network_stack.c kernel/decks/network/network_wait.c
// uses: kernel/decks/network/network_core.c kernel/decks/network/network_sockets.c kernel/decks/network/network_ports.c
// uses: kernel/decks/network/network_names.c kernel/decks/network/network_http_core.c kernel/decks/network/network_http_head.c
// uses: kernel/decks/network/network_http_fetch.c kernel/decks/network/network_http_connection.c
// uses: kernel/decks/network/network_http_server.c kernel/decks/network/network_http_send.c kernel/decks/network/network_http_get.c
// uses: kernel/decks/network/network_metrics_core.c userland/libkwe/deck/fibre.c userland/libkwe/deck/handles.c kernel/lib/errors.c
// uses: .venv/sources/llhttp/lib/api.c .venv/sources/llhttp/lib/http.c .venv/sources/llhttp/lib/llhttp.c
// uses: .venv/sources/lwip/src/core/*.c .venv/sources/lwip/src/core/ipv4/*.c .venv/sources/lwip/src/core/ipv6/*.c
// uses: .venv/sources/lwip/src/netif/ethernet.c
#include "tests/host/network/fuzz_network.h"

#include <assert.h>

#include "kernel/decks/network/network_http.h"
#include "kernel/decks/network/network_ports.h"
#include "kernel/decks/network/network_sockets.h"
#include "kernel/decks/network/network_stack.h"
#include <lwip/priv/tcp_priv.h>

#define MAGIC_AT 236u /* of a DHCP message, behind its fixed part */
#define OFFER    2
#define ACK      5

#define NS_PER_S 1000000000ull
#define STALL_S  10u

static void put_dhcp(uint8_t type)
{
    const uint8_t options[] = { 53, 1, type, 54,  4,   10,  0, 2, 2, 51, 4, 0, 0, 14,
                                16, 1, 4,    255, 255, 255, 0, 3, 4, 10, 0, 2, 2, 255 };
    uint8_t record[3 + MAGIC_AT + 4 + sizeof(options)] = { 2 };
    uint8_t *message = record + 3;
    const uint32_t bytes = sizeof(record) - 3;
    struct input input = { record, sizeof(record) };

    record[1] = (uint8_t)bytes;
    record[2] = (uint8_t)(bytes >> 8);
    memcpy(message, (const uint8_t[]){ 2, 1, 6 }, 3);
    memcpy(message + 16, (const uint8_t[]){ 10, 0, 2, 15 }, 4);
    memcpy(message + MAGIC_AT + 4, options, sizeof(options));
    put_datagram(&input);
}

/* To port 80. */
static void put_syn(void)
{
    static const uint8_t record[10] = { [4] = TCP_SYN };
    struct input input = { record, sizeof(record) };

    put_segment(&input);
}

/* To port 80, from the peer's first: what is expected next. */
static void put_tcp(uint8_t flags, const char *text)
{
    uint8_t record[10 + 255] = { [1] = text[0] != '\0', [4] = flags, [9] = (uint8_t)strlen(text) };
    struct input input = { record, 10 + strlen(text) };

    memcpy(record + 10, text, strlen(text));
    put_segment(&input);
    world_run();
}

/* What an operation came to. */
static struct {
    unsigned begun, over;
    enum kerr last;
} seen;

static enum kerr receive(struct deck_request *request, struct http_received *received)
{
    const struct http_terms terms = { .port = 80,
                                      .head_bytes = 1024,
                                      .patience_ns = 60 * NS_PER_S,
                                      .idle_ns = 60 * NS_PER_S,
                                      .answer_ns = 60 * NS_PER_S,
                                      .stall_ns = STALL_S * NS_PER_S };
    struct deck_room room = { request->room, sizeof(request->room), 0 };

    assert(network_stack_ready(request) == KERR_OK);
    return http_receive(request, &terms, &room, received);
}

static void serve(struct deck_request *request)
{
    static const uint8_t page[100000];
    struct http_received received = { .connection = 0 };
    uint64_t more = 0;

    seen.begun++;
    seen.last = receive(request, &received);
    if (seen.last == KERR_OK) {
        const struct http_answer answer = { .connection = received.connection,
                                            .status = 200,
                                            .part = { { page, sizeof(page), false } },
                                            .length = sizeof(page) };
        seen.last = http_send(request, &answer, &more);
    }
    seen.over++;
}

/* Who connects right behind the address finds the port that somebody waited for the address to listen at. */
static void test_a_syn_that_comes_with_the_address_is_not_refused(void)
{
    world_boot();
    frames_begin();
    world_start(serve, 0);
    world_run();
    put_dhcp(OFFER);
    world_run();
    assert(tcp_listen_pcbs.listen_pcbs == NULL);

    put_dhcp(ACK);
    put_syn();
    world_run();

    assert(tcp_active_pcbs != NULL && tcp_active_pcbs->state == SYN_RCVD);
    assert(tcp_active_pcbs->local_port == 80);
    tcp_abort(tcp_active_pcbs);
    world_recall(0);
    world_run();
}

/* Each way to have a port: http_receive, tcp_accept, udp_receive. */
static void accept(struct deck_request *request)
{
    struct network_address address;
    uint64_t listener = 0, socket = 0;
    uint32_t port = 7;

    seen.begun++;
    enum kerr error = sockets_listen(request, port, 8, &listener);
    if (error == KERR_OK) {
        error = sockets_accept(request, listener, &socket, &address, &port);
    }
    seen.last = error;
    seen.over++;
}

static void hear(struct deck_request *request)
{
    struct deck_room room = { request->room, sizeof(request->room), 0 };
    struct network_address address;
    uint32_t port = 9;

    seen.begun++;
    seen.last = ports_receive(request, port, &room, &address, &port);
    seen.over++;
}

static void test_a_port_is_free_when_the_last_that_waits_there_is_called_back(void)
{
    static void (*const ways[])(struct deck_request *) = { serve, accept, hear };

    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        memset(&seen, 0, sizeof(seen));
        world_start_as(2, ways[i], 0);
        world_start_as(2, ways[i], 0);
        world_run();
        assert(seen.begun == 2 && seen.over == 0);

        world_start_as(3, ways[i], 0);
        world_run();
        assert(seen.over == 1 && seen.last == KERR_PORT_IN_USE);
        world_recall(0); /* one of two: it is still the workflow's */
        world_run();
        assert(seen.over == 2 && seen.last == KERR_CANCELLED);
        world_start_as(3, ways[i], 0);
        world_run();
        assert(seen.over == 3 && seen.last == KERR_PORT_IN_USE);

        world_recall(1);
        world_start_as(3, ways[i], 0);
        world_run();
        assert(seen.begun == 5 && seen.over == 4 && seen.last == KERR_CANCELLED);
        world_recall(0);
        world_run();
        assert(seen.over == 5);
    }
}

/* The client acknowledges what has come so far, and then nothing. */
static void test_a_client_that_takes_nothing_holds_nobody_for_long(void)
{
    memset(&seen, 0, sizeof(seen));
    world_start_as(3, serve, 0);
    world_run();
    put_tcp(TCP_SYN, "");
    put_tcp(TCP_ACK, "");
    put_tcp(TCP_ACK, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    world_advance(5000);
    put_tcp(TCP_ACK, "");
    assert(seen.begun == 1 && seen.over == 0);

    world_advance(STALL_S * 1000 - 1000);
    assert(seen.over == 0);
    world_advance(2000);

    assert(seen.over == 1 && seen.last == KERR_CONNECTION_CLOSED);
    assert(http_connection_count() == 0 && tcp_active_pcbs == NULL);
}

int main(void)
{
    test_a_syn_that_comes_with_the_address_is_not_refused();
    test_a_port_is_free_when_the_last_that_waits_there_is_called_back();
    test_a_client_that_takes_nothing_holds_nobody_for_long();
    return 0;
}
