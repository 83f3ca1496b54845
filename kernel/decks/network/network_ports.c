/* network_ports.c - see network_ports.h. */
#include "kernel/decks/network/network_ports.h"

#include "kernel/decks/network/network_stack.h"
#include "kernel/decks/network/network_wait.h"
#include <lwip/udp.h>

#define PORTS     64u
#define DATAGRAMS 64u /* that wait at a port; more are dropped, as on any way here */
#define IDLE_NS   10000000000ull
#define DATA_MAX  (65535u - 8 - 20)

struct datagram {
    struct pbuf *pbuf;
    struct network_address address;
    uint32_t port;
};

/* A port that a workflow has. */
struct port {
    struct udp_pcb *pcb; /* NULL: free */
    uint32_t number;
    uint32_t workflow;
    uint32_t users; /* operations that wait */
    bool is_left;   /* the last of them was called back, as all are when their workflow goes */
    uint64_t used_ns;
    struct network_waiters waiters;
    struct datagram datagram[DATAGRAMS];
    uint32_t first, count;
};

/* The instance's one state; a deck is one thread. */
static struct {
    struct port port[PORTS];
    struct udp_pcb *any; /* what is sent from no port of a workflow's */
} udp;

static void on_datagram(void *argument, struct udp_pcb *pcb, struct pbuf *pbuf,
                        const ip_addr_t *address, uint16_t sender)
{
    struct port *port = argument;

    (void)pcb;
    if (port->count == DATAGRAMS) {
        pbuf_free(pbuf);
        return;
    }
    port->datagram[(port->first + port->count) % DATAGRAMS] =
        (struct datagram){ pbuf, network_from_ip(address), sender };
    port->count++;
    network_wake(&port->waiters);
}

static struct datagram take_datagram(struct port *port)
{
    struct datagram datagram = port->datagram[port->first];

    port->first = (port->first + 1) % DATAGRAMS;
    port->count--;
    return datagram;
}

static void give_up_port(struct port *port)
{
    udp_remove(port->pcb);
    port->pcb = NULL;
    while (port->count != 0) {
        pbuf_free(take_datagram(port).pbuf);
    }
}

static bool is_forgotten(const struct port *port)
{
    return port->users == 0 && (port->is_left || deck_now_ns() - port->used_ns >= IDLE_NS);
}

/* The place of a port: its own, a free one, one that is forgotten; NULL: there is none. */
static struct port *find_place(uint32_t number)
{
    struct port *place = NULL;

    for (uint32_t i = 0; i < PORTS; i++) {
        struct port *port = &udp.port[i];
        if (port->pcb != NULL && port->number == number) {
            return port;
        }
        if (port->pcb == NULL) {
            place = place == NULL || place->pcb != NULL ? port : place;
        } else if (place == NULL && is_forgotten(port)) {
            place = port;
        }
    }
    return place;
}

static enum kerr bind_port(struct port *port, uint32_t number, uint32_t workflow)
{
    struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);

    if (pcb == NULL) {
        return KERR_NO_MEMORY;
    }
    enum kerr error = network_error(udp_bind(pcb, IP_ANY_TYPE, (uint16_t)number));
    if (error != KERR_OK) {
        udp_remove(pcb);
        return error;
    }
    *port = (struct port){ .pcb = pcb, .number = number, .workflow = workflow };
    udp_recv(pcb, on_datagram, port);
    return KERR_OK;
}

/* The workflow's port, which is made its own when nobody has it. */
static enum kerr take_port(const struct deck_request *request, uint32_t number, struct port **taken)
{
    struct port *port = find_place(number);
    const uint32_t workflow = deck_workflow(request);

    if (port == NULL) {
        return KERR_TOO_MANY;
    }
    if (port->pcb != NULL && (port->workflow != workflow || port->number != number)) {
        if (!is_forgotten(port)) {
            return KERR_PORT_IN_USE;
        }
        give_up_port(port);
    }
    enum kerr error = port->pcb == NULL ? bind_port(port, number, workflow) : KERR_OK;
    port->used_ns = deck_now_ns();
    port->is_left = false;
    *taken = port;
    return error;
}

/* What to send from. */
static enum kerr find_sender(const struct deck_request *request, uint32_t from,
                             struct udp_pcb **pcb)
{
    struct port *port = NULL;

    if (from != 0) {
        enum kerr error = take_port(request, from, &port);
        *pcb = error == KERR_OK ? port->pcb : NULL;
        return error;
    }
    if (udp.any == NULL) {
        udp.any = udp_new_ip_type(IPADDR_TYPE_ANY);
    }
    *pcb = udp.any;
    return udp.any != NULL ? KERR_OK : KERR_NO_MEMORY;
}

enum kerr ports_send(struct deck_request *request, struct network_address address, uint32_t port,
                     uint32_t from, struct deck_bytes data)
{
    const ip_addr_t ip = network_ip(address);
    struct udp_pcb *pcb = NULL;
    enum kerr error = data.length > DATA_MAX ? KERR_TOO_LARGE : find_sender(request, from, &pcb);

    if (error != KERR_OK) {
        return error;
    }
    /* A copy: the datagram may have to wait for its neighbour's address longer than this operation lasts. */
    struct pbuf *pbuf = pbuf_alloc(PBUF_TRANSPORT, (uint16_t)data.length, PBUF_RAM);
    if (pbuf == NULL) {
        return KERR_NO_MEMORY;
    }
    (void)pbuf_take(pbuf, data.data, (uint16_t)data.length);
    deck_count_copied_cache(request, data.length);
    error = network_error(udp_sendto(pcb, pbuf, &ip, (uint16_t)port));
    pbuf_free(pbuf);
    return error;
}

enum kerr ports_receive(struct deck_request *request, uint32_t number, struct deck_room *data,
                        struct network_address *address, uint32_t *sender)
{
    struct port *port = NULL;
    enum kerr error = take_port(request, number, &port);

    while (error == KERR_OK && port->count == 0) {
        deck_armed(request);
        port->users++; /* it stays the workflow's meanwhile */
        error = network_wait(request, &port->waiters, UINT64_MAX);
        port->users--;
        port->is_left = error == KERR_CANCELLED;
    }
    if (error != KERR_OK) {
        return error;
    }
    struct datagram datagram = take_datagram(port);
    if (datagram.pbuf->tot_len > data->capacity) {
        error =
            KERR_OUTPUT_TOO_LARGE; /* without a length: it is gone, and no larger room brings it back */
    } else {
        data->length = pbuf_copy_partial(datagram.pbuf, data->data, datagram.pbuf->tot_len, 0);
    }
    pbuf_free(datagram.pbuf);
    *address = datagram.address;
    *sender = datagram.port;
    port->used_ns = deck_now_ns();
    return error;
}
