/* Encoding of responses: see response.h. */
#include "cql/wire/response.h"

static uint16_t protocol_id(enum type_id id)
{
    static const uint16_t ids[] = {
#define X(name, cql, protocol_id, length, class_name) [TYPE_##name] = protocol_id,
#include "cql/types/types.def"
#undef X
    };
    return ids[id];
}

static void put_custom(struct buf *out, const struct type *t)
{
    buf_be16(out, 0);
    size_t at = out->n;
    buf_be16(out, 0);
    type_print_class(t, out);
    size_t n = out->n - at - 2;
    store_be16(out->p + at, (uint16_t)(n > UINT16_MAX ? UINT16_MAX : n));
    if (n > UINT16_MAX)
        out->n = at + 2 + UINT16_MAX;
}

void response_put_type(struct buf *out, const struct type *t, uint8_t version)
{
    switch (t->id) {
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_SMALLINT:
    case TYPE_TINYINT:
        if (version < 4)
            put_custom(out, t);
        else
            buf_be16(out, protocol_id(t->id));
        return;
    case TYPE_DURATION:
        if (version < 5)
            put_custom(out, t);
        else
            buf_be16(out, protocol_id(t->id));
        return;
    case TYPE_EMPTY:
    case TYPE_VECTOR:
    case TYPE_CUSTOM: put_custom(out, t); return;
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_MAP:
        buf_be16(out, protocol_id(t->id));
        for (uint16_t i = 0; i < t->params_count; i++)
            response_put_type(out, t->params[i], version);
        return;
    case TYPE_TUPLE:
        buf_be16(out, protocol_id(t->id));
        buf_be16(out, t->params_count);
        for (uint16_t i = 0; i < t->params_count; i++)
            response_put_type(out, t->params[i], version);
        return;
    case TYPE_UDT:
        buf_be16(out, protocol_id(t->id));
        wire_put_string(out, t->keyspace);
        wire_put_string(out, t->name);
        buf_be16(out, t->params_count);
        for (uint16_t i = 0; i < t->params_count; i++) {
            wire_put_string(out, t->field_names[i]);
            response_put_type(out, t->params[i], version);
        }
        return;
    default: buf_be16(out, protocol_id(t->id));
    }
}

/* Section 9, and what Cassandra's ErrorMessage.getBackwardsCompatibleException does for old versions. */
static err_t down_convert(err_t err, uint8_t version)
{
    if (version < 4) {
        if (err == ERR_READ_FAILURE)
            return ERR_READ_TIMEOUT;
        if (err == ERR_WRITE_FAILURE)
            return ERR_WRITE_TIMEOUT;
        if (err == ERR_FUNCTION_FAILURE || err == ERR_CDC_WRITE_FAILURE)
            return ERR_INVALID;
    }
    if (version < 5 && err == ERR_CAS_WRITE_UNKNOWN)
        return ERR_WRITE_TIMEOUT;
    return err;
}

static void put_failures(struct buf *out, const struct fail *f, uint8_t version)
{
    /* v5 lists endpoint and reason; which endpoints failed is not known here yet, so each entry names the unspecified address. */
    buf_be32(out, (uint32_t)f->failures_count);
    if (version < 5)
        return;
    for (int32_t i = 0; i < f->failures_count; i++) {
        static const uint8_t local[5] = {4, 127, 0, 0, 1};
        buf_put(out, local, sizeof local);
        buf_be16(out, 0);
    }
}

void response_put_error(struct buf *out, const struct fail *f, uint8_t version)
{
    err_t err = down_convert(f->err, version);
    buf_be32(out, err_protocol_code(err));
    wire_put_string(out, f->message);
    switch (err) {
    case ERR_UNAVAILABLE:
        buf_be16(out, f->consistency);
        buf_be32(out, (uint32_t)f->required);
        buf_be32(out, (uint32_t)f->alive);
        break;
    case ERR_WRITE_TIMEOUT:
    case ERR_READ_TIMEOUT:
        buf_be16(out, f->consistency);
        buf_be32(out, (uint32_t)f->received);
        buf_be32(out, (uint32_t)f->required);
        if (err == ERR_READ_TIMEOUT)
            buf_u8(out, f->data_present);
        else {
            const char *type = f->write_type ? f->write_type : "SIMPLE";
            wire_put_cstring(out, f->err == ERR_CAS_WRITE_UNKNOWN ? "CAS" : type);
            if (version >= 5 && strcmp(type, "CAS") == 0)
                buf_be16(out, 0);
        }
        break;
    case ERR_READ_FAILURE:
    case ERR_WRITE_FAILURE:
        buf_be16(out, f->consistency);
        buf_be32(out, (uint32_t)f->received);
        buf_be32(out, (uint32_t)f->required);
        put_failures(out, f, version);
        if (err == ERR_READ_FAILURE)
            buf_u8(out, f->data_present);
        else
            wire_put_cstring(out, f->write_type ? f->write_type : "SIMPLE");
        break;
    case ERR_CAS_WRITE_UNKNOWN:
        buf_be16(out, f->consistency);
        buf_be32(out, (uint32_t)f->received);
        buf_be32(out, (uint32_t)f->required);
        break;
    case ERR_FUNCTION_FAILURE:
        wire_put_string(out, f->keyspace);
        wire_put_string(out, f->name);
        buf_be16(out, f->args_count);
        for (uint16_t i = 0; i < f->args_count; i++)
            wire_put_string(out, f->args[i]);
        break;
    case ERR_UNPREPARED: wire_put_short_bytes(out, f->id); break;
    case ERR_ALREADY_EXISTS:
        wire_put_string(out, f->keyspace);
        wire_put_string(out, f->name);
        break;
    default: break;
    }
}

void response_put_schema_change(struct buf *out, const char *change, const char *target,
                                struct bytes keyspace, struct bytes name)
{
    wire_put_cstring(out, change);
    wire_put_cstring(out, target);
    wire_put_string(out, keyspace);
    if (strcmp(target, "KEYSPACE") != 0)
        wire_put_string(out, name);
}
