/* network_stack.c - see network_stack.h. */
#include "kernel/decks/network/network_stack.h"

#include <sys/random.h>

#include "kernel/decks/network/lwip/hooks.h"
#include "kernel/decks/network/network_card.h"
#include "kernel/decks/network/network_wait.h"
#include <lwip/dhcp.h>
#include <lwip/dns.h>
#include <lwip/init.h>
#include <lwip/mem.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/stats.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#define NS_PER_MS 1000000ull
/* A DHCP server of the machine's own answers at once. */
#define ASK_NS 3000000000ull
/* lwIP keeps its own records at both ends of the heap. */
#define HEAP_BYTES (MEM_SIZE + 4096)

/* Of the places for connections (MEMP_NUM_TCP_PCB) as many as HTTP does not take. */
#define HALF_OPEN_MAX 512u

enum stack_state {
    STACK_OFF,
    STACK_ASKING,
    STACK_UP,
};

/* The instance's one state; a deck is one thread. */
static struct {
    enum stack_state state;
    struct netif netif;
    struct network_waiters asking;
    uint64_t ask_until_ns;
    uint64_t key[2]; /* of first numbers */
} stack;

/* ---- what lwIP asks for --------------------------------------------------------------------------------------------------- */

unsigned char *network_lwip_heap;

static void fill_random(void *to, size_t bytes)
{
    if (getrandom(to, bytes, 0) != (ssize_t)bytes) {
        deck_die("no random numbers");
    }
}

uint32_t network_lwip_random(void)
{
    static uint32_t numbers[64];
    static uint32_t left;

    if (left == 0) {
        fill_random(numbers, sizeof(numbers));
        left = sizeof(numbers) / sizeof(numbers[0]);
    }
    return numbers[--left];
}

_Noreturn void network_lwip_failed(const char *message, const char *file, int line)
{
    deck_die("lwIP: %s (%s:%d)", message, file, line);
}

u32_t sys_now(void)
{
    return (u32_t)(deck_recent_ns() / NS_PER_MS);
}

u32_t network_lwip_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
                       u16_t remote_port)
{
    const struct network_ends ends = { network_from_ip(local_ip), network_from_ip(remote_ip),
                                       local_port, remote_port };
    return network_first_number(stack.key, &ends, deck_now_ns());
}

/* Connections that were begun and not completed: how many, the oldest, and the oldest that its listener counts. */
struct half_open {
    uint32_t count;
    struct tcp_pcb *oldest, *oldest_counted;
};

static struct half_open find_half_open(const struct tcp_pcb_listen *listener)
{
    struct half_open found = { .count = 0 };

    /* The youngest comes first. */
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->state == SYN_RCVD) {
            found.count++;
            found.oldest = pcb;
            if (pcb->listener == listener && (pcb->flags & TF_BACKLOGPEND) != 0) {
                found.oldest_counted = pcb;
            }
        }
    }
    return found;
}

/*
 * lwIP acknowledges every other segment, and the last one after 250 ms. One that the card has merged stands for several, and whoever sent
 * them may be waiting: it counts as if one had come just before.
 */
static void hurry_acknowledgement(struct tcp_pcb *pcb, u16_t bytes)
{
    if (bytes > TCP_MSS && pcb->state != LISTEN && pcb->state != TIME_WAIT) {
        tcp_set_flags(pcb, TF_ACK_DELAY);
    }
}

/*
 * A listener that is full ignores who comes, also when it is full of connections that nobody completes, for 20 s each. So those do not
 * count any more when it is full; of all listeners' together there are HALF_OPEN_MAX at most, and the oldest makes room. Who comes is
 * served if it answers before so many have come after it.
 */
err_t network_lwip_segment(struct tcp_pcb *pcb, const struct tcp_hdr *header, u16_t bytes)
{
    const struct tcp_pcb_listen *listener = (const void *)pcb;

    hurry_acknowledgement(pcb, bytes);
    if (pcb->state == LISTEN && (TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
        listener->accepts_pending >= listener->backlog) {
        struct half_open found = find_half_open(listener);
        if (found.oldest_counted != NULL) {
            tcp_backlog_accepted(found.oldest_counted);
        }
        if (found.count >= HALF_OPEN_MAX) {
            tcp_abandon(found.oldest, 0);
        }
    }
    return ERR_OK;
}

void network_delay_newcomers(struct tcp_pcb *pcb)
{
    const struct tcp_pcb_listen *listener = pcb->listener;

    /* lwIP counts in eight bits; what is beyond the backlog need not be counted. */
    if (listener != NULL && listener->accepts_pending < listener->backlog) {
        tcp_backlog_delayed(pcb);
    }
}

/* ---- addresses and errors ------------------------------------------------------------------------------------------------- */

ip_addr_t network_ip(struct network_address address)
{
    ip_addr_t ip = { .type = IPADDR_TYPE_V4 };
    if (!network_address_is_v4(address)) {
        ip.type = IPADDR_TYPE_V6;
    }
    /* Both kinds lie in the union as on the wire. */
    network_address_bytes(address, (uint8_t *)&ip.u_addr);
    return ip;
}

struct network_address network_from_ip(const ip_addr_t *ip)
{
    const uint8_t *bytes = (const uint8_t *)&ip->u_addr;
    return IP_IS_V6(ip) ? network_address_v6(bytes) : network_address_v4(bytes);
}

enum kerr network_error(err_t error)
{
    switch (error) {
    case ERR_OK:
        return KERR_OK;
    case ERR_MEM:
    case ERR_BUF:
        return KERR_NO_MEMORY;
    case ERR_RTE:
    case ERR_IF:
        return KERR_UNREACHABLE;
    case ERR_USE:
        return KERR_PORT_IN_USE;
    case ERR_CLSD:
    case ERR_CONN:
        return KERR_CONNECTION_CLOSED;
    default:
        return KERR_CONNECTION_RESET;
    }
}

struct network_address network_stack_address(void)
{
    return network_from_ip(&stack.netif.ip_addr);
}

void network_stack_held(struct network_held *held)
{
    network_card_held(&held->buffers, &held->frames);
    network_card_traffic(&held->traffic);
    if (stack.state == STACK_OFF) {
        return; /* there are no pools yet */
    }
    held->connections = (uint32_t)lwip_stats.memp[MEMP_TCP_PCB]->used;
    held->segments = (uint32_t)lwip_stats.memp[MEMP_TCP_SEG]->used;
    held->references = (uint32_t)lwip_stats.memp[MEMP_PBUF]->used;
    held->heap_bytes = (uint32_t)lwip_stats.mem.used;
    held->refused = lwip_stats.mem.err;
    for (unsigned pool = 0; pool < MEMP_MAX; pool++) {
        held->refused += lwip_stats.memp[pool]->err;
    }
}

/* ---- its life ------------------------------------------------------------------------------------------------------------- */

static enum kerr start(void)
{
    network_lwip_heap = deck_dma_alloc(HEAP_BYTES);
    if (network_lwip_heap == NULL) {
        return KERR_NO_MEMORY;
    }
    fill_random(stack.key, sizeof(stack.key));
    lwip_init();
    (void)netif_add(&stack.netif, NULL, NULL, NULL, NULL, network_card_netif, ethernet_input);
    netif_set_default(&stack.netif);
    netif_create_ip6_linklocal_address(&stack.netif, 1);
    netif_set_ip6_autoconfig_enabled(&stack.netif, 1);
    netif_set_up(&stack.netif);
    (void)dhcp_start(&stack.netif); /* out of memory: as if nobody answered */
    stack.ask_until_ns = deck_now_ns() + ASK_NS;
    stack.state = STACK_ASKING;
    return KERR_OK;
}

/* Nobody gave an address: the one that QEMU's own network has for its first guest. */
static void take_fallback(void)
{
    ip4_addr_t address, mask, gateway;
    ip_addr_t names;

    dhcp_release_and_stop(&stack.netif);
    IP4_ADDR(&address, 10, 0, 2, 15);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 10, 0, 2, 2);
    IP_ADDR4(&names, 10, 0, 2, 3);
    netif_set_addr(&stack.netif, &address, &mask, &gateway);
    dns_setserver(0, &names);
    deck_log("no DHCP server answers: 10.0.2.15 it is");
}

static void look_for_address(void)
{
    const bool is_over = deck_now_ns() >= stack.ask_until_ns;

    if (!dhcp_supplied_address(&stack.netif)) {
        if (!is_over) {
            return;
        }
        take_fallback();
    }
    stack.state = STACK_UP;
    network_wake(&stack.asking);
}

enum kerr network_stack_ready(struct deck_request *request)
{
    enum kerr error = network_card_status();

    if (error == KERR_OK && stack.state == STACK_OFF) {
        error = start();
    }
    while (error == KERR_OK && stack.state == STACK_ASKING) {
        error = network_wait(request, &stack.asking, UINT64_MAX);
    }
    if (error == KERR_OK && !netif_is_link_up(&stack.netif)) {
        error = KERR_NETWORK_DOWN;
    }
    return error;
}

/* Run the timers that are due. Returns when the next is. */
static uint64_t run_timers(void)
{
    sys_check_timeouts();
    const u32_t left_ms = sys_timeouts_sleeptime();
    uint64_t deadline_ns = left_ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE
                               ? UINT64_MAX
                               : deck_recent_ns() + left_ms * NS_PER_MS;
    if (stack.state == STACK_ASKING && stack.ask_until_ns < deadline_ns) {
        deadline_ns = stack.ask_until_ns;
    }
    return deadline_ns;
}

uint64_t network_stack_poll(void)
{
    struct netif *netif = stack.state == STACK_OFF ? NULL : &stack.netif;
    /* Right behind the address may come who wants to connect: then those that waited for it listen already. */
    const bool more = network_card_poll(netif, stack.state == STACK_ASKING);
    uint64_t deadline_ns = UINT64_MAX;

    if (netif != NULL) {
        deadline_ns = run_timers();
        network_card_loop(netif);
    }
    if (stack.state == STACK_ASKING) {
        look_for_address();
    }
    network_card_kick();
    return more ? 0 : deadline_ns;
}
