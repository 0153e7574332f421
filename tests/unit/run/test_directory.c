// The data directory: what is made, what is kept, and what is refused.
#include "server/run/directory.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena arena;
static struct fail fail;
static char *base, *path;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    fail = (struct fail){.arena = &arena};
    base = arena_cstr(&arena, bytes_str("/tmp/test_directory.XXXXXX"));
    assert_non_null(mkdtemp(base));
    path = arena_cstr(&arena, arena_printf(&arena, "%s/a/b/data", base));
    return 0;
}

static int remove_one(const char *p, const struct stat *s, int kind, struct FTW *f)
{
    (void)s;
    (void)kind;
    (void)f;
    return remove(p);
}

static int teardown(void **state)
{
    (void)state;
    nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(&arena);
    return 0;
}

static char *inside(const char *name)
{
    return arena_cstr(&arena, arena_printf(&arena, "%s/%s", path, name));
}

static void write_format(const char *text)
{
    FILE *f = fopen(inside("format"), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static bool says(const char *word)
{
    return strstr(arena_cstr(&arena, fail.message), word) != NULL;
}

static void test_made_then_opened(void **state)
{
    (void)state;
    struct directory d;
    assert_int_equal(directory_open(path, 12, 3, &d, &fail), OK);
    assert_true(d.fresh);
    struct stat s;
    assert_int_equal(stat(inside("commitlog"), &s), 0);
    assert_int_equal(stat(inside("shards"), &s), 0);
    assert_int_equal(s.st_mode & 0007, 0); // not for everybody
    directory_close(&d);
    // What it was made with wins over what is asked for now.
    assert_int_equal(directory_open(path, 99, 9, &d, &fail), OK);
    assert_false(d.fresh);
    assert_int_equal(d.shards, 12);
    assert_int_equal(d.ignore_msb, 3);
    directory_close(&d);
}

static void test_one_owner(void **state)
{
    (void)state;
    struct directory d, second;
    assert_int_equal(directory_open(path, 2, 0, &d, &fail), OK);
    assert_int_equal(directory_open(path, 2, 0, &second, &fail), ERR_CONFIG);
    assert_true(says("in use by another process"));
    directory_close(&second);
    directory_close(&d);
    assert_int_equal(directory_open(path, 2, 0, &d, &fail), OK);
    directory_close(&d);
}

static void test_formats_that_are_refused(void **state)
{
    (void)state;
    struct directory d;
    assert_int_equal(directory_open(path, 2, 0, &d, &fail), OK);
    directory_close(&d);
    static const char *const cases[][2] = {
        {"helenus version 2\nshards 2\nignore_msb 0\n", "version 2"},
        {"helenus version 0\nshards 2\nignore_msb 0\n", "version 0"},
        {"helenus version 999\n", "version 999"},
        {"helenus version 1\nshards 0\nignore_msb 0\n", "damaged"},
        {"helenus version 1\nshards 4097\nignore_msb 0\n", "damaged"},
        {"helenus version 1\nshards 2\nignore_msb 33\n", "damaged"},
        {"helenus version 1\nshards 2\n", "damaged"},
        {"helenus version 1\n", "damaged"},
        {"helenus version\n", "damaged"},
        {"", "damaged"},
        {"something else", "damaged"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_format(cases[i][0]);
        assert_int_equal(directory_open(path, 2, 0, &d, &fail), ERR_CONFIG);
        if (!says(cases[i][1]) || !says(path))
            fail_msg("%s: %.*s", cases[i][0], BYTES_FMT(fail.message));
        directory_close(&d);
    }
}

static void test_places_that_are_no_directory(void **state)
{
    (void)state;
    struct directory d;
    static const char *const places[] = {"/dev/null", "/dev/null/x", "/proc/nosuch/x"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(directory_open(places[i], 2, 0, &d, &fail), ERR_CONFIG);
        assert_true(says(places[i]) || says("/proc/nosuch"));
        directory_close(&d);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_made_then_opened),
        T(test_one_owner),
        T(test_formats_that_are_refused),
        T(test_places_that_are_no_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
