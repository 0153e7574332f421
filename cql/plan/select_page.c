/* The paging state: where to go on and how much of the limits is left, nothing of node, shard or schema version, so that any node
 * continues it, also after a restart or a schema change. A client may send anything: every byte is checked.
 *
 *   state = version u8 (1), flags u8, pk lstr, ck lstr, remaining varint, rows of pk already given varint */
#include "cql/plan/select_priv.h"

#include "cql/data/mutation.h"

enum { PAGE_VERSION = 1 };
enum { PAGE_PARTITION_DONE = 1, PAGE_ROWS_BEGUN = 2, PAGE_LIMITED = 4, PAGE_FLAGS = 7 };

struct bytes page_state_encode(const struct page_state *p, struct arena *a)
{
    struct buf out = buf_in(a);
    buf_reserve(&out, p->position.pk.n + p->position.ck.n + 32);
    buf_u8(&out, PAGE_VERSION);
    buf_u8(&out, (uint8_t)((p->position.partition_done ? PAGE_PARTITION_DONE : 0) |
                           (p->position.rows_begun ? PAGE_ROWS_BEGUN : 0) |
                           (p->limited ? PAGE_LIMITED : 0)));
    buf_lstr(&out, p->position.pk);
    buf_lstr(&out, p->position.rows_begun ? p->position.ck : bytes_str(""));
    buf_varint(&out, p->limited ? p->remaining : 0);
    buf_varint(&out, p->partition_done);
    return buf_bytes(&out);
}

/* Is ck the encoding of one clustering key of the table, and nothing after it. */
static bool valid_clustering(const struct table *t, struct bytes ck)
{
    struct cur c = cur_of(ck);
    for (uint16_t i = 0; i < t->ck_count; i++)
        if (type_key_skip(table_ck(t, i)->type, table_ck(t, i)->desc, &c) != OK)
            return false;
    return cur_at_end(&c);
}

static bool valid_pk(const struct table *t, struct bytes pk)
{
    if (pk.n == 0 || pk.n > MUTATION_PK_MAX)
        return false;
    struct bytes small[16];
    if (t->pk_count > 16)
        return true; /* checked again when rows of it are decoded */
    return pk_decode(pk, t->pk_count, small);
}

err_t page_state_decode(struct bytes b, const struct select *s, struct page_state *out,
                        struct fail *fail)
{
    struct cur c = cur_of(b);
    *out = (struct page_state){0};
    uint8_t version = cur_u8(&c), flags = cur_u8(&c);
    out->position.set = true;
    out->position.pk = cur_lstr(&c);
    out->position.ck = cur_lstr(&c);
    out->position.partition_done = flags & PAGE_PARTITION_DONE;
    out->position.rows_begun = flags & PAGE_ROWS_BEGUN;
    out->limited = flags & PAGE_LIMITED;
    out->remaining = cur_varint(&c);
    out->partition_done = cur_varint(&c);
    bool good =
        cur_ok(&c) && cur_at_end(&c) && version == PAGE_VERSION && (flags & ~PAGE_FLAGS) == 0;
    good = good && valid_pk(s->table, out->position.pk);
    good = good && (!out->position.rows_begun || valid_clustering(s->table, out->position.ck));
    good = good && out->remaining <= INT32_MAX && out->partition_done <= INT32_MAX;
    if (!good)
        return fail_set(fail, ERR_PROTOCOL, "Invalid value for the paging state");
    return OK;
}
