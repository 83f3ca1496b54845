/*
 * test_virtio_pci.c - finding a virtio device's register blocks in its capabilities, good ones and impossible ones.
 *
 * uses: drivers/virtio/virtio_pci_core.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/virtio/virtio_pci.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static const uint64_t bar_address[VIRTIO_PCI_BARS] = { [4] = 0x100000 };
static const uint64_t bar_bytes[VIRTIO_PCI_BARS] = { [1] = 0x1000, [4] = 0x4000 };

static void put_capability(uint8_t *config, uint8_t at, uint8_t next, uint8_t kind, uint8_t bar,
                           uint32_t offset, uint32_t bytes)
{
    const uint32_t multiplier = 4;
    config[at] = 9;
    config[at + 1] = next;
    config[at + 2] = kind == 2 ? 20 : 16;
    config[at + 3] = kind;
    config[at + 4] = bar;
    memcpy(config + at + 8, &offset, 4);
    memcpy(config + at + 12, &bytes, 4);
    memcpy(config + at + 16, &multiplier, 4);
}

/* As QEMU lays them out. */
static void good_config(uint8_t *config)
{
    memset(config, 0, 256);
    config[0x06] = 0x10;
    config[0x34] = 0x40;
    put_capability(config, 0x40, 0x60, 1, 4, 0x0000, 0x1000);
    put_capability(config, 0x60, 0x80, 3, 4, 0x1000, 0x1000);
    put_capability(config, 0x80, 0xa0, 4, 4, 0x2000, 0x1000);
    put_capability(config, 0xa0, 0x00, 2, 4, 0x3000, 0x1000);
}

static enum kerr find(struct virtio_pci *device, const uint8_t *config)
{
    /* On the heap, so that the sanitizer sees a step behind the 256 bytes. */
    uint8_t *copy = malloc(256);
    memcpy(copy, config, 256);
    enum kerr error = virtio_pci_find(device, copy, bar_address, bar_bytes);
    free(copy);
    return error;
}

static void test_the_blocks_are_found(void)
{
    uint8_t config[256];
    struct virtio_pci device;
    good_config(config);

    CHECK(find(&device, config) == KERR_OK);

    CHECK(device.common == (uint8_t *)0x100000);
    CHECK(device.device == (uint8_t *)0x102000 && device.device_bytes == 0x1000);
    CHECK(device.notify == (uint8_t *)0x103000 && device.notify_multiplier == 4);
}

static void test_a_device_without_modern_blocks_is_none(void)
{
    uint8_t config[256];
    struct virtio_pci device;
    good_config(config);
    config[0x06] = 0;
    CHECK(find(&device, config) == KERR_NO_DEVICE);

    good_config(config);
    config[0xa0] = 5; /* another vendor's kind of capability where the doorbells were */
    CHECK(find(&device, config) == KERR_NO_DEVICE);
}

static void test_a_block_outside_a_mapped_bar_is_not_used(void)
{
    static const struct {
        uint8_t bar;
        uint32_t offset, bytes;
    } bad[] = {
        { 4, 0x4000, 0x1000 }, { 4, 0xfffffff0, 0x1000 }, { 4, 0, 0x4001 },   { 4, 0, 8 },
        { 1, 0, 0x1000 },      { 6, 0, 0x1000 },          { 255, 0, 0x1000 }, { 4, 2, 0x1000 },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t config[256];
        struct virtio_pci device;
        good_config(config);
        put_capability(config, 0x40, 0x60, 1, bad[i].bar, bad[i].offset, bad[i].bytes);

        CHECK(find(&device, config) == KERR_NO_DEVICE);
    }
}

static void test_any_configuration_space_is_survived(void)
{
    srand(3);
    for (int i = 0; i < 200000; i++) {
        uint8_t config[256];
        struct virtio_pci device;
        good_config(config);
        for (int j = 0; j < 6; j++) {
            config[rand() % 256] = (uint8_t)(rand() % 3 == 0 ? 0xfc : rand());
        }
        config[0x06] = 0x10;
        (void)find(&device, config);
    }
}

int main(void)
{
    test_the_blocks_are_found();
    test_a_device_without_modern_blocks_is_none();
    test_a_block_outside_a_mapped_bar_is_not_used();
    test_any_configuration_space_is_survived();
    return 0;
}
