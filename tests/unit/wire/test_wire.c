/* The native protocol codec: checksums of known bytes, frames cut and joined, compression, hostile lengths, error bodies by version. */
#include "cql/base/prng.h"
#include "cql/wire/frame.h"
#include "cql/wire/request.h"
#include "cql/wire/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void put_envelope(struct buf *out, int16_t stream, size_t body)
{
    size_t at = envelope_begin(out, 5, 0, stream, OPCODE_QUERY, false);
    for (size_t i = 0; i < body; i++)
        buf_u8(out, (uint8_t)(i % 7));
    envelope_end(out, at);
}

/* Frames envelopes, takes the frames apart again, and finds the same bytes. */
static void round_trip(bool lz4, const size_t *bodies, size_t count)
{
    struct buf plain = {0}, framed = {0}, joined = {0}, scratch = {0};
    for (size_t i = 0; i < count; i++)
        put_envelope(&plain, (int16_t)i, bodies[i]);
    frame_encode_envelopes(buf_bytes(&plain), lz4, &framed);
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    for (struct bytes left = buf_bytes(&framed); left.n;) {
        size_t used;
        struct bytes payload;
        bool self_contained;
        /* One byte short is not a frame yet. */
        assert_int_equal(frame_decode(left, lz4, &scratch, &used, &payload, &self_contained, &fail),
                         OK);
        assert_true(used > 0);
        size_t whole = used;
        assert_int_equal(frame_decode(bytes_of(left.p, whole - 1), lz4, &scratch, &used, &payload,
                                      &self_contained, &fail),
                         OK);
        assert_int_equal(used, 0);
        assert_int_equal(frame_decode(left, lz4, &scratch, &used, &payload, &self_contained, &fail),
                         OK);
        buf_put_bytes(&joined, payload);
        left = bytes_skip(left, used);
    }
    assert_true(bytes_equal(buf_bytes(&joined), buf_bytes(&plain)));
    arena_free(&a);
    buf_free(&plain);
    buf_free(&framed);
    buf_free(&joined);
    buf_free(&scratch);
}

static void test_frames_round_trip(void **state)
{
    (void)state;
    static const size_t small[] = {0, 1, 100, 5000};
    static const size_t large[] = {
        3, FRAME_PAYLOAD_MAX - ENVELOPE_HEADER_BYTES, 1, FRAME_PAYLOAD_MAX, 500000, 2};
    for (int lz4 = 0; lz4 < 2; lz4++) {
        round_trip(lz4, small, 4);
        round_trip(lz4, large, 6);
    }
}

static void test_every_flipped_bit_is_seen(void **state)
{
    (void)state;
    struct buf plain = {0}, framed = {0}, scratch = {0};
    put_envelope(&plain, 1, 40);
    struct arena a;
    arena_init(&a, 0);
    for (int lz4 = 0; lz4 < 2; lz4++) {
        framed.n = 0;
        frame_encode_envelopes(buf_bytes(&plain), lz4, &framed);
        for (size_t bit = 0; bit < framed.n * 8; bit++) {
            framed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
            struct fail fail = {.arena = &a};
            size_t used;
            struct bytes payload;
            bool self_contained;
            assert_int_equal(frame_decode(buf_bytes(&framed), lz4, &scratch, &used, &payload,
                                          &self_contained, &fail),
                             ERR_PROTOCOL);
            framed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    arena_free(&a);
    buf_free(&plain);
    buf_free(&framed);
    buf_free(&scratch);
}

/* Values computed with cassandra/segment.py of the Python driver 3.30. */
static void test_checksums_as_the_python_driver_has_them(void **state)
{
    (void)state;
    assert_int_equal(frame_crc24(0x020009, 3), 0xc1c8a4);
    assert_int_equal(frame_crc32(bytes_of("", 0)), 0x44777ed3);
    assert_int_equal(frame_crc32(bytes_str("hello frame")), 0xc5ed6591);
}

static void test_compression_and_its_lies(void **state)
{
    (void)state;
    struct buf in = {0}, packed = {0}, out = {0};
    for (int i = 0; i < 10000; i++)
        buf_u8(&in, (uint8_t)(i / 100));
    for (enum compression c = COMPRESSION_NONE; c <= COMPRESSION_SNAPPY; c++) {
        packed.n = out.n = 0;
        compression_deflate(c, buf_bytes(&in), &packed);
        assert_int_equal(compression_inflate(c, buf_bytes(&packed), 10000, &out), OK);
        assert_true(bytes_equal(buf_bytes(&in), buf_bytes(&out)));
        out.n = 0;
        assert_int_equal(compression_inflate(c, buf_bytes(&packed), 9999, &out), ERR_PROTOCOL);
    }
    static const uint8_t bomb[] = {0x40, 0, 0, 0, 0};
    out.n = 0;
    assert_int_equal(
        compression_inflate(COMPRESSION_LZ4, bytes_of(bomb, sizeof bomb), SIZE_MAX, &out),
        ERR_PROTOCOL);
    assert_true(out.cap < 1 << 20);
    buf_free(&in);
    buf_free(&packed);
    buf_free(&out);
}

static void test_query_and_every_truncation(void **state)
{
    (void)state;
    struct buf b = {0};
    wire_put_long_string(&b, bytes_str("SELECT 1"));
    buf_be16(&b, 4);
    buf_be32(&b, QUERY_VALUES | QUERY_PAGE_SIZE | QUERY_PAGING_STATE | QUERY_TIMESTAMP |
                     QUERY_KEYSPACE | QUERY_NOW);
    buf_be16(&b, 3);
    wire_put_bytes(&b, bytes_str("v"));
    buf_be32(&b, UINT32_MAX);
    buf_be32(&b, UINT32_MAX - 1);
    buf_be32(&b, 100);
    wire_put_bytes(&b, bytes_str("state"));
    buf_be64(&b, 77);
    wire_put_cstring(&b, "ks");
    buf_be32(&b, 5);
    struct arena a;
    arena_init(&a, 0);
    struct request_query q;
    struct fail fail = {.arena = &a};
    assert_int_equal(request_decode_query(buf_bytes(&b), 5, &a, &q, &fail), OK);
    assert_true(bytes_equal_str(q.text, "SELECT 1"));
    assert_int_equal(q.params.values_count, 3);
    assert_true(bytes_is_null(q.params.values[1]));
    assert_ptr_equal(q.params.values[2].p, wire_unset);
    assert_int_equal(q.params.page_size, 100);
    assert_int_equal(q.params.timestamp_us, 77);
    assert_true(bytes_equal_str(q.params.keyspace, "ks"));
    assert_int_equal(q.params.now_s, 5);
    for (size_t n = 0; n < b.n; n++) {
        /* A copy of its own, so that the sanitizer sees a read behind it. */
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, b.p, n);
        assert_int_equal(request_decode_query(bytes_of(copy, n), 5, &a, &q, &fail), ERR_PROTOCOL);
        free(copy);
    }
    arena_free(&a);
    buf_free(&b);
}

static void test_errors_by_version(void **state)
{
    (void)state;
    struct buf b = {0};
    struct fail f = {.err = ERR_WRITE_FAILURE,
                     .message = bytes_str("x"),
                     .consistency = 4,
                     .received = 1,
                     .required = 2,
                     .failures_count = 1,
                     .write_type = "BATCH"};
    response_put_error(&b, &f, 3);
    assert_int_equal(load_be32(b.p), 0x1100); /* v3 knows no failures: a timeout */
    b.n = 0;
    response_put_error(&b, &f, 4);
    assert_int_equal(load_be32(b.p), 0x1500);
    size_t v4 = b.n;
    b.n = 0;
    response_put_error(&b, &f, 5);
    assert_int_equal(b.n, v4 + 7); /* one endpoint (5 bytes) and its reason (2) */
    b.n = 0;
    f.err = ERR_UNAVAILABLE;
    f.alive = 1;
    response_put_error(&b, &f, 5);
    assert_int_equal(load_be32(b.p + 4 + 3 + 2), 2);
    assert_int_equal(load_be32(b.p + 4 + 3 + 6), 1);
    b.n = 0;
    f.err = ERR_CORRUPT;
    response_put_error(&b, &f, 5);
    assert_int_equal(load_be32(b.p), 0);
    buf_free(&b);
}

static void test_types_that_old_versions_do_not_know(void **state)
{
    (void)state;
    struct buf b = {0};
    response_put_type(&b, type_native(TYPE_DURATION), 5);
    assert_int_equal(load_be16(b.p), 0x15);
    b.n = 0;
    response_put_type(&b, type_native(TYPE_DURATION), 4);
    assert_int_equal(load_be16(b.p), 0);
    assert_true(bytes_equal_str(bytes_of(b.p + 4, b.n - 4),
                                "org.apache.cassandra.db.marshal.DurationType"));
    b.n = 0;
    response_put_type(&b, type_native(TYPE_TINYINT), 3);
    assert_int_equal(load_be16(b.p), 0);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_round_trip),
        cmocka_unit_test(test_every_flipped_bit_is_seen),
        cmocka_unit_test(test_checksums_as_the_python_driver_has_them),
        cmocka_unit_test(test_compression_and_its_lies),
        cmocka_unit_test(test_query_and_every_truncation),
        cmocka_unit_test(test_errors_by_version),
        cmocka_unit_test(test_types_that_old_versions_do_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
