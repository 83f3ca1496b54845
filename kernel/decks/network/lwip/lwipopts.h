/*
 * lwipopts.h - how lwIP is built for the Network deck: no threads, no sockets, its callback interface only; IPv4 and IPv6.
 *
 * What the card reads (headers, copied data) comes from lwIP's heap, which lies in memory that the card reaches (stack.c). Everything else is
 * in static pools: their sizes are what bounds the deck.
 */
#pragma once

#define NO_SYS                    1
#define SYS_LIGHTWEIGHT_PROT      0
#define LWIP_NETCONN              0
#define LWIP_SOCKET               0
#define LWIP_RAW                  0
#define LWIP_STATS                1 /* of pools and heap; they are among the metrics */
#define LWIP_STATS_LARGE          1
#define LINK_STATS                0
#define ETHARP_STATS              0
#define IP_STATS                  0
#define IPFRAG_STATS              0
#define ICMP_STATS                0
#define UDP_STATS                 0
#define TCP_STATS                 0
#define SYS_STATS                 0
#define IP6_STATS                 0
#define ICMP6_STATS               0
#define IP6_FRAG_STATS            0
#define MLD6_STATS                0
#define ND6_STATS                 0
#define LWIP_PERF                 0
#define LWIP_NETIF_TX_SINGLE_PBUF 0

/* Memory. */
#define MEM_ALIGNMENT         16
#define MEM_SIZE              (4u << 20)
#define LWIP_RAM_HEAP_POINTER network_lwip_heap
extern unsigned char *network_lwip_heap;
#define MEMP_NUM_PBUF                                                                              \
    4096 /* refer to a caller's bytes: one for each segment in flight that was not copied */
#define MEMP_NUM_TCP_PCB         1664
#define MEMP_NUM_TCP_PCB_LISTEN  64
#define MEMP_NUM_TCP_SEG         8192
#define MEMP_NUM_UDP_PCB         80
#define MEMP_NUM_REASSDATA       16
#define MEMP_NUM_FRAG_PBUF       64
#define IP_REASS_MAX_PBUFS       32
#define PBUF_POOL_SIZE           16 /* the driver brings its own buffers */
#define LWIP_SUPPORT_CUSTOM_PBUF 1

/* IP. */
#define LWIP_IPV4                     1
#define LWIP_IPV6                     1
#define LWIP_ARP                      1
#define LWIP_ICMP                     1
#define LWIP_ICMP6                    1
#define LWIP_IPV6_MLD                 1
#define LWIP_IPV6_AUTOCONFIG          1
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 1
#define IPV6_FRAG_COPYHEADER                                                                       \
    1 /* its own record is larger than the header that it would overwrite */
#define LWIP_NETIF_LOOPBACK      1 /* what one workflow sends to another's port */
#define IP_FORWARD               0
#define LWIP_BROADCAST_PING      0
#define LWIP_MULTICAST_PING      0
#define ARP_TABLE_SIZE           64
#define LWIP_ND6_NUM_NEIGHBORS   64
#define LWIP_DHCP                1
#define LWIP_DHCP_DOES_ACD_CHECK 0 /* it takes seconds; the server has looked */
#define LWIP_DNS                 1
#define DNS_TABLE_SIZE           16
#define DNS_MAX_SERVERS          2
#define DNS_MAX_NAME_LENGTH      256
#define LWIP_DNS_SECURE                                                                            \
    (LWIP_DNS_SECURE_RAND_XID | LWIP_DNS_SECURE_NO_MULTIPLE_OUTSTANDING |                          \
     LWIP_DNS_SECURE_RAND_SRC_PORT)
#define LWIP_NETIF_LINK_CALLBACK     0
#define LWIP_NETIF_STATUS_CALLBACK   0
#define LWIP_SINGLE_NETIF            1
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHECKSUM_ON_COPY        0

/* TCP. A window of 256 KiB each way. */
#define LWIP_TCP          1
#define TCP_MSS           1460
#define LWIP_WND_SCALE    1
#define TCP_RCV_SCALE     2
#define TCP_WND           (255u * 1024)
#define TCP_SND_BUF       (256u * 1024)
#define TCP_SND_QUEUELEN  512
#define TCP_SNDLOWAT      (48u * 1024)
#define TCP_SNDQUEUELOWAT 256
/* It would have windows fit the pool of receive buffers, which is not used: the driver's own are. */
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1
#define TCP_WND_UPDATE_THRESHOLD       (16u * 1024)
#define TCP_QUEUE_OOSEQ                1
#define TCP_OOSEQ_MAX_PBUFS            64 /* of a connection: they hold the driver's buffers */
#define LWIP_TCP_SACK_OUT              1
#define LWIP_TCP_TIMESTAMPS            0
#define TCP_LISTEN_BACKLOG             1
#define TCP_OVERSIZE                   TCP_MSS
#define SO_REUSE                       1
#define LWIP_TCP_KEEPALIVE             0
#define TCP_MSL                        5000u /* ms; a local network: places of closed connections are wanted again */

/* The initial number of a connection cannot be guessed (RFC 6528). */
#define LWIP_HOOK_FILENAME "kernel/decks/network/lwip/hooks.h"
#define LWIP_HOOK_TCP_ISN  network_lwip_isn
/* Connections that nobody completes keep nobody out. */
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, bytes, first_bytes, second, pbuf)                  \
    network_lwip_segment(pcb, header, (pbuf)->tot_len)

/* A stack that contradicts itself ends the deck, which is started anew. */
#define LWIP_DEBUG 0
