/* exit.h - how the machine ends: the agreed last line, then an agreed status (QEMU's is code << 1 | 1). */
#pragma once

#include <stdint.h>

#define EXIT_DONE           0x10u /* every program ended with 0 */
#define EXIT_PROGRAM_FAILED 0x11u /* one did not */
#define EXIT_PANIC          0x20u /* a bug of the nucleus */
#define EXIT_MACHINE        0x21u /* the machine lacks what is needed */

/* Print "KWE: exit CODE WORDS" and stop. Any context. */
_Noreturn void nucleus_exit(uint8_t code, const char *words);
