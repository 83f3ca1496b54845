/*
 * internal.h - what the deck library's own files know of each other. Decks use deck.h only.
 *
 *   main.c      main()
 *   loop.c      take work, run it or put it on a fibre, answer, sleep in deck_next()
 *   observed.c  results that were published, for the deck that observes
 *   request.c   one stage's work in hand: its inputs, output, answer
 *   fibre.c     stacks, who runs next, events, locks; fibre_switch.S
 *   services.c  log, time, giving up
 */
#pragma once

#include "kernel/lib/ring.h"
#include "userland/libkwe/deck/deck.h"

struct deck_request {
    struct kwe_work work;
    const struct kwe_work_frame *frame; /* the nucleus's; read-only here, stays until the answer */
    struct kwe_completion completion;
    uint64_t taken_ns;
    struct fibre_event *waits_for; /* in deck_wait() */
    bool recalled;                 /* nobody waits for the answer */
    bool is_armed;                 /* has said so */
    uint32_t before_length;        /* of the output of the work that this one came after */
    struct deck_request *then;     /* begins when this one is answered */
};

/* ---- loop.c ---------------------------------------------------------------------------------------------------- */

/* What the ticket's index stands for: work in hand, or what was last answered, for work that comes after it. */
struct deck_ticket {
    uint32_t out_length;
    uint16_t status;
    bool in_hand;
};

/* What the deck that observes has seen. */
struct deck_observed {
    struct {
        struct ring_consumer ring;
        uint32_t kept;      /* results that were observed and lie there still */
    } of[KWE_MAX_OBSERVED]; /* each program's */
    uint32_t count;         /* of these; 0: the deck does not observe */
    /* of all that is kept, the newest first; made when somebody asks */
    const struct kwe_result **newest;
    uint32_t newest_count;
    bool is_made;
};

/* All that the loop knows; one for each instance, which is one thread. */
struct deck_loop {
    struct kwe_deck_info info;
    struct ring_consumer work;
    struct ring_producer done;
    struct deck_observed observed;
    enum kerr start_status; /* what deck_start() said */
    struct deck_ticket tickets[KWE_MAX_DEPTH];
    struct deck_request *requests; /* by ticket too, info.depth of them; while in hand */
    uint32_t placed;  /* answers behind the DoneRing's tail that are not published yet */
    uint32_t room;    /* places behind those, as far as is known */
    uint64_t turn_ns; /* when this turn's first operation began; 0: none has */
    uint64_t
        stamp_ns; /* the newest time of this turn that is known, for one that it ended (or began); 0: none */
};

/* Ask the nucleus who this is, set up, and call deck_start(). Dies when it cannot. */
void deck_loop_start(struct deck_loop *loop);
/* Take what has come, run what can run, then one deck_next(). */
void deck_loop_turn(struct deck_loop *loop);

/* ---- observed.c -------------------------------------------------------------------------------------------------- */

void observed_init(struct deck_observed *observed, const struct kwe_deck_info *info);
/* Tell deck_observe() of what has come since. Dies when a ring's counts cannot be. */
void observed_look(struct deck_observed *observed);

/* ---- request.c --------------------------------------------------------------------------------------------------- */

void request_begin(struct deck_request *request, const struct kwe_work *work,
                   const struct kwe_work_frame *frames, uint64_t now_ns);
/* The status that goes into the completion: what the operation said, if what it says can be. */
enum kerr request_verdict(struct deck_request *request, enum kerr said);

/* ---- fibre.c ------------------------------------------------------------------------------------------------------- */

enum {
    FIBRE_STACK_BYTES = 64 * 1024,
    FIBRE_GUARD_BYTES = 4096,
    FIBRE_SPARE = 16, /* beyond one for each request: for fibre_start() */
};

/* At most `limit` fibres, made when first needed. */
void fibres_init(uint32_t limit);
/* Run all that can run, until none can. From the main loop. */
void fibres_run(void);
/* Is there one that can run? */
bool fibres_ready(void);
/* When the first deadline of a waiting one passes; UINT64_MAX: none. */
uint64_t fibres_next_deadline(void);
/* Make those runnable whose deadline has passed. */
void fibres_expire(uint64_t now_ns);

/* The mark that moves the time budget on: where deck_progress() writes. */
void services_init(struct ring *done);
