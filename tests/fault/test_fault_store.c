/* The store when LMDB's system calls fail: a full disk refuses writes, serves reads and recovers; any single failing call leaves a
 * directory that opens again with everything that was said to be durable.
 *
 * The calls that liblmdb makes are taken over by functions of the same name here, which the dynamic linker prefers. */
#include "tests/unit/storage/fixture.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static struct {
    uint64_t calls, fail_at; /* the call that fails, once; UINT64_MAX: none */
    int error;               /* 0: a short write */
    bool full;               /* every write fails, and statvfs says that there is no room */
} faults = {.fail_at = UINT64_MAX};

static bool fails_now(void)
{
    return faults.calls++ == faults.fail_at || faults.full;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t offset)
{
    if (fails_now()) {
        if (faults.error == 0)
            return syscall(SYS_pwrite64, fd, p, n / 2, offset);
        errno = faults.error;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, p, n, offset);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t offset)
{
    return pwrite(fd, p, n, offset);
}

ssize_t writev(int fd, const struct iovec *v, int count)
{
    if (fails_now()) {
        if (faults.error == 0)
            return syscall(SYS_writev, fd, v, (count + 1) / 2);
        errno = faults.error;
        return -1;
    }
    return syscall(SYS_writev, fd, v, count);
}

int fdatasync(int fd)
{
    (void)fd;
    if (!faults.full && fails_now()) {
        errno = EIO;
        return -1;
    }
    return 0; /* nothing here loses power, and the real one is slow */
}

int statvfs(const char *path, struct statvfs *out)
{
    (void)path;
    *out = (struct statvfs){.f_frsize = 4096, .f_bavail = faults.full ? 3 : 1 << 20};
    return 0;
}

int statvfs64(const char *path, struct statvfs64 *out)
{
    return statvfs(path, (struct statvfs *)out);
}

enum { ROWS = 400 };

static void key_of(uint32_t i, uint8_t out[4])
{
    store_be32(out, i * 2654435761u);
}

static size_t rows_of(struct node *n, const struct table *t)
{
    struct read_command cmd = {.table = t,
                               .is_range = true,
                               .start = TOKEN_MIN,
                               .end = TOKEN_MAX,
                               .slices = &slice_all,
                               .slices_count = 1};
    struct buf out = {0};
    check_ok(node_read(n, &cmd, 50, &out), NULL, "read");
    size_t count = count_rows(buf_bytes(&out));
    buf_free(&out);
    return count;
}

static void put_rows(struct node *n, const struct table *t, uint32_t from, uint32_t to)
{
    uint8_t pk[4], value[600];
    memset(value, 'v', sizeof value);
    for (uint32_t i = from; i < to; i++) {
        key_of(i, pk);
        put_simple(n, t, bytes_of(pk, 4), bytes_str("c"), 1, bytes_of(value, sizeof value));
    }
}

static void test_full(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, 0, EIO, EDQUOT};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct node n;
        node_init(&n, 8 << 20);
        const struct table *t = node_table(&n, "t", NULL, NULL);
        struct fail f = {.arena = &n.arena};
        put_rows(&n, t, 0, ROWS);
        node_flush(&n);
        put_rows(&n, t, ROWS, 2 * ROWS);
        node_sync(&n);
        struct flush_job *j = store_flush_begin(n.store, n.now);
        bool done = false;
        check_ok(flush_job_step(j, 0, &done, &f), &f, "flush");
        assert_false(done);
        faults.error = errors[i];
        faults.full = true;
        assert_int_equal(flush_job_step(j, 0, &done, &f), ERR_DISK_FULL);
        assert_int_equal(flush_job_step(j, 0, &done, &f), ERR_DISK_FULL);
        struct buf ops = {0};
        op_simple_row(&ops, t, bytes_str("more"), 1, bytes_str("x"));
        assert_int_equal(node_write(&n, t, bytes_str("p"), &ops), ERR_DISK_FULL);
        assert_int_equal(store_state_put(n.store, bytes_str("k"), bytes_str("v")), ERR_DISK_FULL);
        struct store_stats stats;
        store_stats(n.store, &stats);
        assert_true(stats.disk_full);
        assert_int_equal(rows_of(&n, t), 2 * ROWS);
        faults.full = false;
        while (!done)
            check_ok(flush_job_step(j, 0, &done, &f), &f, "flush with room again");
        store_flush_end(n.store, j, OK);
        assert_int_equal(node_write(&n, t, bytes_str("p"), &ops), OK);
        assert_int_equal(store_state_put(n.store, bytes_str("k"), bytes_str("v")), OK);
        assert_int_equal(rows_of(&n, t), 2 * ROWS + 1);
        node_sync(&n);
        node_close(&n);
        node_open(&n);
        assert_int_equal(rows_of(&n, t), 2 * ROWS + 1);
        buf_free(&ops);
        node_free(&n);
    }
}

/* Writes, flushes and state, until something fails. */
static void live(struct node *n, bool *state_said, bool *state_tried)
{
    struct fail f = {.arena = &n->arena};
    const struct table *t = node_find(n, "t");
    *state_said = *state_tried = false;
    for (uint32_t round = 0; round < 3; round++) {
        put_rows(n, t, round * ROWS, (round + 1) * ROWS);
        node_sync(n);
        struct flush_job *j = store_flush_begin(n->store, n->now);
        bool done = false;
        err_t err = OK;
        while (!done && err == OK)
            err = flush_job_step(j, 400, &done, &f);
        store_flush_end(n->store, j, err);
        if (err != OK) {
            assert_int_equal(err, ERR_IO);
            /* Reads go on, unless LMDB gave the environment up (its meta page could not be written): then they say so. */
            struct read_command cmd = {.table = t,
                                       .is_range = true,
                                       .start = TOKEN_MIN,
                                       .end = TOKEN_MAX,
                                       .slices = &slice_all,
                                       .slices_count = 1};
            struct buf out = {0};
            err = node_read(n, &cmd, 50, &out);
            assert_true(err == ERR_IO || err == OK);
            if (err == OK)
                assert_int_equal(count_rows(buf_bytes(&out)), (round + 1) * ROWS);
            buf_free(&out);
            return;
        }
        if (round == 1) {
            *state_tried = true;
            err = store_state_put(n->store, bytes_str("k"), bytes_str("v"));
            *state_said = err == OK;
            if (err != OK)
                return;
        }
    }
}

static void test_every_call_fails(void **state)
{
    (void)state;
    uint64_t calls = 0;
    for (uint64_t at = 0; at == 0 || at < calls; at++)
        for (int error = 0; error < 2; error++) {
            struct node n;
            bool said, tried;
            node_init(&n, 8 << 20);
            node_table(&n, "t", NULL, NULL);
            faults.calls = 0;
            faults.error = error ? EIO : 0;
            faults.fail_at = at == 0 ? UINT64_MAX : at - 1;
            live(&n, &said, &tried);
            if (at == 0)
                calls = faults.calls + 1;
            faults.fail_at = UINT64_MAX;
            node_close(&n);
            node_open(&n);
            const struct table *t = node_find(&n, "t");
            size_t written = n.log_count;
            assert_int_equal(rows_of(&n, t), written);
            struct bytes v;
            err_t err = store_state_get(n.store, bytes_str("k"), &n.arena, &v);
            assert_true(err == OK || (err == ERR_NOT_FOUND && !said));
            assert_true(err == ERR_NOT_FOUND || tried);
            node_flush(&n);
            assert_int_equal(rows_of(&n, t), written);
            assert_int_equal(store_flushed_seq(n.store), written);
            node_free(&n);
        }
    assert_true(calls > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_every_call_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
