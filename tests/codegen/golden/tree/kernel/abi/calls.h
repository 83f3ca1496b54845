/*
 * calls.h - numbers of the kernel's own calls, above the Linux-numbered ones.
 *
 * GENERATED, do not edit.
 *   spec      kernel/abi/calls.yaml
 *   template  codegen/templates/calls.h.j2
 *   rebuild   make gen
 */
#pragma once

/*
 * Programs. SUBMIT: take what is in the EventRing, at once. WAIT: sleep until `min` results lie in
 * the ResultRing or the timeout passes. Both at once is one call. Returns the number of results
 * that lie there.
 *   ring: ring id
 *   flags: KWE_NOTIFY_*
 *   min: results to wait for
 *   timeout_ns: 0: do not sleep; UINT64_MAX: for ever
 */
#define KWE_CALL_KERNEL_NOTIFY 0x1000u

/*
 * Programs. Make a pair of rings in fresh memory of the caller. Writes a struct kwe_ring_info.
 * Returns the ring id.
 *   slots: a power of two, 8..4096; both rings
 *   info: address of the struct to fill
 *   flags: KWE_RING_*
 */
#define KWE_CALL_RING_CREATE 0x1001u

/*
 * Programs. Give a pair of rings back; its events drain to nowhere.
 *   ring: ring id
 */
#define KWE_CALL_RING_DESTROY 0x1002u

/*
 * Programs. Check and plan a workflow, make and map its arena. Writes a struct kwe_workflow_info;
 * when it fails, info->stage names the stage that is at fault (0xffff: none in particular) and
 * info->detail the byte offset in the blob.
 *   blob: address of a struct kwe_workflow
 *   bytes: its whole length
 *   info: address of the struct to fill
 */
#define KWE_CALL_WORKFLOW_REGISTER 0x1003u

/*
 * Programs. Cancel what runs, then give the workflow and its arena back.
 *   workflow: workflow id
 */
#define KWE_CALL_WORKFLOW_UNREGISTER 0x1004u

/*
 * Programs. Write a struct kwe_workflow_status and, behind it, a struct kwe_stage_status for each
 * stage.
 *   workflow: workflow id
 *   buffer: address
 *   bytes: room
 */
#define KWE_CALL_WORKFLOW_STATUS 0x1005u

/*
 * Programs. End every waiting event of the workflow with CANCELLED; those in a deck's hands end
 * when it returns them.
 *   workflow: workflow id
 */
#define KWE_CALL_WORKFLOW_CANCEL 0x1006u

/*
 * Programs. End the events of this cookie that came through the ring, with CANCELLED; what is in a
 * deck's hands is recalled first. Returns how many there were: 0, when all have ended. Each still
 * has its one result.
 *   ring: ring id
 *   cookie: of the events
 */
#define KWE_CALL_EVENT_CANCEL 0x1007u

/*
 * Programs. Write a struct kwe_plan and, behind it, a struct kwe_plan_stage for each stage.
 *   workflow: workflow id
 *   buffer: address
 *   bytes: room
 */
#define KWE_CALL_WORKFLOW_PLAN 0x1008u

/*
 * Programs. An arena without a workflow, for events that carry their own graph, mapped into the
 * decks that it names. Writes a struct kwe_workflow_info, in which `workflow` is the arena's id.
 * Given back by workflow_unregister().
 *   arena: address of a struct kwe_arena
 *   bytes: its length with the manifest
 *   info: address of the struct to fill
 */
#define KWE_CALL_ARENA_CREATE 0x1009u

/*
 * Programs. Have `entry` called, with the ring's id, on the program's thread when results have come
 * into the ring. It is not called again before it has ended with upcall_return(); a sleep for a
 * time is interrupted by it. One function a program: the last that was named.
 *   ring: ring id
 *   entry: address; 0: none any more
 *   stack: its top; 0: the thread's own
 */
#define KWE_CALL_UPCALL_SET 0x100au

/*
 * Programs. End an upcall; the thread goes on where it was. Does not return; BAD_CALL outside of
 * one.
 */
#define KWE_CALL_UPCALL_RETURN 0x100bu

/*
 * Programs and decks. Write a struct kwe_statistics of the whole system.
 *   buffer: address
 *   bytes: room
 */
#define KWE_CALL_STATISTICS 0x100cu

/*
 * Programs. Take the oldest records of what happened when: a struct kwe_trace_head, and as many
 * struct kwe_trace_record behind it as there are, or as there is room for. Returns the bytes.
 * NOT_PERMITTED without "trace" on the kernel's command line: it tells of all programs.
 *   buffer: address
 *   bytes: room
 */
#define KWE_CALL_TRACE_READ 0x100du

/*
 * Programs. Copy [offset, offset + bytes) of the fw_cfg file opt/kwe/NAME. With bytes 0, return its
 * size (0, no such file).
 *   name: address of a NUL-terminated name
 *   offset: in the file
 *   buffer: address
 *   bytes: how many
 */
#define KWE_CALL_BOOT_FILE 0x100eu

/*
 * Programs. Send bytes on the control channel. Returns how many were taken, at most 2 KiB at a
 * time.
 *   data: address
 *   bytes: how many
 */
#define KWE_CALL_CONTROL_WRITE 0x100fu

/*
 * Programs. Take bytes that have arrived on the control channel; sleeps up to timeout_ns when there
 * are none. Returns how many.
 *   data: address
 *   bytes: room
 *   timeout_ns: how long
 */
#define KWE_CALL_CONTROL_READ 0x1010u

/*
 * Programs. Hurt a deck, for tests; NOT_PERMITTED without "debug" on the kernel's command line.
 * kind 0: kill the instance; kind 1: have its next deck_next() fault.
 *   deck: prefix
 *   instance: ordinal
 *   kind: what
 */
#define KWE_CALL_INJECT 0x1011u

/*
 * Decks. The doorbell of the instance's two rings: the nucleus takes what lies in the DoneRing and
 * puts new work into the WorkRing; with neither work nor an interrupt pending the instance sleeps
 * until there is some or the deadline passes. Returns the number of new work slots in rax and the
 * sticky interrupt bits, now cleared, in rdx.
 *   deadline_ns: when to come back at the latest, in kernel_now() time; 0: do not sleep;
 *     UINT64_MAX: for ever
 */
#define KWE_CALL_DECK_NEXT 0x1012u

/*
 * Decks. End this instance; it is torn down and started afresh. Does not return.
 *   reason: address of a text
 *   bytes: its length
 */
#define KWE_CALL_DECK_DIE 0x1013u

/*
 * Decks. Write a struct kwe_deck_info, this instance's rings, devices and identity.
 *   info: address of the struct
 */
#define KWE_CALL_DECK_INFO 0x1014u

/*
 * Decks. Fresh zeroed pages that the deck's devices may read and write at the same address. Returns
 * the address.
 *   bytes: rounded up to pages
 */
#define KWE_CALL_DMA_ALLOC 0x1015u

/*
 * Programs and decks. One line for the debug console, marked with who speaks; cut at 240 bytes.
 *   text: address
 *   bytes: length
 */
#define KWE_CALL_LOG 0x1016u

#define KWE_CALL_FIRST KWE_CALL_KERNEL_NOTIFY
#define KWE_CALL_COUNT 23u
