/* flooder.c - hands the nucleus as much to do in one call as it takes: each call takes a bounded part, and others go on. */
#include "tests/qemu/programs/check.h"

#define BYTES   (24u << 20)
#define ROUNDS  40u
#define LONG_NS 2000000000u /* far more than one call may take, far less than all of it would */

static char path[256 << 10];

int main(void)
{
    uint8_t *bytes = calloc(BYTES, 1);
    uint64_t longest_ns = 0;

    CHECK(bytes != NULL, "memory");
    memset(path, 'x', sizeof(path));
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint64_t before_ns = kwe_now_ns();
        int64_t taken = kwe_call_control_write(bytes, BYTES);
        uint64_t ns = kwe_now_ns() - before_ns;
        longest_ns = ns > longest_ns ? ns : longest_ns;
        CHECK(taken > 0 && taken < (int64_t)BYTES, "control_write took %lld", (long long)taken);
    }
    CHECK(kwe_call_boot_file(path, 0, bytes, BYTES) == -KERR_BAD_ADDRESS, "a name without an end");
    CHECK(kwe_call_log(path, sizeof(path)) == 0, "log");
    kwe_log("the longest call took %llu us", (unsigned long long)longest_ns / 1000);
    CHECK(longest_ns < LONG_NS, "too long");
    return 0;
}
