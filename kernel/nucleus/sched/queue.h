/* queue.h - threads that are ready, first come first. Only files of this room include it. */
#pragma once

#include "kernel/nucleus/sched/sched.h"

static inline void queue_push(struct thread_queue *queue, struct thread *thread)
{
    thread->next = NULL;
    if (queue->last == NULL) {
        queue->first = thread;
    } else {
        queue->last->next = thread;
    }
    queue->last = thread;
}

static inline struct thread *queue_pop(struct thread_queue *queue)
{
    struct thread *thread = queue->first;
    queue->first = thread->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    thread->next = NULL;
    return thread;
}

static inline bool queue_remove(struct thread_queue *queue, struct thread *thread)
{
    struct thread *before = NULL;
    for (struct thread *at = queue->first; at != NULL; before = at, at = at->next) {
        if (at != thread) {
            continue;
        }
        if (before == NULL) {
            queue->first = at->next;
        } else {
            before->next = at->next;
        }
        if (queue->last == at) {
            queue->last = before;
        }
        at->next = NULL;
        return true;
    }
    return false;
}
