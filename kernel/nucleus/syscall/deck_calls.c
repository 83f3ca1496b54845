/* deck_calls.c - what an instance asks about itself. deck_next() and deck_die() are in deck/deck.c. */
#include "kernel/lib/string.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/syscall/syscall.h"

#define DMA_MAX_BYTES (16u << 20)

_Static_assert(MAX_PROGRAMS <= KWE_MAX_OBSERVED, "an ObservedRing for each");

static void describe_device(const struct instance *instance, unsigned slot,
                            struct kwe_device_info *info)
{
    const struct deck_device_spec *wanted = &instance->spec->devices[slot];
    const struct instance_device *mine = &instance->device[slot];

    info->vendor = wanted->vendor;
    info->device = wanted->device;
    info->present = mine->present ? 1 : 0;
    if (!mine->present) {
        return;
    }
    const struct port_pci_device *device = port_pci_device(mine->device_index);
    info->first_interrupt_bit = mine->first_bit;
    info->interrupt_count = wanted->interrupts;
    info->pci_address = (uint32_t)device->bus << 8 | (uint32_t)device->slot << 3 | device->function;
    for (unsigned i = 0; i < KWE_MAX_BARS; i++) {
        info->bar_address[i] = mine->bar_address[i];
        info->bar_bytes[i] = mine->bar_address[i] == 0 ? 0 : device->bar[i].size_bytes;
    }
    memcpy(info->config, device->config, sizeof(info->config));
}

void syscall_deck_info(struct syscall *call)
{
    const struct instance *instance = call->thread->instance;
    struct kwe_deck_info *info = heap_alloc_zeroed(&call->nucleus->heap, sizeof(*info));

    if (info == NULL) {
        syscall_refuse(call->thread, KERR_NO_MEMORY);
        return;
    }
    info->work_ring = instance->work_address;
    info->done_ring = instance->done_address;
    info->frames = instance->frames_address;
    info->observed_ring = instance->observed_address;
    info->observed_stride = deck_observed_stride(call->nucleus);
    info->observed_rings = call->nucleus->programs_named;
    info->observed_slots = deck_observed_slots(call->nucleus);
    info->ring_slots = instance->work.slots;
    info->depth = instance->spec->depth;
    info->prefix = instance->spec->prefix;
    info->ordinal = instance->ordinal;
    info->generation = instance->generation;
    info->device_count = instance->spec->device_count;
    info->iommu = port_iommu_present() ? 1 : 0;
    for (unsigned i = 0; i < instance->spec->device_count && i < KWE_MAX_DECK_DEVICES; i++) {
        describe_device(instance, i, &info->device[i]);
    }
    enum kerr copied =
        space_copy_out(call->thread->space, (uaddr_t){ call->argument[0] }, info, sizeof(*info));
    heap_free(&call->nucleus->heap, info, sizeof(*info));
    syscall_answer(call->thread, -(int64_t)copied);
}

void syscall_dma_alloc(struct syscall *call)
{
    const struct instance *instance = call->thread->instance;
    uint64_t bytes = round_up_u64(call->argument[0], PAGE_SIZE);
    vaddr_t address;

    if (call->argument[0] == 0 || call->argument[0] > DMA_MAX_BYTES) {
        syscall_refuse(call->thread, KERR_BAD_CALL);
        return;
    }
    enum kerr mapped = space_map_dma(call->thread->space, instance->domain, bytes, &address);
    if (mapped != KERR_OK) {
        syscall_refuse(call->thread, mapped);
        return;
    }
    syscall_answer(call->thread, (int64_t)address.value);
}
