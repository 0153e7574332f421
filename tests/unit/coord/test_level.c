/* What each consistency level waits for under each strategy, and which requests one node can serve. */
#include "server/coord/coord.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    ANY,
    ONE,
    TWO,
    THREE,
    QUORUM,
    ALL,
    LOCAL_QUORUM,
    EACH_QUORUM,
    SERIAL,
    LOCAL_SERIAL,
    LOCAL_ONE,
    NODE_LOCAL,
    LEVELS
};

static struct topology topology(void)
{
    return (struct topology){.shards = 4, .ignore_msb = 12, .local_dc = bytes_str("here")};
}

/* factor: SimpleStrategy's, or with here >= 0 NetworkTopologyStrategy of "here" and, unless negative, "there". */
struct strategy {
    int32_t factor, here, there;
};

static struct keyspace make(const struct strategy *s, struct replication_dc *dcs)
{
    struct keyspace ks = {.name = bytes_str("ks"),
                          .replication = {.class = REPLICATION_SIMPLE, .factor = s->factor}};
    if (s->here < 0)
        return ks;
    dcs[0] = (struct replication_dc){.dc = bytes_str("here"), .factor = s->here};
    dcs[1] = (struct replication_dc){.dc = bytes_str("there"), .factor = s->there};
    ks.replication = (struct replication){
        .class = REPLICATION_NETWORK_TOPOLOGY, .dcs = dcs, .dcs_count = s->there < 0 ? 1 : 2};
    return ks;
}

static void test_block_for(void **state)
{
    (void)state;
    static const struct {
        struct strategy strategy;
        int32_t expected[LEVELS];
    } cases[] = {
        /*                   ANY ONE TWO THREE QUORUM ALL LOCAL_Q EACH_Q SERIAL LOCAL_S LOCAL_ONE NODE_LOCAL */
        {{1, -1, -1}, {1, 1, 2, 3, 1, 1, 1, 1, 1, 1, 1, 1}},
        {{2, -1, -1}, {1, 1, 2, 3, 2, 2, 2, 2, 2, 2, 1, 1}},
        {{3, -1, -1}, {1, 1, 2, 3, 2, 3, 2, 2, 2, 2, 1, 1}},
        {{0, 1, -1}, {1, 1, 2, 3, 1, 1, 1, 1, 1, 1, 1, 1}},
        {{0, 3, -1}, {1, 1, 2, 3, 2, 3, 2, 2, 2, 2, 1, 1}},
        {{0, 3, 3}, {1, 1, 2, 3, 4, 6, 2, 4, 4, 2, 1, 1}},
        {{0, 1, 5}, {1, 1, 2, 3, 4, 6, 1, 4, 4, 1, 1, 1}},
    };
    struct topology t = topology();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint16_t cl = ANY; cl < LEVELS; cl++) {
            struct replication_dc dcs[2];
            struct keyspace ks = make(&cases[i].strategy, dcs);
            if (coord_block_for(cl, &ks.replication, &t) != cases[i].expected[cl])
                fail_msg("case %zu, level %u: %d", i, cl,
                         (int)coord_block_for(cl, &ks.replication, &t));
        }
    struct replication local = {.class = REPLICATION_LOCAL};
    assert_int_equal(coord_block_for(QUORUM, &local, &t), 1);
    assert_int_equal(coord_block_for(ALL, &local, &t), 1);
}

/* required < 0: served. */
static void check(const struct strategy *s, uint16_t cl, bool write, int32_t required,
                  int32_t alive)
{
    struct topology t = topology();
    struct replication_dc dcs[2];
    struct keyspace ks = make(s, dcs);
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    err_t err = coord_check(cl, &ks, &t, write, &fail);
    assert_int_equal(err, required < 0 ? OK : ERR_UNAVAILABLE);
    if (required >= 0) {
        assert_int_equal(fail.required, required);
        assert_int_equal(fail.alive, alive);
        assert_int_equal(fail.consistency, cl);
    }
    arena_free(&a);
}

static void test_one_node(void **state)
{
    (void)state;
    static const uint16_t plain[] = {ONE, QUORUM, ALL, LOCAL_QUORUM, EACH_QUORUM, LOCAL_ONE};
    static const struct strategy one = {1, -1, -1}, three = {3, -1, -1}, here = {0, 1, -1},
                                 here_three = {0, 3, -1}, both = {0, 1, 3};
    for (int write = 0; write < 2; write++) {
        for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
            check(&one, plain[i], write, -1, 0);
            check(&here, plain[i], write, -1, 0);
        }
        check(&three, ONE, write, -1, 0);
        check(&three, TWO, write, 2, 1);
        check(&three, THREE, write, 3, 1);
        check(&three, QUORUM, write, 2, 1);
        check(&three, ALL, write, 3, 1);
        check(&here_three, LOCAL_QUORUM, write, 2, 1);
        check(&here_three, EACH_QUORUM, write, 2, 1);
        check(&both, LOCAL_QUORUM, write, -1, 0);
        check(&both, QUORUM, write, 3, 1);
        check(&both, EACH_QUORUM, write, 2, 0); /* the other datacenter's quorum */
    }
    check(&one, ANY, true, -1, 0);
}

static void check_refused(uint16_t cl, bool write, err_t expected, const char *message)
{
    struct topology t = topology();
    struct replication_dc dcs[2];
    struct keyspace ks = make(&(struct strategy){1, -1, -1}, dcs);
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    assert_int_equal(coord_check(cl, &ks, &t, write, &fail), expected);
    assert_true(bytes_equal_str(fail.message, message));
    arena_free(&a);
}

static void test_refused(void **state)
{
    (void)state;
    check_refused(ANY, false, ERR_INVALID, "ANY ConsistencyLevel is only supported for writes");
    check_refused(SERIAL, true, ERR_INVALID,
                  "You must use conditional updates for serializable writes");
    check_refused(LOCAL_SERIAL, true, ERR_INVALID,
                  "You must use conditional updates for serializable writes");
    check_refused(LEVELS, false, ERR_PROTOCOL, "Unknown code 12 for a consistency level");
    check_refused(UINT16_MAX, true, ERR_PROTOCOL, "Unknown code 65535 for a consistency level");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_for),
        cmocka_unit_test(test_one_node),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
