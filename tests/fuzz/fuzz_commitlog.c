// The commit log's reader on any bytes: a segment whose checksums are made right after the input is laid out (else the fuzzer would never
// get past them), and the same bytes as they are. Nothing may be read past the segment, and what a scan accepts it accepts again.
#include "cql/base/hash.h"
#include "storage/log_record.h"

#include <stdlib.h>

static const struct log_segment_header header = {.directory_id = {{1, 2, 3}}, .number = 7};

struct seen {
    uint64_t count, bytes;
};

static err_t see(void *ctx, uint32_t shard, uint64_t seq, struct bytes mutation)
{
    struct seen *s = ctx;
    uint64_t sum = shard + seq;
    for (size_t i = 0; i < mutation.n; i++)
        sum += mutation.p[i]; // touches every byte, for ASan
    s->count++;
    s->bytes += mutation.n + (sum == UINT64_MAX);
    return OK;
}

static uint64_t scan(struct bytes segment, uint64_t limit)
{
    struct seen a = {0}, b = {0};
    uint64_t end, again;
    const char *why = NULL;
    err_t err = log_scan(segment, &header, limit, see, &a, &end, &why);
    if (err != OK && (err != ERR_CORRUPT || !why))
        abort();
    if (err == OK && end > segment.n)
        abort();
    // With the end known, the same records are all there is.
    if (err == OK && (log_scan(segment, &header, end, see, &b, &again, &why) != OK ||
                      again != end || a.count != b.count || a.bytes != b.bytes))
        abort();
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_segment_header h;
    const char *why;
    (void)!log_header_load(bytes_of(data, size), &h, &why);
    if (size < 2)
        return 0;
    uint8_t *segment = malloc(LOG_HEADER_BYTES + size);
    if (!segment)
        abort();
    log_header_store(segment, &header);
    memcpy(segment + LOG_HEADER_BYTES, data, size);
    struct bytes all = bytes_of(segment, LOG_HEADER_BYTES + size);
    scan(all, 0);
    scan(all, data[0] | (uint64_t)data[1] << 8);
    // Now with good checksums wherever lengths let records stand, but where the first byte says not to.
    for (size_t at = 0; size - at >= LOG_RECORD_HEADER_BYTES;) {
        uint8_t *p = segment + LOG_HEADER_BYTES + at;
        size_t length = LOG_RECORD_HEADER_BYTES + (size_t)load_be32(p + 4);
        if (length > size - at)
            break;
        if (p[0] != 0xFF) {
            store_be32(p, crc32c(0, p + 4, length - 4));
            size_t whole = (length + 7) & ~(size_t)7;
            if (whole > size - at || !log_batch_seal(p, whole, &header, LOG_HEADER_BYTES + at))
                break;
        }
        at += (length + 7) & ~(size_t)7;
        if (at > size)
            break;
    }
    scan(all, 0);
    scan(all, data[0] | (uint64_t)data[1] << 8);
    free(segment);
    return 0;
}
