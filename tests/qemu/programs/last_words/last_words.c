/* last_words.c - says as many bytes over the control channel as the boot file "words" is long, and ends. */
#include "tests/qemu/programs/check.h"
#include "userland/libkwe/common/calls.h"

#define MOST_WORDS 2048

int main(void)
{
    static char words[MOST_WORDS];
    int64_t count = kwe_call_boot_file("words", 0, NULL, 0);

    CHECK(count > 0 && count <= MOST_WORDS, "%lld words", (long long)count);
    CHECK(kwe_call_control_write(words, (size_t)count) == count, "they were not taken");
    return 0;
}
