/* See log_record.h. A record's checksum also covers the directory, the segment's number and the record's offset: bytes that a recycled
 * file or a misdirected write left behind are never a record. */
#include "storage/log_record.h"

#include "cql/base/hash.h"

static const uint8_t header_magic[8] = "HelenLog";

enum { HEADER_USED = 48, AT_LENGTH = 4, AT_KIND = 8, AT_RESERVED = 9, AT_SHARD = 10, AT_SEQ = 12 };

void log_header_store(uint8_t *out, const struct log_segment_header *h)
{
    memset(out, 0, LOG_HEADER_BYTES);
    memcpy(out, header_magic, 8);
    store_be32(out + 8, LOG_FORMAT_VERSION);
    store_be64(out + 16, h->number);
    memcpy(out + 24, h->directory_id.b, 16);
    store_be64(out + 40, h->previous_end);
    store_be32(out + HEADER_USED, crc32c(0, out, HEADER_USED));
}

err_t log_header_load(struct bytes b, struct log_segment_header *out, const char **why)
{
    if (b.n < LOG_HEADER_BYTES || memcmp(b.p, header_magic, 8) != 0) {
        *why = "it is not a segment of the commit log";
        return ERR_CORRUPT;
    }
    if (load_be32(b.p + HEADER_USED) != crc32c(0, b.p, HEADER_USED)) {
        *why = "its header fails its checksum";
        return ERR_CORRUPT;
    }
    if (load_be32(b.p + 8) != LOG_FORMAT_VERSION) {
        *why = "it has another format version";
        return ERR_CORRUPT;
    }
    out->number = load_be64(b.p + 16);
    memcpy(out->directory_id.b, b.p + 24, 16);
    out->previous_end = load_be64(b.p + 40);
    return OK;
}

static size_t padded(size_t n)
{
    return (n + LOG_RECORD_ALIGN - 1) & ~(size_t)(LOG_RECORD_ALIGN - 1);
}

static void put(struct buf *out, enum log_record_kind kind, uint32_t shard, uint64_t seq,
                struct bytes content)
{
    size_t n = LOG_RECORD_HEADER_BYTES + content.n;
    uint8_t *p = buf_extend(out, padded(n));
    store_be32(p + AT_LENGTH, (uint32_t)content.n);
    p[AT_KIND] = (uint8_t)kind;
    p[AT_RESERVED] = 0;
    store_be16(p + AT_SHARD, (uint16_t)shard);
    store_be64(p + AT_SEQ, seq);
    if (content.n)
        memcpy(p + LOG_RECORD_HEADER_BYTES, content.p, content.n);
    memset(p + n, 0, padded(n) - n);
    store_be32(p, crc32c(0, p + AT_LENGTH, n - AT_LENGTH));
}

void log_record_put(struct buf *out, uint32_t shard, uint64_t seq, struct bytes mutation)
{
    ensure(shard < 65536 && mutation.n < UINT32_MAX - 64);
    put(out, LOG_MUTATION, shard, seq, mutation);
}

void log_mark_put(struct buf *out, uint64_t synced)
{
    put(out, LOG_SYNC_MARK, 0, synced, bytes_of("", 0));
}

static uint32_t crc_of_place(uint32_t crc, const struct log_segment_header *h, uint64_t offset)
{
    uint8_t place[32];
    memcpy(place, h->directory_id.b, 16);
    store_be64(place + 16, h->number);
    store_be64(place + 24, offset);
    return crc32c(crc, place, sizeof place);
}

bool log_batch_seal(uint8_t *batch, size_t n, const struct log_segment_header *h, uint64_t offset)
{
    for (size_t at = 0; at < n;) {
        if (n - at < LOG_RECORD_HEADER_BYTES)
            return false;
        size_t length = padded(LOG_RECORD_HEADER_BYTES + (size_t)load_be32(batch + at + AT_LENGTH));
        if (length > n - at)
            return false;
        store_be32(batch + at, crc_of_place(load_be32(batch + at), h, offset + at));
        at += length;
    }
    return true;
}

struct record {
    enum log_record_kind kind;
    uint32_t shard;
    uint64_t seq;
    struct bytes content;
    size_t bytes; /* padding included */
};

static bool record_at(struct bytes segment, const struct log_segment_header *h, uint64_t offset,
                      struct record *out)
{
    if (offset > segment.n || segment.n - offset < LOG_RECORD_HEADER_BYTES)
        return false;
    const uint8_t *p = segment.p + offset;
    size_t length = load_be32(p + AT_LENGTH);
    uint8_t kind = p[AT_KIND];
    if (kind != LOG_MUTATION && (kind != LOG_SYNC_MARK || length != 0))
        return false;
    /* With its padding: appends are whole, so a record that ends the file before that was cut. */
    if (length > segment.n - offset - LOG_RECORD_HEADER_BYTES ||
        padded(LOG_RECORD_HEADER_BYTES + length) > segment.n - offset)
        return false;
    uint32_t crc = crc32c(0, p + AT_LENGTH, LOG_RECORD_HEADER_BYTES - AT_LENGTH + length);
    if (load_be32(p) != crc_of_place(crc, h, offset))
        return false;
    *out = (struct record){.kind = (enum log_record_kind)kind,
                           .shard = load_be16(p + AT_SHARD),
                           .seq = load_be64(p + AT_SEQ),
                           .content = bytes_of(p + LOG_RECORD_HEADER_BYTES, length),
                           .bytes = padded(LOG_RECORD_HEADER_BYTES + length)};
    return true;
}

/* Was what stands at offset synced, as a later mark would say. */
static bool was_synced(struct bytes segment, const struct log_segment_header *h, uint64_t offset)
{
    for (uint64_t at = offset; at + LOG_MARK_BYTES <= segment.n; at += LOG_RECORD_ALIGN) {
        const uint8_t *p = segment.p + at;
        struct record r;
        if (p[AT_KIND] == LOG_SYNC_MARK && load_be32(p + AT_LENGTH) == 0 &&
            record_at(segment, h, at, &r) && r.seq > offset)
            return true;
    }
    return false;
}

err_t log_scan(struct bytes segment, const struct log_segment_header *h, uint64_t limit,
               err_t (*apply)(void *ctx, uint32_t shard, uint64_t seq, struct bytes mutation),
               void *ctx, uint64_t *end_out, const char **why)
{
    uint64_t at = LOG_HEADER_BYTES;
    *end_out = at;
    if (limit > segment.n || (limit != 0 && limit < at)) {
        *why = "it is shorter than the segment after it says";
        return ERR_CORRUPT;
    }
    while (limit == 0 || at < limit) {
        struct record r;
        if (!record_at(segment, h, at, &r) || (limit != 0 && r.bytes > limit - at)) {
            if (limit == 0 && !was_synced(segment, h, at))
                break;
            *why = "a record that was synced is damaged";
            return ERR_CORRUPT;
        }
        if (r.kind == LOG_MUTATION)
            TRY(apply(ctx, r.shard, r.seq, r.content));
        at += r.bytes;
        *end_out = at;
    }
    return OK;
}
