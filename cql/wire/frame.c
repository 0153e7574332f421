/* Frames of protocol v5: see frame.h. Header integers are little-endian, unlike everything inside envelopes. */
#include "cql/wire/frame.h"

#include <lz4.h>

/* CRC24 as the spec defines it: polynomial 0x1974F0B, initial value 0x875060, over n bytes from the least significant one. */
uint32_t frame_crc24(uint64_t header, int n)
{
    uint32_t crc = 0x875060;
    while (n-- > 0) {
        crc ^= (uint32_t)(header & 0xff) << 16;
        header >>= 8;
        for (int i = 0; i < 8; i++) {
            crc <<= 1;
            if (crc & 0x1000000)
                crc ^= 0x1974F0B;
        }
    }
    return crc;
}

/* CRC32 (zlib's polynomial, reflected 0xEDB88320), slicing by 8; the spec seeds it with the bytes FA 2D 55 CA. */
struct crc32_tables {
    uint32_t t[8][256];
};

static const struct crc32_tables *crc32_tables(void)
{
    static struct crc32_tables tables;
    static int ready; /* filled idempotently: a race writes the same values */
    if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {
        struct crc32_tables fresh;
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++)
                c = c & 1 ? (c >> 1) ^ 0xEDB88320u : c >> 1;
            fresh.t[0][i] = c;
        }
        for (int s = 1; s < 8; s++)
            for (uint32_t i = 0; i < 256; i++)
                fresh.t[s][i] = (fresh.t[s - 1][i] >> 8) ^ fresh.t[0][fresh.t[s - 1][i] & 0xff];
        for (int s = 0; s < 8; s++)
            for (int i = 0; i < 256; i++)
                __atomic_store_n(&tables.t[s][i], fresh.t[s][i], __ATOMIC_RELAXED);
        __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    }
    return &tables;
}

uint32_t frame_crc32(struct bytes payload)
{
    const struct crc32_tables *k = crc32_tables();
    static const uint8_t seed[4] = {0xFA, 0x2D, 0x55, 0xCA};
    uint32_t c = ~0u;
    for (int i = 0; i < 4; i++)
        c = (c >> 8) ^ k->t[0][(c ^ seed[i]) & 0xff];
    const uint8_t *p = payload.p;
    size_t n = payload.n;
    for (; n >= 8; p += 8, n -= 8) {
        uint32_t lo = load_le32(p) ^ c, hi = load_le32(p + 4);
        c = k->t[7][lo & 0xff] ^ k->t[6][(lo >> 8) & 0xff] ^ k->t[5][(lo >> 16) & 0xff] ^
            k->t[4][lo >> 24] ^ k->t[3][hi & 0xff] ^ k->t[2][(hi >> 8) & 0xff] ^
            k->t[1][(hi >> 16) & 0xff] ^ k->t[0][hi >> 24];
    }
    for (; n; p++, n--)
        c = (c >> 8) ^ k->t[0][(c ^ *p) & 0xff];
    return ~c;
}

static uint64_t load_le(const uint8_t *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static void store_le(uint8_t *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* Bits of the header: uncompressed frames length 17, self-contained 1, padding 6; LZ4 frames compressed length 17,
 * uncompressed length 17, self-contained 1, padding 5. */
err_t frame_decode(struct bytes in, bool lz4, struct buf *scratch, size_t *used,
                   struct bytes *payload, bool *self_contained, struct fail *fail)
{
    int header_n = lz4 ? 5 : 3;
    *used = 0;
    if (in.n < (size_t)header_n + 3)
        return OK;
    uint64_t header = load_le(in.p, header_n);
    uint32_t crc = (uint32_t)load_le(in.p + header_n, 3);
    if (frame_crc24(header, header_n) != crc)
        return fail_set(fail, ERR_PROTOCOL, "Invalid frame header: checksum mismatch");
    size_t n = header & FRAME_PAYLOAD_MAX;
    size_t uncompressed = lz4 ? (header >> 17) & FRAME_PAYLOAD_MAX : 0;
    *self_contained = (header >> (lz4 ? 34 : 17)) & 1;
    size_t total = (size_t)header_n + 3 + n + FRAME_TRAILER_BYTES;
    if (in.n < total)
        return OK;
    struct bytes body = bytes_of(in.p + header_n + 3, n);
    if (frame_crc32(body) != load_le32(body.p + n))
        return fail_set(fail, ERR_PROTOCOL, "Invalid frame payload: checksum mismatch");
    if (uncompressed) {
        scratch->n = 0;
        buf_reserve(scratch, uncompressed);
        int got = LZ4_decompress_safe((const char *)body.p, (char *)scratch->p, (int)n,
                                      (int)uncompressed);
        if (got < 0 || (size_t)got != uncompressed)
            return fail_set(fail, ERR_PROTOCOL, "Invalid frame payload: cannot decompress");
        scratch->n = uncompressed;
        body = buf_bytes(scratch);
    }
    *payload = body;
    *used = total;
    return OK;
}

void frame_encode(struct bytes payload, bool lz4, bool self_contained, struct buf *out)
{
    ensure(payload.n <= FRAME_PAYLOAD_MAX);
    int header_n = lz4 ? 5 : 3;
    size_t bound = lz4 ? (size_t)LZ4_compressBound((int)payload.n) : payload.n;
    buf_reserve(out, (size_t)header_n + 3 + bound + FRAME_TRAILER_BYTES);
    uint8_t *p = out->p + out->n, *body = p + header_n + 3;
    size_t n = payload.n;
    uint64_t header;
    if (lz4) {
        int c = payload.n > 0 ? LZ4_compress_default((const char *)payload.p, (char *)body,
                                                     (int)payload.n, (int)bound)
                              : 0;
        bool smaller = c > 0 && (size_t)c < payload.n;
        if (smaller)
            n = (size_t)c;
        else if (n)
            memcpy(body, payload.p, n); /* uncompressed length 0: stored as it is */
        header = (uint64_t)n | (smaller ? (uint64_t)payload.n << 17 : 0) |
                 (uint64_t)self_contained << 34;
    } else {
        if (n)
            memcpy(body, payload.p, n);
        header = (uint64_t)n | (uint64_t)self_contained << 17;
    }
    store_le(p, header, header_n);
    store_le(p + header_n, frame_crc24(header, header_n), 3);
    store_le32(body + n, frame_crc32(bytes_of(body, n)));
    out->n += (size_t)header_n + 3 + n + FRAME_TRAILER_BYTES;
}

void frame_encode_envelopes(struct bytes envelopes, bool lz4, struct buf *out)
{
    while (envelopes.n) {
        size_t n = 0; /* of whole envelopes that share a frame */
        while (envelopes.n - n >= ENVELOPE_HEADER_BYTES) {
            size_t one = ENVELOPE_HEADER_BYTES + (size_t)load_be32(envelopes.p + n + 5);
            if (n + one > FRAME_PAYLOAD_MAX)
                break;
            n += one;
        }
        if (n) {
            frame_encode(bytes_of(envelopes.p, n), lz4, true, out);
            envelopes = bytes_skip(envelopes, n);
            continue;
        }
        size_t one = ENVELOPE_HEADER_BYTES + (size_t)load_be32(envelopes.p + 5);
        for (size_t at = 0; at < one;) {
            size_t piece = one - at < FRAME_PAYLOAD_MAX ? one - at : FRAME_PAYLOAD_MAX;
            frame_encode(bytes_of(envelopes.p + at, piece), lz4, false, out);
            at += piece;
        }
        envelopes = bytes_skip(envelopes, one);
    }
}
