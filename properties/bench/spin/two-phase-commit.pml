/*
 * Two-phase commit with N resource managers, as properties/helpers/two-phase-commit.ts has it: one process of atomic guarded
 * commands. N is defined by whoever runs it, and at most 9.
 */

#define WORKING 0
#define PREPARED 1
#define COMMITTED 2
#define ABORTED 3
#define INIT 0

byte manager[N];
/* A bit a manager: said that it has prepared, and is known to have. */
short said;
short known;
byte transaction;

#define BIT(i) (1 << (i))

#define MANAGER(i) \
	:: atomic { transaction == INIT && (said & BIT(i)) -> known = known | BIT(i) } \
	:: atomic { manager[i] == WORKING -> manager[i] = PREPARED; said = said | BIT(i) } \
	:: atomic { manager[i] == WORKING -> manager[i] = ABORTED } \
	:: atomic { transaction == COMMITTED -> manager[i] = COMMITTED } \
	:: atomic { transaction == ABORTED -> manager[i] = ABORTED }

active proctype protocol() {
	do
	:: atomic { transaction == INIT && known == BIT(N) - 1 -> transaction = COMMITTED }
	:: atomic { transaction == INIT -> transaction = ABORTED }
	MANAGER(0)
#if N > 1
	MANAGER(1)
#endif
#if N > 2
	MANAGER(2)
#endif
#if N > 3
	MANAGER(3)
#endif
#if N > 4
	MANAGER(4)
#endif
#if N > 5
	MANAGER(5)
#endif
#if N > 6
	MANAGER(6)
#endif
#if N > 7
	MANAGER(7)
#endif
#if N > 8
	MANAGER(8)
#endif
	od
}
