/* Envelopes: the messages of the native protocol, v3 to v5 (native_protocol_v5.spec section 2), and the primitives in their bodies
 * (section 3). Pure: bytes in, bytes out; shared by server and client. */
#ifndef CQL_WIRE_ENVELOPE_H
#define CQL_WIRE_ENVELOPE_H

#include "cql/base/buf.h"

enum opcode {
#define X(name, code, client) OPCODE_##name = code,
#include "cql/wire/opcodes.def"
#undef X
};

enum {
    ENVELOPE_HEADER_BYTES = 9,
    ENVELOPE_COMPRESSED = 0x01,
    ENVELOPE_TRACING = 0x02,
    ENVELOPE_PAYLOAD = 0x04,
    ENVELOPE_WARNING = 0x08,
    ENVELOPE_BETA = 0x10,
    ENVELOPE_RESPONSE = 0x80, /* in the version byte */
};
#define PROTOCOL_VERSION_MIN 3
#define PROTOCOL_VERSION_MAX 5

struct envelope {
    uint8_t version; /* without the direction bit */
    bool response;
    uint8_t flags;
    int16_t stream;
    uint8_t opcode;
    uint32_t length; /* of the body as it travels */
};

/* p: ENVELOPE_HEADER_BYTES bytes. Checks nothing. */
struct envelope envelope_decode(const uint8_t *p);
void envelope_encode(uint8_t *p, const struct envelope *e);
/* "QUERY"; NULL for an unknown code. */
const char *opcode_name(uint8_t opcode);
bool opcode_is_request(uint8_t opcode);

/* Starts an envelope in out with length 0 and returns its offset; envelope_end() fills the length in. */
size_t envelope_begin(struct buf *out, uint8_t version, uint8_t flags, int16_t stream,
                      uint8_t opcode, bool response);
void envelope_end(struct buf *out, size_t at);

/* Body primitives: [string], [long string], [bytes] (null: -1), [short bytes], [string list], [inet]. */
struct bytes wire_string(struct cur *c);
struct bytes wire_long_string(struct cur *c);
struct bytes wire_short_bytes(struct cur *c);
/* [bytes]: null for a negative length; sets c->bad when too long. */
struct bytes wire_bytes(struct cur *c);
void wire_put_string(struct buf *b, struct bytes s); /* s.n <= 65535, cut there */
void wire_put_cstring(struct buf *b, const char *s);
void wire_put_long_string(struct buf *b, struct bytes s);
void wire_put_short_bytes(struct buf *b, struct bytes s);
void wire_put_bytes(struct buf *b, struct bytes v);

/* Compression of envelope bodies (v3, v4) and of v5 frames. */
enum compression { COMPRESSION_NONE, COMPRESSION_LZ4, COMPRESSION_SNAPPY };
bool compression_parse(struct bytes name, enum compression *out);
/* A v3/v4 body: lz4 carries a big-endian i32 uncompressed length first. Appends to out. */
void compression_deflate(enum compression c, struct bytes body, struct buf *out);
/* ERR_PROTOCOL when damaged or when it would exceed bytes_max. Appends to out. */
err_t compression_inflate(enum compression c, struct bytes body, size_t bytes_max,
                          struct buf *out) MUST_USE;

#endif
