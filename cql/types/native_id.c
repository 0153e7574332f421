/* uuid, timeuuid and inet. */
#include "cql/types/ops.h"

#include <arpa/inet.h>

/* The time of a version 1 uuid in order of significance, its version in the top four bits. */
static uint64_t time_first(uint64_t msb)
{
    return msb << 48 | (msb << 16 & UINT64_C(0xFFFF00000000)) | msb >> 32;
}

static int compare_u64(uint64_t x, uint64_t y)
{
    return (x > y) - (x < y);
}

err_t uuid_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n == 16 || v.n == 0)
        return OK;
    return fail_set(fail, ERR_INVALID, "UUID should be 16 or 0 bytes (%zu)", v.n);
}

err_t timeuuid_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    TRY(uuid_validate(t, v, fail));
    if (v.n == 0 || (v.p[6] & 0xF0) == 0x10)
        return OK;
    /* Cassandra prints the high half of the first byte here, not the version. */
    return fail_set(fail, ERR_INVALID, "Invalid version for TimeUUID type: 0x%x", v.p[0] >> 4);
}

/* By version, then time for version 1 and bytes for others, then the low half unsigned. */
int uuid_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    if (a.n != 16 || b.n != 16)
        return (a.n == 16) - (b.n == 16);
    uint64_t x = load_be64(a.p), y = load_be64(b.p);
    int c = compare_u64(x >> 12 & 15, y >> 12 & 15);
    if (c != 0)
        return c;
    if ((x >> 12 & 15) == 1) {
        x = time_first(x);
        y = time_first(y);
    }
    c = compare_u64(x, y);
    return c != 0 ? c : compare_u64(load_be64(a.p + 8), load_be64(b.p + 8));
}

/* By time, then the low half byte by byte as signed numbers (kept for compatibility by Cassandra). */
int timeuuid_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    if (a.n != 16 || b.n != 16)
        return (a.n == 16) - (b.n == 16);
    int c = compare_u64(time_first(load_be64(a.p)), time_first(load_be64(b.p)));
    if (c != 0)
        return c;
    const uint64_t flip = UINT64_C(0x8080808080808080);
    return compare_u64(load_be64(a.p + 8) ^ flip, load_be64(b.p + 8) ^ flip);
}

void uuid_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    if (v.n == 16)
        uuid_print(v.p, out);
}

void timeuuid_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    uuid_to_text(t, v, out);
}

err_t uuid_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    (void)t;
    uint8_t *p = arena_alloc(a, 16);
    if (!uuid_parse(text, p))
        return fail_set(fail, ERR_INVALID, "Unable to make UUID from '%.*s'", BYTES_FMT(text));
    *out = bytes_of(p, 16);
    return OK;
}

err_t timeuuid_from_text(const struct type *t, struct bytes text, struct arena *a,
                         struct bytes *out, struct fail *fail)
{
    (void)t;
    uint8_t *p = arena_alloc(a, 16);
    if (!uuid_parse(text, p))
        return fail_set(fail, ERR_INVALID, "Unknown timeuuid representation: %.*s",
                        BYTES_FMT(text));
    if (p[6] >> 4 != 1)
        return fail_set(fail, ERR_INVALID, "TimeUUID supports only version 1 UUIDs");
    *out = bytes_of(p, 16);
    return OK;
}

/* --- inet -------------------------------------------------------------------------------------- */

static const uint8_t mapped_prefix[12] = {[10] = 0xFF, [11] = 0xFF};

err_t inet_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    (void)t;
    if (v.n == 4 || v.n == 16 || v.n == 0)
        return OK;
    if (fail == NULL)
        return ERR_INVALID;
    struct buf hex = buf_in(fail->arena);
    hex_print(bytes_of(v.p, v.n < 4096 ? v.n : 4096), &hex);
    return fail_set(fail, ERR_INVALID, "Expected 4 or 16 byte inetaddress; got %.*s",
                    BYTES_FMT(buf_bytes(&hex)));
}

int inet_compare(const struct type *t, struct bytes a, struct bytes b)
{
    (void)t;
    return bytes_compare(a, b);
}

/* As Java prints them: no :: shortening, and an IPv4-mapped address as IPv4. */
void inet_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    (void)t;
    if (v.n == 16 && memcmp(v.p, mapped_prefix, 12) == 0)
        v = bytes_skip(v, 12);
    if (v.n == 4)
        buf_printf(out, "%u.%u.%u.%u", v.p[0], v.p[1], v.p[2], v.p[3]);
    if (v.n != 16)
        return;
    for (int i = 0; i < 16; i += 2)
        buf_printf(out, "%s%x", i ? ":" : "", load_be16(v.p + i));
}

/* One to four decimal parts, the last filling what is left (1.2 is 1.0.0.2), as Java's address parser. */
static bool parse_ipv4(struct bytes text, uint8_t *out)
{
    uint64_t part[4];
    int n = 0;
    size_t at = 0;
    for (;;) {
        uint64_t x = 0;
        size_t start = at;
        while (at < text.n && text.p[at] >= '0' && text.p[at] <= '9' && at - start < 11)
            x = x * 10 + (uint64_t)(text.p[at++] - '0');
        if (at == start || n == 4)
            return false;
        part[n++] = x;
        if (at == text.n)
            break;
        if (text.p[at++] != '.')
            return false;
    }
    uint64_t last_max = UINT64_C(0xFFFFFFFF) >> (8 * (n - 1));
    uint64_t address = part[n - 1];
    if (address > last_max)
        return false;
    for (int i = 0; i < n - 1; i++) {
        if (part[i] > 255)
            return false;
        address |= part[i] << (24 - 8 * i);
    }
    store_be32(out, (uint32_t)address);
    return true;
}

err_t inet_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    (void)t;
    uint8_t *p = arena_alloc(a, 16);
    if (parse_ipv4(text, p)) {
        *out = bytes_of(p, 4);
        return OK;
    }
    struct bytes s = text;
    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        s = bytes_of(s.p + 1, s.n - 2);
    /* A zone ("fe80::1%eth0") is no part of the value. */
    const uint8_t *zone = memchr(s.p, '%', s.n);
    if (zone != NULL && zone > s.p && zone + 1 < s.p + s.n)
        s.n = (size_t)(zone - s.p);
    char small[64];
    if (s.n < sizeof small && memchr(s.p, 0, s.n) == NULL) {
        memcpy(small, s.p, s.n);
        small[s.n] = 0;
        if (inet_pton(AF_INET6, small, p) == 1) {
            bool mapped = memcmp(p, mapped_prefix, 12) == 0;
            *out = mapped ? bytes_of(p + 12, 4) : bytes_of(p, 16);
            return OK;
        }
    }
    return fail_set(fail, ERR_INVALID, "Unable to make inet address from '%.*s'", BYTES_FMT(text));
}
