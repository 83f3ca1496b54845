/* hooks.h - what lwIP asks of the deck besides frames (its lwipopts.h names this file). */
#pragma once

#include <lwip/err.h>
#include <lwip/ip_addr.h>

struct tcp_hdr;
struct tcp_pcb;

/* The first number of a connection's bytes. */
u32_t network_lwip_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
                       u16_t remote_port);

/* Called with each segment for a connection or a listener, and so many bytes in it, before lwIP looks at it. */
err_t network_lwip_segment(struct tcp_pcb *pcb, const struct tcp_hdr *header, u16_t bytes);
