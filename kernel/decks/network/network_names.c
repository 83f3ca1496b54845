/* network_names.c - see network_names.h. */
#include "kernel/decks/network/network_names.h"

#include "kernel/decks/network/network_stack.h"
#include "kernel/decks/network/network_wait.h"
#include <lwip/dns.h>

#define LOOKUPS    32u
#define NAME_BYTES 254u /* as text, RFC 1035, 2.3.4 */

/* lwIP answers each, also when nobody waits any more: so they lie here and not on the fibre. */
struct lookup {
    bool is_used;
    bool is_answered;
    bool is_left; /* the operation has ended: free once answered */
    bool is_found;
    struct network_address address;
    struct network_waiters waiters;
};

/* The instance's one state; a deck is one thread. */
static struct lookup lookups[LOOKUPS];

static struct lookup *find_place(void)
{
    for (uint32_t i = 0; i < LOOKUPS; i++) {
        if (!lookups[i].is_used) {
            lookups[i] = (struct lookup){ .is_used = true };
            return &lookups[i];
        }
    }
    return NULL;
}

static void on_answer(const char *name, const ip_addr_t *ip, void *argument)
{
    struct lookup *lookup = argument;

    (void)name;
    lookup->is_answered = true;
    lookup->is_found = ip != NULL;
    if (ip != NULL) {
        lookup->address = network_from_ip(ip);
    }
    lookup->is_used = !lookup->is_left;
    network_wake(&lookup->waiters);
}

static enum kerr await_answer(struct deck_request *request, struct lookup *lookup,
                              struct network_address *address)
{
    enum kerr error = KERR_OK;

    while (error == KERR_OK && !lookup->is_answered) {
        error = network_wait(request, &lookup->waiters, UINT64_MAX);
    }
    if (!lookup->is_answered) {
        lookup->is_left = true;
        return error;
    }
    lookup->is_used = false;
    *address = lookup->address;
    return lookup->is_found ? error : KERR_NO_SUCH_NAME;
}

/* The name as C has it; the bytes may be a program's, and change. False: it is none. */
static bool copy_name(struct deck_bytes name, char text[NAME_BYTES + 1])
{
    if (name.length == 0 || name.length > NAME_BYTES) {
        return false;
    }
    memcpy(text, name.data, name.length);
    text[name.length] = '\0';
    return strlen(text) == name.length;
}

enum kerr names_resolve(struct deck_request *request, struct deck_bytes name,
                        struct network_address *address)
{
    char text[NAME_BYTES + 1];
    ip_addr_t ip;

    if (!copy_name(name, text)) {
        return KERR_BAD_NAME;
    }
    struct lookup *lookup = find_place();
    if (lookup == NULL) {
        return KERR_TOO_MANY;
    }
    const err_t error =
        dns_gethostbyname_addrtype(text, &ip, on_answer, lookup, LWIP_DNS_ADDRTYPE_IPV4_IPV6);
    if (error == ERR_INPROGRESS) {
        return await_answer(request, lookup, address);
    }
    lookup->is_used = false;
    if (error != ERR_OK) {
        return error == ERR_MEM ? KERR_TOO_MANY : KERR_BAD_NAME;
    }
    *address = network_from_ip(&ip);
    return KERR_OK;
}
