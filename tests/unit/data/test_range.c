// Range tombstones against an array with one deletion for each position; and that runs stay maximal.
#include "cql/base/prng.h"
#include "cql/data/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { POSITIONS = 200 };

// Bounds of one or two bytes, ascending with the position: positions between keys as well as at them.
static struct bytes bound(int position, uint8_t *room)
{
    room[0] = (uint8_t)(1 + position / 2);
    room[1] = 7;
    return bytes_of(room, position % 2 ? 2 : 1);
}

static bool equal(struct deletion a, struct deletion b)
{
    return a.timestamp == b.timestamp && a.local_deletion_s == b.local_deletion_s;
}

static void check(const struct range_list *l, const struct deletion *naive)
{
    uint8_t room[2];
    for (int i = 0; i < POSITIONS; i++)
        assert_true(equal(range_list_at(l, bound(i, room)), naive[i]));
    for (size_t i = 0; i < l->count; i++) {
        const struct range_tombstone *t = &l->items[i];
        assert_true(bytes_compare(t->lower, t->upper) < 0);
        if (i == 0)
            continue;
        int c = bytes_compare(t[-1].upper, t->lower);
        assert_true(c < 0 || (c == 0 && !equal(t[-1].deletion, t->deletion)));
    }
}

static void lists_are_the_pointwise_maximum(void **state)
{
    (void)state;
    struct prng r;
    prng_init(&r, 4);
    for (int round = 0; round < 300; round++) {
        struct deletion naive[POSITIONS];
        for (int i = 0; i < POSITIONS; i++)
            naive[i] = DELETION_NONE;
        struct arena arena;
        arena_init(&arena, 0);
        struct range_list l = {0};
        int wide = 1 + (int)prng_below(&r, POSITIONS), count = 1 + (int)prng_below(&r, 120);
        for (int n = 0; n < count; n++) {
            uint8_t a[2], b[2];
            int from = (int)prng_below(&r, POSITIONS);
            int to = from + (int)prng_below(&r, (uint64_t)wide); // empty ones too
            if (to >= POSITIONS)
                to = POSITIONS - 1;
            struct deletion d = {(int64_t)prng_below(&r, 5) - 2, (int64_t)prng_below(&r, 3)};
            range_list_add(&l, &arena, (struct range_tombstone){bound(from, a), bound(to, b), d});
            memset(a, 0, sizeof a); // the list has copies
            memset(b, 0, sizeof b);
            for (int i = from; i < to; i++)
                naive[i] = deletion_is_none(naive[i]) ? d : deletion_max(naive[i], d);
            if (n % 16 == 0)
                check(&l, naive);
        }
        check(&l, naive);
        struct deletion over = {0, 1};
        range_list_cover(&l, over);
        for (int i = 0; i < POSITIONS; i++)
            if (!deletion_supersedes(naive[i], over))
                naive[i] = DELETION_NONE;
        check(&l, naive);
        arena_free(&arena);
    }
}

static void whole_partition_and_repeats(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    struct range_list l = {0};
    struct deletion d = {5, 5};
    struct range_tombstone all = {bytes_of("", 0), bytes_of("\xff", 1), d};
    assert_true(deletion_is_none(range_list_at(&l, bytes_str("x"))));
    range_list_add(&l, &arena, all);
    size_t bytes = arena_bytes(&arena);
    range_list_add(&l, &arena, all);
    range_list_add(&l, &arena, (struct range_tombstone){bytes_str("a"), bytes_str("b"), {4, 9}});
    assert_int_equal(arena_bytes(&arena), bytes);
    assert_int_equal(l.count, 1);
    assert_true(equal(range_list_at(&l, bytes_of("", 0)), d));
    assert_true(equal(range_list_at(&l, bytes_str("\xfe\xff")), d));
    range_list_add(&l, &arena,
                   (struct range_tombstone){bytes_str("a"), bytes_str("b"), DELETION_NONE});
    assert_int_equal(l.count, 1);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_the_pointwise_maximum),
        cmocka_unit_test(whole_partition_and_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
