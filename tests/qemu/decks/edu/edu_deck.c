/* edu_deck.c - for tests: QEMU's edu device (docs/specs/edu.txt there), whose DMA goes wherever it is told. */
#include "kernel/decks/edu/edu_ops.h"

#include <string.h>

#define REG_SOURCE      0x80
#define REG_DESTINATION 0x88
#define REG_COUNT       0x90
#define REG_COMMAND     0x98
#define COMMAND_START   1u
#define COMMAND_TO_RAM  2u
#define EDU_BUFFER      0x40000u /* the device's own memory */
#define BYTES           64u
#define PAGE            4096u
#define PATTERN         0xed
#define PATIENCE_NS     2000000000u

static struct {
    volatile uint8_t *registers; /* NULL: no device */
    uint8_t *memory;             /* two pages that it may reach */
} edu;

enum kerr deck_start(const struct kwe_deck_info *info)
{
    if (info->device_count == 0 || !info->device[0].present) {
        return KERR_NO_DEVICE;
    }
    edu.registers = (volatile uint8_t *)(uintptr_t)info->device[0].bar_address[0];
    edu.memory = deck_dma_alloc(2 * PAGE);
    return edu.registers == NULL || edu.memory == NULL ? KERR_NO_DEVICE : KERR_OK;
}

void deck_interrupt(uint64_t bits)
{
    (void)bits;
}

uint64_t deck_idle(void)
{
    return UINT64_MAX;
}

static volatile uint64_t *reg(unsigned offset)
{
    return (volatile uint64_t *)(volatile void *)(edu.registers + offset);
}

static void start(uint64_t source, uint64_t destination, uint64_t command)
{
    *reg(REG_SOURCE) = source;
    *reg(REG_DESTINATION) = destination;
    *reg(REG_COUNT) = BYTES;
    *reg(REG_COMMAND) = command | COMMAND_START;
}

/* Start, and wait on the fibre until it says that it is done, whether or not anything came of it. */
static enum kerr transfer(uint64_t source, uint64_t destination, uint64_t command)
{
    struct fibre_event tick = { .waiter = NULL };
    uint64_t until_ns = deck_now_ns() + PATIENCE_NS;

    start(source, destination, command);
    while ((*reg(REG_COMMAND) & COMMAND_START) != 0) {
        if (deck_now_ns() > until_ns) {
            return KERR_DEVICE_TIMEOUT;
        }
        fibre_wait(&tick, deck_now_ns() + 5000000);
    }
    return KERR_OK;
}

static enum kerr load_pattern(uint8_t pattern)
{
    memset(edu.memory, pattern, BYTES);
    return transfer((uintptr_t)edu.memory, EDU_BUFFER, 0);
}

enum kerr edu_own(struct edu_own_call *call)
{
    enum kerr status = load_pattern(0x5a);

    memset(edu.memory + PAGE, 0, BYTES);
    if (status == KERR_OK) {
        status = transfer(EDU_BUFFER, (uintptr_t)edu.memory + PAGE, COMMAND_TO_RAM);
    }
    call->same = memcmp(edu.memory, edu.memory + PAGE, BYTES) == 0;
    call->text = (uintptr_t)edu_own;
    return status;
}

enum kerr edu_write(struct edu_write_call *call)
{
    enum kerr status = load_pattern(PATTERN);
    uint64_t to = call->params->address == 0 ? (uintptr_t)call->room.data : call->params->address;

    if (status == KERR_OK) {
        status = transfer(EDU_BUFFER, to, COMMAND_TO_RAM);
    }
    call->room.length = BYTES;
    return status;
}

enum kerr edu_read(struct edu_read_call *call)
{
    enum kerr status = load_pattern(0);

    if (status == KERR_OK) {
        status = transfer(call->params->address, EDU_BUFFER, 0);
    }
    if (status == KERR_OK) {
        status = transfer(EDU_BUFFER, (uintptr_t)edu.memory + PAGE, COMMAND_TO_RAM);
    }
    memcpy(&call->first, edu.memory + PAGE, sizeof(call->first));
    return status;
}

enum kerr edu_die(struct edu_die_call *call)
{
    /* What lies in the device is the pattern of the write before. It begins 100 ms from now. */
    start(EDU_BUFFER, (uintptr_t)call->room.data, COMMAND_TO_RAM);
    deck_die("with a transfer on its way");
}
