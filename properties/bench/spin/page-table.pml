/*
 * A bounded model of one I/O page table, as properties/bench/page-table-model.ts has it: one process of atomic guarded
 * commands. PAGES is defined by whoever runs it, and at most 9.
 */

#define FREE 0
#define READABLE 1
#define WRITABLE 2
#define GOES_ON 3

byte page[PAGES];
bool pinned[PAGES];
bool domain;
/* Within a step only, and 0 between two. */
hidden byte at;

#define starts(p) (page[p] == READABLE || page[p] == WRITABLE)

/* [first, last] is free; pages from an area's start to the end of one. */
#define MAP(first, last, free) \
	:: d_step { free -> page[first] = READABLE; at = first + 1; do :: at <= last -> page[at] = GOES_ON; at++ :: else -> break od; at = 0 } \
	:: d_step { free -> page[first] = WRITABLE; at = first + 1; do :: at <= last -> page[at] = GOES_ON; at++ :: else -> break od; at = 0 }
#define UNMAP(first, last, ends) \
	:: d_step { starts(first) && page[last] != FREE && (ends) -> at = first; do :: at <= last -> page[at] = FREE; pinned[at] = false; at++ :: else -> break od; at = 0 }

/* The page behind the last one is free. */
#define LAST true
#define BEFORE(next) (page[next] == FREE || starts(next))

#define PIN(p) \
	:: atomic { page[p] != FREE && !pinned[p] -> pinned[p] = true } \
	:: atomic { pinned[p] -> pinned[p] = false }

active proctype table() {
	do
	:: atomic { !domain -> domain = true }
	:: atomic { domain -> domain = false }
#if PAGES > 0
	PIN(0)
	MAP(0, 0, page[0] == FREE)
#if PAGES > 1
	UNMAP(0, 0, BEFORE(1))
#else
	UNMAP(0, 0, LAST)
#endif
#endif
#if PAGES > 1
	PIN(1)
	MAP(0, 1, page[0] == FREE && page[1] == FREE)
	MAP(1, 1, page[1] == FREE)
#if PAGES > 2
	UNMAP(0, 1, BEFORE(2))
	UNMAP(1, 1, BEFORE(2))
#else
	UNMAP(0, 1, LAST)
	UNMAP(1, 1, LAST)
#endif
#endif
#if PAGES > 2
	PIN(2)
	MAP(0, 2, page[0] == FREE && page[1] == FREE && page[2] == FREE)
	MAP(1, 2, page[1] == FREE && page[2] == FREE)
	MAP(2, 2, page[2] == FREE)
#if PAGES > 3
	UNMAP(0, 2, BEFORE(3))
	UNMAP(1, 2, BEFORE(3))
	UNMAP(2, 2, BEFORE(3))
#else
	UNMAP(0, 2, LAST)
	UNMAP(1, 2, LAST)
	UNMAP(2, 2, LAST)
#endif
#endif
#if PAGES > 3
	PIN(3)
	MAP(0, 3, page[0] == FREE && page[1] == FREE && page[2] == FREE && page[3] == FREE)
	MAP(1, 3, page[1] == FREE && page[2] == FREE && page[3] == FREE)
	MAP(2, 3, page[2] == FREE && page[3] == FREE)
	MAP(3, 3, page[3] == FREE)
#if PAGES > 4
	UNMAP(0, 3, BEFORE(4))
	UNMAP(1, 3, BEFORE(4))
	UNMAP(2, 3, BEFORE(4))
	UNMAP(3, 3, BEFORE(4))
#else
	UNMAP(0, 3, LAST)
	UNMAP(1, 3, LAST)
	UNMAP(2, 3, LAST)
	UNMAP(3, 3, LAST)
#endif
#endif
#if PAGES > 4
	PIN(4)
	MAP(0, 4, page[0] == FREE && page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE)
	MAP(1, 4, page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE)
	MAP(2, 4, page[2] == FREE && page[3] == FREE && page[4] == FREE)
	MAP(3, 4, page[3] == FREE && page[4] == FREE)
	MAP(4, 4, page[4] == FREE)
#if PAGES > 5
	UNMAP(0, 4, BEFORE(5))
	UNMAP(1, 4, BEFORE(5))
	UNMAP(2, 4, BEFORE(5))
	UNMAP(3, 4, BEFORE(5))
	UNMAP(4, 4, BEFORE(5))
#else
	UNMAP(0, 4, LAST)
	UNMAP(1, 4, LAST)
	UNMAP(2, 4, LAST)
	UNMAP(3, 4, LAST)
	UNMAP(4, 4, LAST)
#endif
#endif
#if PAGES > 5
	PIN(5)
	MAP(0, 5, page[0] == FREE && page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE)
	MAP(1, 5, page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE)
	MAP(2, 5, page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE)
	MAP(3, 5, page[3] == FREE && page[4] == FREE && page[5] == FREE)
	MAP(4, 5, page[4] == FREE && page[5] == FREE)
	MAP(5, 5, page[5] == FREE)
#if PAGES > 6
	UNMAP(0, 5, BEFORE(6))
	UNMAP(1, 5, BEFORE(6))
	UNMAP(2, 5, BEFORE(6))
	UNMAP(3, 5, BEFORE(6))
	UNMAP(4, 5, BEFORE(6))
	UNMAP(5, 5, BEFORE(6))
#else
	UNMAP(0, 5, LAST)
	UNMAP(1, 5, LAST)
	UNMAP(2, 5, LAST)
	UNMAP(3, 5, LAST)
	UNMAP(4, 5, LAST)
	UNMAP(5, 5, LAST)
#endif
#endif
#if PAGES > 6
	PIN(6)
	MAP(0, 6, page[0] == FREE && page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE)
	MAP(1, 6, page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE)
	MAP(2, 6, page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE)
	MAP(3, 6, page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE)
	MAP(4, 6, page[4] == FREE && page[5] == FREE && page[6] == FREE)
	MAP(5, 6, page[5] == FREE && page[6] == FREE)
	MAP(6, 6, page[6] == FREE)
#if PAGES > 7
	UNMAP(0, 6, BEFORE(7))
	UNMAP(1, 6, BEFORE(7))
	UNMAP(2, 6, BEFORE(7))
	UNMAP(3, 6, BEFORE(7))
	UNMAP(4, 6, BEFORE(7))
	UNMAP(5, 6, BEFORE(7))
	UNMAP(6, 6, BEFORE(7))
#else
	UNMAP(0, 6, LAST)
	UNMAP(1, 6, LAST)
	UNMAP(2, 6, LAST)
	UNMAP(3, 6, LAST)
	UNMAP(4, 6, LAST)
	UNMAP(5, 6, LAST)
	UNMAP(6, 6, LAST)
#endif
#endif
#if PAGES > 7
	PIN(7)
	MAP(0, 7, page[0] == FREE && page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE)
	MAP(1, 7, page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE)
	MAP(2, 7, page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE)
	MAP(3, 7, page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE)
	MAP(4, 7, page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE)
	MAP(5, 7, page[5] == FREE && page[6] == FREE && page[7] == FREE)
	MAP(6, 7, page[6] == FREE && page[7] == FREE)
	MAP(7, 7, page[7] == FREE)
#if PAGES > 8
	UNMAP(0, 7, BEFORE(8))
	UNMAP(1, 7, BEFORE(8))
	UNMAP(2, 7, BEFORE(8))
	UNMAP(3, 7, BEFORE(8))
	UNMAP(4, 7, BEFORE(8))
	UNMAP(5, 7, BEFORE(8))
	UNMAP(6, 7, BEFORE(8))
	UNMAP(7, 7, BEFORE(8))
#else
	UNMAP(0, 7, LAST)
	UNMAP(1, 7, LAST)
	UNMAP(2, 7, LAST)
	UNMAP(3, 7, LAST)
	UNMAP(4, 7, LAST)
	UNMAP(5, 7, LAST)
	UNMAP(6, 7, LAST)
	UNMAP(7, 7, LAST)
#endif
#endif
#if PAGES > 8
	PIN(8)
	MAP(0, 8, page[0] == FREE && page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE && page[8] == FREE)
	MAP(1, 8, page[1] == FREE && page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE && page[8] == FREE)
	MAP(2, 8, page[2] == FREE && page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE && page[8] == FREE)
	MAP(3, 8, page[3] == FREE && page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE && page[8] == FREE)
	MAP(4, 8, page[4] == FREE && page[5] == FREE && page[6] == FREE && page[7] == FREE && page[8] == FREE)
	MAP(5, 8, page[5] == FREE && page[6] == FREE && page[7] == FREE && page[8] == FREE)
	MAP(6, 8, page[6] == FREE && page[7] == FREE && page[8] == FREE)
	MAP(7, 8, page[7] == FREE && page[8] == FREE)
	MAP(8, 8, page[8] == FREE)
	UNMAP(0, 8, LAST)
	UNMAP(1, 8, LAST)
	UNMAP(2, 8, LAST)
	UNMAP(3, 8, LAST)
	UNMAP(4, 8, LAST)
	UNMAP(5, 8, LAST)
	UNMAP(6, 8, LAST)
	UNMAP(7, 8, LAST)
	UNMAP(8, 8, LAST)
#endif
	od
}
