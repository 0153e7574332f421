/* How reconcile.c and clean.c write the row that remains: cells are copied as bytes where the base timestamp allows it, neighbours
 * at once, and what the row's own tombstones cover is left out. Private to cql/data. */
#ifndef CQL_DATA_ROW_PRIV_H
#define CQL_DATA_ROW_PRIV_H

#include "cql/data/row.h"

/* The order of cells in a row: column id, complex deletion first, no path before paths, path. */
static inline int cell_order(const struct cell *a, const struct cell *b)
{
    if (a->column_id != b->column_id)
        return a->column_id < b->column_id ? -1 : 1;
    bool a_complex = a->flags & CELL_COMPLEX_DELETION, b_complex = b->flags & CELL_COMPLEX_DELETION;
    if (a_complex || b_complex)
        return (int)b_complex - (int)a_complex;
    bool a_path = a->flags & CELL_HAS_PATH, b_path = b->flags & CELL_HAS_PATH;
    if (a_path != b_path)
        return a_path ? 1 : -1;
    return bytes_compare(a->path, b->path);
}

static inline struct deletion cell_deletion(const struct cell *c)
{
    return (struct deletion){c->timestamp, c->local_deletion_s};
}

struct row_copy {
    struct row_builder builder;
    struct deletion active;          /* covers the whole row */
    struct deletion column_deletion; /* … and the current column: active or its complex deletion */
    uint32_t column_id;
    bool any_column, empty;
    const uint8_t *run, *run_end; /* bytes of cells that are to be copied next */
};

static inline void row_copy_begin(struct row_copy *c, struct buf *out, int64_t base_timestamp,
                                  struct liveness marker, struct deletion deletion,
                                  struct deletion active)
{
    row_begin(&c->builder, out, base_timestamp, marker, deletion);
    c->active = c->column_deletion = active;
    c->column_id = 0;
    c->any_column = false;
    c->empty = marker.timestamp == TIMESTAMP_NONE && deletion_is_none(deletion);
    c->run = c->run_end = NULL;
}

static inline void row_copy_flush(struct row_copy *c)
{
    if (c->run != c->run_end)
        buf_put(c->builder.out, c->run, (size_t)(c->run_end - c->run));
    c->run = c->run_end = NULL;
}

/* A cell of this column comes next. */
static inline void row_copy_column(struct row_copy *c, uint32_t column_id)
{
    if (c->any_column && c->column_id == column_id)
        return;
    c->any_column = true;
    c->column_id = column_id;
    c->column_deletion = c->active;
}

/* Takes note of a cell: false when it is covered. A complex deletion that is not becomes the column's. */
static inline bool row_copy_admits(struct row_copy *c, const struct cell *cell)
{
    row_copy_column(c, cell->column_id);
    if (!(cell->flags & CELL_COMPLEX_DELETION))
        return cell->timestamp > c->column_deletion.timestamp;
    if (!deletion_supersedes(cell_deletion(cell), c->column_deletion))
        return false;
    c->column_deletion = cell_deletion(cell);
    return true;
}

/* The cell that `it` has just passed and whose bytes begin at start, unless it is covered. */
static inline void row_copy_put(struct row_copy *c, const struct cell *cell, const uint8_t *start,
                                const struct cell_iter *it)
{
    c->empty = false;
    if (it->base_timestamp != c->builder.base_timestamp) {
        row_copy_flush(c);
        row_put_cell(&c->builder, cell);
        return;
    }
    if (c->run_end != start || c->run == NULL) {
        row_copy_flush(c);
        c->run = start;
    }
    c->run_end = it->cur.p;
}

static inline void row_copy_cell(struct row_copy *c, const struct cell *cell, const uint8_t *start,
                                 const struct cell_iter *it)
{
    if (row_copy_admits(c, cell))
        row_copy_put(c, cell, start, it);
}

/* True when nothing remained: then out is as it was. */
static inline bool row_copy_end(struct row_copy *c)
{
    row_copy_flush(c);
    if (c->empty)
        c->builder.out->n = c->builder.start;
    return c->empty;
}

#endif
