/*
 * Runs a call list on aarch64: see call_list.ts for the layout of a list and
 * machine_code.ts for these instructions as bytes.
 *
 * Called with the list's address in x0, by clone(2) in a child that has a
 * stack of its own. It touches no memory but the list. A system call leaves
 * all registers as they are but x0.
 */
        .globl  run_call_list
run_call_list:
        mov     x19, x0                 /* the header */
        add     x20, x0, #16            /* the first row */
1:      ldr     x8, [x20]               /* the call's number */
        ldp     x0, x1, [x20, #8]       /* its six arguments */
        ldp     x2, x3, [x20, #24]
        ldp     x4, x5, [x20, #40]
        svc     #0
        tbnz    x0, #63, 2f
        add     x20, x20, #56           /* the next row */
        b       1b
2:      stp     x0, x20, [x19]          /* the error number, the row at fault */
        mov     w0, #127
        ret
