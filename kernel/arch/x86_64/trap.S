/*
 * trap.S - every way into ring 0 and the two ways out. Save, call C, restore; no policy here.
 *
 * GS base in ring 0 is struct cpu: 0 running context, 8 self, 16 kernel stack top, 24 scratch for ring 3's rsp.
 */
#define CPU_RUNNING   0
#define CPU_SELF      8
#define CPU_STACK_TOP 16
#define CPU_SCRATCH   24
#define FRAME_BYTES   176

    .text
    .code64

/*
 * SYSCALL. In: rcx = return address, r11 = flags, rsp = ring 3's. Interrupts off by FMASK.
 * Saves the frame into the running context and calls nucleus_on_syscall(cpu), which does not return.
 */
    .globl syscall_entry
syscall_entry:
    swapgs
    mov %rsp, %gs:CPU_SCRATCH
    mov %gs:CPU_RUNNING, %rsp
    add $FRAME_BYTES, %rsp
    pushq $0x1b                 /* ss */
    pushq %gs:CPU_SCRATCH       /* rsp */
    pushq %r11                  /* rflags */
    pushq $0x23                 /* cs */
    pushq %rcx                  /* rip */
    pushq $0                    /* error */
    pushq $0x100                /* vector: none */
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq $1, 192(%rsp)          /* context.by_syscall */
    mov %gs:CPU_SELF, %rdi
    mov %gs:CPU_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call nucleus_on_syscall
    ud2

/* Exceptions and interrupts. The CPU has pushed ss..rip (and an error code) on this CPU's stack; the stub adds the rest. */
    .macro stub vector
    .if (\vector == 8) || (\vector >= 10 && \vector <= 14) || (\vector == 17) || (\vector == 21) || (\vector == 29) || (\vector == 30)
    .else
    pushq $0
    .endif
    pushq $\vector
    jmp trap_common
    .balign 16
    .endm

    .balign 16
    .globl trap_stubs
trap_stubs:
    .set i, 0
    .rept 256
    stub i
    .set i, i + 1
    .endr

trap_common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    clac                        /* gates leave AC as ring 3 had it */
    testb $3, 17*8+8(%rsp)      /* cs */
    jz 1f
    swapgs
    /* From ring 3: move the frame into the running context; the C side starts on a fresh stack. */
    mov %gs:CPU_RUNNING, %rdi
    mov %rsp, %rsi
    mov $22, %ecx
    rep movsq
    mov %gs:CPU_RUNNING, %rdi
    movq $0, 192(%rdi)          /* context.by_syscall */
    mov %gs:CPU_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call trap_from_user
    ud2
1:  /* From ring 0: an exception panics, an interrupt came in port_idle(). */
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    call trap_from_kernel
    mov %rbx, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    add $16, %rsp
    iretq

/* resume_user(context): out by IRETQ, or by SYSRET when `by_syscall` in esi. FS base and vectors are loaded already. */
    .globl resume_user
resume_user:
    mov %rdi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    testl %esi, %esi
    jnz 2f
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    add $16, %rsp
    swapgs
    iretq
2:  popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    mov 16(%rsp), %rcx          /* rip */
    mov 32(%rsp), %r11          /* rflags */
    mov 40(%rsp), %rsp          /* ring 3's */
    swapgs
    sysretq

/* The trampoline of the other CPUs, copied to a page below 1 MiB; real mode, then like boot/entry.S. Parameters lie at its end. */
    .section .rodata
    .globl ap_trampoline, ap_trampoline_end, ap_parameters
    .balign 16
ap_trampoline:
    .code16
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    xorl %ebx, %ebx
    mov %cs, %bx
    shll $4, %ebx               /* ebx: where this page lies */
    leal (ap_gdt - ap_trampoline)(%ebx), %eax
    movl %eax, (ap_gdt_pointer - ap_trampoline + 2)
    lgdtl (ap_gdt_pointer - ap_trampoline)
    leal (ap_protected - ap_trampoline)(%ebx), %eax
    movl %eax, (ap_far - ap_trampoline)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl *(ap_far - ap_trampoline)
    .code32
ap_protected:
    mov $16, %ax
    mov %ax, %ds
    mov %ax, %ss
    movl %cr4, %eax
    orl $0x20, %eax
    movl %eax, %cr4
    movl (ap_parameters - ap_trampoline)(%ebx), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x901, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80010001, %eax
    movl %eax, %cr0
    leal (ap_long - ap_trampoline)(%ebx), %eax
    movl %eax, (ap_far - ap_trampoline)(%ebx)
    movw $24, (ap_far - ap_trampoline + 4)(%ebx)
    ljmpl *(ap_far - ap_trampoline)(%ebx)
    .code64
ap_long:
    xorl %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov (ap_parameters - ap_trampoline + 8)(%rbx), %rsp
    mov (ap_parameters - ap_trampoline + 16)(%rbx), %rdi
    mov (ap_parameters - ap_trampoline + 24)(%rbx), %rax
    xorl %ebp, %ebp
    call *%rax
    ud2
    .balign 8
ap_gdt:
    .quad 0
    .quad 0x00cf9a000000ffff    /* code, 32-bit */
    .quad 0x00cf92000000ffff    /* data */
    .quad 0x00af9a000000ffff    /* code, 64-bit */
ap_gdt_pointer:
    .word 31
    .long 0
    .balign 8
ap_far:
    .long 0
    .word 8
    .balign 8
ap_parameters:                  /* cr3, stack top, struct cpu, C entry */
    .quad 0, 0, 0, 0
ap_trampoline_end:
