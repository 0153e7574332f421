/* The commit log against a disk that loses power, fills up and fails at any call: every record that was synced comes back, byte for
 * byte; nothing comes back that was not written; what comes back of each shard has no hole. */
#include "cql/base/prng.h"
#include "storage/commitlog.h"
#include "storage/disk.h"
#include "storage/log_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SHARDS = 3, SEGMENT = 16 << 10, STEPS = 120 };

static const struct commitlog_options options = {.directory = "/log",
                                                 .segment_bytes = SEGMENT,
                                                 .total_bytes_max = 4 * SEGMENT,
                                                 .shards = SHARDS};

/* The content of record seq of a shard is a function of both, so that nothing needs to be kept. */
static void content(uint32_t shard, uint64_t seq, struct buf *out)
{
    struct prng r;
    prng_init(&r, shard * 1000003ull + seq);
    uint64_t n = prng_below(&r, 10) == 0 ? prng_below(&r, 3 * SEGMENT / 2) : prng_below(&r, 1500);
    out->n = 0;
    for (uint64_t i = 0; i < n; i++)
        buf_u8(out, (uint8_t)prng_u64(&r));
}

/* What the world knows of the log. */
struct world {
    uint64_t issued[SHARDS], acked[SHARDS], flushed[SHARDS];
};

struct seen {
    uint64_t first[SHARDS], last[SHARDS];
    struct buf expected;
};

static err_t see(void *ctx, uint32_t shard, uint64_t seq, struct bytes mutation)
{
    struct seen *s = ctx;
    assert_true(shard < SHARDS);
    if (s->first[shard] == 0)
        s->first[shard] = seq;
    else
        assert_int_equal(seq, s->last[shard] + 1);
    s->last[shard] = seq;
    content(shard, seq, &s->expected);
    assert_true(bytes_equal(mutation, buf_bytes(&s->expected)));
    return OK;
}

static struct arena fail_arena;

static void check_error(err_t err, const struct fail *f)
{
    if (err != OK)
        fail_msg("%s: %.*s", err_name(err), BYTES_FMT(f->message));
}

/* Opens what a power loss left and compares it with what the world was told. */
static struct commitlog *recover(struct disk_sim *image, const struct world *w, struct seen *seen)
{
    struct fail f = {.arena = &fail_arena};
    struct commitlog *l = NULL;
    check_error(commitlog_open(disk_sim_disk(image), &options, &l, &f), &f);
    *seen = (struct seen){0};
    check_error(commitlog_replay(l, see, seen, &f), &f);
    for (int i = 0; i < SHARDS; i++) {
        assert_true(seen->last[i] <= w->issued[i]);
        if (w->acked[i] > w->flushed[i]) {
            assert_true(seen->last[i] >= w->acked[i]);
            assert_true(seen->first[i] <= w->flushed[i] + 1);
        }
    }
    buf_free(&seen->expected);
    return l;
}

static void append_some(struct prng *r, struct buf *batch, uint32_t shard, uint64_t *issued)
{
    struct buf one = {0};
    for (uint64_t n = 1 + prng_below(r, 4); n > 0; n--) {
        content(shard, ++*issued, &one);
        log_record_put(batch, shard, *issued, buf_bytes(&one));
    }
    buf_free(&one);
}

static void check_images(struct disk_sim *s, const struct world *w, struct prng *r, int count)
{
    for (int i = 0; i < count; i++) {
        struct disk_sim *image = disk_sim_power_loss(s, r);
        struct seen seen, again;
        struct commitlog *l = recover(image, w, &seen);
        /* Go on from it as a node would, and crash again. */
        struct world after = {0};
        struct fail f = {.arena = &fail_arena};
        for (uint32_t shard = 0; shard < SHARDS; shard++) {
            after.flushed[shard] = w->flushed[shard];
            after.issued[shard] =
                seen.last[shard] > w->flushed[shard] ? seen.last[shard] : w->flushed[shard];
            struct buf batch = {0};
            append_some(r, &batch, shard, &after.issued[shard]);
            check_error(commitlog_append(l, shard, buf_bytes(&batch), after.issued[shard], &f), &f);
            after.acked[shard] = after.issued[shard];
            buf_free(&batch);
        }
        check_error(commitlog_sync(l, &f), &f);
        struct disk_sim *second = disk_sim_power_loss(image, r);
        commitlog_close(l);
        commitlog_close(recover(second, &after, &again));
        disk_sim_free(second);
        disk_sim_free(image);
    }
}

/* A node's life until the first final error. images: how many power losses are tried after each step. */
static void live(struct disk_sim *s, uint64_t seed, struct world *w, int images)
{
    struct prng r;
    prng_init(&r, seed);
    struct fail f = {.arena = &fail_arena};
    struct commitlog *l = NULL;
    if (commitlog_open(disk_sim_disk(s), &options, &l, &f) != OK)
        return;
    struct seen seen = {0};
    if (commitlog_replay(l, see, &seen, &f) != OK) {
        commitlog_close(l);
        return;
    }
    err_t err = OK;
    for (int step = 0; step < STEPS && err == OK; step++) {
        uint64_t what = prng_below(&r, 10);
        if (what < 6) {
            uint32_t shard = (uint32_t)prng_below(&r, SHARDS);
            struct buf batch = {0};
            append_some(&r, &batch, shard, &w->issued[shard]);
            for (int tries = 0; tries < 3; tries++) {
                err = commitlog_append(l, shard, buf_bytes(&batch), w->issued[shard], &f);
                if (err != ERR_DISK_FULL)
                    break;
            }
            buf_free(&batch);
        } else if (what < 9) {
            err = commitlog_sync(l, &f);
            for (int i = 0; i < SHARDS && err == OK; i++)
                w->acked[i] = w->issued[i];
        } else {
            for (int i = 0; i < SHARDS; i++)
                w->flushed[i] += prng_below(&r, w->acked[i] - w->flushed[i] + 1);
            err = commitlog_trim(l, w->flushed, &f);
        }
        if (images)
            check_images(s, w, &r, images);
        arena_reset(&fail_arena);
    }
    commitlog_close(l);
}

static void test_power_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct disk_sim *s = disk_sim_new();
        struct world w = {0};
        live(s, seed, &w, 3);
        assert_true(w.acked[0] > 10);
        disk_sim_free(s);
    }
}

static void test_every_call_fails(void **state)
{
    (void)state;
    struct disk_sim *s = disk_sim_new();
    struct world w = {0};
    live(s, 99, &w, 0);
    uint64_t operations = disk_sim_operations(s);
    disk_sim_free(s);
    assert_true(operations > 150);
    static const err_t errors[] = {ERR_IO, ERR_DISK_FULL};
    for (uint64_t n = 0; n < operations; n++)
        for (int kind = 0; kind < 4; kind++) {
            s = disk_sim_new();
            w = (struct world){0};
            disk_sim_fail_at(s, n, errors[kind & 1], kind & 2);
            live(s, 99, &w, 0);
            disk_sim_fail_at(s, UINT64_MAX, OK, false);
            struct prng r;
            prng_init(&r, n);
            check_images(s, &w, &r, 1);
            arena_reset(&fail_arena);
            disk_sim_free(s);
        }
}

/* No space: the append says so, the log stays usable, and goes on when there is room. */
static void test_disk_full(void **state)
{
    (void)state;
    struct disk_sim *s = disk_sim_new();
    disk_sim_set_capacity(s, 3 * SEGMENT);
    struct fail f = {.arena = &fail_arena};
    struct commitlog *l = NULL;
    check_error(commitlog_open(disk_sim_disk(s), &options, &l, &f), &f);
    struct seen seen = {0};
    check_error(commitlog_replay(l, see, &seen, &f), &f);
    struct world w = {0};
    struct prng r;
    prng_init(&r, 5);
    struct buf batch = {0};
    err_t err;
    do {
        batch.n = 0;
        append_some(&r, &batch, 0, &w.issued[0]);
        err = commitlog_append(l, 0, buf_bytes(&batch), w.issued[0], &f);
        if (err == OK) {
            check_error(commitlog_sync(l, &f), &f);
            w.acked[0] = w.issued[0];
        }
    } while (err == OK);
    assert_int_equal(err, ERR_DISK_FULL);
    assert_true(w.acked[0] > 5);
    assert_int_equal(commitlog_append(l, 0, buf_bytes(&batch), w.issued[0], &f), ERR_DISK_FULL);
    check_images(s, &(struct world){{w.issued[0]}, {w.acked[0]}, {w.acked[0]}}, &r, 0);
    disk_sim_set_capacity(s, UINT64_MAX);
    check_error(commitlog_append(l, 0, buf_bytes(&batch), w.issued[0], &f), &f);
    check_error(commitlog_sync(l, &f), &f);
    w.acked[0] = w.issued[0];
    check_images(s, &w, &r, 3);
    buf_free(&batch);
    commitlog_close(l);
    disk_sim_free(s);
}

static err_t replay_of(struct disk_sim *s, const struct commitlog_options *o, struct seen *seen)
{
    struct fail f = {.arena = &fail_arena};
    struct commitlog *l = NULL;
    *seen = (struct seen){0};
    TRY(commitlog_open(disk_sim_disk(s), o, &l, &f));
    err_t err = commitlog_replay(l, see, seen, &f);
    buf_free(&seen->expected);
    commitlog_close(l);
    return err;
}

/* A flipped bit in what a later sync mark covers is damage; one in the unsynced tail is its end; never a wrong record. */
static void test_damage(void **state)
{
    (void)state;
    static const char *path = "/log/commitlog-00000000000000000001.log";
    struct disk_sim *s = disk_sim_new();
    struct fail f = {.arena = &fail_arena};
    struct commitlog *l = NULL;
    check_error(commitlog_open(disk_sim_disk(s), &options, &l, &f), &f);
    struct seen seen = {0};
    check_error(commitlog_replay(l, see, &seen, &f), &f);
    struct buf batch = {0}, one = {0};
    uint64_t synced_end = 0, end = LOG_HEADER_BYTES;
    for (uint64_t seq = 1; seq <= 4; seq++) {
        batch.n = 0;
        content(0, seq, &one);
        assert_true(one.n < 2000);
        log_record_put(&batch, 0, seq, buf_bytes(&one));
        check_error(commitlog_append(l, 0, buf_bytes(&batch), seq, &f), &f);
        end += batch.n + (seq > 1 && seq < 4 ? LOG_MARK_BYTES : 0);
        if (seq <= 2) {
            check_error(commitlog_sync(l, &f), &f);
            synced_end = end;
        }
    }
    commitlog_close(l);
    check_error(replay_of(s, &options, &seen), &f);
    assert_int_equal(seen.last[0], 4);
    uint8_t *p = (uint8_t *)(uintptr_t)disk_sim_content(s, path).p;
    unsigned damaged = 0, cut = 0;
    for (uint64_t at = 0; at < end; at += at < 600 ? 1 : 7) {
        p[at] ^= (uint8_t)(1u << at % 8);
        err_t err = replay_of(s, &options, &seen);
        if (at < synced_end && (at < 52 || at >= LOG_HEADER_BYTES) && err == OK) {
            /* Only the padding behind a record is not covered. */
            assert_int_equal(seen.last[0], 4);
            assert_true(at >= LOG_HEADER_BYTES);
        } else if (at < 52 || (at >= LOG_HEADER_BYTES && at < synced_end)) {
            assert_int_equal(err, ERR_CORRUPT);
            damaged++;
        } else {
            assert_int_equal(err, OK);
            cut += seen.last[0] < 4;
        }
        p[at] ^= (uint8_t)(1u << at % 8);
    }
    assert_true(damaged > 100 && cut > 50);

    /* A segment of another directory. */
    struct commitlog_options foreign = options;
    foreign.directory_id.b[3] = 1;
    assert_int_equal(replay_of(s, &foreign, &seen), ERR_CORRUPT);
    /* A record of a shard that is not there. */
    struct commitlog_options none = options;
    check_error(replay_of(s, &none, &seen), &f);
    buf_free(&batch);
    buf_free(&one);
    disk_sim_free(s);
}

/* The oldest, a middle or the content of a full segment is missing. */
static void test_missing_segment(void **state)
{
    (void)state;
    struct disk_sim *s = disk_sim_new();
    struct disk *d = disk_sim_disk(s);
    struct fail f = {.arena = &fail_arena};
    struct commitlog *l = NULL;
    check_error(commitlog_open(d, &options, &l, &f), &f);
    struct seen seen = {0};
    check_error(commitlog_replay(l, see, &seen, &f), &f);
    struct prng r;
    prng_init(&r, 1);
    uint64_t seq = 0;
    for (int i = 0; i < 60; i++) {
        struct buf batch = {0};
        append_some(&r, &batch, 0, &seq);
        check_error(commitlog_append(l, 0, buf_bytes(&batch), seq, &f), &f);
        buf_free(&batch);
    }
    check_error(commitlog_sync(l, &f), &f);
    commitlog_close(l);
    check_error(d->ops->rename(d, "/log/commitlog-00000000000000000002.log", "/log/away"), &f);
    assert_int_equal(replay_of(s, &options, &seen), ERR_CORRUPT);
    /* Another segment's file in its place. */
    check_error(d->ops->rename(d, "/log/commitlog-00000000000000000001.log",
                               "/log/commitlog-00000000000000000002.log"),
                &f);
    assert_int_equal(replay_of(s, &options, &seen), ERR_CORRUPT);
    disk_sim_free(s);
}

/* Recycled files hold old records; none of them may come back. */
static void test_recycled(void **state)
{
    (void)state;
    struct disk_sim *s = disk_sim_new();
    struct fail f = {.arena = &fail_arena};
    struct world w = {0};
    struct prng r;
    prng_init(&r, 3);
    struct commitlog *l = NULL;
    check_error(commitlog_open(disk_sim_disk(s), &options, &l, &f), &f);
    struct seen seen = {0};
    check_error(commitlog_replay(l, see, &seen, &f), &f);
    for (int i = 0; i < 400; i++) {
        struct buf batch = {0};
        append_some(&r, &batch, 1, &w.issued[1]);
        check_error(commitlog_append(l, 1, buf_bytes(&batch), w.issued[1], &f), &f);
        buf_free(&batch);
        check_error(commitlog_sync(l, &f), &f);
        w.acked[1] = w.issued[1];
        if (commitlog_pressure(l, w.flushed) == 1)
            w.flushed[1] = w.acked[1];
        check_error(commitlog_trim(l, w.flushed, &f), &f);
        assert_true(commitlog_bytes(l) <= 8 * SEGMENT);
        if (i % 20 == 0)
            check_images(s, &w, &r, 1);
    }
    commitlog_close(l);
    disk_sim_free(s);
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(&fail_arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_loss),      cmocka_unit_test(test_every_call_fails),
        cmocka_unit_test(test_disk_full),       cmocka_unit_test(test_damage),
        cmocka_unit_test(test_missing_segment), cmocka_unit_test(test_recycled),
    };
    arena_init(&fail_arena, 0);
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
