/*
 * entry.S - from the firmware to C, by PVH (x86/HVM direct boot ABI): 32-bit flat mode, paging off, EBX -> hvm_start_info.
 *
 * Early tables, all 2 MiB pages: the first 4 GiB at their own addresses (until arch_init builds the real ones) and at the direct map; the
 * first GiB again at the nucleus's link address. Everything here runs at physical addresses until the far jump.
 */
#define KERNEL_BASE 0xffffffff80000000
#define PHYS(symbol) (symbol - KERNEL_BASE)

    .section .note.pvh, "a", @note
    .align 4
    .long 4, 4, 18          /* name and descriptor sizes; XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long PHYS(pvh_entry)

    .section .boot.text, "ax"
    .code32
    .globl pvh_entry
/* In: EBX = hvm_start_info. Jumped to by the firmware. Calls arch_early_main(start_info physical address). */
pvh_entry:
    cld
    movl $PHYS(early_stack_top), %esp
    movl %ebx, %esi

    /* Page directories for 4 GiB in a row: entry i maps i * 2 MiB. */
    movl $PHYS(early_pd), %edi
    xorl %ecx, %ecx
1:  movl %ecx, %eax
    shll $21, %eax
    orl $0x83, %eax         /* present, writable, large */
    movl %eax, (%edi, %ecx, 8)
    movl $0, 4(%edi, %ecx, 8)
    incl %ecx
    cmpl $2048, %ecx
    jne 1b

    movl $PHYS(early_pdpt_low), %edi
    movl $PHYS(early_pd) + 3, %eax
    xorl %ecx, %ecx
2:  movl %eax, (%edi, %ecx, 8)
    addl $4096, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 2b
    movl $PHYS(early_pdpt_high), %edi
    movl $PHYS(early_pd) + 3, 510*8(%edi)

    movl $PHYS(early_pml4), %edi
    movl $PHYS(early_pdpt_low) + 3, (%edi)
    movl $PHYS(early_pdpt_low) + 3, 256*8(%edi)
    movl $PHYS(early_pdpt_high) + 3, 511*8(%edi)

    movl %edi, %cr3
    movl %cr4, %eax
    orl $0x20, %eax         /* PAE */
    movl %eax, %cr4
    movl $0x80000001, %eax
    cpuid
    movl %edx, %edi
    shrl $9, %edi           /* NX is bit 20: to where NXE is; without it cpu_need_features() says so */
    andl $0x800, %edi
    movl $0xc0000080, %ecx  /* EFER */
    rdmsr
    orl $0x101, %eax        /* LME, SCE */
    orl %edi, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80010001, %eax   /* PG, WP, PE */
    movl %eax, %cr0
    lgdt PHYS(early_gdt_pointer)
    ljmp $8, $PHYS(long_mode)

    .code64
long_mode:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movabsq $1f, %rax
    jmp *%rax
1:  movabsq $early_stack_top, %rsp
    xorl %ebp, %ebp
    movl %esi, %edi
    call arch_early_main
    ud2

    .section .boot.data, "aw"
    .align 8
early_gdt:
    .quad 0
    .quad 0x00af9a000000ffff /* code, 64-bit, ring 0 */
early_gdt_pointer:
    .word 15
    .long PHYS(early_gdt)

    .section .bss.early, "aw", @nobits
    .align 4096
    .globl early_pml4
early_pml4:      .skip 4096
early_pdpt_low:  .skip 4096
early_pdpt_high: .skip 4096
early_pd:        .skip 4 * 4096
    .globl early_stack_bottom
early_stack_bottom: .skip 16384
    .globl early_stack_top
early_stack_top:
