/* LMDB behind a narrow door: ordered byte maps ("slots") in one environment a shard, one writer, readers on snapshots.
 *
 * Rules kept here (DESIGN.md section 4): fully synced; no MDB_WRITEMAP, no MDB_NOSYNC; MDB_NOTLS, so that a reader belongs to its
 * object and not to a thread; the map is reserved once and never grown; slots are opened by the writer, numbered, reused and never
 * closed; a full disk is told from a broken one; an environment is opened once (the lock file holds whoever else tries).
 *
 * Keys are 1 … KV_KEY_MAX bytes, compared as memcmp. Memory that a get or a cursor gives out belongs to the transaction: valid until
 * its next write, reset or end. Thread: an env any; a write transaction stays on the thread that began it; a reader is used by one
 * thread at a time. */
#ifndef STORAGE_KV_H
#define STORAGE_KV_H

#include "cql/base/buf.h"

#define KV_KEY_MAX 511

struct kv_env;
struct kv_txn; /* a reader or the writer */
struct kv_cursor;

struct kv_options {
    const char *directory; /* created when missing */
    size_t
        map_bytes; /* address space; what the file can grow to. 0: 64 GiB, or 1 GiB under a sanitizer */
    uint32_t slots_max; /* slots are 0 … slots_max - 1 */
};

/* ERR_CORRUPT: the file is no environment or of another version. ERR_IO: in use, or a system call failed. */
err_t kv_open(const struct kv_options *o, struct kv_env **out, struct fail *fail) MUST_USE;
void kv_close(struct kv_env *e);
/* What the last failure of this thread of use was, for messages; static text. */
const char *kv_error_text(const struct kv_env *e);
/* Bytes of the file's used part. */
size_t kv_bytes(const struct kv_env *e);

/* A reader. It begins as reset: renew it before use. */
err_t kv_reader_new(struct kv_env *e, struct kv_txn **out) MUST_USE;
err_t kv_reader_renew(struct kv_txn *t) MUST_USE;
void kv_reader_reset(struct kv_txn *t);
void kv_reader_free(struct kv_txn *t);

/* The writer; waits for another writer to end. */
err_t kv_write_begin(struct kv_env *e, struct kv_txn **out) MUST_USE;
/* Durable when OK. ERR_DISK_FULL, ERR_IO (final: the environment must not be written again). Ends the transaction in any case. */
err_t kv_write_commit(struct kv_txn *t) MUST_USE;
void kv_write_abort(struct kv_txn *t);
/* Makes the slot exist. Readers see it from their next renew on. ERR_FULL: no such number. */
err_t kv_slot_create(struct kv_txn *t, uint32_t slot) MUST_USE;
/* Empties it. */
err_t kv_slot_empty(struct kv_txn *t, uint32_t slot) MUST_USE;

/* ERR_NOT_FOUND also when the slot does not exist. */
err_t kv_get(struct kv_txn *t, uint32_t slot, struct bytes key, struct bytes *value) MUST_USE;
/* ERR_DISK_FULL: the map is full; ERR_FULL: the transaction is too big (abort it and do less). */
err_t kv_put(struct kv_txn *t, uint32_t slot, struct bytes key, struct bytes value) MUST_USE;
/* ERR_NOT_FOUND when it was not there. */
err_t kv_del(struct kv_txn *t, uint32_t slot, struct bytes key) MUST_USE;

/* A cursor of the transaction over the slot; free it before the transaction ends. In a reader it survives reset and renew (then
 * it stands nowhere). ERR_NOT_FOUND: no such slot. */
err_t kv_cursor_new(struct kv_txn *t, uint32_t slot, struct kv_cursor **out) MUST_USE;
void kv_cursor_free(struct kv_cursor *c);
/* The first entry >= key; kv_last: the last one of all. ERR_NOT_FOUND at the end. */
err_t kv_seek(struct kv_cursor *c, struct bytes key, struct bytes *key_out,
              struct bytes *value_out) MUST_USE;
err_t kv_last(struct kv_cursor *c, struct bytes *key_out, struct bytes *value_out) MUST_USE;
/* Where the cursor stands, and on from there, after a successful call. */
err_t kv_current(struct kv_cursor *c, struct bytes *key_out, struct bytes *value_out) MUST_USE;
err_t kv_next(struct kv_cursor *c, struct bytes *key_out, struct bytes *value_out) MUST_USE;
err_t kv_prev(struct kv_cursor *c, struct bytes *key_out, struct bytes *value_out) MUST_USE;
/* The last entry < key. */
err_t kv_seek_before(struct kv_cursor *c, struct bytes key, struct bytes *key_out,
                     struct bytes *value_out) MUST_USE;

#endif
