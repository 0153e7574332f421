// A table in memory, written by CQL and read by SELECT: queries as text → rows as text, through the whole of cql/plan. The reader is
// as plain as it can be (a sorted list of rows), and cuts its answers into chunks of any size.
#ifndef TESTS_UNIT_PLAN_SELECT_FIXTURE_H
#define TESTS_UNIT_PLAN_SELECT_FIXTURE_H

#include "tests/unit/plan/modify_fixture.h"

#include "cql/plan/select.h"

struct data_row {
    struct bytes ck, body;
};
struct data_partition {
    const struct table *table;
    struct token token;
    struct bytes pk, static_body;
    struct data_row *rows; // by ck
    size_t rows_count;
};
struct data {
    struct fixture f;
    struct arena keep;                 // rows
    struct data_partition *partitions; // by token
    size_t partitions_count;
    struct buf text;     // of the last query
    uint32_t chunk_rows; // rows in a chunk; 0: all
    int64_t now_s;
    uint32_t commands; // reads of the last query
};

// Keyspace ks, the DDL and the data-modifying statements given, NULL-terminated.
void data_open(struct data *d, const char *const *cql);
void data_close(struct data *d);
// No rows any more.
void data_clear(struct data *d);
void data_write(struct data *d, const char *cql);

// The rows as "1|a|null; 2|b|null", or "INVALID: message". Values are for the bind variables.
const char *query(struct data *d, const char *cql);
const char *query_values(struct data *d, const char *cql, const struct bytes *values,
                         uint16_t count);
// The same in pages: pages are parted by " / ".
const char *query_pages(struct data *d, const char *cql, int32_t page_size);
// Names of the result columns and their types: "k int, count bigint".
const char *query_columns(struct data *d, const char *cql);
// With this paging state.
const char *query_state(struct data *d, const char *cql, struct bytes state);
// The first page's state, in memory of its own (free with buf_free).
struct buf first_state(struct data *d, const char *cql, int32_t page_size);

#endif
