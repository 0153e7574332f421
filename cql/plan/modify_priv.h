/* Compiled INSERT, UPDATE and DELETE, and what the files that execute them share.
 *
 *   modify_compile.c  the statement: table, USING, WHERE, batches
 *   modify_op.c       SET clauses and deleted columns, compiled
 *   modify.c          an execution: keys, reads, mutations
 *   modify_cells.c    operations evaluated into the cells of one row
 *   modify_merge.c    changes to the same partition joined into one mutation
 *   modify_batch.c    what a batch may hold, and the warnings about its size */
#ifndef CQL_PLAN_MODIFY_PRIV_H
#define CQL_PLAN_MODIFY_PRIV_H

#include "cql/plan/modify.h"
#include "cql/plan/restrict.h"
#include "cql/plan/term.h"

enum modify_kind { MODIFY_INSERT, MODIFY_UPDATE, MODIFY_DELETE };

enum modify_op_kind {
    MODIFY_OP_SET,           /* c = value: one cell */
    MODIFY_OP_SET_ALL,       /* c = value of a multi-cell column: its deletion, then its cells */
    MODIFY_OP_ADD,           /* collection + value; of a list: appended */
    MODIFY_OP_PREPEND,       /* value + list */
    MODIFY_OP_REMOVE,        /* set - set, map - set of keys */
    MODIFY_OP_REMOVE_VALUES, /* list - list: read first */
    MODIFY_OP_SET_KEY,       /* map[key] = value */
    MODIFY_OP_SET_INDEX,     /* list[key] = value: read first */
    MODIFY_OP_SET_FIELD,     /* udt.field = value */
    MODIFY_OP_DELETE,        /* DELETE c */
    MODIFY_OP_DELETE_KEY,    /* DELETE map[key], set[key] */
    MODIFY_OP_DELETE_INDEX,  /* DELETE list[key]: read first */
    MODIFY_OP_DELETE_FIELD,  /* DELETE udt.field */
};

struct modify_op {
    enum modify_op_kind kind;
    const struct column *column;
    struct term *key, *value;
    uint16_t field;
};

struct modify_ops {
    struct modify_op *items; /* by column id, those of one column as written */
    size_t count;
    bool needs_read;
};

struct modify {
    enum modify_kind kind;
    const struct table *table;
    struct restrictions *where;
    struct modify_ops regular, statics;
    struct term *timestamp, *ttl; /* NULL when not given */
    bool adds_to_counter;         /* not built yet: refused once everything else was checked */
    /* One row named by single values, the usual case: a term a key column. NULL otherwise. */
    struct term **pk_terms, **ck_terms;
};

/* Fills s from an INSERT, UPDATE, DELETE or BATCH: kind, table, modifies, USING. ERR_INVALID with Cassandra's texts. */
err_t modify_compile(struct compile *c, const struct ast_statement *ast,
                     struct statement *s) MUST_USE;

/* --- modify_op.c */
err_t modify_op_of_value(struct compile *c, const struct table *t, const struct column *column,
                         const struct ast_term *value, struct modify_op *out) MUST_USE;
err_t modify_op_of_assignment(struct compile *c, const struct table *t,
                              const struct ast_assignment *a, struct modify_op *out) MUST_USE;
err_t modify_op_of_deletion(struct compile *c, const struct table *t, const struct ast_deletion *d,
                            struct modify_op *out) MUST_USE;
/* ERR_INVALID: "Undefined column name x in table ks.t". */
err_t modify_find_column(struct compile *c, const struct table *t, struct ast_name name,
                         const struct column **out) MUST_USE;

/* --- modify_cells.c: one row's worth of operations */
struct modify_cells {
    struct arena *arena;
    struct exec_env *env;
    int64_t timestamp;
    int32_t ttl;
    struct bytes
        existing; /* body of the row as read, for operations that need it; null when there is none */
    struct cell *items;
    size_t count, cap;
    size_t data_bytes; /* of the cells, see modify_batch.c */
    bool sorted;
};
/* Evaluates ops into cells, in order and without duplicates. ERR_INVALID with Cassandra's texts. */
err_t modify_cells_eval(struct modify_cells *cells, const struct modify_ops *ops) MUST_USE;
/* An upper bound of the bytes that a body with these cells takes. */
size_t modify_cells_bytes(const struct modify_cells *cells);

/* --- modify_merge.c */
struct modify_change {
    const struct table *table;
    struct bytes pk;
    enum op_kind kind;
    struct deletion deletion;
    struct bytes lower, upper; /* RANGE_TOMBSTONE */
    struct bytes ck, body;     /* ROW, STATIC_ROW */
    size_t data_bytes;         /* see modify_batch.c */
    size_t index;              /* order of appearance */
};
struct modify_changes {
    struct modify_change *items;
    size_t count, cap;
    size_t bytes; /* of all of them, about */
};
/* ERR_INVALID when one request makes too much. */
err_t modify_changes_add(struct modify_changes *l, struct exec_env *env,
                         const struct modify_change *change) MUST_USE;
/* The mutations that the changes make, in order of first appearance of their partitions. */
err_t modify_merge(struct modify_changes *l, struct exec_env *env, struct built_mutation **out,
                   size_t *count) MUST_USE;

/* --- modify_batch.c */
/* Cassandra's dataSize(), by which batches are judged: of a partition, a row, a range tombstone, a collection, a cell. */
enum {
    MODIFY_DATA_PARTITION = 29,
    MODIFY_DATA_ROW = 21,
    MODIFY_DATA_RANGE = 16,
    MODIFY_DATA_COMPLEX = 12,
    MODIFY_DATA_CELL = 20,
};
/* What Cassandra checks of a batch's statements together. */
err_t modify_check_batch(struct modify *const *modifies, size_t count, enum modify_batch batch,
                         bool has_timestamp, struct fail *fail) MUST_USE;
/* Warns of, or refuses, a batch by its mutations. */
err_t modify_check_batch_size(const struct built_mutation *mutations, size_t count,
                              enum modify_batch batch, struct exec_env *env) MUST_USE;
/* Warns of a logged batch over tables that keep tombstones for no time. */
void modify_warn_gc_grace(struct modify *const *modifies, size_t count, enum modify_batch batch,
                          struct exec_env *env);

#endif
