/*
 * fibre_switch.S - leave one stack for another.
 *
 *   void fibre_switch(void **save_stack, void *load_stack)
 *   in        rdi where to keep the stack pointer that is left, rsi the one to take up
 *   clobbers  what any C function may; vector registers are not kept, since this is a call to the compiler
 *   called by fibre.c, on both sides; calls nothing
 *
 * A stack that was left, lowest address first (fibre.c lays out the same for one that never ran, see struct fibre_frame):
 *   mxcsr, x87 control word and padding | r15 r14 r13 r12 rbx rbp | return address
 *
 * No preprocessor here: a host test takes this file in by the assembler's .include.
 */
    .text
    .globl fibre_switch
    .type fibre_switch, @function
fibre_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size fibre_switch, . - fibre_switch

/*
 * The first code on a fresh stack: its frame's return address. r12 holds the C function, which takes nothing and does not return.
 * rbp is 0 from the frame, so that backtraces end here; the stack is aligned to 16 as at any call.
 */
    .globl fibre_begin
    .type fibre_begin, @function
fibre_begin:
    call *%r12
    ud2
    .size fibre_begin, . - fibre_begin

    .section .note.GNU-stack, "", @progbits
