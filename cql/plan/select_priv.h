/* A compiled SELECT and an execution of it: what the files of select share.
 *
 *   select_compile.c   the statement: checks in Cassandra's order, GROUP BY, ORDER BY, DISTINCT
 *   selector.c         the select clause, compiled;  selector_check.c: its names and calls looked up
 *   select_begin.c     limits, keys or token range, slices, filters: everything that depends on bound values
 *   select_run.c       chunks of read rows → result rows, groups, pages
 *   select_row.c       one row taken apart: columns by index, collections put together
 *   select_value.c     selectors evaluated on a row
 *   select_filter.c    ALLOW FILTERING
 *   select_page.c      the paging state */
#ifndef CQL_PLAN_SELECT_PRIV_H
#define CQL_PLAN_SELECT_PRIV_H

#include "cql/func/func.h"
#include "cql/plan/restrict.h"
#include "cql/plan/select.h"

/* --- Compiled -------------------------------------------------------------------------------------- */

enum selector_kind {
    SELECTOR_COLUMN,
    SELECTOR_TERM,       /* a literal or bind variable: slot */
    SELECTOR_CALL,       /* scalar func(args) */
    SELECTOR_AGGREGATE,  /* aggregate func(args): aggregate is its index */
    SELECTOR_COUNT_ROWS, /* COUNT(*), COUNT(1): an aggregate of its own, as it needs no row */
    SELECTOR_FIELD,      /* args[0].field */
    SELECTOR_ELEMENT,    /* args[0][slot] */
    SELECTOR_SLICE,      /* args[0][slot..slot2]; either SLOT_NONE */
    SELECTOR_WRITETIME,  /* of args[0] */
    SELECTOR_MAXWRITETIME,
    SELECTOR_TTL,
    SELECTOR_LIST, /* args: elements */
    SELECTOR_SET,
    SELECTOR_MAP, /* args: key, value, … */
    SELECTOR_TUPLE,
    SELECTOR_UDT, /* args by field; NULL: not given */
    SELECTOR_VECTOR,
    SELECTOR_SAME, /* args[0] under another name or type: parentheses, (type) x */
};

#define SLOT_NONE UINT16_MAX

struct selector {
    enum selector_kind kind;
    const struct type *type;
    struct bytes name;           /* of the result column */
    const struct column *column; /* COLUMN; WRITETIME and its kin: what args[0] starts from */
    const struct func *func;
    struct selector **args;
    size_t args_count;
    uint16_t slot, slot2; /* values of terms, evaluated once an execution */
    uint16_t field;
    uint16_t aggregate;
    bool has_aggregate; /* itself or below */
};

/* A term in the select clause, evaluated once an execution. */
struct select_term {
    struct term *term;
    enum { SELECT_TERM_VALUE, SELECT_TERM_ARGUMENT, SELECT_TERM_ELEMENT, SELECT_TERM_SLICE } use;
    struct bytes on; /* the function, the collection: for messages */
};

struct select_order {
    const struct column *column;
    bool descending; /* as written: of the values, whatever the column's own order */
};

struct select {
    const struct table *table;
    struct restrictions *where;
    bool distinct, wildcard;
    struct selector **selectors;
    size_t selectors_count;
    const uint16_t *plain;         /* every selector is a column: their indexes; else NULL */
    const struct column **columns; /* requested by the selectors, each once */
    size_t columns_count;
    struct selector **aggregates; /* all, in order of their indexes */
    uint16_t aggregates_count;
    bool is_aggregate; /* without GROUP BY: one result row */
    bool count_only;   /* nothing but COUNT(*) and nothing to filter: rows are not looked into */
    bool groups;       /* GROUP BY */
    uint16_t group_ck; /* … this many clustering columns, the last one through: */
    struct selector *group_selector; /* … or NULL */
    bool reversed;
    bool post_order; /* ORDER BY with IN on the partition key: sorted here */
    struct select_order *order;
    size_t order_count;
    struct term *limit, *per_partition_limit;
    struct select_term *terms; /* of the slots */
    uint16_t terms_count;
    bool *needed;       /* by column index: selected, filtered or sorted by */
    uint16_t needed_ck; /* clustering components to decode */
    bool needs_pk, needs_static, needs_regular;
    bool static_rows; /* a partition with only static content gives a row */
};

err_t select_compile(struct compile *c, const struct ast_statement *ast,
                     struct statement *s) MUST_USE;

/* Selectors being compiled. */
struct selection {
    struct compile *c;
    const struct table *table;
    struct select *select;
    size_t columns_cap, aggregates_cap, terms_cap;
};
/* Are columns and functions known (what Cassandra checks before it looks at the WHERE). */
err_t selector_check(struct compile *c, const struct table *t, const struct ast_term *ast) MUST_USE;
/* expected: the type wanted where ast has none by itself; may be NULL. */
err_t selector_compile(struct selection *s, const struct ast_term *ast, const struct type *expected,
                       struct selector **out) MUST_USE;
/* COUNT(*) or COUNT of a literal. */
bool selector_counts_rows(const struct ast_term *t);
/* Does ast select a column for which pred holds. */
bool selector_selects(const struct ast_term *ast, const struct table *t,
                      bool (*pred)(const struct column *));

/* --- Executed -------------------------------------------------------------------------------------- */

/* A column of the row at hand. */
struct cell_ref {
    uint32_t seen;      /* equal to the view's: the column is there */
    uint32_t count;     /* multi-cell: cells */
    struct bytes value; /* else the value */
    int64_t timestamp;
    int64_t local_deletion_s;
    int32_t ttl;
    struct cell_iter cells; /* multi-cell: starting at its first cell */
};

struct row_view {
    const struct select *select;
    int64_t now_s;
    uint32_t static_seen,
        row_seen; /* raised for every partition, row: older cell_refs do not count */
    bool has_row; /* false: static content only, or nothing */
    struct bytes pk, ck;
    struct bytes *pk_values, *ck_values; /* decoded components */
    struct cell_ref *cells;              /* by column index */
};

void row_view_init(struct row_view *v, const struct select *s, int64_t now_s, struct arena *a);
/* A partition, its static body (n == 0: none). ERR_CORRUPT. */
err_t row_view_partition(struct row_view *v, struct bytes pk) MUST_USE;
err_t row_view_static(struct row_view *v, struct bytes body) MUST_USE;
/* A row; results of decoding live in scratch. */
err_t row_view_row(struct row_view *v, struct bytes ck, struct bytes body,
                   struct arena *scratch) MUST_USE;
/* No row: clustering and regular columns are null. */
void row_view_no_row(struct row_view *v);
/* The column's cell, NULL when null. Static and regular columns only. */
const struct cell_ref *row_view_cell(const struct row_view *v, const struct column *c);
/* The column's value: null, or in scratch or in the row. ERR_CORRUPT. */
err_t row_view_value(const struct row_view *v, const struct column *c, struct arena *scratch,
                     struct bytes *out) MUST_USE;
/* The column's value as the protocol has it: [int len][bytes], copied once. */
err_t row_view_put(const struct row_view *v, const struct column *c, struct arena *scratch,
                   struct buf *out) MUST_USE;
/* What a cell's path stands for in the collection's serialised form (not for lists). */
err_t cell_path_value(const struct type *t, struct bytes path, struct arena *a,
                      struct bytes *out) MUST_USE;

enum filter_op {
    FILTER_EQ,
    FILTER_LT,
    FILTER_LTE,
    FILTER_GT,
    FILTER_GTE,
    FILTER_IN,
    FILTER_CONTAINS,
    FILTER_CONTAINS_KEY,
    FILTER_ENTRY
};
struct filter {
    const struct column *column;
    enum filter_op op;
    struct bytes key, value;
    struct bytes *values; /* IN */
    size_t values_count;
};
struct filters {
    struct filter *items;
    size_t count;
};
/* ERR_INVALID: null and unset values. */
err_t filters_make(const struct restrictions *r, struct exec_env *env,
                   struct filters *out) MUST_USE;
err_t filters_match(const struct filters *f, const struct row_view *v, struct arena *scratch,
                    bool *out) MUST_USE;

struct page_state {
    struct read_position position;
    bool limited;            /* remaining counts */
    uint64_t remaining;      /* result rows of LIMIT */
    uint64_t partition_done; /* result rows of position.pk already given: PER PARTITION LIMIT */
};
struct bytes page_state_encode(const struct page_state *p, struct arena *a);
/* ERR_PROTOCOL "Invalid value for the paging state". Everything is copied or points into b. */
err_t page_state_decode(struct bytes b, const struct select *s, struct page_state *out,
                        struct fail *fail) MUST_USE;

/* A sorted result row in the making. */
struct sort_row {
    size_t start, len; /* in rows */
    struct bytes *keys;
};

struct select_run { /* the scratch block is right behind it */
    _Alignas(16) const struct statement *statement;
    const struct select *select;
    struct exec_env *env;
    struct buf *rows;
    size_t rows_start;
    bool nothing; /* no command: nothing can match */
    struct read_command command;
    struct read_position position; /* of the last row taken */
    struct buf position_pk, position_ck;
    struct filters filters;
    struct bytes *slots;
    /* limits; UINT64_MAX: none */
    uint64_t limit_left, page_left, per_partition;
    uint32_t emitted;
    bool paged;
    bool page_full, finished; /* finished: LIMIT reached */
    bool data_left;           /* something may follow */
    /* the partition at hand */
    bool in_partition, has_static, partition_rows, partition_skip;
    uint64_t partition_emitted;
    struct bytes pk, static_body; /* in the chunk, between chunks in the buffers */
    struct buf pk_copy, static_copy;
    struct row_view view;
    /* what lives for one row only; a fixed block first, so that small rows never reach malloc */
    struct arena scratch;
    uint8_t *scratch_block;
    struct func_env func_env, aggregate_env;
    int64_t ticks;
    /* groups and aggregates */
    void **states;
    uint64_t rows_counted;
    struct bytes *aggregate_values;
    bool group_open, group_has_row, group_has_static;
    struct buf group_key, group_pk, group_ck, group_body, group_static;
    /* sorting */
    struct sort_row *sorted;
    size_t sorted_count, sorted_cap;
};

#define SELECT_SCRATCH_BYTES 2048
/* Frees what the last row needed. */
void select_scratch_reset(struct select_run *r);

/* The value of a selector on the run's row; aggregates give what they came to. In run->scratch, env's arena or the row. */
err_t selector_eval(struct select_run *r, const struct selector *s, struct bytes *out) MUST_USE;
/* Feeds the row at hand to every aggregate. */
err_t aggregates_add(struct select_run *r) MUST_USE;
/* Their results into aggregate_values, states begun anew. */
err_t aggregates_finish(struct select_run *r) MUST_USE;
void aggregates_reset(struct select_run *r);

#endif
