/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four rounds of each lane are a step.  sha1rnds4 takes six cycles and one may
 * begin every second: four lanes, which wait for nothing of each other's, keep it
 * busy.  No compiler tried fits them into sixteen registers.
 *
 * A lane has its A to D in xmm0 to 3 for good.  Its E, which is A to D of one step
 * ago, and the newest four words of its schedule wander: what a lane makes goes
 * to the register that the lane before it has done with, so that nothing is
 * copied, and after five steps all is in its place again.  The words before these
 * are in memory.
 */

#define LANES %rdi
#define BLOCKS %rsi
#define SWAP %xmm14 /* makes words of bytes, the most significant first */

/* struct sha1_lanes */
#define DCBA(lane) (16 * (lane))(LANES)
#define E(lane) (64 + 16 * (lane))(LANES)
#define WORDS(lane, step) (128 + 64 * (lane) + 16 * ((step) % 4))(LANES)
#define BYTES(lane) (384 + 8 * (lane))(LANES)

        /* The words of a step, in register new; last has those of the step
         * before. */
        .macro make_words step, lane, bytes, last, new
        .if \step < 4
        movdqu  16 * (\step)(\bytes), %xmm\new
        pshufb  SWAP, %xmm\new
        .else
        movdqa  WORDS(\lane, \step - 4), %xmm\new
        sha1msg1 WORDS(\lane, \step - 3), %xmm\new
        pxor    WORDS(\lane, \step - 2), %xmm\new
        sha1msg2 %xmm\last, %xmm\new
        .endif
        .if \step < 18
        movdqa  %xmm\new, WORDS(\lane, \step)
        .endif
        .endm

        /* new becomes the E of the step after. */
        .macro four_rounds step, lane, words, e, new
        .if \step == 0
        paddd   %xmm\words, %xmm\e
        .else
        sha1nexte %xmm\words, %xmm\e
        .endif
        movdqa  %xmm\lane, %xmm\new
        sha1rnds4 $(\step) / 5, %xmm\e, %xmm\lane
        .endm

        /* w and e: where each lane has its words and its E; v, f: free. */
        .macro step_lanes step, w0, w1, w2, w3, v, e0, e1, e2, e3, f
        make_words (\step), 0, %rax, \w0, \v
        make_words (\step), 1, %rcx, \w1, \w0
        make_words (\step), 2, %rdx, \w2, \w1
        make_words (\step), 3, %r8, \w3, \w2
        four_rounds (\step), 0, \v, \e0, \f
        four_rounds (\step), 1, \w0, \e1, \e0
        four_rounds (\step), 2, \w1, \e2, \e1
        four_rounds (\step), 3, \w2, \e3, \e2
        .endm

        .macro twenty_rounds step
        step_lanes \step, 9, 10, 11, 12, 13, 4, 5, 6, 7, 8
        step_lanes \step + 1, 13, 9, 10, 11, 12, 8, 4, 5, 6, 7
        step_lanes \step + 2, 12, 13, 9, 10, 11, 7, 8, 4, 5, 6
        step_lanes \step + 3, 11, 12, 13, 9, 10, 6, 7, 8, 4, 5
        step_lanes \step + 4, 10, 11, 12, 13, 9, 5, 6, 7, 8, 4
        .endm

        .macro end_block lane, e
        paddd   DCBA(\lane), %xmm\lane
        movdqa  %xmm\lane, DCBA(\lane)
        sha1nexte E(\lane), %xmm\e
        movdqa  %xmm\e, E(\lane)
        .endm

        .text
        .globl  sha1_rounds
        .hidden sha1_rounds
        .type   sha1_rounds, @function
        .p2align 6
sha1_rounds:
        .cfi_startproc
        endbr64
        movdqa  swap(%rip), SWAP
        mov     BYTES(0), %rax
        mov     BYTES(1), %rcx
        mov     BYTES(2), %rdx
        mov     BYTES(3), %r8
        .irp    lane, 0, 1, 2, 3
        movdqa  DCBA(\lane), %xmm\lane
        .endr
        movdqa  E(0), %xmm4
        movdqa  E(1), %xmm5
        movdqa  E(2), %xmm6
        movdqa  E(3), %xmm7
        .p2align 6
.Lblock:
        twenty_rounds 0
        twenty_rounds 5
        twenty_rounds 10
        twenty_rounds 15
        end_block 0, 4
        end_block 1, 5
        end_block 2, 6
        end_block 3, 7
        .irp    bytes, %rax, %rcx, %rdx, %r8
        add     $64, \bytes
        .endr
        dec     BLOCKS
        jnz     .Lblock
        ret
        .cfi_endproc
        .size   sha1_rounds, . - sha1_rounds

        .section .rodata.cst16, "aM", @progbits, 16
        .p2align 4
swap:
        .quad   0x08090a0b0c0d0e0f, 0x0001020304050607

        .section .note.GNU-stack, "", @progbits

        /* No jump or return here is one that CET (IBT, SHSTK) would stop: without
         * this note the whole program would lose it. */
        .section .note.gnu.property, "a", @note
        .p2align 3
        .long   4, 16, 5 /* sizes of name and content; NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000002, 4, 3 /* X86_FEATURE_1_AND: both */
        .p2align 3
