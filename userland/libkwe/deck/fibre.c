/*
 * fibre.c - code that waits, on guarded stacks of its own; one thread, so that nothing here is locked.
 *
 *   FREE --start--> READY --run--> RUNNING --wait--> WAITING --signal, deadline--> READY
 *                                  RUNNING --return--> FREE
 *
 * The main loop runs ready ones in the order in which they became ready. A stack is made when a fibre is first needed and kept.
 */
#include "userland/libkwe/deck/internal.h"

#include <string.h>
#include <sys/mman.h>

#define MXCSR_DEFAULT 0x1f80u
#define X87CW_DEFAULT 0x037fu
/* fibres' tops are that much apart modulo a page: equal ones would share cache sets */
#define STACK_COLOUR_BYTES 192u

struct fibre {
    _Alignas(16) void *stack_pointer; /* while it does not run */
    uint8_t *stack_end;               /* one past its highest byte, a multiple of 16 */
    void (*run)(void *argument);
    void *argument;
    struct fibre *next;        /* in the one list that it is in */
    struct fibre_event *event; /* WAITING for this */
    uint64_t deadline_ns;
    bool timed_out;
};

/* What fibre_switch() finds on a stack. */
struct fibre_frame {
    uint32_t mxcsr;
    uint16_t x87cw, padding;
    uint64_t r15, r14, r13, r12, rbx, rbp;
    uint64_t return_address;
    uint64_t top[2]; /* zeros: a backtrace stops here; keeps the call in fibre_begin aligned */
};
_Static_assert(sizeof(struct fibre_frame) == 80, "fibre_switch.S pops in this order");
_Static_assert(offsetof(struct fibre_frame, return_address) == 56, "ret finds it");

void fibre_switch(void **save_stack, void *load_stack);
void fibre_begin(void);

struct fibre_list {
    struct fibre *first, *last;
};

/* The instance's one scheduler; a deck is one thread. */
static struct {
    struct fibre *current; /* NULL: the main loop */
    void *loop_stack;      /* the main loop's, while a fibre runs */
    struct fibre *free;
    struct fibre_list ready;
    struct fibre *timed; /* WAITING with a deadline, unordered: there are few */
    uint32_t made, limit;
} fibres;

static void list_append(struct fibre_list *list, struct fibre *fibre)
{
    fibre->next = NULL;
    if (list->first == NULL) {
        list->first = fibre;
    } else {
        list->last->next = fibre;
    }
    list->last = fibre;
}

static struct fibre *list_take(struct fibre_list *list)
{
    struct fibre *fibre = list->first;

    list->first = fibre->next;
    return fibre;
}

/* ---- making and starting ------------------------------------------------------------------------------------------- */

void fibres_init(uint32_t limit)
{
    memset(&fibres, 0, sizeof(fibres));
    fibres.limit = limit;
}

/* The record lies above its stack, which grows away from it. */
static struct fibre *make_fibre(void)
{
    uint8_t *memory = mmap(NULL, FIBRE_GUARD_BYTES + FIBRE_STACK_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return NULL;
    }
    if (mprotect(memory, FIBRE_GUARD_BYTES, PROT_NONE) != 0) {
        deck_die("no guard page under a fibre's stack");
    }
    uint8_t *top = memory + FIBRE_GUARD_BYTES + FIBRE_STACK_BYTES -
                   fibres.made * STACK_COLOUR_BYTES % FIBRE_GUARD_BYTES;
    struct fibre *fibre = (struct fibre *)(void *)(top - sizeof(struct fibre));
    fibre->stack_end = (uint8_t *)fibre;
    fibres.made++;
    return fibre;
}

static void back_to_loop(struct fibre *fibre)
{
    fibres.current = NULL;
    fibre_switch(&fibre->stack_pointer, fibres.loop_stack);
}

/* The body of every fibre. Not on the stack that it frees: the fibre is only listed as free, its stack is kept. */
static void fibre_main(void)
{
    struct fibre *fibre = fibres.current;

    fibre->run(fibre->argument);
    fibre->next = fibres.free;
    fibres.free = fibre;
    back_to_loop(fibre);
    __builtin_trap();
}

bool fibre_start(void (*run)(void *argument), void *argument)
{
    struct fibre *fibre = fibres.free;

    if (fibre != NULL) {
        fibres.free = fibre->next;
    } else if (fibres.made >= fibres.limit || (fibre = make_fibre()) == NULL) {
        return false;
    }
    struct fibre_frame *frame =
        (struct fibre_frame *)(void *)(fibre->stack_end - sizeof(struct fibre_frame));
    *frame = (struct fibre_frame){
        .mxcsr = MXCSR_DEFAULT,
        .x87cw = X87CW_DEFAULT,
        .r12 = (uintptr_t)fibre_main,
        .return_address = (uintptr_t)fibre_begin,
    };
    fibre->stack_pointer = frame;
    fibre->run = run;
    fibre->argument = argument;
    fibre->event = NULL;
    list_append(&fibres.ready, fibre);
    return true;
}

/* ---- the main loop's side --------------------------------------------------------------------------------------------- */

bool fibre_running(void)
{
    return fibres.current != NULL;
}

bool fibres_ready(void)
{
    return fibres.ready.first != NULL;
}

void fibres_run(void)
{
    while (fibres.ready.first != NULL) {
        struct fibre *fibre = list_take(&fibres.ready);
        fibres.current = fibre;
        fibre_switch(&fibres.loop_stack, fibre->stack_pointer);
    }
}

uint64_t fibres_next_deadline(void)
{
    uint64_t earliest_ns = UINT64_MAX;

    for (const struct fibre *fibre = fibres.timed; fibre != NULL; fibre = fibre->next) {
        if (fibre->deadline_ns < earliest_ns) {
            earliest_ns = fibre->deadline_ns;
        }
    }
    return earliest_ns;
}

void fibres_expire(uint64_t now_ns)
{
    struct fibre **link = &fibres.timed;

    while (*link != NULL) {
        struct fibre *fibre = *link;
        if (fibre->deadline_ns > now_ns) {
            link = &fibre->next;
            continue;
        }
        *link = fibre->next;
        fibre->event->waiter = NULL;
        fibre->event = NULL;
        fibre->timed_out = true;
        list_append(&fibres.ready, fibre);
    }
}

/* ---- waiting ------------------------------------------------------------------------------------------------------------ */

static void leave_timed(struct fibre *fibre)
{
    for (struct fibre **link = &fibres.timed; *link != NULL; link = &(*link)->next) {
        if (*link == fibre) {
            *link = fibre->next;
            return;
        }
    }
}

bool fibre_wait(struct fibre_event *event, uint64_t deadline_ns)
{
    struct fibre *fibre = fibres.current;

    if (fibre == NULL) {
        deck_die("fibre_wait() on the main loop");
    }
    if (event->signalled) {
        event->signalled = false;
        return true;
    }
    if (event->waiter != NULL) {
        deck_die("two fibres wait for one event");
    }
    event->waiter = fibre;
    fibre->event = event;
    fibre->deadline_ns = deadline_ns;
    fibre->timed_out = false;
    if (deadline_ns != UINT64_MAX) {
        fibre->next = fibres.timed;
        fibres.timed = fibre;
    }
    back_to_loop(fibre);
    return !fibre->timed_out;
}

void fibre_signal(struct fibre_event *event)
{
    struct fibre *fibre = event->waiter;

    if (fibre == NULL) {
        event->signalled = true;
        return;
    }
    event->waiter = NULL;
    fibre->event = NULL;
    if (fibre->deadline_ns != UINT64_MAX) {
        leave_timed(fibre);
    }
    list_append(&fibres.ready, fibre);
}

void fibre_lock(struct fibre_mutex *mutex)
{
    struct fibre *fibre = fibres.current;

    if (fibre == NULL) {
        deck_die("fibre_lock() on the main loop");
    }
    if (mutex->owner == NULL) {
        mutex->owner = fibre;
        return;
    }
    if (mutex->owner == fibre) {
        deck_die("a fibre locks what it holds");
    }
    struct fibre_list waiting = { mutex->first, mutex->last };
    list_append(&waiting, fibre);
    mutex->first = waiting.first;
    mutex->last = waiting.last;
    back_to_loop(fibre); /* unlock makes this one the owner before it runs again */
}

void fibre_unlock(struct fibre_mutex *mutex)
{
    if (mutex->owner == NULL || mutex->owner != fibres.current) {
        deck_die("a fibre unlocks what it does not hold");
    }
    struct fibre *heir = mutex->first;
    mutex->owner = heir;
    if (heir != NULL) {
        mutex->first = heir->next;
        list_append(&fibres.ready, heir);
    }
}
