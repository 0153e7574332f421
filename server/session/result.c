/* RESULT bodies: metadata of rows and of prepared statements (native_protocol_v5.spec sections 4.2.5.2 and 4.2.5.4). */
#include "server/session/session_priv.h"

static bool same_table(const struct column_spec *specs, uint16_t count)
{
    for (uint16_t i = 1; i < count; i++)
        if (!bytes_equal(specs[i].table, specs[0].table) ||
            !bytes_equal(specs[i].keyspace, specs[0].keyspace))
            return false;
    return count > 0;
}

void result_put_specs(struct buf *out, const struct column_spec *specs, uint16_t count,
                      uint8_t version)
{
    bool global = same_table(specs, count);
    if (global) {
        wire_put_string(out, specs[0].keyspace);
        wire_put_string(out, specs[0].table);
    }
    for (uint16_t i = 0; i < count; i++) {
        if (!global) {
            wire_put_string(out, specs[i].keyspace);
            wire_put_string(out, specs[i].table);
        }
        wire_put_string(out, specs[i].name);
        response_put_type(out, specs[i].type, version);
    }
}

void result_put_metadata(struct buf *out, const struct statement *s, uint8_t version,
                         uint32_t flags, struct bytes paging_state, const uint8_t *new_metadata_id)
{
    bool specs = !(flags & METADATA_NO_METADATA);
    if (specs && same_table(s->result, s->result_count))
        flags |= METADATA_GLOBAL_SPEC;
    if (!bytes_is_null(paging_state))
        flags |= METADATA_HAS_MORE_PAGES;
    if (new_metadata_id)
        flags |= METADATA_CHANGED;
    buf_be32(out, flags);
    buf_be32(out, s->result_count);
    if (!bytes_is_null(paging_state))
        wire_put_bytes(out, paging_state);
    if (new_metadata_id)
        wire_put_short_bytes(out, bytes_of(new_metadata_id, 16));
    if (specs)
        result_put_specs(out, s->result, s->result_count, version);
}

void result_put_prepared(struct buf *out, const struct prepared *p, uint8_t version)
{
    const struct statement *s = p->statement;
    buf_be32(out, RESULT_PREPARED);
    wire_put_short_bytes(out, bytes_of(p->id, 16));
    if (version >= 5)
        wire_put_short_bytes(out, bytes_of(p->metadata_id, 16));
    buf_be32(out, same_table(s->binds, s->binds_count) ? METADATA_GLOBAL_SPEC : 0);
    buf_be32(out, s->binds_count);
    if (version >= 4) {
        buf_be32(out, s->pk_bind_count);
        for (uint16_t i = 0; i < s->pk_bind_count; i++)
            buf_be16(out, s->pk_bind_indexes[i]);
    }
    result_put_specs(out, s->binds, s->binds_count, version);
    /* The result's metadata; a statement without rows has none. */
    if (s->result_count == 0) {
        buf_be32(out, METADATA_NO_METADATA);
        buf_be32(out, 0);
        return;
    }
    result_put_metadata(out, s, version, 0, BYTES_NULL, NULL);
}
