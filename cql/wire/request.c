/* Decoding of requests: see request.h. Every length is checked against what is left before anything is allocated for it. */
#include "cql/wire/request.h"

#include "cql/types/ops.h"

const uint8_t wire_unset[1] = {0};

static err_t malformed(struct fail *fail, const char *what)
{
    return fail_set(fail, ERR_PROTOCOL,
                    "Malformed %s message: it ends too early or has wrong lengths", what);
}

/* Errors repeat parts of what they are about, so text that is none must not come in. */
static err_t check_text(struct bytes text, struct fail *fail)
{
    return utf8_valid(text)
               ? OK
               : fail_set(fail, ERR_PROTOCOL, "The text of the request is not valid UTF-8");
}

/* A [value]: bytes, null (-1) or unset (-2, from v4 on). */
static struct bytes read_value(struct cur *c, uint8_t version)
{
    int32_t n = (int32_t)cur_be32(c);
    if (n >= 0)
        return cur_take(c, (size_t)n);
    if (n == -1)
        return BYTES_NULL;
    if (n == -2)
        return version >= 4 ? bytes_of(wire_unset, 0) : BYTES_NULL; /* v3 knows no unset */
    c->bad = true;
    return BYTES_NULL;
}

/* count values (and names); a value takes at least 4 bytes, which bounds the allocation by the body. */
static bool read_values(struct cur *c, uint8_t version, uint16_t count, bool named, struct arena *a,
                        const struct bytes **values, const struct bytes **names)
{
    *values = *names = NULL;
    if (cur_left(c) / 4 < count)
        return false;
    struct bytes *v = arena_alloc(a, sizeof *v * count),
                 *k = named ? arena_alloc(a, sizeof *k * count) : NULL;
    for (uint16_t i = 0; i < count; i++) {
        if (named)
            k[i] = wire_string(c);
        v[i] = read_value(c, version);
    }
    *values = v;
    *names = k;
    return cur_ok(c);
}

static err_t read_params(struct cur *c, uint8_t version, bool batch, struct arena *a,
                         struct query_params *out, struct fail *fail)
{
    *out = (struct query_params){.page_size = -1, .serial_consistency = 0xFFFF};
    out->consistency = cur_be16(c);
    out->flags = version >= 5 ? cur_be32(c) : cur_u8(c);
    if (!cur_ok(c))
        return malformed(fail, "query parameters");
    if (batch)
        out->flags &=
            (uint32_t) ~(QUERY_VALUES | QUERY_SKIP_METADATA | QUERY_PAGE_SIZE | QUERY_PAGING_STATE);
    if (out->flags & QUERY_VALUES) {
        out->values_count = cur_be16(c);
        if (!read_values(c, version, out->values_count, (out->flags & QUERY_NAMES) != 0, a,
                         &out->values, &out->names))
            return malformed(fail, "query parameters");
    }
    if (out->flags & QUERY_PAGE_SIZE)
        out->page_size = (int32_t)cur_be32(c);
    if (out->flags & QUERY_PAGING_STATE)
        out->paging_state = wire_bytes(c);
    if (out->flags & QUERY_SERIAL_CONSISTENCY)
        out->serial_consistency = cur_be16(c);
    if (out->flags & QUERY_TIMESTAMP) {
        out->has_timestamp = true;
        out->timestamp_us = (int64_t)cur_be64(c);
        if (cur_ok(c) && out->timestamp_us == INT64_MIN)
            return fail_set(
                fail, ERR_PROTOCOL, "Out of bound timestamp, must be in [%lld, %lld] (got %lld)",
                (long long)INT64_MIN + 1, (long long)INT64_MAX, (long long)out->timestamp_us);
    }
    if (version >= 5 && out->flags & QUERY_KEYSPACE) {
        out->keyspace = wire_string(c);
        if (cur_ok(c))
            TRY(check_text(out->keyspace, fail));
    }
    if (version >= 5 && out->flags & QUERY_NOW) {
        out->has_now = true;
        out->now_s = (int32_t)cur_be32(c);
    }
    return cur_ok(c) ? OK : malformed(fail, "query parameters");
}

err_t request_decode_query(struct bytes body, uint8_t version, struct arena *a,
                           struct request_query *out, struct fail *fail)
{
    struct cur c = cur_of(body);
    out->text = wire_long_string(&c);
    if (!cur_ok(&c))
        return malformed(fail, "QUERY");
    TRY(check_text(out->text, fail));
    return read_params(&c, version, false, a, &out->params, fail);
}

err_t request_decode_prepare(struct bytes body, uint8_t version, struct request_prepare *out,
                             struct fail *fail)
{
    struct cur c = cur_of(body);
    *out = (struct request_prepare){.text = wire_long_string(&c)};
    if (version >= 5 && cur_ok(&c) && cur_be32(&c) & 1)
        out->keyspace = wire_string(&c);
    if (!cur_ok(&c))
        return malformed(fail, "PREPARE");
    TRY(check_text(out->text, fail));
    return check_text(out->keyspace, fail);
}

err_t request_decode_execute(struct bytes body, uint8_t version, struct arena *a,
                             struct request_execute *out, struct fail *fail)
{
    struct cur c = cur_of(body);
    *out = (struct request_execute){.id = wire_short_bytes(&c)};
    if (version >= 5)
        out->result_metadata_id = wire_short_bytes(&c);
    if (!cur_ok(&c))
        return malformed(fail, "EXECUTE");
    return read_params(&c, version, false, a, &out->params, fail);
}

err_t request_decode_batch(struct bytes body, uint8_t version, struct arena *a,
                           struct request_batch *out, struct fail *fail)
{
    struct cur c = cur_of(body);
    *out = (struct request_batch){.type = cur_u8(&c), .count = cur_be16(&c)};
    if (!cur_ok(&c))
        return malformed(fail, "BATCH");
    if (out->type > 2)
        return fail_set(fail, ERR_PROTOCOL, "Invalid batch type %u", out->type);
    if (cur_left(&c) / 5 < out->count)
        return malformed(fail, "BATCH");
    out->items = arena_array(a, struct batch_item, out->count);
    for (uint16_t i = 0; i < out->count; i++) {
        struct batch_item *item = &out->items[i];
        uint8_t kind = cur_u8(&c);
        if (kind > 1)
            return fail_set(fail, ERR_PROTOCOL,
                            "Invalid query kind in BATCH messages. Must be 0 or 1 but got %u",
                            kind);
        item->prepared = kind == 1;
        item->text_or_id = kind == 1 ? wire_short_bytes(&c) : wire_long_string(&c);
        item->values_count = cur_be16(&c);
        const struct bytes *names;
        if (!cur_ok(&c) ||
            !read_values(&c, version, item->values_count, false, a, &item->values, &names))
            return malformed(fail, "BATCH");
        if (!item->prepared)
            TRY(check_text(item->text_or_id, fail));
    }
    return read_params(&c, version, true, a, &out->params, fail);
}

err_t request_decode_string_map(struct bytes body, struct arena *a, struct string_map *out,
                                struct fail *fail)
{
    struct cur c = cur_of(body);
    out->count = cur_be16(&c);
    if (!cur_ok(&c) || cur_left(&c) / 4 < out->count)
        return malformed(fail, "STARTUP");
    out->items = arena_array(a, struct string_pair, out->count);
    for (uint16_t i = 0; i < out->count; i++) {
        out->items[i].key = wire_string(&c);
        out->items[i].value = wire_string(&c);
    }
    return cur_ok(&c) ? OK : malformed(fail, "STARTUP");
}

err_t request_decode_string_list(struct bytes body, struct arena *a, struct bytes **out,
                                 uint16_t *count, struct fail *fail)
{
    struct cur c = cur_of(body);
    *count = cur_be16(&c);
    if (!cur_ok(&c) || cur_left(&c) / 2 < *count)
        return malformed(fail, "REGISTER");
    *out = arena_array(a, struct bytes, *count);
    for (uint16_t i = 0; i < *count; i++)
        (*out)[i] = wire_string(&c);
    return cur_ok(&c) ? OK : malformed(fail, "REGISTER");
}

err_t request_skip_payload(struct cur *c, struct fail *fail)
{
    uint16_t count = cur_be16(c);
    for (uint16_t i = 0; i < count && cur_ok(c); i++) {
        wire_string(c);
        wire_bytes(c);
    }
    return cur_ok(c) ? OK : malformed(fail, "custom payload");
}

struct bytes string_map_get(const struct string_map *m, const char *key)
{
    for (uint16_t i = 0; i < m->count; i++)
        if (bytes_equal_nocase(m->items[i].key, bytes_str(key)))
            return m->items[i].value;
    return BYTES_NULL;
}
