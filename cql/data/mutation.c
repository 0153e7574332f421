/* Mutations and partition keys to bytes and back, and the check of bytes that others made. */
#include "cql/data/mutation.h"

#include "cql/data/row_priv.h"

int partition_compare(struct token a_token, struct bytes a_pk, struct token b_token,
                      struct bytes b_pk)
{
    if (a_token.value != b_token.value)
        return a_token.value < b_token.value ? -1 : 1;
    if (a_pk.n != b_pk.n)
        return a_pk.n < b_pk.n ? -1 : 1;
    return bytes_compare(a_pk, b_pk);
}

void mutation_begin(struct buf *out, const struct table *t, struct wall_us created, struct bytes pk)
{
    buf_reserve(out, 64 + pk.n);
    buf_u8(out, MUTATION_VERSION);
    buf_u8(out, 0); /* no mandatory extensions */
    buf_u8(out, 0); /* no optional ones */
    buf_put(out, t->id.b, sizeof t->id.b);
    buf_varint(out, t->incarnation);
    buf_be64(out, (uint64_t)created.us);
    buf_be64(out, (uint64_t)token_of_key(pk).value);
    buf_lstr(out, pk);
}

err_t mutation_decode(struct bytes b, struct mutation *out)
{
    struct cur c = cur_of(b);
    if (cur_u8(&c) != MUTATION_VERSION)
        return ERR_CORRUPT;
    struct bytes mandatory = cur_lstr(&c);
    cur_lstr(&c); /* optional extensions: none is known here */
    if (mandatory.n)
        return ERR_CORRUPT;
    struct bytes id = cur_take(&c, sizeof out->table_id.b);
    if (id.p)
        memcpy(out->table_id.b, id.p, sizeof out->table_id.b);
    out->incarnation = cur_varint(&c);
    out->created.us = (int64_t)cur_be64(&c);
    out->token.value = (int64_t)cur_be64(&c);
    out->pk = cur_lstr(&c);
    out->ops = (struct bytes){c.p, cur_left(&c)};
    return cur_ok(&c) ? OK : ERR_CORRUPT;
}

/* Strict order, nothing covered by the row's own tombstones, and values of counters of whole shards. */
static err_t body_validate(struct bytes body)
{
    struct row r;
    TRY(row_decode(body, &r));
    if (r.marker.timestamp != TIMESTAMP_NONE && r.marker.timestamp <= r.deletion.timestamp)
        return ERR_CORRUPT;
    struct deletion column_deletion = r.deletion;
    struct cell_iter it = row_cells(&r);
    struct cell c, last = {0};
    for (bool first = true; cell_next(&it, &c); first = false, last = c) {
        if (!first && cell_order(&last, &c) >= 0)
            return ERR_CORRUPT;
        if (first || last.column_id != c.column_id)
            column_deletion = r.deletion;
        if (c.flags & CELL_COMPLEX_DELETION) {
            if (!deletion_supersedes(cell_deletion(&c), column_deletion))
                return ERR_CORRUPT;
            column_deletion = cell_deletion(&c);
        } else if (c.timestamp <= column_deletion.timestamp) {
            return ERR_CORRUPT;
        }
        if ((c.flags & CELL_COUNTER) && c.value.n % 32 != 0)
            return ERR_CORRUPT;
    }
    return it.cur.bad ? ERR_CORRUPT : OK;
}

static err_t op_validate(const struct op *op)
{
    switch (op->kind) {
    case OP_ROW:
        if (op->ck.n > MUTATION_CK_MAX)
            return ERR_CORRUPT;
        return body_validate(op->body);
    case OP_STATIC_ROW: return body_validate(op->body);
    case OP_RANGE_TOMBSTONE:
        if (op->lower.n > MUTATION_CK_MAX || op->upper.n > MUTATION_CK_MAX)
            return ERR_CORRUPT;
        return bytes_compare(op->lower, op->upper) < 0 ? OK : ERR_CORRUPT;
    case OP_PARTITION_DELETION: return OK;
    default: return ERR_CORRUPT; /* an OP_END before the end */
    }
}

err_t mutation_validate(struct bytes b)
{
    struct mutation m;
    TRY(mutation_decode(b, &m));
    if (m.pk.n == 0 || m.pk.n > MUTATION_PK_MAX)
        return ERR_CORRUPT;
    if (token_of_key(m.pk).value != m.token.value)
        return ERR_CORRUPT;
    struct cur c = cur_of(m.ops);
    struct op op;
    while (!cur_at_end(&c)) {
        TRY(op_next(&c, &op));
        TRY(op_validate(&op));
    }
    return OK;
}

void pk_encode(struct buf *out, const struct bytes *components, uint16_t count)
{
    if (count == 1) {
        buf_put_bytes(out, components[0]);
        return;
    }
    for (uint16_t i = 0; i < count; i++) {
        ensure(components[i].n <= UINT16_MAX); /* the planner's check of key lengths comes first */
        buf_be16(out, (uint16_t)components[i].n);
        buf_put_bytes(out, components[i]);
        buf_u8(out, 0);
    }
}

bool pk_decode(struct bytes pk, uint16_t count, struct bytes *components)
{
    if (count == 1) {
        components[0] = pk;
        return true;
    }
    struct cur c = cur_of(pk);
    for (uint16_t i = 0; i < count; i++) {
        components[i] = cur_take(&c, cur_be16(&c));
        if (cur_u8(&c) != 0)
            return false;
    }
    return cur_ok(&c) && cur_at_end(&c);
}
