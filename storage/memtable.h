/* What was written and is not in the level yet: one memtable a shard, for all its tables.
 *
 * Two ordered maps inside one another: a table's partitions by (token, length of pk, pk), a partition's rows by clustering key. Writes
 * merge into what is there (row_merge()); nothing is ever removed but whole tables, so a row that a partition deletion, range
 * tombstone or row deletion covers may still be there: *the reader applies the tombstones of all its sources to the rows of all its
 * sources* (row_merge()'s covering), as it must do anyway for a tombstone in memory over a row in the level.
 *
 * Memory comes from an arena that the memtable owns and goes when it goes. Everything a cursor gives out points into it: valid until
 * the next memtable_apply() or memtable_drop_table() of this memtable, for ever once it is frozen (no longer written).
 *
 * Thread: one thread writes and reads; when it writes no more, any number of threads may read (reading changes nothing). Needs no store:
 * virtual tables are rows put in a memtable and read by the same merge. */
#ifndef STORAGE_MEMTABLE_H
#define STORAGE_MEMTABLE_H

#include "cql/data/mutation.h"
#include "cql/data/reconcile.h"
#include "storage/tree.h"

struct memtable;

/* Never NULL. Takes a few hundred bytes until something is applied. */
struct memtable *memtable_new(void);
void memtable_free(struct memtable *m);
/* Memory in use for content, bookkeeping included (what freeze limits are compared with). O(1). */
size_t memtable_bytes(const struct memtable *m);
/* Nothing was applied since it was made (dropped tables count as applied). */
bool memtable_is_empty(const struct memtable *m);
/* How many tables it has anything of. */
size_t memtable_tables_count(const struct memtable *m);
/* The highest seq applied; 0 when empty. */
uint64_t memtable_seq_max(const struct memtable *m);

/* Merges a mutation of t (m->ops, valid or at least safely decodable) in. seq: its log sequence number, remembered as the highest of
 * each entry it touches. When the memtable holds an older incarnation of the table, that content is dropped first; an older
 * mutation is ignored. ERR_CORRUPT when the ops do not decode: what came before the bad op is applied.
 * Cost: about 1 us a row with a million rows in memory. */
err_t memtable_apply(struct memtable *m, const struct table *t, const struct mutation *mutation,
                     uint64_t seq) MUST_USE;
/* Forgets the content of a slot (its memory stays until memtable_free()). Not for a frozen memtable: there the reader compares
 * memtable_table.incarnation instead. */
void memtable_drop_table(struct memtable *m, uint32_t slot);

/* The tables that have content, by ascending slot: for (size_t i = 0; memtable_table_next(m, &i, &t);) … */
struct memtable_table {
    uint32_t slot;
    struct uuid table_id;
    uint64_t incarnation;
    size_t partitions_count;
};
bool memtable_table_next(const struct memtable *m, size_t *i, struct memtable_table *out);
/* False when nothing of the slot is here. */
bool memtable_table_find(const struct memtable *m, uint32_t slot, struct memtable_table *out);

struct memtable_partition {
    struct token token;
    struct bytes pk;
    struct deletion deletion; /* DELETION_NONE: there is none */
    struct bytes static_row;  /* body; n == 0: there is none */
    const struct range_list
        *ranges; /* never NULL; those that the partition deletion covers are gone */
    uint64_t
        seq; /* highest that touched deletion, static row or ranges; 0: none did. Rows have their own */
    size_t rows_count;
    const struct memtable_entry *entry;
};

/* One partition. O(log n). */
bool memtable_find(const struct memtable *m, uint32_t slot, struct token token, struct bytes pk,
                   struct memtable_partition *out);

/* Partitions of a slot in order. */
struct memtable_cursor {
    struct tree_pos pos;
};
/* Stands before the first partition with token >= the given one (TOKEN_MIN: before all). For "token > t" seek t + 1. */
void memtable_seek(const struct memtable *m, uint32_t slot, struct token token,
                   struct memtable_cursor *c);
/* Stands before the first partition >= (token, pk), or behind that very partition when after is set. */
void memtable_seek_partition(const struct memtable *m, uint32_t slot, struct token token,
                             struct bytes pk, bool after, struct memtable_cursor *c);
/* False at the end of the slot. */
bool memtable_next(struct memtable_cursor *c, struct memtable_partition *out);

/* Rows of a partition with lower <= ck < upper, ascending or descending. */
struct memtable_row {
    struct bytes ck, body;
    uint64_t seq;
};
struct memtable_rows {
    struct tree_pos pos;
    bool reversed;
    struct bytes bound; /* upper, or lower when reversed; must outlive the iteration */
};
void memtable_rows_begin(const struct memtable_partition *p, struct bytes lower, struct bytes upper,
                         bool reversed, struct memtable_rows *it);
/* False at the end of the bounds. */
bool memtable_rows_next(struct memtable_rows *it, struct memtable_row *out);
/* The row with exactly this clustering key. */
bool memtable_row_find(const struct memtable_partition *p, struct bytes ck,
                       struct memtable_row *out);

#endif
