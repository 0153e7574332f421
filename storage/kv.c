/* See kv.h. Slot n is the named database "s<n>"; its handle is opened once and kept.
 *
 * Handles are only made by a writer's kv_slot_create() (and at open), and a reader may use one only from the renew after that writer's
 * commit on. `committed` counts handles that are safe: it is raised, with release order, after the commit. */
#include "storage/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, READERS_MAX = 16 };

#define DBI_NONE UINT32_MAX
/* Less free space than this is a full disk, whatever the system call said: LMDB turns a short write into EIO. */
#define FREE_BYTES_MIN (1u << 20)

struct kv_env {
    MDB_env *env;
    uint32_t *dbi; /* by slot: handle or DBI_NONE; written with release, read with acquire */
    uint32_t slots_max;
    int lock_fd;
    int error; /* of the last failure: an LMDB or errno number; only for messages */
    char directory[PATH_BYTES];
};

struct kv_txn {
    struct kv_env *env;
    MDB_txn *txn;
    bool is_writer, is_reset;
    uint64_t renewals;
    struct created {
        uint32_t slot;
        MDB_dbi dbi;
    } * created; /* by this writer: published at commit */
    size_t created_count;
};

struct kv_cursor {
    MDB_cursor *cursor;
    struct kv_txn *txn;
    uint64_t renewals;
};

static err_t translate(struct kv_env *e, int rc)
{
    __atomic_store_n(&e->error, rc, __ATOMIC_RELAXED);
    switch (rc) {
    case MDB_SUCCESS: return OK;
    case MDB_NOTFOUND: return ERR_NOT_FOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return ERR_DISK_FULL;
    case MDB_TXN_FULL:
    case MDB_DBS_FULL:
    case MDB_READERS_FULL:
    case MDB_CURSOR_FULL: return ERR_FULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH: return ERR_CORRUPT;
    default: break;
    }
    if (rc == EIO) {
        struct statvfs v;
        if (statvfs(e->directory, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < FREE_BYTES_MIN)
            return ERR_DISK_FULL;
    }
    return ERR_IO;
}

const char *kv_error_text(const struct kv_env *e)
{
    return mdb_strerror(__atomic_load_n(&e->error, __ATOMIC_RELAXED));
}

static struct bytes of_val(const MDB_val *v)
{
    return bytes_of(v->mv_data, v->mv_size);
}

static MDB_val val_of(struct bytes b)
{
    return (MDB_val){b.n, (void *)(uintptr_t)b.p};
}

static bool slot_dbi(const struct kv_txn *t, uint32_t slot, MDB_dbi *out)
{
    if (t->is_writer)
        for (size_t i = 0; i < t->created_count; i++)
            if (t->created[i].slot == slot) {
                *out = t->created[i].dbi;
                return true;
            }
    if (slot >= t->env->slots_max)
        return false;
    *out = __atomic_load_n(&t->env->dbi[slot], __ATOMIC_ACQUIRE);
    return *out != DBI_NONE;
}

static err_t lock_directory(struct kv_env *e, struct fail *fail)
{
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/in-use", e->directory);
    e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (e->lock_fd < 0)
        return fail_set(fail, ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(e->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return fail_set(fail, ERR_IO, "%s is in use by another process or opened twice",
                        e->directory);
    return OK;
}

/* The number of a slot's name; false for a name that is not ours. */
static bool slot_of_name(const MDB_val *name, uint32_t slots_max, uint32_t *out)
{
    const uint8_t *p = name->mv_data;
    uint32_t n = 0;
    if (name->mv_size < 2 || name->mv_size > 9 || p[0] != 's')
        return false;
    for (size_t i = 1; i < name->mv_size; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        n = n * 10 + (uint32_t)(p[i] - '0');
    }
    *out = n;
    return n < slots_max;
}

/* Opens the handle of every slot there is. */
static int open_slots(struct kv_env *e)
{
    MDB_txn *txn;
    MDB_dbi names;
    MDB_cursor *cursor;
    int rc = mdb_txn_begin(e->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_dbi_open(txn, NULL, 0, &names);
    if (rc == 0)
        rc = mdb_cursor_open(txn, names, &cursor);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    MDB_val key, value;
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        uint32_t slot;
        char name[16];
        MDB_dbi dbi;
        if (!slot_of_name(&key, e->slots_max, &slot)) {
            rc = MDB_INVALID;
            break;
        }
        snprintf(name, sizeof name, "s%u", slot);
        rc = mdb_dbi_open(txn, name, 0, &dbi);
        if (rc == 0)
            e->dbi[slot] = dbi;
    }
    mdb_cursor_close(cursor);
    if (rc != MDB_NOTFOUND) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

/* A data file too short for what its newest meta page says is in it would fault at the first read of a missing page. Pages at the
 * very end may never have been written (allocated and freed in one transaction), so only a clear lack is told here. */
static bool file_is_cut(struct kv_env *e)
{
    MDB_envinfo info;
    MDB_stat st;
    struct stat file;
    int fd;
    if (mdb_env_info(e->env, &info) != 0 || mdb_env_stat(e->env, &st) != 0 ||
        mdb_env_get_fd(e->env, &fd) != 0 || fstat(fd, &file) != 0)
        return true;
    size_t pages_written = (size_t)file.st_size / st.ms_psize;
    return pages_written < 2 || pages_written < info.me_last_pgno / 2;
}

static err_t open_env(struct kv_env *e, const struct kv_options *o, struct fail *fail)
{
    if (mkdir(e->directory, 0700) != 0 && errno != EEXIST)
        return fail_set(fail, ERR_IO, "%s: %s", e->directory, strerror(errno));
    TRY(lock_directory(e, fail));
    size_t map_bytes = o->map_bytes;
    if (map_bytes == 0)
#ifdef HELENUS_SANITIZED
        map_bytes = (size_t)1 << 30;
#else
        map_bytes = (size_t)64 << 30;
#endif
    map_bytes = (map_bytes + 4095) & ~(size_t)4095;
    int rc = mdb_env_create(&e->env);
    if (rc == 0)
        rc = mdb_env_set_mapsize(e->env, map_bytes);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(e->env, e->slots_max);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(e->env, READERS_MAX);
    if (rc == 0)
        rc = mdb_env_open(e->env, e->directory, MDB_NOTLS, 0600);
    if (rc == 0) {
        /* Slots of readers that a killed process left behind would pin old pages. */
        int dead;
        rc = mdb_reader_check(e->env, &dead);
    }
    if (rc == 0 && file_is_cut(e))
        return fail_set(fail, ERR_CORRUPT, "%s/data.mdb is shorter than its header says",
                        e->directory);
    if (rc == 0)
        rc = open_slots(e);
    if (rc == 0)
        return OK;
    err_t err = translate(e, rc);
    if (err == ERR_NOT_FOUND || err == ERR_FULL)
        err = ERR_IO;
    return fail_set(fail, err, "%s/data.mdb: %s", e->directory, mdb_strerror(rc));
}

err_t kv_open(const struct kv_options *o, struct kv_env **out, struct fail *fail)
{
    size_t n = strlen(o->directory);
    if (n >= PATH_BYTES)
        return fail_set(fail, ERR_IO, "%s: the path is too long", o->directory);
    struct kv_env *e = calloc(1, sizeof *e);
    ensure(e != NULL);
    memcpy(e->directory, o->directory, n + 1);
    e->lock_fd = -1;
    e->slots_max = o->slots_max;
    e->dbi = malloc(o->slots_max * sizeof *e->dbi);
    ensure(e->dbi != NULL);
    for (uint32_t i = 0; i < o->slots_max; i++)
        e->dbi[i] = DBI_NONE;
    err_t err = open_env(e, o, fail);
    if (err != OK) {
        kv_close(e);
        return err;
    }
    *out = e;
    return OK;
}

void kv_close(struct kv_env *e)
{
    if (!e)
        return;
    if (e->env)
        mdb_env_close(e->env);
    if (e->lock_fd >= 0)
        close(e->lock_fd);
    free(e->dbi);
    free(e);
}

size_t kv_bytes(const struct kv_env *e)
{
    MDB_envinfo info;
    MDB_stat st;
    if (mdb_env_info(e->env, &info) != 0 || mdb_env_stat(e->env, &st) != 0)
        return 0;
    return (info.me_last_pgno + 1) * st.ms_psize;
}

err_t kv_reader_new(struct kv_env *e, struct kv_txn **out)
{
    MDB_txn *txn;
    TRY(translate(e, mdb_txn_begin(e->env, NULL, MDB_RDONLY, &txn)));
    mdb_txn_reset(txn);
    struct kv_txn *t = calloc(1, sizeof *t);
    ensure(t != NULL);
    *t = (struct kv_txn){.env = e, .txn = txn, .is_reset = true};
    *out = t;
    return OK;
}

err_t kv_reader_renew(struct kv_txn *t)
{
    ensure(!t->is_writer && t->is_reset);
    TRY(translate(t->env, mdb_txn_renew(t->txn)));
    t->is_reset = false;
    t->renewals++;
    return OK;
}

void kv_reader_reset(struct kv_txn *t)
{
    if (t->is_reset)
        return;
    mdb_txn_reset(t->txn);
    t->is_reset = true;
}

void kv_reader_free(struct kv_txn *t)
{
    if (!t)
        return;
    mdb_txn_abort(t->txn);
    free(t);
}

err_t kv_write_begin(struct kv_env *e, struct kv_txn **out)
{
    MDB_txn *txn;
    TRY(translate(e, mdb_txn_begin(e->env, NULL, 0, &txn)));
    struct kv_txn *t = calloc(1, sizeof *t);
    ensure(t != NULL);
    *t = (struct kv_txn){.env = e, .txn = txn, .is_writer = true};
    *out = t;
    return OK;
}

err_t kv_write_commit(struct kv_txn *t)
{
    struct kv_env *e = t->env;
    err_t err = translate(e, mdb_txn_commit(t->txn));
    for (size_t i = 0; i < t->created_count && err == OK; i++)
        __atomic_store_n(&e->dbi[t->created[i].slot], t->created[i].dbi, __ATOMIC_RELEASE);
    free(t->created);
    free(t);
    return err == ERR_NOT_FOUND || err == ERR_FULL ? ERR_IO : err;
}

void kv_write_abort(struct kv_txn *t)
{
    mdb_txn_abort(t->txn);
    free(t->created);
    free(t);
}

err_t kv_slot_create(struct kv_txn *t, uint32_t slot)
{
    MDB_dbi dbi;
    if (slot_dbi(t, slot, &dbi))
        return OK;
    if (slot >= t->env->slots_max)
        return ERR_FULL;
    char name[16];
    snprintf(name, sizeof name, "s%u", slot);
    TRY(translate(t->env, mdb_dbi_open(t->txn, name, MDB_CREATE, &dbi)));
    t->created = realloc(t->created, (t->created_count + 1) * sizeof *t->created);
    ensure(t->created != NULL);
    t->created[t->created_count++] = (struct created){slot, dbi};
    return OK;
}

err_t kv_slot_empty(struct kv_txn *t, uint32_t slot)
{
    MDB_dbi dbi;
    return slot_dbi(t, slot, &dbi) ? translate(t->env, mdb_drop(t->txn, dbi, 0)) : OK;
}

err_t kv_get(struct kv_txn *t, uint32_t slot, struct bytes key, struct bytes *value)
{
    MDB_dbi dbi;
    if (!slot_dbi(t, slot, &dbi))
        return ERR_NOT_FOUND;
    MDB_val k = val_of(key), v;
    int rc = mdb_get(t->txn, dbi, &k, &v);
    if (rc == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    TRY(translate(t->env, rc));
    *value = of_val(&v);
    return OK;
}

err_t kv_put(struct kv_txn *t, uint32_t slot, struct bytes key, struct bytes value)
{
    MDB_dbi dbi;
    ensure(slot_dbi(t, slot, &dbi));
    MDB_val k = val_of(key), v = val_of(value);
    return translate(t->env, mdb_put(t->txn, dbi, &k, &v, 0));
}

err_t kv_del(struct kv_txn *t, uint32_t slot, struct bytes key)
{
    MDB_dbi dbi;
    if (!slot_dbi(t, slot, &dbi))
        return ERR_NOT_FOUND;
    MDB_val k = val_of(key);
    return translate(t->env, mdb_del(t->txn, dbi, &k, NULL));
}

err_t kv_cursor_new(struct kv_txn *t, uint32_t slot, struct kv_cursor **out)
{
    MDB_dbi dbi;
    MDB_cursor *cursor;
    if (!slot_dbi(t, slot, &dbi))
        return ERR_NOT_FOUND;
    TRY(translate(t->env, mdb_cursor_open(t->txn, dbi, &cursor)));
    struct kv_cursor *c = calloc(1, sizeof *c);
    ensure(c != NULL);
    *c = (struct kv_cursor){.cursor = cursor, .txn = t, .renewals = t->renewals};
    *out = c;
    return OK;
}

void kv_cursor_free(struct kv_cursor *c)
{
    if (!c)
        return;
    mdb_cursor_close(c->cursor);
    free(c);
}

static err_t move(struct kv_cursor *c, MDB_cursor_op op, struct bytes key, struct bytes *key_out,
                  struct bytes *value_out)
{
    if (c->renewals != c->txn->renewals) {
        TRY(translate(c->txn->env, mdb_cursor_renew(c->txn->txn, c->cursor)));
        c->renewals = c->txn->renewals;
    }
    MDB_val k = val_of(key), v = {0, NULL};
    int rc = mdb_cursor_get(c->cursor, &k, &v, op);
    if (rc == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    TRY(translate(c->txn->env, rc));
    *key_out = of_val(&k);
    *value_out = of_val(&v);
    return OK;
}

err_t kv_seek(struct kv_cursor *c, struct bytes key, struct bytes *key_out, struct bytes *value_out)
{
    return move(c, MDB_SET_RANGE, key, key_out, value_out);
}

err_t kv_last(struct kv_cursor *c, struct bytes *key_out, struct bytes *value_out)
{
    return move(c, MDB_LAST, BYTES_NULL, key_out, value_out);
}

err_t kv_current(struct kv_cursor *c, struct bytes *key_out, struct bytes *value_out)
{
    ensure(c->renewals == c->txn->renewals);
    return move(c, MDB_GET_CURRENT, BYTES_NULL, key_out, value_out);
}

err_t kv_next(struct kv_cursor *c, struct bytes *key_out, struct bytes *value_out)
{
    return move(c, MDB_NEXT, BYTES_NULL, key_out, value_out);
}

err_t kv_prev(struct kv_cursor *c, struct bytes *key_out, struct bytes *value_out)
{
    return move(c, MDB_PREV, BYTES_NULL, key_out, value_out);
}

err_t kv_seek_before(struct kv_cursor *c, struct bytes key, struct bytes *key_out,
                     struct bytes *value_out)
{
    err_t err = kv_seek(c, key, key_out, value_out);
    if (err == ERR_NOT_FOUND)
        return kv_last(c, key_out, value_out);
    TRY(err);
    return kv_prev(c, key_out, value_out);
}
