/* hooks.h - what lwIP asks of the deck besides frames (its lwipopts.h names this file). */
#pragma once

#include <lwip/ip_addr.h>

/* The first number of a connection's bytes. */
u32_t network_lwip_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
                       u16_t remote_port);
