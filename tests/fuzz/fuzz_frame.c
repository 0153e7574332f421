/* Native protocol bytes as a client may send them: frames (plain and LZ4), envelopes and every request body in every version. What decodes
 * as a frame is framed again and must come out the same. */
#include "cql/wire/frame.h"
#include "cql/wire/request.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void bodies(struct bytes body, uint8_t version)
{
    struct arena a;
    arena_init(&a, 0);
    struct fail f = {.arena = &a};
    struct request_query q;
    struct request_prepare p;
    struct request_execute x;
    struct request_batch b;
    struct string_map m;
    struct bytes *list;
    uint16_t count;
    err_t ignored = request_decode_query(body, version, &a, &q, &f);
    ignored = request_decode_prepare(body, version, &p, &f);
    ignored = request_decode_execute(body, version, &a, &x, &f);
    ignored = request_decode_batch(body, version, &a, &b, &f);
    ignored = request_decode_string_map(body, &a, &m, &f);
    ignored = request_decode_string_list(body, &a, &list, &count, &f);
    (void)ignored;
    if (arena_bytes(&a) > 64 * body.n + 4096)
        abort(); /* memory by what was sent, not by what was promised */
    arena_free(&a);
}

static void frames(struct bytes in, bool lz4)
{
    struct arena a;
    arena_init(&a, 0);
    struct buf scratch = {0}, again = {0}, scratch2 = {0};
    while (in.n) {
        struct fail f = {.arena = &a};
        size_t used, used2;
        struct bytes payload, payload2;
        bool self_contained, self_contained2;
        if (frame_decode(in, lz4, &scratch, &used, &payload, &self_contained, &f) != OK ||
            used == 0)
            break;
        again.n = 0;
        frame_encode(payload, lz4, self_contained, &again);
        if (frame_decode(buf_bytes(&again), lz4, &scratch2, &used2, &payload2, &self_contained2,
                         &f) != OK)
            abort();
        if (used2 != again.n || !bytes_equal(payload, payload2) ||
            self_contained != self_contained2)
            abort();
        in = bytes_skip(in, used);
    }
    buf_free(&scratch);
    buf_free(&again);
    buf_free(&scratch2);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    struct bytes in = bytes_of(data + 1, n - 1);
    uint8_t version = 3 + data[0] % 3;
    bodies(in, version);
    frames(in, data[0] & 0x80);
    for (enum compression c = COMPRESSION_LZ4; c <= COMPRESSION_SNAPPY; c++) {
        struct buf out = {0};
        if (compression_inflate(c, in, 1 << 20, &out) == OK && out.n > 1 << 20)
            abort();
        buf_free(&out);
    }
    return 0;
}
