/* Sockets: listening, accepting, reading into sessions, writing what they have to say. */
#include "server/run/log.h"
#include "server/run/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024, ACCEPT_MAX = 64, READS_MAX = 8, PEERS_SWEEP_MIN = 1024 };

/* How many connections one client address has. Made, counted up and freed by the accepting thread; the others only count down, and
 * that is the last they do with it. */
struct peer {
    uint32_t connections; /* atomic */
    uint8_t address[16];
};

struct listener {
    struct server *server;
    int fd;
    bool shard_aware; /* the client's source port chooses the shard */
    ev_io io;
    ev_timer again; /* after EMFILE */
    struct map
        peers; /* of the first listener, for all: address → struct peer; empty without a bound an address */
    size_t peers_sweep_at;
};

/* VERB_CONNECTION with what only this file knows. */
struct accepted {
    struct message_connection m;
    struct peer *peer; /* or NULL */
};

struct connection {
    struct list link;
    struct thread *thread;
    struct session *session;
    struct peer *peer; /* or NULL */
    uint16_t shard;
    int fd;
    ev_io in, out;
};

static void connection_close(struct connection *c)
{
    struct server *s = c->thread->server;
    ev_io_stop(c->thread->ev, &c->in);
    ev_io_stop(c->thread->ev, &c->out);
    session_close(c->session);
    close(c->fd);
    list_remove(&c->link);
    __atomic_sub_fetch(&s->shard_connections[c->shard], 1, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&s->connections, 1, __ATOMIC_RELAXED);
    if (c->peer)
        __atomic_sub_fetch(&c->peer->connections, 1, __ATOMIC_RELEASE);
    free(c);
}

/* Writes what there is, and decides whether to go on reading. The connection may be gone afterwards. */
static void connection_write(struct connection *c)
{
    struct bytes out = session_output(c->session);
    while (out.n) {
        ssize_t n = send(c->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            if (errno != EAGAIN) {
                connection_close(c);
                return;
            }
            break;
        }
        session_sent(c->session, (size_t)n);
        out = session_output(c->session);
    }
    if (out.n)
        ev_io_start(c->thread->ev, &c->out);
    else
        ev_io_stop(c->thread->ev, &c->out);
    if (session_is_closing(c->session) && out.n == 0) {
        connection_close(c);
        return;
    }
    if (session_wants_input(c->session) && !c->thread->closing) {
        ev_io_start(c->thread->ev, &c->in);
        session_resume(
            c->session); /* what it answers is seen to in this very loop: see connections_write() */
    } else {
        ev_io_stop(c->thread->ev, &c->in);
    }
}

void connections_write(struct thread *t)
{
    for (uint32_t i = 0; i < t->awake_count; i++)
        for (struct session *s; (s = session_next_output(&t->awake[i]->host));)
            connection_write(session_driver(s));
}

static void on_writable(struct ev_loop *ev, ev_io *w, int events)
{
    (void)ev;
    (void)events;
    struct connection *c = w->data;
    thread_awake_shard(c->thread, &c->thread->server->shards[c->shard]);
    connection_write(c);
}

static void on_readable(struct ev_loop *ev, ev_io *w, int events)
{
    (void)events;
    struct connection *c = w->data;
    struct thread *t = c->thread;
    thread_awake_shard(t, &t->server->shards[c->shard]);
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = recv(c->fd, t->read_buffer, READ_BYTES, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            connection_close(c);
            return;
        }
        /* The clock is read after the bytes: a client that had an answer from another shard and writes again now must get a later
         * timestamp, however long this turn has been going on. */
        thread_read_clock(t);
        shard_begin_turn(&t->server->shards[c->shard], t->now);
        session_receive(c->session, bytes_of(t->read_buffer, (size_t)n));
        if (!session_wants_input(c->session)) {
            ev_io_stop(ev, &c->in);
            session_touch_output(c->session);
            return;
        }
        if (n < READ_BYTES)
            return;
    }
}

void connections_accept_fd(struct thread *t, struct message *m)
{
    struct message_connection *x = container_of(m, struct message_connection, head);
    struct connection *c = calloc(1, sizeof *c);
    ensure(c != NULL);
    c->thread = t;
    c->fd = x->fd;
    c->peer = container_of(x, struct accepted, m)->peer;
    c->shard = m->to;
    c->session = session_open(&t->server->shards[m->to].host, x->address, x->port);
    session_set_driver(c->session, c);
    ev_io_init(&c->in, on_readable, c->fd, EV_READ);
    ev_io_init(&c->out, on_writable, c->fd, EV_WRITE);
    c->in.data = c->out.data = c;
    list_push_back(&t->connections, &c->link);
    if (t->read_buffer == NULL) {
        t->read_buffer = malloc(READ_BYTES);
        ensure(t->read_buffer != NULL);
    }
    ev_io_start(t->ev, &c->in);
    message_free(m);
}

void connections_stop_input(struct thread *t)
{
    list_for_each(it, &t->connections)
        ev_io_stop(t->ev, &container_of(it, struct connection, link)->in);
}

void connections_close_all(struct thread *t)
{
    list_for_each_safe(it, tmp, &t->connections)
        connection_close(container_of(it, struct connection, link));
}

/* --- Accepting ------------------------------------------------------------------------------------------------------------------------ */

/* Port 9042: the shard with the fewest connections. The shard-aware port: source port mod shards, as shard-aware drivers choose it. */
static uint16_t choose_shard(struct server *s, bool shard_aware, uint16_t source_port)
{
    uint16_t shards = s->node.topology.shards;
    if (shard_aware)
        return source_port % shards;
    uint16_t best = 0;
    for (uint16_t i = 1; i < shards; i++)
        if (__atomic_load_n(&s->shard_connections[i], __ATOMIC_RELAXED) <
            __atomic_load_n(&s->shard_connections[best], __ATOMIC_RELAXED))
            best = i;
    return best;
}

/* Frees those without a connection, when there are twice as many as were left the last time. */
static void sweep_peers(struct listener *l)
{
    if (l->peers.count < l->peers_sweep_at)
        return;
    struct map_slot *slot;
    for (size_t i = 0; (slot = map_next(&l->peers, &i));) {
        struct peer *p = slot->value;
        if (__atomic_load_n(&p->connections, __ATOMIC_ACQUIRE))
            continue;
        map_del(&l->peers, slot->key);
        free(p);
    }
    l->peers_sweep_at = l->peers.count < PEERS_SWEEP_MIN / 2 ? PEERS_SWEEP_MIN : 2 * l->peers.count;
}

static struct peer *find_peer(struct listener *l, const struct sockaddr_storage *from)
{
    const struct sockaddr_in *v4 = (const void *)from;
    const struct sockaddr_in6 *v6 = (const void *)from;
    struct bytes key =
        from->ss_family == AF_INET6 ? bytes_of(&v6->sin6_addr, 16) : bytes_of(&v4->sin_addr, 4);
    struct peer *p = map_get(&l->peers, key);
    if (p)
        return p;
    sweep_peers(l);
    p = calloc(1, sizeof *p);
    ensure(p != NULL);
    memcpy(p->address, key.p, key.n);
    map_put(&l->peers, bytes_of(p->address, key.n), p);
    return p;
}

/* Whether another connection is within native_transport_max_concurrent_connections and ..._per_ip; then it is counted. */
static bool admit(struct server *s, const struct sockaddr_storage *from, struct peer **peer)
{
    uint32_t max = s->config->connections_max, max_per_ip = s->config->connections_per_ip_max;
    *peer = NULL;
    if (max && __atomic_load_n(&s->connections, __ATOMIC_RELAXED) >= max)
        return false;
    if (max_per_ip) {
        struct peer *p = find_peer(&s->listeners[0], from);
        if (__atomic_load_n(&p->connections, __ATOMIC_RELAXED) >= max_per_ip)
            return false;
        __atomic_add_fetch(&p->connections, 1, __ATOMIC_RELAXED);
        *peer = p;
    }
    __atomic_add_fetch(&s->connections, 1, __ATOMIC_RELAXED);
    return true;
}

static void hand_over(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    struct server *s = l->server;
    struct peer *peer;
    if (!admit(s, from, &peer)) {
        close(fd);
        return;
    }
    struct accepted *accepted = calloc(1, sizeof *accepted);
    ensure(accepted != NULL);
    accepted->peer = peer;
    struct message_connection *m = &accepted->m;
    m->fd = fd;
    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const void *)from;
        inet_ntop(AF_INET6, &a->sin6_addr, m->address, sizeof m->address);
        m->port = ntohs(a->sin6_port);
    } else {
        const struct sockaddr_in *a = (const void *)from;
        inet_ntop(AF_INET, &a->sin_addr, m->address, sizeof m->address);
        m->port = ntohs(a->sin_port);
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    uint16_t shard = choose_shard(s, l->shard_aware, m->port);
    __atomic_add_fetch(&s->shard_connections[shard], 1, __ATOMIC_RELAXED);
    m->head = (struct message){.to = shard, .verb = VERB_CONNECTION};
    struct message_queue q = {0};
    message_push(&q, &m->head);
    struct thread *t = server_thread_of(s, shard);
    mailbox_push(&t->mailbox, &q);
    thread_wake(t);
}

static void on_accept(struct ev_loop *ev, ev_io *w, int events)
{
    (void)events;
    struct listener *l = w->data;
    for (int i = 0; i < ACCEPT_MAX; i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof from;
        int fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            hand_over(l, fd, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            /* The listening socket stays readable: do not spin on it. */
            log_warn("transport", "cannot accept a connection: %s", strerror(errno));
            ev_io_stop(ev, w);
            ev_timer_set(&l->again, 0.1, 0.0);
            ev_timer_start(ev, &l->again);
        }
        return;
    }
}

static void on_accept_again(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)events;
    struct listener *l = w->data;
    ev_io_start(ev, &l->io);
}

static err_t listen_on(struct server *s, struct listener *l, const char *address, uint16_t port,
                       struct fail *fail)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in *v4 = (void *)&a;
    struct sockaddr_in6 *v6 = (void *)&a;
    socklen_t n;
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        n = sizeof *v4;
    } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        n = sizeof *v6;
    } else {
        return fail_set(fail, ERR_CONFIG, "rpc_address: \"%s\" is not an IPv4 or IPv6 address",
                        address);
    }
    l->server = s;
    l->fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    if (l->fd < 0)
        return fail_set(fail, ERR_IO, "cannot make a socket: %s", strerror(errno));
    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(l->fd, (struct sockaddr *)&a, n) != 0 || listen(l->fd, 4096) != 0) {
        err_t err =
            fail_set(fail, ERR_IO, "cannot listen on %s:%u: %s", address, port, strerror(errno));
        close(l->fd);
        l->fd = -1;
        return err;
    }
    ev_io_init(&l->io, on_accept, l->fd, EV_READ);
    ev_timer_init(&l->again, on_accept_again, 0, 0);
    l->io.data = l->again.data = l;
    return OK;
}

err_t listeners_open(struct server *s, struct fail *fail)
{
    const struct config *c = s->config;
    s->listeners = calloc(2, sizeof *s->listeners);
    ensure(s->listeners != NULL);
    s->listeners[0].peers_sweep_at = PEERS_SWEEP_MIN;
    uint64_t *seed = &s->listeners[0].peers.seed; /* addresses come from outside */
    if (getrandom(seed, sizeof *seed, 0) != sizeof *seed)
        return fail_set(fail, ERR_IO, "the system gives no random bytes");
    TRY(listen_on(s, &s->listeners[0], c->rpc_address, c->native_transport_port, fail));
    s->listeners_count = 1;
    if (c->native_shard_aware_transport_port == 0)
        return OK;
    TRY(listen_on(s, &s->listeners[1], c->rpc_address, c->native_shard_aware_transport_port, fail));
    s->listeners[1].shard_aware = true;
    s->listeners_count = 2;
    return OK;
}

void listeners_start(struct server *s)
{
    for (size_t i = 0; i < s->listeners_count; i++)
        ev_io_start(s->threads[0].ev, &s->listeners[i].io);
}

void listeners_stop(struct server *s)
{
    for (size_t i = 0; i < s->listeners_count; i++) {
        ev_io_stop(s->threads[0].ev, &s->listeners[i].io);
        ev_timer_stop(s->threads[0].ev, &s->listeners[i].again);
    }
}

void listeners_close(struct server *s)
{
    for (size_t i = 0; i < s->listeners_count; i++)
        close(s->listeners[i].fd);
    struct map_slot *slot;
    for (size_t i = 0; (slot = map_next(&s->listeners[0].peers, &i));)
        free(slot->value);
    map_free(&s->listeners[0].peers);
    free(s->listeners);
    s->listeners = NULL;
    s->listeners_count = 0;
}
