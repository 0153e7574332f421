/* Consistency levels: how many replicas each waits for, and whether they are there. Source: Cassandra's ConsistencyLevel.blockFor and
 * ReplicaPlans.assureSufficientLiveReplicas. */
#include "cql/data/consistency.h"
#include "server/coord/coord.h"

static int32_t factor_total(const struct replication *r)
{
    if (r->class == REPLICATION_LOCAL)
        return 1;
    if (r->class == REPLICATION_SIMPLE)
        return r->factor;
    int32_t total = 0;
    for (size_t i = 0; i < r->dcs_count; i++)
        total += r->dcs[i].factor;
    return total;
}

static int32_t factor_local(const struct replication *r, const struct topology *t)
{
    if (r->class != REPLICATION_NETWORK_TOPOLOGY)
        return factor_total(r);
    for (size_t i = 0; i < r->dcs_count; i++)
        if (bytes_equal(r->dcs[i].dc, t->local_dc))
            return r->dcs[i].factor;
    return 0;
}

int32_t coord_block_for(uint16_t cl, const struct replication *r, const struct topology *t)
{
    switch (cl) {
    case CL_TWO: return 2;
    case CL_THREE: return 3;
    case CL_QUORUM:
    case CL_SERIAL: return factor_total(r) / 2 + 1;
    case CL_ALL: return factor_total(r);
    case CL_LOCAL_QUORUM:
    case CL_LOCAL_SERIAL: return factor_local(r, t) / 2 + 1;
    case CL_EACH_QUORUM: {
        if (r->class != REPLICATION_NETWORK_TOPOLOGY)
            return factor_total(r) / 2 + 1;
        int32_t sum = 0;
        for (size_t i = 0; i < r->dcs_count; i++)
            sum += r->dcs[i].factor / 2 + 1;
        return sum;
    }
    default: /* ANY, ONE, LOCAL_ONE, NODE_LOCAL */ return 1;
    }
}

static err_t unavailable(struct fail *fail, uint16_t cl, int32_t required, int32_t alive)
{
    err_t err = fail_set(fail, ERR_UNAVAILABLE, "Cannot achieve consistency level %s",
                         consistency_name(cl));
    fail->consistency = cl;
    fail->required = required;
    fail->alive = alive;
    return err;
}

/* In EACH_QUORUM the first datacenter short of its quorum is named by its own numbers. */
static err_t check_each_quorum(const struct replication *r, const struct topology *t,
                               struct fail *fail)
{
    for (size_t i = 0; i < r->dcs_count; i++) {
        int32_t quorum = r->dcs[i].factor / 2 + 1;
        int32_t alive = bytes_equal(r->dcs[i].dc, t->local_dc) && r->dcs[i].factor > 0 ? 1 : 0;
        if (alive < quorum)
            return unavailable(fail, CL_EACH_QUORUM, quorum, alive);
    }
    return OK;
}

err_t coord_check(uint16_t cl, const struct keyspace *ks, const struct topology *t, bool write,
                  struct fail *fail)
{
    if (cl > CL_NODE_LOCAL)
        return fail_set(fail, ERR_PROTOCOL, "Unknown code %u for a consistency level", cl);
    if (cl == CL_ANY && !write)
        return fail_set(fail, ERR_INVALID, "ANY ConsistencyLevel is only supported for writes");
    if (cl == CL_SERIAL || cl == CL_LOCAL_SERIAL) {
        if (write)
            return fail_set(fail, ERR_INVALID,
                            "You must use conditional updates for serializable writes");
        return fail_set(fail, ERR_INVALID, "Reads at consistency level %s are not implemented yet",
                        consistency_name(cl));
    }
    if (cl == CL_NODE_LOCAL)
        return fail_set(fail, ERR_INVALID,
                        "NODE_LOCAL consistency level is highly dangerous and should be used only "
                        "for debugging purposes");
    const struct replication *r = &ks->replication;
    if (cl == CL_EACH_QUORUM && r->class == REPLICATION_NETWORK_TOPOLOGY)
        return check_each_quorum(r, t, fail);
    int32_t required = coord_block_for(cl, r, t);
    int32_t alive = factor_local(r, t) > 0 ? 1 : 0; /* this node is the whole cluster */
    return alive < required ? unavailable(fail, cl, required, alive) : OK;
}
