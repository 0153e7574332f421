/* A file system in memory that can lose power. Contents are kept twice, as last synced and as now, with a mark for each sector
 * written in between; the namespace as last synced plus the list of operations since. */
#include "storage/disk.h"

#include <errno.h>

enum { SECTOR = 512, NAME_MAX_BYTES = 512 };

struct inode {
    uint8_t *now, *synced;
    uint64_t now_bytes, synced_bytes;
    bool *dirty; /* one a sector of now */
    size_t dirty_cap;
    int refs; /* handles + names in either namespace */
};

struct name {
    char path[NAME_MAX_BYTES];
    struct inode *inode;
};

struct names {
    struct name *items;
    size_t count;
};

enum change_kind { CHANGE_CREATE, CHANGE_RENAME, CHANGE_UNLINK };
struct change {
    enum change_kind kind;
    char path[NAME_MAX_BYTES], to[NAME_MAX_BYTES];
    struct inode *inode; /* CREATE */
};

struct disk_sim {
    struct disk disk;
    struct names now, synced;
    struct change *changes;
    size_t changes_count;
    uint64_t operations, fail_at, capacity;
    err_t fail_err;
    bool fail_sticky;
};

struct sim_file {
    struct disk_file base;
    struct inode *inode;
};

static struct disk_sim *sim(struct disk *d)
{
    return (struct disk_sim *)d;
}

static void *grow(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    ensure(p != NULL);
    return p;
}

static void inode_unref(struct inode *i)
{
    if (--i->refs > 0)
        return;
    free(i->now);
    free(i->synced);
    free(i->dirty);
    free(i);
}

static void path_copy(char *to, const char *from)
{
    size_t n = strlen(from);
    ensure(n < NAME_MAX_BYTES);
    memcpy(to, from, n + 1);
}

static struct name *names_find(struct names *l, const char *path)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->items[i].path, path) == 0)
            return &l->items[i];
    return NULL;
}

static void names_remove(struct names *l, const char *path)
{
    struct name *n = names_find(l, path);
    if (!n)
        return;
    inode_unref(n->inode);
    *n = l->items[--l->count];
}

static void names_put(struct names *l, const char *path, struct inode *inode)
{
    inode->refs++;
    names_remove(l, path);
    l->items = grow(l->items, (l->count + 1) * sizeof *l->items);
    path_copy(l->items[l->count].path, path);
    l->items[l->count++].inode = inode;
}

static void names_apply(struct names *l, const struct change *c)
{
    struct name *n;
    switch (c->kind) {
    case CHANGE_CREATE: names_put(l, c->path, c->inode); break;
    case CHANGE_UNLINK: names_remove(l, c->path); break;
    case CHANGE_RENAME:
        n = names_find(l, c->path);
        if (n) {
            struct inode *inode = n->inode;
            names_put(l, c->to, inode);
            names_remove(l, c->path);
        }
        break;
    }
}

static void names_free(struct names *l)
{
    for (size_t i = 0; i < l->count; i++)
        inode_unref(l->items[i].inode);
    free(l->items);
    *l = (struct names){0};
}

static void change_add(struct disk_sim *s, enum change_kind kind, const char *path, const char *to,
                       struct inode *inode)
{
    s->changes = grow(s->changes, (s->changes_count + 1) * sizeof *s->changes);
    struct change *c = &s->changes[s->changes_count++];
    *c = (struct change){.kind = kind, .inode = inode};
    path_copy(c->path, path);
    path_copy(c->to, to ? to : "");
    if (inode)
        inode->refs++;
    names_apply(&s->now, c);
}

static void changes_clear(struct disk_sim *s)
{
    for (size_t i = 0; i < s->changes_count; i++)
        if (s->changes[i].inode)
            inode_unref(s->changes[i].inode);
    s->changes_count = 0;
}

static err_t operation(struct disk_sim *s)
{
    uint64_t n = s->operations++;
    if (n == s->fail_at || (s->fail_sticky && n > s->fail_at)) {
        s->disk.error = s->fail_err == ERR_DISK_FULL ? ENOSPC : EIO;
        return s->fail_err;
    }
    return OK;
}

static uint64_t used_bytes(const struct disk_sim *s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->now.count; i++)
        n += s->now.items[i].inode->now_bytes;
    return n;
}

static err_t inode_resize(struct disk_sim *s, struct inode *i, uint64_t size)
{
    if (size <= i->now_bytes)
        return OK;
    if (used_bytes(s) - i->now_bytes + size > s->capacity) {
        s->disk.error = ENOSPC;
        return ERR_DISK_FULL;
    }
    size_t sectors = (size_t)(size + SECTOR - 1) / SECTOR;
    i->now = grow(i->now, sectors * SECTOR);
    memset(i->now + i->now_bytes, 0, sectors * SECTOR - i->now_bytes);
    if (sectors > i->dirty_cap) {
        i->dirty = grow(i->dirty, sectors * sizeof *i->dirty);
        memset(i->dirty + i->dirty_cap, 0, (sectors - i->dirty_cap) * sizeof *i->dirty);
        i->dirty_cap = sectors;
    }
    i->now_bytes = size;
    return OK;
}

static err_t sim_open(struct disk *d, const char *path, bool create, struct disk_file **out)
{
    struct disk_sim *s = sim(d);
    TRY(operation(s));
    struct name *n = names_find(&s->now, path);
    if (!n && !create) {
        d->error = ENOENT;
        return ERR_NOT_FOUND;
    }
    if (create) {
        struct inode *inode = calloc(1, sizeof *inode);
        ensure(inode != NULL);
        change_add(s, CHANGE_CREATE, path, NULL, inode);
        n = names_find(&s->now, path);
    }
    struct sim_file *f = calloc(1, sizeof *f);
    ensure(f != NULL);
    f->base.disk = d;
    f->inode = n->inode;
    f->inode->refs++;
    *out = &f->base;
    return OK;
}

static void sim_close(struct disk_file *f)
{
    inode_unref(((struct sim_file *)f)->inode);
    free(f);
}

static err_t sim_preallocate(struct disk_file *f, uint64_t size)
{
    TRY(operation(sim(f->disk)));
    return inode_resize(sim(f->disk), ((struct sim_file *)f)->inode, size);
}

static err_t sim_write(struct disk_file *f, uint64_t offset, struct bytes data)
{
    struct inode *i = ((struct sim_file *)f)->inode;
    err_t err = operation(sim(f->disk));
    if (err != OK)
        data.n /= 2;
    if (data.n == 0)
        return err;
    err_t grown = inode_resize(sim(f->disk), i, offset + data.n);
    if (grown != OK)
        return grown;
    memcpy(i->now + offset, data.p, data.n);
    for (uint64_t at = offset / SECTOR; at <= (offset + data.n - 1) / SECTOR; at++)
        i->dirty[at] = true;
    return err;
}

static err_t sim_read(struct disk_file *f, uint64_t offset, void *p, size_t n, size_t *got)
{
    TRY(operation(sim(f->disk)));
    struct inode *i = ((struct sim_file *)f)->inode;
    *got = offset >= i->now_bytes ? 0
                                  : (size_t)(i->now_bytes - offset < n ? i->now_bytes - offset : n);
    if (*got)
        memcpy(p, i->now + offset, *got);
    return OK;
}

static err_t sim_size(struct disk_file *f, uint64_t *out)
{
    TRY(operation(sim(f->disk)));
    *out = ((struct sim_file *)f)->inode->now_bytes;
    return OK;
}

static void inode_sync(struct inode *i)
{
    i->synced = grow(i->synced, (size_t)i->now_bytes);
    if (i->now_bytes)
        memcpy(i->synced, i->now, (size_t)i->now_bytes);
    i->synced_bytes = i->now_bytes;
    if (i->dirty_cap)
        memset(i->dirty, 0, i->dirty_cap * sizeof *i->dirty);
}

static err_t sim_sync(struct disk_file *f)
{
    TRY(operation(sim(f->disk)));
    inode_sync(((struct sim_file *)f)->inode);
    return OK;
}

static err_t sim_rename(struct disk *d, const char *from, const char *to)
{
    TRY(operation(sim(d)));
    if (!names_find(&sim(d)->now, from))
        return ERR_NOT_FOUND;
    change_add(sim(d), CHANGE_RENAME, from, to, NULL);
    return OK;
}

static err_t sim_unlink(struct disk *d, const char *path)
{
    TRY(operation(sim(d)));
    if (!names_find(&sim(d)->now, path))
        return ERR_NOT_FOUND;
    change_add(sim(d), CHANGE_UNLINK, path, NULL, NULL);
    return OK;
}

static err_t sim_sync_directory(struct disk *d, const char *directory)
{
    (void)directory;
    struct disk_sim *s = sim(d);
    TRY(operation(s));
    for (size_t i = 0; i < s->changes_count; i++)
        names_apply(&s->synced, &s->changes[i]);
    changes_clear(s);
    return OK;
}

static err_t sim_make_directory(struct disk *d, const char *directory)
{
    (void)directory;
    return operation(sim(d));
}

static err_t sim_list(struct disk *d, const char *directory,
                      void (*each)(void *ctx, const char *name), void *ctx)
{
    struct disk_sim *s = sim(d);
    TRY(operation(s));
    size_t n = strlen(directory);
    for (size_t i = 0; i < s->now.count; i++) {
        const char *path = s->now.items[i].path;
        if (strncmp(path, directory, n) == 0 && path[n] == '/')
            each(ctx, path + n + 1);
    }
    return OK;
}

static err_t sim_free_bytes(struct disk *d, const char *directory, uint64_t *out)
{
    (void)directory;
    TRY(operation(sim(d)));
    uint64_t used = used_bytes(sim(d));
    *out = used < sim(d)->capacity ? sim(d)->capacity - used : 0;
    return OK;
}

static const struct disk_ops sim_ops = {
    .open = sim_open,
    .close = sim_close,
    .preallocate = sim_preallocate,
    .write = sim_write,
    .read = sim_read,
    .size = sim_size,
    .data_end = sim_size,
    .sync = sim_sync,
    .rename = sim_rename,
    .unlink = sim_unlink,
    .sync_directory = sim_sync_directory,
    .make_directory = sim_make_directory,
    .list = sim_list,
    .free_bytes = sim_free_bytes,
};

struct disk_sim *disk_sim_new(void)
{
    struct disk_sim *s = calloc(1, sizeof *s);
    ensure(s != NULL);
    s->disk.ops = &sim_ops;
    s->fail_at = UINT64_MAX;
    s->capacity = UINT64_MAX;
    return s;
}

void disk_sim_free(struct disk_sim *s)
{
    names_free(&s->now);
    names_free(&s->synced);
    changes_clear(s);
    free(s->changes);
    free(s);
}

struct disk *disk_sim_disk(struct disk_sim *s)
{
    return &s->disk;
}

uint64_t disk_sim_operations(const struct disk_sim *s)
{
    return s->operations;
}

void disk_sim_fail_at(struct disk_sim *s, uint64_t operation_at, err_t err, bool sticky)
{
    s->fail_at = operation_at;
    s->fail_err = err;
    s->fail_sticky = sticky && operation_at != UINT64_MAX;
}

void disk_sim_set_capacity(struct disk_sim *s, uint64_t bytes)
{
    s->capacity = bytes;
}

/* The content after a power loss: a file whose growth was not synced may have either length. */
static struct inode *inode_torn(const struct inode *i, struct prng *random)
{
    struct inode *o = calloc(1, sizeof *o);
    ensure(o != NULL);
    uint64_t bytes = i->now_bytes;
    if (bytes != i->synced_bytes && prng_below(random, 2) == 0)
        bytes = i->synced_bytes;
    size_t sectors = (size_t)(bytes + SECTOR - 1) / SECTOR;
    o->now = calloc(sectors ? sectors : 1, SECTOR);
    ensure(o->now != NULL);
    uint64_t keep = bytes < i->synced_bytes ? bytes : i->synced_bytes;
    if (keep)
        memcpy(o->now, i->synced, (size_t)keep);
    uint64_t chance = prng_below(random, 4); /* 0: nothing unsynced survives; 3: all of it */
    for (size_t at = 0; at < sectors; at++)
        if (i->dirty[at] && (chance == 3 || (chance > 0 && prng_below(random, 2) == 0))) {
            uint64_t n = bytes - at * SECTOR < SECTOR ? bytes - at * SECTOR : SECTOR;
            memcpy(o->now + at * SECTOR, i->now + at * SECTOR, (size_t)n);
        }
    o->now_bytes = bytes;
    o->dirty_cap = sectors;
    o->dirty = calloc(sectors ? sectors : 1, sizeof *o->dirty);
    ensure(o->dirty != NULL);
    inode_sync(o);
    return o;
}

struct disk_sim *disk_sim_power_loss(const struct disk_sim *s, struct prng *random)
{
    struct disk_sim *o = disk_sim_new();
    struct names left = {0};
    for (size_t i = 0; i < s->synced.count; i++)
        names_put(&left, s->synced.items[i].path, s->synced.items[i].inode);
    size_t done = (size_t)prng_below(random, s->changes_count + 1);
    for (size_t i = 0; i < done; i++)
        names_apply(&left, &s->changes[i]);
    for (size_t i = 0; i < left.count; i++) {
        struct inode *inode = inode_torn(left.items[i].inode, random);
        names_put(&o->now, left.items[i].path, inode);
        names_put(&o->synced, left.items[i].path, inode);
    }
    names_free(&left);
    return o;
}

struct bytes disk_sim_content(struct disk_sim *s, const char *path)
{
    struct name *n = names_find(&s->now, path);
    return n ? bytes_of(n->inode->now, (size_t)n->inode->now_bytes) : BYTES_NULL;
}
