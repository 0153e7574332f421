/* The level: each table an LMDB slot of ordered entries. Keys, values and chunks are specified in README.md; this is the code that knows them.
 *
 * An entry is (partition, kind, clustering key) → payload. Short clustering keys are LMDB keys of their own; rows whose clustering keys
 * are too long for one share chunks of about 32 KiB. Iterators and get/put/del hide the difference.
 *
 * Every stored value carries a CRC32C over key and value: a mismatch is ERR_CORRUPT, never "no entry".
 * Thread: a struct level is the shard thread's; the functions that take a txn may run on the thread of that txn. */
#ifndef STORAGE_LEVEL_H
#define STORAGE_LEVEL_H

#include "cql/data/mutation.h"
#include "cql/data/reconcile.h"
#include "storage/kv.h"

#define LEVEL_PK_INLINE_MAX \
    255 /* bytes of a partition key that is stored in the LMDB key as it is */
#define LEVEL_PK_PREFIX \
    128 /* of a longer one: first bytes, 128-bit hash, 2-byte number among equal hashes */
#define LEVEL_CHUNK_BYTES (32 << 10)
#define LEVEL_META_SLOT   0 /* the kv slot of tables' records, flushed position and node state */
#define LEVEL_SLOTS_MAX   4096

enum level_kind { LEVEL_HEADER = 1, LEVEL_STATIC, LEVEL_RANGE, LEVEL_ROW };

/* The LMDB key of a partition, without kind. */
struct level_prefix {
    uint16_t n;
    bool is_long;
    uint8_t b[8 + 2 + LEVEL_PK_INLINE_MAX + 1];
};

/* What the level knows of one table; stored in the meta slot. The counts let a read skip what cannot be there. */
struct level_table {
    uint32_t slot; /* the schema's */
    uint32_t kv_slot;
    struct uuid id;
    uint64_t incarnation;
    uint64_t rows, statics, deletions /* of partitions */, ranges, long_pks;
};

/* Where entries are read: a transaction with two cursors of the table's kv slot. */
struct level_view {
    struct kv_txn *txn;
    const struct level_table *table;
    struct kv_cursor *cursor;  /* rows and partitions */
    struct kv_cursor *cursor2; /* point lookups in chunks, and range tombstones */
    uint64_t hash_seed;
};

/* The prefix of a partition. A long key is looked up among those that hash alike. *found (may be NULL): something of it is stored (always
 * set for short keys, where only a look at the entries would tell). ERR_CORRUPT, ERR_IO. */
err_t level_prefix_find(const struct level_view *v, struct token token, struct bytes pk,
                        struct level_prefix *out, bool *found) MUST_USE;

/* The header entry of a partition: its deletion, and its whole key when that is long. */
struct level_header {
    struct deletion deletion;
    struct bytes pk; /* BYTES_NULL unless is_long */
};
/* ERR_NOT_FOUND: there is none. */
err_t level_header_get(const struct level_view *v, const struct level_prefix *p,
                       struct level_header *out) MUST_USE;
/* ERR_NOT_FOUND. *body points into the transaction. */
err_t level_static_get(const struct level_view *v, const struct level_prefix *p,
                       struct bytes *body) MUST_USE;
/* A row body or range payload; ERR_NOT_FOUND. */
err_t level_get(const struct level_view *v, const struct level_prefix *p, enum level_kind kind,
                struct bytes ck, struct bytes *payload) MUST_USE;

/* The first partition at or after a place, in partition_compare() order. *out and *pk (which for a short key points into *out) stay valid
 * while the transaction does and *out is unchanged. */
struct level_partition {
    struct level_prefix prefix;
    struct token token;
    struct bytes pk;
    enum level_kind
        first_kind; /* of its first entry: the kinds before it are not there. HEADER when not known */
    bool at_cursor; /* v->cursor stands on that first entry */
};
/* token >= from. ERR_NOT_FOUND at the end. */
err_t level_partition_seek(const struct level_view *v, struct token from,
                           struct level_partition *out) MUST_USE;
/* The one whose entry v->cursor stands on (key: of that entry). */
err_t level_partition_here(const struct level_view *v, struct bytes key,
                           struct level_partition *out) MUST_USE;
/* The one after (token, pk); pk need not be stored. */
err_t level_partition_after(const struct level_view *v, struct token token, struct bytes pk,
                            struct level_partition *out) MUST_USE;

/* Entries of one partition and kind with lower <= ck < upper, ascending or descending. */
struct level_entry {
    struct bytes ck, payload;
};
struct level_iter {
    const struct level_view *view;
    struct kv_cursor *cursor;
    const struct level_prefix *prefix;
    enum level_kind kind;
    struct bytes lower, upper;
    bool reversed, begun, done;
    bool
        at_first; /* the cursor stands on the partition's first entry (ascending: saves a search) */
    struct level_entry *chunk;
    size_t chunk_count, chunk_cap;
    size_t chunk_at; /* entries of the chunk given out so far, in the iteration's direction */
    struct bytes
        beyond; /* ascending, at the end: the key after the kind's last entry when it was met (else n == 0) */
};
/* lower and upper must outlive the iteration. at: NULL, or the partition with at_cursor set. */
void level_iter_begin(struct level_iter *it, const struct level_view *v, struct kv_cursor *cursor,
                      const struct level_prefix *p, enum level_kind kind, struct bytes lower,
                      struct bytes upper, bool reversed, const struct level_partition *at);
/* ERR_NOT_FOUND at the end. ERR_CORRUPT: the next call goes on behind the damaged entry (or chunk). */
err_t level_iter_next(struct level_iter *it, struct level_entry *out) MUST_USE;
void level_iter_end(struct level_iter *it);

/* Payload of a LEVEL_RANGE entry. */
err_t level_range_decode(struct bytes lower, struct bytes payload,
                         struct range_tombstone *out) MUST_USE;
/* The range tombstone that covers ck; its deletion is DELETION_NONE when none does. */
err_t level_range_at(const struct level_view *v, const struct level_prefix *p, struct bytes ck,
                     struct deletion *out) MUST_USE;

/* Writing; view->txn is a writer. `table` is changed with the entries and stored by level_table_put(). */
struct level_writer {
    struct level_view view;
    struct level_table *table;
    struct buf value, chunk;
    uint64_t puts, put_bytes; /* work done, for budgets */
};
err_t level_writer_begin(struct level_writer *w, struct kv_txn *txn, struct level_table *t,
                         uint64_t hash_seed) MUST_USE;
void level_writer_end(struct level_writer *w);
/* Replaces or adds. is_new: no such entry was there (the caller has looked). damaged: what was there could not be read; the
 * entry keeps saying ERR_CORRUPT to readers while collecting what is written since. */
err_t level_put(struct level_writer *w, const struct level_prefix *p, enum level_kind kind,
                struct bytes ck, struct bytes payload, bool is_new, bool damaged) MUST_USE;
/* Of something that is there. */
err_t level_del(struct level_writer *w, const struct level_prefix *p, enum level_kind kind,
                struct bytes ck) MUST_USE;
err_t level_header_put(struct level_writer *w, const struct level_prefix *p,
                       const struct level_header *h, const struct level_header *old,
                       bool damaged) MUST_USE;
/* old: what is there. */
err_t level_header_del(struct level_writer *w, const struct level_prefix *p,
                       const struct level_header *old) MUST_USE;
/* A new one (no entry with this lower bound is there), or damaged (one is there that cannot be read). */
err_t level_range_put(struct level_writer *w, const struct level_prefix *p,
                      const struct range_tombstone *r, bool damaged) MUST_USE;
/* What a damaged inline entry has collected since; ERR_NOT_FOUND when it is not flagged (then nothing of it can be trusted). */
err_t level_get_damaged(const struct level_view *v, const struct level_prefix *p,
                        enum level_kind kind, struct bytes ck, struct bytes *payload) MUST_USE;
/* Is any entry of the partition but its header there. */
err_t level_partition_is_empty(const struct level_view *v, const struct level_prefix *p,
                               bool *out) MUST_USE;

/* Records in the meta slot. */
err_t level_table_put(struct kv_txn *t, const struct level_table *table) MUST_USE;
err_t level_table_del(struct kv_txn *t, uint32_t slot) MUST_USE;
err_t level_table_decode(struct bytes key, struct bytes value, struct level_table *out) MUST_USE;
err_t level_meta_put(struct kv_txn *t, struct bytes key, struct bytes payload) MUST_USE;
/* ERR_NOT_FOUND; payload points into the transaction. */
err_t level_meta_get(struct kv_txn *t, struct bytes key, struct bytes *payload) MUST_USE;

/* Value = CRC32C of key and rest (4), flags (1), payload. */
void level_value_encode(struct buf *out, struct bytes key, struct bytes payload, bool damaged);
err_t level_value_decode(struct bytes key, struct bytes value, struct bytes *payload) MUST_USE;

#endif
