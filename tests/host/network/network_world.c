/* network_world.c - see network_world.h. */
#include "tests/host/network/network_world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "kernel/decks/network/network_card.h"
#include "kernel/decks/network/network_http.h"
#include "kernel/decks/network/network_offload_core.h"
#include "kernel/decks/network/network_sockets.h"
#include "kernel/decks/network/network_stack.h"
#include "tests/host/network/segmenter.h"
#include "userland/libkwe/common/calls.h"
#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/nd6.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/stats.h>

/* The host's build knows C files only; the switch is plain assembly. */
__asm__(".pushsection .text\n.include \"userland/libkwe/deck/fibre_switch.S\"\n.popsection");

/* Of userland/libkwe/deck/internal.h, whose requests are others. */
void fibres_init(uint32_t limit);
void fibres_run(void);
bool fibres_ready(void);
uint64_t fibres_next_deadline(void);
void fibres_expire(uint64_t now_ns);

#define NS_PER_MS 1000000ull
#define FRAMES    1024u
#define PAIRS     2u
#define OUT       32u /* frames that the card's queue has room for: it is full now and then */
#define UNSENT    4096u
#define PARTS6_MS 61000u /* RFC 8200, 4.5 */
#define LINE_MS                                                                                    \
    21000u /* closed connections, half datagrams and whom nobody found have had their time */

static struct {
    bool is_begun;
    uint64_t now_ns;
    struct deck_request request[WORLD_REQUESTS];
    uint32_t blocks, refuse;
    /* the card */
    struct {
        uint8_t *bytes;
        uint32_t length;
        bool is_checked;
    } in[FRAMES];
    uint32_t in_count;
    uint8_t *lent[VIRTIO_NET_BUFFERS];
    struct {
        void *cookie[OUT];
        uint32_t count;
        bool is_armed; /* an interrupt is wanted when something is out */
    } out[PAIRS];
    bool keep, has_agreed;
    /* what lwIP has given and the card was not: each as it has to be on the wire */
    struct {
        uint8_t *bytes;
        size_t length;
        uint32_t lane;
    } unsent[UNSENT];
    uint32_t unsent_count;
    netif_linkoutput_fn output;
    /* what there is at rest */
    uint32_t rest_blocks, rest_sockets, rest_pool[MEMP_MAX];
} world;

/* ---- memory, time, chance --------------------------------------------------------------------------------------------------- */

void *world_malloc(size_t bytes)
{
    if (world.refuse != 0 && --world.refuse == 0) {
        return NULL;
    }
    world.blocks++;
    return malloc(bytes);
}

void world_free(void *block)
{
    world.blocks--;
    free(block);
}

void world_refuse(uint32_t allocation)
{
    world.refuse = allocation;
}

/* The same each time. */
ssize_t getrandom(void *to, size_t bytes, unsigned flags)
{
    static uint64_t state = 1;

    (void)flags;
    for (size_t i = 0; i < bytes; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        ((uint8_t *)to)[i] = (uint8_t)(state >> 56);
    }
    return (ssize_t)bytes;
}

uint64_t deck_now_ns(void)
{
    return world.now_ns;
}

uint64_t deck_recent_ns(void)
{
    return world.now_ns;
}

/* ---- the deck library --------------------------------------------------------------------------------------------------------- */

void deck_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\nthe deck gave up\n", stderr);
    abort();
}

void deck_log(const char *format, ...)
{
    (void)format;
}

void *deck_dma_alloc(size_t bytes)
{
    static void *kept[8]; /* the deck's as long as it lives */
    static unsigned count;

    assert(count < sizeof(kept) / sizeof(kept[0]));
    kept[count] = calloc(1, bytes);
    return kept[count++];
}

/* The kernel: nothing has been counted yet. */
int64_t kwe_call6(uint64_t number, uint64_t first, uint64_t second, uint64_t third, uint64_t fourth,
                  uint64_t fifth, uint64_t sixth)
{
    (void)third, (void)fourth, (void)fifth, (void)sixth;
    assert(number == KWE_CALL_STATISTICS);
    memset((void *)(uintptr_t)first, 0, second);
    return 0;
}

enum kerr deck_wait(struct deck_request *request, struct fibre_event *event, uint64_t deadline_ns)
{
    bool signalled = false;

    if (!request->recalled) {
        request->waits_for = event;
        signalled = fibre_wait(event, deadline_ns);
        request->waits_for = NULL;
    }
    return request->recalled ? KERR_CANCELLED : signalled ? KERR_OK : KERR_TIMED_OUT;
}

void deck_armed(struct deck_request *request)
{
    assert(request->is_busy);
}

uint32_t deck_workflow(const struct deck_request *request)
{
    assert(request->is_busy);
    return request->workflow;
}

bool deck_port_allowed(const struct deck_request *request, uint32_t port, uint32_t rights)
{
    (void)rights;
    assert(request->is_busy);
    return port != 0;
}

void deck_count_copied_cache(struct deck_request *request, size_t bytes)
{
    (void)bytes;
    assert(request->is_busy);
}

static void run_request(void *argument)
{
    struct deck_request *request = argument;

    request->run(request);
    request->is_busy = false;
}

void world_start(void (*run)(struct deck_request *request), uint64_t argument)
{
    world_start_as(1, run, argument);
}

void world_start_as(uint32_t workflow, void (*run)(struct deck_request *request), uint64_t argument)
{
    for (unsigned i = 0; i < WORLD_REQUESTS; i++) {
        struct deck_request *request = &world.request[i];
        if (!request->is_busy) {
            *request = (struct deck_request){
                .is_busy = true, .workflow = workflow, .run = run, .argument = { argument }
            };
            assert(fibre_start(run_request, request));
            return;
        }
    }
}

void world_recall(unsigned index)
{
    struct deck_request *request = &world.request[index % WORLD_REQUESTS];

    if (request->is_busy) {
        request->recalled = true;
        if (request->waits_for != NULL) {
            fibre_signal(request->waits_for);
        }
    }
}

/* ---- the card: each frame in a block of just its length, the card's buffers of a large one each in its own ---------------------- */

enum kerr virtio_net_open(struct virtio_net *card, const struct kwe_device_info *info,
                          uint32_t most_pairs)
{
    (void)info;
    assert(most_pairs >= PAIRS);
    card->mac = 0x563412005452;
    card->pci.features = VIRTIO_NET_CSUM | VIRTIO_NET_GUEST_CSUM | VIRTIO_NET_HOST_TSO4 |
                         VIRTIO_NET_HOST_TSO6 | VIRTIO_NET_MRG_RXBUF;
    card->pairs_offered = PAIRS;
    return KERR_OK;
}

enum kerr virtio_net_start(struct virtio_net *card, uint32_t pairs, void *memory)
{
    (void)memory;
    card->pair_count = pairs;
    card->pairs_agreed = 1;
    return KERR_OK;
}

uint64_t virtio_net_features(const struct virtio_net *card)
{
    return card->pci.features;
}

/* Not the first time that it is asked. */
enum kerr virtio_net_agreed(struct virtio_net *card, bool *agreed)
{
    *agreed = world.has_agreed;
    card->pairs_agreed = world.has_agreed ? PAIRS : 1;
    world.has_agreed = true;
    return KERR_OK;
}

size_t virtio_net_memory_bytes(uint32_t pairs)
{
    return pairs;
}

enum kerr virtio_net_link(const struct virtio_net *card, bool *up)
{
    (void)card;
    *up = true;
    return KERR_OK;
}

bool virtio_net_needs_reset(const struct virtio_net *card)
{
    (void)card;
    return false;
}

void virtio_net_kick(struct virtio_net *card)
{
    (void)card;
}

bool virtio_net_arm_sent(struct virtio_net *card, uint32_t pair)
{
    (void)card;
    world.out[pair].is_armed = true;
    return !world.keep && world.out[pair].count != 0;
}

/* Does the card interrupt? It does so once. */
static bool is_interrupted(void)
{
    bool is_due = false;

    for (uint32_t i = 0; i < PAIRS && !world.keep; i++) {
        if (world.out[i].is_armed && world.out[i].count != 0) {
            world.out[i].is_armed = false;
            is_due = true;
        }
    }
    return is_due;
}

void world_put(const uint8_t *frame, size_t bytes, bool is_checked)
{
    if (world.in_count == FRAMES || bytes == 0 || bytes > VIRTIO_NET_LARGE_BYTES) {
        return;
    }
    uint8_t *copy = malloc(bytes);
    memcpy(copy, frame, bytes);
    world.in[world.in_count].bytes = copy;
    world.in[world.in_count].length = (uint32_t)bytes;
    world.in[world.in_count++].is_checked = is_checked;
}

/* Which of the card's buffers are free? Returns how many of those wanted. */
static uint32_t find_buffers(uint16_t buffers[VIRTIO_NET_MERGED], uint32_t wanted)
{
    uint32_t found = 0;

    for (uint16_t i = 0; i < VIRTIO_NET_BUFFERS && found < wanted; i++) {
        if (world.lent[i] == NULL) {
            buffers[found++] = i;
        }
    }
    return found;
}

/* Frames come by the first pair. */
enum kerr virtio_net_receive(struct virtio_net *card, uint32_t pair,
                             struct virtio_net_received *frame, bool *some)
{
    const uint32_t first = (uint32_t)(VIRTIO_NET_BUFFER_BYTES - sizeof(struct virtio_net_header));
    uint16_t buffers[VIRTIO_NET_MERGED];
    const uint32_t bytes = world.in[0].length;
    const uint32_t count = bytes <= first ? 1
                                          : 1 + (bytes - first + VIRTIO_NET_BUFFER_BYTES - 1) /
                                                    VIRTIO_NET_BUFFER_BYTES;

    *some = false;
    if (pair != 0 || world.in_count == 0 || find_buffers(buffers, count) < count) {
        return KERR_OK;
    }
    *frame = (struct virtio_net_received){ .piece_count = count,
                                           .bytes = bytes,
                                           .is_checked = world.in[0].is_checked };
    for (uint32_t i = 0, at = 0; i < count; i++) {
        const uint32_t room = i == 0 ? first : VIRTIO_NET_BUFFER_BYTES;
        const uint32_t here = bytes - at < room ? bytes - at : room;
        uint8_t *piece = malloc(here);
        memcpy(piece, world.in[0].bytes + at, here);
        world.lent[buffers[i]] = piece;
        frame->piece[i].data = piece;
        frame->piece[i].bytes = here;
        frame->piece[i].buffer = buffers[i];
        at += here;
    }
    free(world.in[0].bytes);
    memmove(&world.in[0], &world.in[1], --world.in_count * sizeof(world.in[0]));
    card->pair[0].held += count;
    *some = true;
    return KERR_OK;
}

void virtio_net_give_back(struct virtio_net *card, uint16_t buffer)
{
    assert(world.lent[buffer] != NULL);
    free(world.lent[buffer]);
    world.lent[buffer] = NULL;
    card->pair[0].held--;
}

/* ---- what goes out is, frame by frame, what lwIP gave ----------------------------------------------------------------------------- */

/* Note it with the sum that is the card's business. */
static err_t note_output(struct netif *netif, struct pbuf *pbuf)
{
    struct network_segment segment;
    const size_t length = pbuf->tot_len;
    uint8_t *bytes = malloc(length);
    uint32_t lane = 0;

    assert(pbuf_copy_partial(pbuf, bytes, (uint16_t)length, 0) == length);
    if (network_segment_read(bytes, length, length, &segment)) {
        const bool is_v6 = segment.is_v6;
        uint8_t *sum = bytes + segment.transport_at + network_segment_sum_at(&segment);
        const uint8_t *addresses = bytes + (is_v6 ? 22 : 26);
        uint32_t pseudo = (uint32_t)(length - segment.transport_at) + (segment.is_tcp ? 6u : 17u);
        for (size_t i = 0; i < (is_v6 ? 32u : 8u); i += 2) {
            pseudo += (uint32_t)(addresses[i] << 8 | addresses[i + 1]);
        }
        pseudo = (pseudo & 0xffff) + (pseudo >> 16);
        assert(sum[0] == 0 && sum[1] == 0);
        sum[0] = (uint8_t)(pseudo >> 8);
        sum[1] = (uint8_t)pseudo;
        segmenter_finish_sum(bytes, length, segment.transport_at, network_segment_sum_at(&segment));
        lane = segment.is_tcp ? network_segment_lane(&segment, PAIRS) : 0;
    }
    const err_t error = world.output(netif, pbuf);
    if (error != ERR_OK) {
        free(bytes);
        return error;
    }
    assert(world.unsent_count < UNSENT);
    world.unsent[world.unsent_count].bytes = bytes;
    world.unsent[world.unsent_count].length = length;
    world.unsent[world.unsent_count++].lane = lane;
    return ERR_OK;
}

/* A frame is on the wire: it has to be the one of its lane that lwIP gave first, to the byte. */
static void check_sent(void *pair, const uint8_t *frame, size_t bytes)
{
    const uint32_t lane = *(const uint32_t *)pair;
    uint32_t i = 0;

    while (i < world.unsent_count && world.unsent[i].lane != lane) {
        i++;
    }
    assert(i < world.unsent_count && world.unsent[i].length == bytes);
    assert(memcmp(world.unsent[i].bytes, frame, bytes) == 0);
    free(world.unsent[i].bytes);
    memmove(&world.unsent[i], &world.unsent[i + 1],
            (--world.unsent_count - i) * sizeof(world.unsent[0]));
    world_sent(frame, bytes);
}

static void pass_on(void *argument, const uint8_t *frame, size_t bytes)
{
    (void)argument;
    world_sent(frame, bytes);
}

bool virtio_net_send(struct virtio_net *card, uint32_t pair, const struct virtio_net_frame *frame,
                     void *cookie)
{
    assert(pair < card->pairs_agreed);
    if (world.out[pair].count == OUT) {
        return false;
    }
    world.out[pair].cookie[world.out[pair].count++] = cookie;
    /* Before all is set up lwIP's frames are not noted. */
    segmenter_cut(frame, world.output != NULL ? check_sent : pass_on, &pair);
    return true;
}

enum kerr virtio_net_sent(struct virtio_net *card, uint32_t pair, void **cookies, uint32_t room,
                          uint32_t *count)
{
    void **out = world.out[pair].cookie;

    (void)card;
    *count = world.keep ? 0 : world.out[pair].count < room ? world.out[pair].count : room;
    memcpy(cookies, out, *count * sizeof(void *));
    world.out[pair].count -= *count;
    memmove(out, out + *count, world.out[pair].count * sizeof(void *));
    return KERR_OK;
}

void world_keep_frames(bool keep)
{
    world.keep = keep;
}

/* ---- its life --------------------------------------------------------------------------------------------------------------------- */

/* One round of the deck's loop; returns when the next is due. */
static uint64_t turn(void)
{
    uint64_t deadline_ns;

    do {
        fibres_run();
        deadline_ns = network_stack_poll();
    } while (fibres_ready() || deadline_ns == 0 || world.in_count != 0 || is_interrupted());
    const uint64_t fibre_ns = fibres_next_deadline();
    return fibre_ns < deadline_ns ? fibre_ns : deadline_ns;
}

void world_run(void)
{
    /* A timer that is due comes back to be run. */
    while (turn() <= world.now_ns) {
        fibres_expire(world.now_ns);
    }
    assert(world.keep || world.unsent_count == 0); /* nothing waits for nobody */
}

void world_advance(uint64_t ms)
{
    const uint64_t end_ns = world.now_ns + ms * NS_PER_MS;

    world.keep = false; /* no card keeps frames for seconds: the deck gives up then */

    while (world.now_ns < end_ns) {
        const uint64_t next_ns = turn();
        world.now_ns =
            next_ns < end_ns ? (next_ns > world.now_ns ? next_ns : world.now_ns + 1) : end_ns;
        fibres_expire(world.now_ns);
    }
    world_run();
}

static void ask_for_address(struct deck_request *request)
{
    assert(network_stack_ready(request) == KERR_OK);
}

/* Address and neighbours as they were. */
static void forget(void)
{
    ip4_addr_t address, mask, gateway;

    IP4_ADDR(&address, 10, 0, 2, 15);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 10, 0, 2, 2);
    dhcp_release_and_stop(netif_default);
    dhcp_cleanup(netif_default);
    netif_set_addr(netif_default, &address, &mask, &gateway);
    etharp_cleanup_netif(netif_default);
    nd6_cleanup_netif(netif_default);
    for (s8_t i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        netif_ip6_addr_set_state(netif_default, i, IP6_ADDR_INVALID);
    }
    netif_ip6_addr_set_state(netif_default, 0, IP6_ADDR_PREFERRED);
}

static void recall_all(void)
{
    for (unsigned i = 0; i < WORLD_REQUESTS; i++) {
        world_recall(i);
    }
    world_run();
    for (unsigned i = 0; i < WORLD_REQUESTS; i++) {
        assert(!world.request[i].is_busy);
    }
}

void world_boot(void)
{
    static const struct kwe_device_info info = { .present = 1 };

    world.now_ns = 1000000000;
    fibres_init(WORLD_REQUESTS + 16);
    sockets_init(1);
    http_init(1);
    assert(network_card_start(&info, PAIRS) == KERR_OK);
}

void world_begin(void)
{
    if (world.is_begun) {
        return;
    }
    world.is_begun = true;
    world_boot();
    world_start(ask_for_address, 0);
    world_advance(10000);
    world.output = netif_default->linkoutput;
    netif_default->linkoutput = note_output;
    world_serve();
    world_run();
    recall_all();
    forget();
    world_advance(LINE_MS);
    world.rest_sockets = sockets_count();
    world.rest_blocks = world.blocks;
    for (unsigned pool = 0; pool < MEMP_MAX; pool++) {
        world.rest_pool[pool] = (uint32_t)lwip_stats.memp[pool]->used;
    }
}

static void abort_all(struct tcp_pcb *const *list)
{
    while (*list != NULL) {
        tcp_abort(*list);
    }
}

void world_rest(void)
{
    world.refuse = 0;
    world.keep = false;
    world_run();
    recall_all();
    abort_all(&tcp_active_pcbs);
    world_drain();
    world_run();
    recall_all();
    if (lwip_stats.memp[MEMP_IP6_REASSDATA]->used != 0) {
        world_advance(PARTS6_MS);
    }
    forget();
    world_advance(LINE_MS);
    for (unsigned pool = 0; pool < MEMP_MAX; pool++) {
        if (lwip_stats.memp[pool]->used != world.rest_pool[pool]) {
            fprintf(stderr, "pool %s: %u, at rest %u\n", memp_pools[pool]->desc,
                    (unsigned)lwip_stats.memp[pool]->used, (unsigned)world.rest_pool[pool]);
            abort();
        }
    }
    assert(world.blocks == world.rest_blocks && sockets_count() == world.rest_sockets);
    assert(http_connection_count() == 0);
    assert(world.unsent_count == 0);
    for (unsigned i = 0; i < VIRTIO_NET_BUFFERS; i++) {
        assert(world.lent[i] == NULL);
    }
}
