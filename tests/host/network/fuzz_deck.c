/* fuzz_deck.c - HTTP by the deck's operations, with parameters that a workflow could have bound to anything: see fuzz_network.h. */
#include <assert.h>

#include "kernel/abi/http.h"
#include "kernel/decks/network/network_http.h"
#include "kernel/decks/network/network_ops.h"
#include "tests/host/network/fuzz_network.h"

#define PARTS 4u

static const char lines[] = "X-One: 1\r\nX-Two: 2\r\n";
/* More than is copied, behind lines of fields that can be a head. */
static uint8_t page[12000];

static uint32_t draw(struct deck_request *request, uint32_t below)
{
    request->argument[0] = request->argument[0] * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(request->argument[0] >> 33) % below;
}

static struct deck_bytes some(struct deck_request *request, const uint8_t *from)
{
    const size_t most = (size_t)(page + sizeof(page) - from);
    const size_t few = draw(request, 200);

    return (struct deck_bytes){ from, few > most || draw(request, 3) == 0 ? most : few, false };
}

/* What is left is brought, or more, or less than that; `last` is said too early, or not at all. Then it is over, however it ends. */
static void bring_parts(struct deck_request *request, uint64_t connection, uint64_t more)
{
    const bool is_open = more == HTTP_OPEN;
    enum kerr error = KERR_OK;
    bool is_over = false;

    for (uint32_t i = 0; error == KERR_OK && !is_over; i++) {
        const bool is_last = i == PARTS;
        const struct network_http_more_params params = { .connection = connection,
                                                         .offset = UINT64_MAX,
                                                         .last = is_last || draw(request, 8) == 0 };
        struct network_http_more_call call = { .request = request,
                                               .params = &params,
                                               .head = some(request, page + sizeof(page) - 20) };
        if (is_last && !is_open) {
            call.head.length = 0; /* an empty part is refused, and ends it */
        } else {
            call.data = some(request, page);
        }
        error = network_http_more(&call);
        const uint64_t bytes = call.head.length + call.data.length;
        is_over = is_open ? params.last || call.gone != 0 : bytes == more;
        more -= is_open ? 0 : bytes;
    }
}

static void answer(struct deck_request *request, uint64_t connection)
{
    static const uint64_t lengths[] = { UINT64_MAX, 0, 100, sizeof(page), 1ull << 40 };
    static const uint64_t mores[] = { 0, 0, 100, UINT64_MAX, sizeof(page) };
    static const uint32_t heads[] = { 0, sizeof(lines) - 1, 10, 5, 4096 };
    struct network_http_send_params params = { .connection = connection + (1ull << 32),
                                               .status =
                                                   200 + draw(request, 2) * draw(request, 400),
                                               .head_bytes = heads[draw(request, 5)],
                                               .length = lengths[draw(request, 5)],
                                               .more_bytes = mores[draw(request, 5)],
                                               .close = draw(request, 4) == 0 };
    struct network_http_send_call call = { .request = request,
                                           .params = &params,
                                           .page = some(request, page),
                                           .file = some(request, page + sizeof(lines) - 1) };

    assert(network_http_send(&call) == KERR_BAD_HANDLE); /* the next request's */
    params.connection = connection;
    if (network_http_send(&call) == KERR_OK && call.more != 0) {
        bring_parts(request, connection, call.more);
    }
}

void serve_anything(struct deck_request *request)
{
    const struct network_http_receive_params params = { .port = 80,
                                                        .below = { .length = 1, .bytes = "/" },
                                                        .head_bytes = 1024,
                                                        .patience_ms = 1000,
                                                        .idle_ms = 2000,
                                                        .answer_ms = 1000,
                                                        .stall_ms = 5000 };
    struct network_http_receive_call call = { .request = request,
                                              .params = &params,
                                              .data = { request->room, sizeof(request->room), 0 } };

    memcpy(page, lines, sizeof(lines) - 1);
    while (network_http_receive(&call) == KERR_OK) {
        answer(request, call.connection);
    }
}
