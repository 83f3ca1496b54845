/*
 * call.S - the call instruction: from C's registers to the kernel's and back.
 *
 *              number  arguments                       answer
 *   C          rdi     rsi rdx rcx r8  r9  [rsp + 8]   rax rdx
 *   kernel     rax     rdi rsi rdx r10 r8  r9          rax rdx
 *
 * The instruction itself destroys rcx and r11. Vector registers may come back cleared (deck_next). All of these belong to the caller
 * of a C function anyway, so that nothing need be saved here; this is why the stubs are functions and not inline assembly.
 */
    .text

/* int64_t kwe_call6(uint64_t number, uint64_t a, b, c, d, e, f); called from C, calls nothing; stack: [rsp] return, [rsp + 8] f. */
    .globl kwe_call6
    .type kwe_call6, @function
kwe_call6:
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    movq %r9, %r8
    movq 8(%rsp), %r9
    syscall
    ret
    .size kwe_call6, . - kwe_call6

/* struct kwe_pair kwe_call_pair(uint64_t number, uint64_t argument); a C struct of two words is answered in rax and rdx. */
    .globl kwe_call_pair
    .type kwe_call_pair, @function
kwe_call_pair:
    movq %rdi, %rax
    movq %rsi, %rdi
    syscall
    ret
    .size kwe_call_pair, . - kwe_call_pair

    .section .note.GNU-stack, "", @progbits
