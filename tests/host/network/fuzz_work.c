/* fuzz_work.c - operations on the deck, as workflows would start them: see fuzz_network.h. */
#include <assert.h>

#include "kernel/abi/http.h"
#include "kernel/decks/network/network_http.h"
#include "kernel/decks/network/network_names.h"
#include "kernel/decks/network/network_ports.h"
#include "kernel/decks/network/network_sockets.h"
#include "tests/host/network/fuzz_network.h"

#define HTTP_PORT 80u
#define ECHO_PORT 7u
#define UDP_PORT  9u

static const struct network_address peer_address = { 0, 0xffff0a000202 };
/* More than is copied. */
static const uint8_t page[12000];
static uint64_t listener;

static struct deck_room room_of(struct deck_request *request)
{
    return (struct deck_room){ request->room, sizeof(request->room), 0 };
}

static void serve_http(struct deck_request *request)
{
    const struct http_terms terms = { .port = HTTP_PORT,
                                      .head_bytes = 8192,
                                      .patience_ns = 1000000000,
                                      .idle_ns = 2000000000,
                                      .answer_ns = 1000000000,
                                      .stall_ns = 60000000000 };
    struct http_received received = { .connection = 0 };
    struct deck_room room = room_of(request);
    uint64_t more = 0;

    while (http_receive(request, &terms, &room, &received) == KERR_OK) {
        const struct kwe_http_request *record = (const void *)request->room;
        assert(room.length >= sizeof(*record) && room.length <= sizeof(request->room));
        const size_t length = record->body.length % 2 == 0 ? sizeof(page) : 100;
        const struct http_answer answer = { .connection = received.connection,
                                            .status = 200,
                                            .part = { { page, length, false } },
                                            .length = length };
        (void)http_send(request, &answer, &more);
    }
}

static void serve_echo(struct deck_request *request)
{
    struct network_address address;
    uint64_t socket;
    uint32_t port;

    while (sockets_accept(request, listener, &socket, &address, &port) == KERR_OK) {
        bool ended = false;
        enum kerr error = KERR_OK;
        while (error == KERR_OK && !ended) {
            struct deck_room room = room_of(request);
            error = sockets_receive(request, socket, 1, &room, &ended);
            if (error == KERR_OK) {
                const struct deck_bytes bytes = { room.data, room.length, false };
                error = sockets_send(request, socket, bytes);
            }
        }
        (void)sockets_close(request, socket);
    }
}

static void connect_and_send(struct deck_request *request)
{
    const struct deck_bytes bytes = { page, sizeof(page), false };
    uint64_t socket = 0;

    /* The peer's ports are where fuzz_frames.c has them. */
    if (sockets_connect(request, peer_address, 40000 + (uint32_t)request->argument[0] % 8,
                        &socket) == KERR_OK) {
        struct deck_room room = room_of(request);
        bool ended = false;
        (void)sockets_send(request, socket, bytes);
        (void)sockets_receive(request, socket, 100, &room, &ended);
        (void)sockets_close(request, socket);
    }
}

static void get(struct deck_request *request)
{
    static const char host[] = "there.example";
    static const struct kwe_path path = { .length = 1, .bytes = "/" };
    struct http_target target = { { (const uint8_t *)host, sizeof(host) - 1, false },
                                  peer_address,
                                  40000 + (uint32_t)request->argument[0] % 8,
                                  &path };
    struct deck_room room = room_of(request);
    uint32_t status = 0;

    if (request->argument[0] >= 128) {
        target.address = (struct network_address){ 0, 0 };
    }
    (void)http_get(request, &target, &room, &status);
}

static void resolve(struct deck_request *request)
{
    static const char names[][16] = { "there.example", "10.0.2.2", "fe80::1", "a.b.c" };
    const char *name = names[request->argument[0] % 4];
    struct network_address found;

    (void)names_resolve(request, (struct deck_bytes){ (const uint8_t *)name, strlen(name), false },
                        &found);
}

static void receive_datagrams(struct deck_request *request)
{
    struct network_address from;
    enum kerr error = KERR_OK;

    while (error == KERR_OK || error == KERR_OUTPUT_TOO_LARGE) {
        struct deck_room room = room_of(request);
        uint32_t port = UDP_PORT;
        error = ports_receive(request, UDP_PORT, &room, &from, &port);
    }
}

/* Some are cut into fragments. */
static void send_datagram(struct deck_request *request)
{
    const struct deck_bytes bytes = { page, request->argument[0] * 40, false };

    (void)ports_send(request, peer_address, UDP_PORT, UDP_PORT, bytes);
}

void start_work(struct input *input)
{
    static void (*const work[])(struct deck_request *) = {
        serve_http, serve_echo,        connect_and_send, get,
        resolve,    receive_datagrams, send_datagram,    serve_anything,
    };
    const uint32_t which = take_number(input, 1);

    world_start(work[which % (sizeof(work) / sizeof(work[0]))], take_number(input, 1));
}

/* ---- what stays from input to input ---------------------------------------------------------------------------------------------- */

static void listen(struct deck_request *request)
{
    static const struct deck_bytes nothing = { page, 0, false };

    assert(sockets_listen(request, ECHO_PORT, 8, &listener) == KERR_OK);
    (void)ports_send(request, peer_address, UDP_PORT, 0, nothing);
}

void world_serve(void)
{
    world_start(listen, 0);
    world_start(serve_http, 0);
    world_start(receive_datagrams, 0);
}

void world_drain(void)
{
    world_start(serve_echo, 0);
    world_start(receive_datagrams, 0);
}
