/* Writing the level: entries one by one, and the records of the meta slot. */
#include "storage/level_priv.h"

err_t level_writer_begin(struct level_writer *w, struct kv_txn *txn, struct level_table *t,
                         uint64_t hash_seed)
{
    w->table = t;
    w->view = (struct level_view){.txn = txn, .table = t, .hash_seed = hash_seed};
    TRY(kv_cursor_new(txn, t->kv_slot, &w->view.cursor));
    err_t err = kv_cursor_new(txn, t->kv_slot, &w->view.cursor2);
    if (err != OK)
        level_writer_end(w);
    return err;
}

void level_writer_end(struct level_writer *w)
{
    kv_cursor_free(w->view.cursor);
    kv_cursor_free(w->view.cursor2);
    w->view = (struct level_view){0};
    buf_free(&w->value);
    buf_free(&w->chunk);
}

static void count(struct level_table *t, enum level_kind kind, int64_t n)
{
    switch (kind) {
    case LEVEL_STATIC: t->statics += (uint64_t)n; break;
    case LEVEL_RANGE: t->ranges += (uint64_t)n; break;
    case LEVEL_ROW: t->rows += (uint64_t)n; break;
    case LEVEL_HEADER: break;
    }
}

err_t level_put(struct level_writer *w, const struct level_prefix *p, enum level_kind kind,
                struct bytes ck, struct bytes payload, bool is_new, bool damaged)
{
    if (is_new)
        count(w->table, kind, 1);
    if (level_ck_is_long(p, ck))
        return level_chunk_put(w, p, kind, ck, payload);
    struct level_key key;
    level_key_make(&key, p, kind, ck);
    w->value.n = 0;
    level_value_encode(&w->value, level_key_bytes(&key), payload, damaged);
    w->puts++;
    w->put_bytes += w->value.n;
    return kv_put(w->view.txn, w->table->kv_slot, level_key_bytes(&key), buf_bytes(&w->value));
}

err_t level_del(struct level_writer *w, const struct level_prefix *p, enum level_kind kind,
                struct bytes ck)
{
    count(w->table, kind, -1);
    w->puts++;
    if (level_ck_is_long(p, ck))
        return level_chunk_del(w, p, kind, ck);
    struct level_key key;
    level_key_make(&key, p, kind, ck);
    return kv_del(w->view.txn, w->table->kv_slot, level_key_bytes(&key));
}

err_t level_header_put(struct level_writer *w, const struct level_prefix *p,
                       const struct level_header *h, const struct level_header *old, bool damaged)
{
    bool had_deletion = old && !deletion_is_none(old->deletion);
    bool has_deletion = !deletion_is_none(h->deletion);
    w->table->deletions += (uint64_t)has_deletion - (uint64_t)had_deletion;
    if (p->is_long && !old)
        w->table->long_pks++;
    struct buf payload = {0};
    buf_u8(&payload, (uint8_t)((has_deletion ? 1 : 0) | (bytes_is_null(h->pk) ? 0 : 2)));
    if (has_deletion) {
        buf_zigzag(&payload, h->deletion.timestamp);
        buf_varint(&payload, (uint64_t)h->deletion.local_deletion_s);
    }
    if (!bytes_is_null(h->pk))
        buf_lstr(&payload, h->pk);
    err_t err = level_put(w, p, LEVEL_HEADER, BYTES_NULL, buf_bytes(&payload), false, damaged);
    buf_free(&payload);
    return err;
}

err_t level_header_del(struct level_writer *w, const struct level_prefix *p,
                       const struct level_header *old)
{
    if (!deletion_is_none(old->deletion))
        w->table->deletions--;
    if (p->is_long)
        w->table->long_pks--;
    return level_del(w, p, LEVEL_HEADER, BYTES_NULL);
}

err_t level_range_put(struct level_writer *w, const struct level_prefix *p,
                      const struct range_tombstone *r, bool damaged)
{
    struct buf payload = {0};
    buf_lstr(&payload, r->upper);
    buf_zigzag(&payload, r->deletion.timestamp);
    buf_varint(&payload, (uint64_t)r->deletion.local_deletion_s);
    err_t err = level_put(w, p, LEVEL_RANGE, r->lower, buf_bytes(&payload), !damaged, damaged);
    buf_free(&payload);
    return err;
}

/* --- The meta slot -------------------------------------------------------------------------- */

err_t level_meta_put(struct kv_txn *t, struct bytes key, struct bytes payload)
{
    struct buf value = {0};
    level_value_encode(&value, key, payload, false);
    err_t err = kv_put(t, LEVEL_META_SLOT, key, buf_bytes(&value));
    buf_free(&value);
    return err;
}

err_t level_meta_get(struct kv_txn *t, struct bytes key, struct bytes *payload)
{
    struct bytes value;
    TRY(kv_get(t, LEVEL_META_SLOT, key, &value));
    return level_value_decode(key, value, payload);
}

static struct bytes table_key(uint8_t out[5], uint32_t slot)
{
    out[0] = 't';
    store_be32(out + 1, slot);
    return bytes_of(out, 5);
}

err_t level_table_put(struct kv_txn *t, const struct level_table *table)
{
    uint8_t key[5];
    struct buf b = {0};
    buf_u8(&b, 1);
    buf_be32(&b, table->kv_slot);
    buf_put(&b, table->id.b, 16);
    buf_be64(&b, table->incarnation);
    buf_be64(&b, table->rows);
    buf_be64(&b, table->statics);
    buf_be64(&b, table->deletions);
    buf_be64(&b, table->ranges);
    buf_be64(&b, table->long_pks);
    err_t err = level_meta_put(t, table_key(key, table->slot), buf_bytes(&b));
    buf_free(&b);
    return err;
}

err_t level_table_del(struct kv_txn *t, uint32_t slot)
{
    uint8_t key[5];
    return kv_del(t, LEVEL_META_SLOT, table_key(key, slot));
}

err_t level_table_decode(struct bytes key, struct bytes value, struct level_table *out)
{
    struct bytes payload;
    if (key.n != 5 || key.p[0] != 't')
        return ERR_CORRUPT;
    TRY(level_value_decode(key, value, &payload));
    struct cur c = cur_of(payload);
    *out = (struct level_table){.slot = load_be32(key.p + 1)};
    if (cur_u8(&c) != 1)
        return ERR_CORRUPT;
    out->kv_slot = cur_be32(&c);
    struct bytes id = cur_take(&c, 16);
    if (id.n == 16)
        memcpy(out->id.b, id.p, 16);
    out->incarnation = cur_be64(&c);
    out->rows = cur_be64(&c);
    out->statics = cur_be64(&c);
    out->deletions = cur_be64(&c);
    out->ranges = cur_be64(&c);
    out->long_pks = cur_be64(&c);
    return cur_ok(&c) && cur_at_end(&c) && out->kv_slot > LEVEL_META_SLOT &&
                   out->kv_slot < LEVEL_SLOTS_MAX
               ? OK
               : ERR_CORRUPT;
}
