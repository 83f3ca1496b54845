/* stack_guard.c - the canary of ring 0 (gcc -mstack-protector-guard=global). */
#include "kernel/arch/x86_64/arch.h"

uintptr_t __stack_chk_guard = 0x5bd1e995c6a4a793u;
_Noreturn void __stack_chk_fail(void);

__attribute__((optimize("no-stack-protector"))) void stack_guard_set(void)
{
    __stack_chk_guard = (uintptr_t)port_random_u64() &
                        ~(uintptr_t)0xff; /* a NUL byte stops string overruns from copying it */
}

void __stack_chk_fail(void)
{
    panic("a stack was overrun, seen in the function that called 0x%llx",
          (unsigned long long)(uintptr_t)__builtin_return_address(0));
}
