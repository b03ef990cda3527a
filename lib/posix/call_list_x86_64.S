/*
 * Runs a call list on x86_64: see call_list.ts for the layout of a list and
 * machine_code.ts for these instructions as bytes.
 *
 * Called with the list's address in %rdi, by clone(2) in a child that has a
 * stack of its own. It touches no memory but the list. %rbx and %r12 survive a
 * system call, as all registers do but %rax, %rcx and %r11.
 */
        .globl  run_call_list
run_call_list:
        mov     %rdi, %r12              /* the header */
        lea     16(%rdi), %rbx          /* the first row */
1:      mov     (%rbx), %rax            /* the call's number */
        mov     8(%rbx), %rdi           /* its six arguments */
        mov     16(%rbx), %rsi
        mov     24(%rbx), %rdx
        mov     32(%rbx), %r10
        mov     40(%rbx), %r8
        mov     48(%rbx), %r9
        syscall
        test    %rax, %rax
        js      2f
        add     $56, %rbx               /* the next row */
        jmp     1b
2:      mov     %rax, (%r12)            /* the negated error number */
        mov     %rbx, 8(%r12)           /* the row at fault */
        mov     $127, %eax
        ret
