/* The commit log over disk.h. The bytes are log_record.h's, the contract is commitlog.h's.
 *
 *   commitlog-<number, 20 digits>.log   segments, numbers contiguous; only the newest is written, only up to its end
 *   commitlog-spare-<number>.log        segments no longer needed, kept to be written again (no allocation, no zeroing)
 *   commitlog-new.tmp                   a segment being made; not yet part of the log
 *
 * A segment enters the log by rename after its header was synced, and only when all of the one before it is synced: so only the newest
 * segment can have a torn tail. Every open starts a new segment, so what a crash left behind the end is never appended to; the new
 * header's previous_end says for ever where that end was. The newest segment is never removed, so numbers never come back. */
#include "storage/commitlog.h"

#include "storage/disk.h"
#include "storage/log_record.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 1024, SPARES_MAX = 4, SEGMENT_BYTES_DEFAULT = 32 << 20 };

struct segment {
    uint64_t number, bytes, end;
    struct log_segment_header header;
    uint64_t *last_seq; /* one a shard; 0: no record of it here */
};

struct commitlog {
    struct disk *disk;
    struct commitlog_options options;
    char directory[PATH_BYTES];
    struct segment *segments; /* oldest first */
    size_t segments_count;
    uint64_t *spares; /* numbers in their names */
    size_t spares_count;
    bool has_tmp;
    struct disk_file *current; /* the newest segment, NULL until the first append */
    uint64_t synced_end, marked_end;
    struct buf write;
    bool replayed, failed;
};

static const char *disk_text(const struct commitlog *l)
{
    return strerror(l->disk->error);
}

static err_t final_error(struct commitlog *l, struct fail *fail, const char *what)
{
    l->failed = true;
    return fail_set(fail, ERR_IO, "commit log in %s: %s: %s", l->directory, what, disk_text(l));
}

static err_t corrupt(const struct commitlog *l, struct fail *fail, uint64_t number, const char *why,
                     uint64_t at)
{
    return fail_set(fail, ERR_CORRUPT, "commit log in %s: segment %llu: %s (at byte %llu)",
                    l->directory, (unsigned long long)number, why, (unsigned long long)at);
}

static void segment_path(const struct commitlog *l, uint64_t number, char *out)
{
    snprintf(out, PATH_BYTES + 64, "%s/commitlog-%020llu.log", l->directory,
             (unsigned long long)number);
}

static void spare_path(const struct commitlog *l, uint64_t number, char *out)
{
    snprintf(out, PATH_BYTES + 64, "%s/commitlog-spare-%020llu.log", l->directory,
             (unsigned long long)number);
}

static void tmp_path(const struct commitlog *l, char *out)
{
    snprintf(out, PATH_BYTES + 64, "%s/commitlog-new.tmp", l->directory);
}

static struct segment *segment_add(struct commitlog *l, uint64_t number)
{
    struct segment *p = realloc(l->segments, (l->segments_count + 1) * sizeof *p);
    ensure(p != NULL);
    l->segments = p;
    struct segment *s = &p[l->segments_count++];
    *s = (struct segment){.number = number, .end = LOG_HEADER_BYTES};
    s->last_seq = calloc(l->options.shards, sizeof *s->last_seq);
    ensure(s->last_seq != NULL);
    return s;
}

static void spare_add(struct commitlog *l, uint64_t number)
{
    uint64_t *p = realloc(l->spares, (l->spares_count + 1) * sizeof *p);
    ensure(p != NULL);
    l->spares = p;
    p[l->spares_count++] = number;
}

/* "<prefix><20 digits>.log" */
static bool parse_name(const char *name, const char *prefix, uint64_t *number)
{
    size_t n = strlen(prefix);
    if (strncmp(name, prefix, n) != 0 || strlen(name) != n + 24 ||
        strcmp(name + n + 20, ".log") != 0)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < 20; i++) {
        unsigned digit = (unsigned)(name[n + i] - '0');
        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *number = v;
    return true;
}

static void found_name(void *ctx, const char *name)
{
    struct commitlog *l = ctx;
    uint64_t number;
    if (parse_name(name, "commitlog-", &number))
        segment_add(l, number);
    else if (parse_name(name, "commitlog-spare-", &number))
        spare_add(l, number);
    else if (strcmp(name, "commitlog-new.tmp") == 0)
        l->has_tmp = true;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = ((const struct segment *)a)->number, y = ((const struct segment *)b)->number;
    return (x > y) - (x < y);
}

static err_t read_header(struct commitlog *l, struct segment *s, struct fail *fail)
{
    char path[PATH_BYTES + 64];
    segment_path(l, s->number, path);
    struct disk_file *f;
    if (l->disk->ops->open(l->disk, path, false, &f) != OK)
        return fail_set(fail, ERR_IO, "%s: %s", path, disk_text(l));
    uint8_t header[LOG_HEADER_BYTES];
    size_t got = 0;
    err_t err = l->disk->ops->read(f, 0, header, sizeof header, &got);
    if (err == OK)
        err = l->disk->ops->size(f, &s->bytes);
    l->disk->ops->close(f);
    if (err != OK)
        return fail_set(fail, ERR_IO, "%s: %s", path, disk_text(l));
    const char *why = NULL;
    if (log_header_load(bytes_of(header, got), &s->header, &why) != OK)
        return corrupt(l, fail, s->number, why, 0);
    if (s->header.number != s->number)
        return corrupt(l, fail, s->number, "its header has another number than its name", 16);
    if (memcmp(&s->header.directory_id, &l->options.directory_id, 16) != 0)
        return corrupt(l, fail, s->number, "it belongs to another data directory", 24);
    return OK;
}

static err_t open_existing(struct commitlog *l, struct fail *fail)
{
    if (l->disk->ops->make_directory(l->disk, l->directory) != OK ||
        l->disk->ops->list(l->disk, l->directory, found_name, l) != OK)
        return fail_set(fail, ERR_IO, "commit log in %s: %s", l->directory, disk_text(l));
    if (l->has_tmp) {
        char path[PATH_BYTES + 64];
        tmp_path(l, path);
        if (l->disk->ops->unlink(l->disk, path) != OK)
            return fail_set(fail, ERR_IO, "%s: %s", path, disk_text(l));
    }
    if (l->segments_count)
        qsort(l->segments, l->segments_count, sizeof *l->segments, by_number);
    for (size_t i = 0; i < l->segments_count; i++) {
        if (i > 0 && l->segments[i].number != l->segments[i - 1].number + 1)
            return corrupt(l, fail, l->segments[i - 1].number + 1, "it is missing", 0);
        TRY(read_header(l, &l->segments[i], fail));
    }
    return OK;
}

err_t commitlog_open(struct disk *disk, const struct commitlog_options *o, struct commitlog **out,
                     struct fail *fail)
{
    size_t n = strlen(o->directory);
    if (n >= PATH_BYTES)
        return fail_set(fail, ERR_IO, "%s: the path is too long", o->directory);
    ensure(o->shards >= 1 && o->shards <= 65536);
    struct commitlog *l = calloc(1, sizeof *l);
    ensure(l != NULL);
    l->disk = disk;
    l->options = *o;
    if (l->options.segment_bytes == 0)
        l->options.segment_bytes = SEGMENT_BYTES_DEFAULT;
    if (l->options.segment_bytes < 2 * LOG_HEADER_BYTES)
        l->options.segment_bytes = 2 * LOG_HEADER_BYTES;
    memcpy(l->directory, o->directory, n + 1);
    err_t err = open_existing(l, fail);
    if (err != OK) {
        commitlog_close(l);
        return err;
    }
    *out = l;
    return OK;
}

void commitlog_close(struct commitlog *l)
{
    if (!l)
        return;
    if (l->current)
        l->disk->ops->close(l->current);
    for (size_t i = 0; i < l->segments_count; i++)
        free(l->segments[i].last_seq);
    free(l->segments);
    free(l->spares);
    buf_free(&l->write);
    free(l);
}

struct replay {
    struct commitlog *log;
    struct segment *segment;
    uint64_t *last_seq; /* one a shard, over all segments; 0: none yet */
    err_t (*apply)(void *ctx, uint32_t shard, uint64_t seq, struct bytes mutation);
    void *ctx;
    const char *why;
};

static err_t replay_record(void *ctx, uint32_t shard, uint64_t seq, struct bytes mutation)
{
    struct replay *r = ctx;
    if (shard >= r->log->options.shards) {
        r->why = "a record is of a shard that this node does not have";
        return ERR_CORRUPT;
    }
    if (seq == 0 || (r->last_seq[shard] != 0 && seq != r->last_seq[shard] + 1)) {
        r->why = "records of a shard are not contiguous";
        return ERR_CORRUPT;
    }
    r->last_seq[shard] = r->segment->last_seq[shard] = seq;
    return r->apply(r->ctx, shard, seq, mutation);
}

static err_t read_segment(struct commitlog *l, const struct segment *s, struct buf *out,
                          struct fail *fail)
{
    char path[PATH_BYTES + 64];
    segment_path(l, s->number, path);
    struct disk_file *f;
    if (l->disk->ops->open(l->disk, path, false, &f) != OK)
        return fail_set(fail, ERR_IO, "%s: %s", path, disk_text(l));
    out->n = 0;
    uint64_t n; /* no record and no mark is in the zeros that a preallocated segment ends with */
    err_t err = l->disk->ops->data_end(f, &n);
    if (err == OK) {
        uint8_t *p = buf_extend(out, (size_t)n);
        err = l->disk->ops->read(f, 0, p, (size_t)n, &out->n);
    }
    l->disk->ops->close(f);
    return err == OK ? OK : fail_set(fail, ERR_IO, "%s: %s", path, disk_text(l));
}

err_t commitlog_replay(struct commitlog *l,
                       err_t (*apply)(void *ctx, uint32_t shard, uint64_t seq,
                                      struct bytes mutation),
                       void *ctx, struct fail *fail)
{
    return commitlog_replay_segments(l, apply, NULL, ctx, fail);
}

err_t commitlog_replay_segments(struct commitlog *l,
                                err_t (*apply)(void *ctx, uint32_t shard, uint64_t seq,
                                               struct bytes mutation),
                                err_t (*segment_end)(void *ctx), void *ctx, struct fail *fail)
{
    ensure(!l->replayed);
    struct replay r = {.log = l, .apply = apply, .ctx = ctx};
    r.last_seq = calloc(l->options.shards, sizeof *r.last_seq);
    ensure(r.last_seq != NULL);
    struct buf content = {0};
    err_t err = OK;
    for (size_t i = 0; i < l->segments_count && err == OK; i++) {
        struct segment *s = r.segment = &l->segments[i];
        bool last = i + 1 == l->segments_count;
        err = read_segment(l, s, &content, fail);
        if (err != OK)
            break;
        const char *why = NULL;
        r.why = NULL;
        err = log_scan(buf_bytes(&content), &s->header, last ? 0 : s[1].header.previous_end,
                       replay_record, &r, &s->end, &why);
        if (err == OK && segment_end)
            err = segment_end(ctx);
        if (err == ERR_CORRUPT && (why || r.why))
            err = corrupt(l, fail, s->number, why ? why : r.why, s->end);
        else if (err != OK && fail && !fail->message.p)
            fail_set(fail, err, "commit log in %s: replay stopped: %s", l->directory,
                     err_name(err));
    }
    buf_free(&content);
    free(r.last_seq);
    l->replayed = err == OK;
    return err;
}

/* A file for a segment of at least `bytes`, under a name that is not part of the log. */
static err_t new_file(struct commitlog *l, uint64_t bytes, struct disk_file **out,
                      uint64_t *bytes_out, char *path)
{
    const struct disk_ops *ops = l->disk->ops;
    while (l->spares_count > 0 && bytes <= l->options.segment_bytes) {
        spare_path(l, l->spares[--l->spares_count], path);
        if (ops->open(l->disk, path, false, out) != OK)
            continue;
        if (ops->size(*out, bytes_out) == OK && *bytes_out == l->options.segment_bytes)
            return OK;
        ops->close(*out);
        (void)!ops->unlink(l->disk, path);
    }
    tmp_path(l, path);
    TRY(ops->open(l->disk, path, true, out));
    *bytes_out = bytes > l->options.segment_bytes ? bytes : l->options.segment_bytes;
    err_t err = ops->preallocate(*out, *bytes_out);
    if (err != OK) {
        ops->close(*out);
        (void)!ops->unlink(l->disk, path);
    }
    return err;
}

static err_t write_header(struct commitlog *l, struct disk_file *f,
                          const struct log_segment_header *h)
{
    uint8_t header[LOG_HEADER_BYTES];
    log_header_store(header, h);
    TRY(l->disk->ops->write(f, 0, bytes_of(header, sizeof header)));
    return l->disk->ops->sync(f);
}

/* Makes the next segment, with room for content_bytes, the current one. ERR_DISK_FULL leaves all as it was. */
static err_t next_segment(struct commitlog *l, size_t content_bytes, struct fail *fail)
{
    const struct disk_ops *ops = l->disk->ops;
    if (l->current)
        TRY(commitlog_sync(l, fail));
    const struct segment *last = l->segments_count ? &l->segments[l->segments_count - 1] : NULL;
    struct log_segment_header h = {.directory_id = l->options.directory_id,
                                   .number = last ? last->number + 1 : 1,
                                   .previous_end = last ? last->end : 0};
    char from[PATH_BYTES + 64], to[PATH_BYTES + 64];
    struct disk_file *f;
    uint64_t bytes;
    err_t err = new_file(l, LOG_HEADER_BYTES + content_bytes, &f, &bytes, from);
    if (err == OK) {
        err = write_header(l, f, &h);
        if (err != OK) {
            ops->close(f);
            (void)!ops->unlink(l->disk, from);
        }
    }
    if (err == ERR_DISK_FULL)
        return fail_set(fail, ERR_DISK_FULL, "commit log in %s: no space for a new segment: %s",
                        l->directory, disk_text(l));
    if (err != OK)
        return final_error(l, fail, "a new segment");
    segment_path(l, h.number, to);
    if (ops->rename(l->disk, from, to) != OK || ops->sync_directory(l->disk, l->directory) != OK) {
        ops->close(f);
        return final_error(l, fail, "a new segment");
    }
    if (l->current)
        ops->close(l->current);
    l->current = f;
    l->synced_end = l->marked_end = LOG_HEADER_BYTES;
    struct segment *s = segment_add(l, h.number);
    s->header = h;
    s->bytes = bytes;
    return OK;
}

err_t commitlog_append(struct commitlog *l, uint32_t shard, struct bytes batch, uint64_t last_seq,
                       struct fail *fail)
{
    ensure(l->replayed && shard < l->options.shards);
    if (l->failed)
        return fail_set(fail, ERR_IO, "commit log in %s: stopped after an error", l->directory);
    if (batch.n == 0)
        return OK;
    struct segment *s = l->current ? &l->segments[l->segments_count - 1] : NULL;
    if (!s || s->bytes - s->end < LOG_MARK_BYTES + batch.n) {
        TRY(next_segment(l, LOG_MARK_BYTES + batch.n, fail));
        s = &l->segments[l->segments_count - 1];
    }
    l->write.n = 0;
    uint64_t synced = l->synced_end;
    if (synced > l->marked_end)
        log_mark_put(&l->write, synced);
    buf_put_bytes(&l->write, batch);
    ensure(log_batch_seal(l->write.p, l->write.n, &s->header, s->end));
    err_t err = l->disk->ops->write(l->current, s->end, buf_bytes(&l->write));
    if (err == ERR_DISK_FULL)
        return fail_set(fail, ERR_DISK_FULL, "commit log in %s: %s", l->directory, disk_text(l));
    if (err != OK)
        return final_error(l, fail, "a write");
    l->marked_end = synced;
    s->end += l->write.n;
    s->last_seq[shard] = last_seq;
    return OK;
}

err_t commitlog_sync(struct commitlog *l, struct fail *fail)
{
    if (l->failed)
        return fail_set(fail, ERR_IO, "commit log in %s: stopped after an error", l->directory);
    if (!l->current)
        return OK;
    struct segment *s = &l->segments[l->segments_count - 1];
    if (s->end == l->synced_end)
        return OK;
    if (l->disk->ops->sync(l->current) != OK)
        return final_error(l, fail, "fdatasync");
    l->synced_end = s->end;
    return OK;
}

static bool segment_flushed(const struct commitlog *l, const struct segment *s,
                            const uint64_t *flushed_seq)
{
    for (uint32_t i = 0; i < l->options.shards; i++)
        if (s->last_seq[i] > flushed_seq[i])
            return false;
    return true;
}

static err_t drop_oldest(struct commitlog *l, struct fail *fail)
{
    struct segment *s = &l->segments[0];
    char path[PATH_BYTES + 64], spare[PATH_BYTES + 64];
    segment_path(l, s->number, path);
    bool keep = l->spares_count < SPARES_MAX && s->bytes == l->options.segment_bytes;
    err_t err;
    if (keep) {
        spare_path(l, s->number, spare);
        err = l->disk->ops->rename(l->disk, path, spare);
    } else {
        err = l->disk->ops->unlink(l->disk, path);
    }
    /* One by one: were two removals reordered by a power loss, the log would have a hole. */
    if (err != OK || l->disk->ops->sync_directory(l->disk, l->directory) != OK)
        return final_error(l, fail, "removing a segment");
    if (keep)
        spare_add(l, s->number);
    free(s->last_seq);
    l->segments_count--;
    memmove(s, s + 1, l->segments_count * sizeof *s);
    return OK;
}

err_t commitlog_trim(struct commitlog *l, const uint64_t *flushed_seq, struct fail *fail)
{
    ensure(l->replayed);
    if (l->failed)
        return fail_set(fail, ERR_IO, "commit log in %s: stopped after an error", l->directory);
    while (l->segments_count > 1 && segment_flushed(l, &l->segments[0], flushed_seq))
        TRY(drop_oldest(l, fail));
    return OK;
}

int commitlog_pressure(const struct commitlog *l, const uint64_t *flushed_seq)
{
    if (l->segments_count < 2 || commitlog_bytes(l) <= l->options.total_bytes_max)
        return -1;
    for (uint32_t i = 0; i < l->options.shards; i++)
        if (l->segments[0].last_seq[i] > flushed_seq[i])
            return (int)i;
    return -1;
}

size_t commitlog_bytes(const struct commitlog *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->segments_count; i++)
        n += (size_t)l->segments[i].bytes;
    return n;
}
