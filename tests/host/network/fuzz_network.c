/*
 * Any frames, and any time between them, for the Network deck: its card's and stack's glue, sockets, HTTP and lwIP, under ASan and UBSan.
 * An input is a row of records, each a byte that says what it is and the bytes that it takes: frames as they are, segments of connections whose
 * numbers are looked after here, datagrams, answers to what was asked, work for the deck, time, refused memory. In the end everything that was
 * taken has to be back.
 *
 *   make fuzz-network SECONDS=600
 */
// uses: tests/host/network/network_world.c tests/host/network/fuzz_frames.c tests/host/network/fuzz_work.c
// uses: tests/host/network/segmenter.c kernel/decks/network/network_lanes.c kernel/decks/network/network_offload_core.c
// uses: tests/host/network/fuzz_deck.c kernel/decks/network/network_deck.c
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

#include <lwip/dhcp.h>
#include <lwip/netif.h>

#define RECORDS 200u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

size_t take(struct input *input, uint8_t *to, size_t most)
{
    const size_t bytes = most < input->left ? most : input->left;

    memcpy(to, input->next, bytes);
    memset(to + bytes, 0, most - bytes);
    input->next += bytes;
    input->left -= bytes;
    return bytes;
}

uint32_t take_number(struct input *input, unsigned bytes)
{
    uint8_t raw[4] = { 0 };

    (void)take(input, raw, bytes);
    return (uint32_t)(raw[0] | raw[1] << 8 | raw[2] << 16) | (uint32_t)raw[3] << 24;
}

static void play(struct input *input, uint32_t kind)
{
    switch (kind % 12) {
    case 0:
        put_raw(input);
        break;
    case 1:
    case 2:
    case 3:
        put_segment(input);
        break;
    case 4:
        put_datagram(input);
        break;
    case 5:
        put_icmp6(input);
        break;
    case 6:
        put_arp(input);
        break;
    case 7:
        world_advance(take_number(input, 1) * 20 + 1);
        break;
    case 8:
        start_work(input);
        break;
    case 9:
        world_recall(take_number(input, 1));
        break;
    case 10:
        world_refuse(take_number(input, 1) % 32);
        break;
    default:
        if (take_number(input, 1) % 4 == 0) {
            (void)dhcp_start(netif_default);
        } else {
            world_keep_frames((kind & 16) != 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };

    world_begin();
    frames_begin();
    for (unsigned i = 0; i < RECORDS && input.left != 0; i++) {
        const uint32_t kind = take_number(&input, 1);
        play(&input, kind);
        if (kind < 128) { /* else what comes next comes at once */
            world_run();
        }
    }
    world_rest();
    return 0;
}
