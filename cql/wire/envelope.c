/* Envelope headers, body primitives and body compression: see envelope.h. */
#include "cql/wire/envelope.h"

#include <lz4.h>
#include <snappy-c.h>

struct envelope envelope_decode(const uint8_t *p)
{
    return (struct envelope){
        .version = p[0] & 0x7f,
        .response = (p[0] & ENVELOPE_RESPONSE) != 0,
        .flags = p[1],
        .stream = (int16_t)load_be16(p + 2),
        .opcode = p[4],
        .length = load_be32(p + 5),
    };
}

void envelope_encode(uint8_t *p, const struct envelope *e)
{
    p[0] = (uint8_t)(e->version | (e->response ? ENVELOPE_RESPONSE : 0));
    p[1] = e->flags;
    store_be16(p + 2, (uint16_t)e->stream);
    p[4] = e->opcode;
    store_be32(p + 5, e->length);
}

const char *opcode_name(uint8_t opcode)
{
    switch (opcode) {
#define X(name, code, client) \
    case code:                \
        return #name;
#include "cql/wire/opcodes.def"
#undef X
    default: return NULL;
    }
}

bool opcode_is_request(uint8_t opcode)
{
    switch (opcode) {
#define X(name, code, client) \
    case code:                \
        return client;
#include "cql/wire/opcodes.def"
#undef X
    default: return false;
    }
}

size_t envelope_begin(struct buf *out, uint8_t version, uint8_t flags, int16_t stream,
                      uint8_t opcode, bool response)
{
    size_t at = out->n;
    struct envelope e = {.version = version,
                         .response = response,
                         .flags = flags,
                         .stream = stream,
                         .opcode = opcode};
    envelope_encode(buf_extend(out, ENVELOPE_HEADER_BYTES), &e);
    return at;
}

void envelope_end(struct buf *out, size_t at)
{
    store_be32(out->p + at + 5, (uint32_t)(out->n - at - ENVELOPE_HEADER_BYTES));
}

struct bytes wire_string(struct cur *c)
{
    return cur_take(c, cur_be16(c));
}

struct bytes wire_long_string(struct cur *c)
{
    uint32_t n = cur_be32(c);
    if (n > INT32_MAX)
        n = UINT32_MAX; /* negative: more than there can be */
    return cur_take(c, n);
}

struct bytes wire_short_bytes(struct cur *c)
{
    return cur_take(c, cur_be16(c));
}

struct bytes wire_bytes(struct cur *c)
{
    int32_t n = (int32_t)cur_be32(c);
    if (n < 0)
        return BYTES_NULL;
    return cur_take(c, (size_t)n);
}

void wire_put_string(struct buf *b, struct bytes s)
{
    if (s.n > UINT16_MAX) {
        s.n = UINT16_MAX;
        while (s.n > 0 && (s.p[s.n] & 0xC0) == 0x80)
            s.n--; /* not in the middle of a UTF-8 sequence */
    }
    buf_be16(b, (uint16_t)s.n);
    buf_put_bytes(b, s);
}

void wire_put_cstring(struct buf *b, const char *s)
{
    wire_put_string(b, bytes_str(s));
}

void wire_put_long_string(struct buf *b, struct bytes s)
{
    buf_be32(b, (uint32_t)s.n);
    buf_put_bytes(b, s);
}

void wire_put_short_bytes(struct buf *b, struct bytes s)
{
    ensure(s.n <= UINT16_MAX);
    buf_be16(b, (uint16_t)s.n);
    buf_put_bytes(b, s);
}

void wire_put_bytes(struct buf *b, struct bytes v)
{
    buf_be32(b, bytes_is_null(v) ? UINT32_MAX : (uint32_t)v.n);
    buf_put_bytes(b, v);
}

bool compression_parse(struct bytes name, enum compression *out)
{
    if (bytes_equal_nocase(name, bytes_str("lz4")))
        *out = COMPRESSION_LZ4;
    else if (bytes_equal_nocase(name, bytes_str("snappy")))
        *out = COMPRESSION_SNAPPY;
    else
        return false;
    return true;
}

void compression_deflate(enum compression c, struct bytes body, struct buf *out)
{
    if (c == COMPRESSION_LZ4) {
        ensure(body.n <= LZ4_MAX_INPUT_SIZE);
        int bound = LZ4_compressBound((int)body.n);
        buf_be32(out, (uint32_t)body.n);
        buf_reserve(out, (size_t)bound);
        int n =
            LZ4_compress_default((const char *)body.p, (char *)out->p + out->n, (int)body.n, bound);
        ensure(n > 0 || body.n == 0);
        out->n += (size_t)n;
    } else if (c == COMPRESSION_SNAPPY) {
        size_t n = snappy_max_compressed_length(body.n);
        buf_reserve(out, n);
        snappy_status st =
            snappy_compress((const char *)body.p, body.n, (char *)out->p + out->n, &n);
        ensure(st == SNAPPY_OK);
        out->n += n;
    } else {
        buf_put_bytes(out, body);
    }
}

err_t compression_inflate(enum compression c, struct bytes body, size_t bytes_max, struct buf *out)
{
    if (c == COMPRESSION_LZ4) {
        if (body.n < 4)
            return ERR_PROTOCOL;
        size_t n = load_be32(body.p);
        /* LZ4 expands at most 255 times: a larger promise is a lie, refused before memory is taken. */
        if (n > bytes_max || n / 255 > body.n)
            return ERR_PROTOCOL;
        buf_reserve(out, n + 1);
        int got = LZ4_decompress_safe((const char *)body.p + 4, (char *)out->p + out->n,
                                      (int)(body.n - 4), (int)n);
        if (got < 0 || (size_t)got != n)
            return ERR_PROTOCOL;
        out->n += n;
        return OK;
    }
    if (c == COMPRESSION_SNAPPY) {
        size_t n;
        if (snappy_uncompressed_length((const char *)body.p, body.n, &n) != SNAPPY_OK)
            return ERR_PROTOCOL;
        if (n > bytes_max || n / 64 > body.n + 64)
            return ERR_PROTOCOL;
        buf_reserve(out, n + 1);
        if (snappy_uncompress((const char *)body.p, body.n, (char *)out->p + out->n, &n) !=
            SNAPPY_OK)
            return ERR_PROTOCOL;
        out->n += n;
        return OK;
    }
    if (body.n > bytes_max)
        return ERR_PROTOCOL;
    buf_put_bytes(out, body);
    return OK;
}
