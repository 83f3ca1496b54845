/*
 * life.c - starting an instance from its image, and tearing it down.
 *
 * Order on the way down matters: the device is stopped first (bus-master off, its own reset confirmed), then the Guide is told, then frames
 * go into quarantine. A device that does not confirm keeps the deck down, and its frames are never used again.
 */
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/nucleus/deck/deck.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/nucleus.h"

/* A ticket may be told of twice: that it is armed, and its answer. */
#define RING_SLOTS (2 * KWE_MAX_DEPTH)
/* Of all ObservedRings together. */
#define OBSERVED_SLOTS   8192u
#define BACKOFF_FIRST_NS 1000000u
#define BACKOFF_MAX_NS   200000000u

static uint64_t page_round(uint64_t bytes)
{
    return round_up_u64(bytes, PAGE_SIZE);
}

/* ---- rings -------------------------------------------------------------------------------------------------------- */

uint32_t deck_observed_slots(const struct nucleus *nucleus)
{
    uint32_t slots = OBSERVED_SLOTS;

    while (slots * nucleus->programs_named > OBSERVED_SLOTS) {
        slots /= 2;
    }
    return slots;
}

uint64_t deck_observed_stride(const struct nucleus *nucleus)
{
    return page_round(ring_bytes(deck_observed_slots(nucleus)));
}

/* WorkRing, DoneRing, ObservedRings and work frames: contiguous frames, the last read-only to ring 3. */
static bool make_rings(struct nucleus *nucleus, struct instance *instance)
{
    uint64_t one_ring = page_round(ring_bytes(RING_SLOTS));
    const uint32_t observed_rings = instance->spec->observes ? nucleus->programs_named : 0;
    const uint64_t observed_stride = deck_observed_stride(nucleus);
    uint64_t rings_bytes = 2 * one_ring + observed_rings * observed_stride;
    uint64_t frames_bytes =
        page_round((uint64_t)instance->spec->depth * sizeof(struct kwe_work_frame));
    uint32_t ring_pages = (uint32_t)(rings_bytes / PAGE_SIZE);
    uint32_t frame_pages = (uint32_t)(frames_bytes / PAGE_SIZE);

    instance->ring_frame_count = ring_pages + frame_pages;
    if (!frames_take_run(&nucleus->frames, instance->ring_frame_count, &instance->ring_frames)) {
        instance->ring_frame_count = 0;
        return false;
    }
    uint8_t *memory = port_direct(instance->ring_frames);
    struct ring *work = (struct ring *)memory;
    struct ring *done = (struct ring *)(memory + one_ring);
    ring_init(work, 0);
    ring_init(done, 0);
    ring_producer_init(&instance->work, work, RING_SLOTS, 0);
    ring_consumer_init(&instance->done, done, RING_SLOTS, 0);
    for (uint32_t i = 0; i < observed_rings; i++) {
        struct ring *observed = (struct ring *)(memory + 2 * one_ring + i * observed_stride);
        ring_init(observed, 0);
        ring_producer_init(&instance->observed[i], observed, deck_observed_slots(nucleus), 0);
    }
    instance->frames = (struct kwe_work_frame *)(memory + rings_bytes);

    vaddr_t rings_at, frames_at;
    paddr_t frames_from = paddr(instance->ring_frames.value + rings_bytes);
    if (space_map_frames(instance->space, instance->ring_frames, ring_pages, PORT_READ | PORT_WRITE,
                         &rings_at) != KERR_OK ||
        space_map_frames(instance->space, frames_from, frame_pages, PORT_READ, &frames_at) !=
            KERR_OK) {
        return false;
    }
    instance->work_address = rings_at.value;
    instance->done_address = rings_at.value + one_ring;
    instance->observed_address = observed_rings == 0 ? 0 : rings_at.value + 2 * one_ring;
    instance->frames_address = frames_at.value;
    return true;
}

/* ---- devices ------------------------------------------------------------------------------------------------------- */

/* Find the nth unclaimed match. Each device belongs to one deck. */
static bool find_device(struct nucleus *nucleus, const struct deck_device_spec *wanted,
                        unsigned *device_index)
{
    for (unsigned i = 0; i < port_pci_count(); i++) {
        const struct port_pci_device *device = port_pci_device(i);
        if (device->vendor == wanted->vendor && device->device == wanted->device &&
            !nucleus->device_claimed[i]) {
            *device_index = i;
            return true;
        }
    }
    return false;
}

/* Map a BAR, but one that holds the MSI-X table: it stays the nucleus's (devices here keep the table in a BAR of its own). */
static bool map_bar(struct instance *instance, const struct port_pci_bar *bar, uint64_t *address)
{
    vaddr_t at;

    if (bar->size_bytes == 0 || bar->base.value % PAGE_SIZE != 0 || bar->has_msix_table) {
        return true;
    }
    if (space_map_device(instance->space, bar->base, page_round(bar->size_bytes), &at) != KERR_OK) {
        return false;
    }
    *address = at.value;
    return true;
}

static bool give_vector(struct nucleus *nucleus, struct instance *instance, unsigned device_index,
                        unsigned entry, uint8_t bit)
{
    for (unsigned i = 0; i < DEVICE_VECTOR_COUNT; i++) {
        if (nucleus->vector[i].instance == NULL) {
            nucleus->vector[i] = (struct device_vector){ .instance = instance, .bit = bit };
            port_pci_set_msix(device_index, entry, (uint8_t)(DEVICE_VECTOR_FIRST + i),
                              instance->index % nucleus->cpu_count);
            return true;
        }
    }
    return false;
}

static bool open_device(struct nucleus *nucleus, struct instance *instance, unsigned slot,
                        uint8_t *next_bit)
{
    const struct deck_device_spec *wanted = &instance->spec->devices[slot];
    struct instance_device *mine = &instance->device[slot];
    unsigned index;

    mine->first_bit = *next_bit;
    *next_bit = (uint8_t)(*next_bit + wanted->interrupts);
    if (!find_device(nucleus, wanted, &index)) {
        if (wanted->required) {
            log_line(deck_instance_name(instance), "needs PCI device %04x:%04x, there is none",
                     wanted->vendor, wanted->device);
        }
        return !wanted->required;
    }
    const struct port_pci_device *device = port_pci_device(index);
    mine->present = true;
    mine->device_index = index;
    nucleus->device_claimed[index] = true;
    for (unsigned i = 0; i < PORT_PCI_BARS; i++) {
        if (!map_bar(instance, &device->bar[i], &mine->bar_address[i])) {
            return false;
        }
    }
    port_iommu_attach(index, instance->domain);
    for (unsigned i = 0; i < wanted->interrupts && i < device->msix_count; i++) {
        if (!give_vector(nucleus, instance, index, i, (uint8_t)(mine->first_bit + i))) {
            return false;
        }
    }
    port_pci_set_bus_master(index, true);
    return true;
}

static bool open_devices(struct nucleus *nucleus, struct instance *instance)
{
    uint8_t next_bit = 0;

    if (instance->spec->device_count == 0) {
        return true;
    }
    if (!port_iommu_present()) {
        log_line(deck_instance_name(instance),
                 "owns devices and there is no IOMMU: start QEMU with -device intel-iommu");
        return false;
    }
    if (!port_iommu_domain_create(&instance->domain)) {
        return false;
    }
    for (unsigned i = 0; i < instance->spec->device_count; i++) {
        if (!open_device(nucleus, instance, i, &next_bit)) {
            return false;
        }
    }
    return true;
}

/* Stop them. False: one does not confirm; its frames must never be used again. */
static bool close_devices(struct nucleus *nucleus, struct instance *instance)
{
    bool quiet = true;

    for (unsigned i = 0; i < instance->spec->device_count; i++) {
        struct instance_device *mine = &instance->device[i];
        if (!mine->present) {
            continue;
        }
        bool stopped = port_pci_quiesce(mine->device_index, instance->spec->devices[i].quiesce);
        port_iommu_attach(mine->device_index, 0);
        mine->present = false;
        if (stopped) {
            nucleus->device_claimed[mine->device_index] = false;
        } else {
            log_line(deck_instance_name(instance),
                     "its device does not confirm a reset: the deck stays down");
            quiet = false;
        }
    }
    for (unsigned i = 0; i < DEVICE_VECTOR_COUNT; i++) {
        if (nucleus->vector[i].instance == instance) {
            nucleus->vector[i].instance = NULL;
        }
    }
    return quiet;
}

/* ---- arenas -------------------------------------------------------------------------------------------------------- */

bool deck_map_arena(struct instance *instance, struct workflow_arena *workflow)
{
    int segment = plan_segment_of(workflow->plan, instance->spec->prefix, instance->ordinal);

    if (segment < 0 || instance->state != DECK_UP) {
        return true; /* not on its routes; or mapped when it comes up */
    }
    if (arena_map(workflow->arena, instance->space, (uint32_t)segment) != KERR_OK) {
        return false;
    }
    if (instance->domain == 0 ||
        arena_map_device(workflow->arena, instance->domain, (uint32_t)segment) == KERR_OK) {
        return true;
    }
    arena_unmap(workflow->arena, instance->space);
    return false;
}

void deck_unmap_arena(struct instance *instance, struct workflow_arena *workflow)
{
    int segment = plan_segment_of(workflow->plan, instance->spec->prefix, instance->ordinal);

    if (segment < 0 || instance->state != DECK_UP) {
        return;
    }
    if (instance->domain != 0) {
        arena_unmap_device(workflow->arena, instance->domain);
    }
    arena_unmap(workflow->arena, instance->space);
}

static bool map_arenas(struct nucleus *nucleus, struct instance *instance)
{
    for (unsigned i = 0; i < MAX_WORKFLOWS; i++) {
        if (nucleus->workflow[i] != NULL && !deck_map_arena(instance, nucleus->workflow[i])) {
            return false;
        }
    }
    return true;
}

/* ---- up ------------------------------------------------------------------------------------------------------------ */

static bool build(struct nucleus *nucleus, struct instance *instance)
{
    struct thread *thread = instance->thread;

    instance->space =
        space_create(&nucleus->frames, &nucleus->heap, instance->spec->heap_max_bytes);
    if (instance->space == NULL) {
        return false;
    }
    if (!thread_load(nucleus, thread, instance->space, "deck", instance->spec->name)) {
        return false;
    }
    if (!make_rings(nucleus, instance) || !open_devices(nucleus, instance)) {
        return false;
    }
    instance->state = DECK_UP;
    return map_arenas(nucleus, instance);
}

/* Everything back, or, when a device may still be writing, nothing ever again. */
static void release(struct nucleus *nucleus, struct instance *instance, bool quiet)
{
    struct frames_fence fence = { 0 };

    if (instance->space == NULL) {
        instance->state = DECK_DOWN;
        return;
    }
    for (unsigned i = 0; i < MAX_WORKFLOWS; i++) {
        if (nucleus->workflow[i] != NULL) {
            deck_unmap_arena(instance, nucleus->workflow[i]);
        }
    }
    instance->state = DECK_DOWN;
    if (instance->spec->observes) {
        guides_observe_into(nucleus->guides, NULL);
    }
    if (instance->frames_address != 0) {
        space_unmap_lent(instance->space, vaddr(instance->work_address), &fence);
        space_unmap_lent(instance->space, vaddr(instance->frames_address), &fence);
    }
    for (unsigned i = 0; i < instance->spec->device_count; i++) {
        for (unsigned bar = 0; bar < PORT_PCI_BARS; bar++) {
            if (instance->device[i].bar_address[bar] != 0) {
                space_unmap_lent(instance->space, vaddr(instance->device[i].bar_address[bar]),
                                 &fence);
            }
        }
    }
    if (quiet) {
        cpus_leave_space(nucleus, instance->space);
        if (instance->domain != 0) {
            port_iommu_domain_destroy(instance->domain);
        }
        space_destroy(instance->space);
        if (instance->ring_frame_count != 0) {
            frames_give_run_after(&nucleus->frames, instance->ring_frames,
                                  instance->ring_frame_count, &fence);
        }
    }
    memset(instance->device, 0, sizeof(instance->device));
    instance->domain = 0;
    instance->frames_address = 0;
    instance->ring_frame_count = 0;
    instance->space = NULL;
    instance->thread->space = NULL;
}

static void start(struct nucleus *nucleus, struct instance *instance)
{
    port_lock_acquire(&instance->recall_lock);
    instance->recall_count = 0;
    port_lock_release(&instance->recall_lock);
    instance->generation++;
    instance->failing = false;
    instance->crash_next = false;
    instance->pending_interrupts = 0;
    instance->ran_ns = 0;
    instance->progress = 0;
    instance->budget_ns = 0;
    instance->restart_at_ns = UINT64_MAX;
    instance->thread->condemned = false;
    instance->thread->woken = false;
    instance->thread->resume = NULL;
    instance->thread->state = THREAD_NONE;
    if (!build(nucleus, instance)) {
        log_line(deck_instance_name(instance), "could not be started, it stays down");
        release(nucleus, instance, close_devices(nucleus, instance));
        guides_instance_state(nucleus->guides, instance->index, GUIDE_INSTANCE_DOWN, port_now_ns());
        return;
    }
    if (instance->spec->observes) {
        guides_observe_into(nucleus->guides, instance->observed);
    }
    guides_instance_state(nucleus->guides, instance->index, GUIDE_INSTANCE_UP, port_now_ns());
    sched_ready(nucleus, instance->thread);
}

static struct instance *make_instance(struct nucleus *nucleus, const struct deck_spec *spec,
                                      uint32_t ordinal)
{
    struct instance *instance = heap_alloc_zeroed(&nucleus->heap, sizeof(*instance));
    struct thread *thread = heap_alloc_zeroed(&nucleus->heap, sizeof(*thread));

    KASSERT(instance != NULL && thread != NULL, "no memory at boot for deck %s", spec->name);
    instance->spec = spec;
    instance->ordinal = ordinal;
    instance->index = nucleus->instance_count++;
    instance->thread = thread;
    fmt_print(thread->name, sizeof(thread->name), "deck %s.%u", spec->name, ordinal);
    thread->instance = instance;
    thread->class = spec->device_class ? THREAD_DEVICE : THREAD_SHARED;
    thread->pinned_cpu = spec->per_cpu ? (int)ordinal : -1;
    nucleus->instance[instance->index] = instance;
    return instance;
}

void deck_make_all(struct nucleus *nucleus)
{
    for (uint32_t i = 0; i < deck_spec_count; i++) {
        const struct deck_spec *spec = &deck_specs[i];
        struct deck *deck = &nucleus->deck[spec->prefix];
        deck->spec = spec;
        deck->first_instance = nucleus->instance_count;
        deck->instance_count = spec->per_cpu ? nucleus->cpu_count : 1;
        for (uint32_t ordinal = 0; ordinal < deck->instance_count; ordinal++) {
            make_instance(nucleus, spec, ordinal);
        }
    }
}

void deck_start_all(struct nucleus *nucleus)
{
    for (uint32_t i = 0; i < nucleus->instance_count; i++) {
        start(nucleus, nucleus->instance[i]);
    }
}

/* ---- down, and up again --------------------------------------------------------------------------------------------- */

/* How many of the newest deaths lie within the window. */
static uint32_t recent_deaths(const struct instance *instance, uint64_t now_ns)
{
    uint32_t count = 0;
    uint32_t kept = instance->deaths < DEATHS_KEPT ? instance->deaths : DEATHS_KEPT;

    for (uint32_t i = 0; i < kept; i++) {
        if (now_ns - instance->death_ns[i] <= instance->spec->restart_window_ns) {
            count++;
        }
    }
    return count;
}

void deck_reap(struct nucleus *nucleus, struct instance *instance)
{
    uint64_t now_ns = port_now_ns();

    instance->death_ns[instance->deaths++ % DEATHS_KEPT] = now_ns;
    uint32_t recent = recent_deaths(instance, now_ns);
    bool quiet = close_devices(nucleus, instance);
    release(nucleus, instance, quiet);
    guides_instance_lost(nucleus->guides, instance->index, now_ns);
    if (!quiet || recent > instance->spec->restart_limit) {
        log_line(deck_instance_name(instance), "given up after %u deaths", instance->deaths);
        guides_instance_state(nucleus->guides, instance->index, GUIDE_INSTANCE_DOWN, now_ns);
    } else {
        /* The first restart is at once, then each waits twice as long. */
        uint64_t backoff_ns =
            recent <= 1 ? 0 : (uint64_t)BACKOFF_FIRST_NS << (recent < 10 ? recent : 10);
        instance->state = DECK_RESTARTING;
        instance->restart_at_ns =
            now_ns + (backoff_ns < BACKOFF_MAX_NS ? backoff_ns : BACKOFF_MAX_NS);
        nucleus->deck[instance->spec->prefix].restarts++;
        if (instance->restart_at_ns < nucleus->next_restart_ns) {
            nucleus->next_restart_ns = instance->restart_at_ns;
        }
    }
}

void deck_restart_due(struct nucleus *nucleus, uint64_t now_ns)
{
    nucleus->next_restart_ns = UINT64_MAX;
    for (uint32_t i = 0; i < nucleus->instance_count; i++) {
        struct instance *instance = nucleus->instance[i];
        if (instance->state != DECK_RESTARTING) {
            continue;
        }
        if (instance->restart_at_ns <= now_ns) {
            start(nucleus, instance);
            log_line(deck_instance_name(instance), "started again, generation %u",
                     instance->generation);
        } else if (instance->restart_at_ns < nucleus->next_restart_ns) {
            nucleus->next_restart_ns = instance->restart_at_ns;
        }
    }
}
