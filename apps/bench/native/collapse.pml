/*
 * The locks of a collapse below the PMD order, of faults and of walks of the reverse map, as a Promela model for Spin: the
 * protocol of khugepaged spec 10, and nothing else. skeleton.ts has the same protocol for the search of this repository.
 *
 * FAULTS, WALKS: how many of each. HELD 0: anon_vma is given back before the table is back in its PMD (case B7).
 */
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef WALKS
#define WALKS 1
#endif
#ifndef HELD
#define HELD 1
#endif

/* An rw-semaphore: a waiting writer stops new readers. */
typedef rwsem {
	byte readers;
	byte waiting;
	bool writer
};

rwsem mmap_lock, anon_vma;
bool pmd_lock;
bool pmd_present = true;

inline down_read(l)  { atomic { !l.writer && l.waiting == 0 -> l.readers++ } }
inline up_read(l)    { l.readers-- }
inline down_write(l) { l.waiting++; atomic { !l.writer && l.readers == 0 -> l.writer = true; l.waiting-- } }
inline up_write(l)   { l.writer = false }
inline spin_lock()   { atomic { !pmd_lock -> pmd_lock = true } }
inline spin_unlock() { pmd_lock = false }

active proctype collapse()
{
	down_read(mmap_lock);
	up_read(mmap_lock);
	down_write(mmap_lock);
	down_write(anon_vma);
	spin_lock();
	pmd_present = false;
	spin_unlock();
#if !HELD
	up_write(anon_vma);
#endif
	skip;			/* isolate and copy */
	spin_lock();
	pmd_present = true;
	spin_unlock();
#if HELD
	up_write(anon_vma);
#endif
	up_write(mmap_lock)
}

active [FAULTS] proctype fault()
{
	down_read(mmap_lock);
	spin_lock();
	assert(pmd_present);
	spin_unlock();
	up_read(mmap_lock)
}

active [WALKS] proctype rmap_walk()
{
	down_read(anon_vma);
	spin_lock();
	assert(pmd_present);
	spin_unlock();
	up_read(anon_vma)
}
