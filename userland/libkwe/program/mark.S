/*
 * mark.S - no-ops that a TCG plugin of the host recognises by their displacement (nopl disp32(%rax,%rax,1)).
 * No arguments, no answer, nothing clobbered; called from C, call nothing.
 */
    .text
    .globl kwe_mark_begin
    .type kwe_mark_begin, @function
kwe_mark_begin:
    .byte 0x0f, 0x1f, 0x84, 0x00
    .long 0x4b570001
    ret
    .size kwe_mark_begin, . - kwe_mark_begin

    .globl kwe_mark_end
    .type kwe_mark_end, @function
kwe_mark_end:
    .byte 0x0f, 0x1f, 0x84, 0x00
    .long 0x4b570002
    ret
    .size kwe_mark_end, . - kwe_mark_end

    .section .note.GNU-stack, "", @progbits
