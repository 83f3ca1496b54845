/* The stack's life, frame by frame: what comes together with the address. */
// uses: tests/host/network/network_world.c tests/host/network/fuzz_frames.c tests/host/network/fuzz_work.c tests/host/network/fuzz_network.c
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
#include "kernel/decks/network/network_stack.h"
#include <lwip/priv/tcp_priv.h>

#define MAGIC_AT 236u /* of a DHCP message, behind its fixed part */
#define OFFER    2
#define ACK      5

static void put_dhcp(uint8_t type)
{
    const uint8_t options[] = { 53, 1, type, 54, 4, 10, 0, 2, 2, 51,  4,   0,   0, 14,
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

static void serve(struct deck_request *request)
{
    const struct http_terms terms = {
        .port = 80, .head_bytes = 1024, .patience_ns = 1, .idle_ns = 1, .answer_ns = 1
    };
    struct deck_room room = { request->room, sizeof(request->room), 0 };
    struct http_received received;

    assert(network_stack_ready(request) == KERR_OK);
    (void)http_receive(request, &terms, &room, &received);
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
}

int main(void)
{
    test_a_syn_that_comes_with_the_address_is_not_refused();
    return 0;
}
