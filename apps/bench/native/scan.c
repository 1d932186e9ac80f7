/* The scan of page tables in C, as a yardstick for `pnpm bench scan`: prints "planes reference", both in PTE/s. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SLOTS = 512, WORDS = SLOTS / 64 };
enum { PRESENT = 1, ZERO = 2, NON_PRESENT = 4, UFFD_WP = 8, SHARED = 16, ATTENTION = 32, YOUNG = 64 };

struct counts { uint32_t none, unmapped, shared, referenced; };
struct planes { uint64_t present[WORDS], zero[WORDS], non_present[WORDS], uffd_wp[WORDS], shared[WORDS], attention[WORDS], young[WORDS]; };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static int by_entry(const uint32_t *pte, struct counts *c)
{
    for (int i = 0; i < SLOTS; i++) {
        uint32_t e = pte[i];
        if (!(e & (PRESENT | NON_PRESENT)) || (e & ZERO)) { if (++c->none > 511) return 0; continue; }
        if (e & NON_PRESENT) { if (++c->unmapped > 64 || (e & UFFD_WP)) return 0; continue; }
        if (e & (UFFD_WP | ATTENTION)) return 0;
        if ((e & SHARED) && ++c->shared > 256) return 0;
        c->referenced += (e & YOUNG) != 0;
    }
    return 1;
}

static int by_planes(const struct planes *p, struct counts *c)
{
    for (int w = 0; w < WORDS; w++) {
        uint64_t mapped = p->present[w] & ~p->zero[w], empty = ~(mapped | p->non_present[w]);
        c->none += __builtin_popcountll(empty);
        c->unmapped += __builtin_popcountll(p->non_present[w]);
        c->shared += __builtin_popcountll(p->shared[w] & mapped);
        c->referenced += __builtin_popcountll(p->young[w] & mapped);
        if ((p->attention[w] & mapped) | (p->uffd_wp[w] & ~empty)) return 0;
        if (c->none > 511 || c->unmapped > 64 || c->shared > 256) return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    int tables = argc > 1 ? atoi(argv[1]) : 4096;
    double span = (argc > 2 ? atof(argv[2]) : 500) / 1000;
    uint32_t *ptes = calloc((size_t)tables * SLOTS, sizeof *ptes);
    struct planes *planes = calloc(tables, sizeof *planes);
    volatile uint64_t sink = 0;
    if (!ptes || !planes) return 1;
    srand(1);
    for (int t = 0; t < tables; t++)
        for (int i = 0; i < SLOTS; i++)
            if (rand() & 1) {
                ptes[(size_t)t * SLOTS + i] = PRESENT | YOUNG;
                planes[t].present[i / 64] |= 1ull << (i % 64);
                planes[t].young[i / 64] |= 1ull << (i % 64);
            }
    double rate[2];
    for (int form = 0; form < 2; form++) {
        double start = seconds(), now;
        uint64_t looked = 0;
        do {
            for (int t = 0; t < tables; t++) {
                struct counts c = {0};
                sink += form ? by_entry(ptes + (size_t)t * SLOTS, &c) : by_planes(planes + t, &c);
                sink += c.none + c.referenced;
            }
            looked += (uint64_t)tables * SLOTS;
            now = seconds();
        } while (now - start < span);
        rate[form] = looked / (now - start);
    }
    printf("%.0f %.0f\n", rate[0], rate[1]);
    return 0;
}
