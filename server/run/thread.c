/* Threads and turns: see thread.h. */
#include "server/run/thread.h"

#include "server/run/log.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { TURN_US_MAX = 2000, MESSAGES_PER_CLOCK = 64 };

static struct now clocks(void)
{
    struct timespec m, w;
    clock_gettime(CLOCK_MONOTONIC, &m);
    clock_gettime(CLOCK_REALTIME, &w);
    return (struct now){{(int64_t)m.tv_sec * 1000000 + m.tv_nsec / 1000},
                        {(int64_t)w.tv_sec * 1000000 + w.tv_nsec / 1000}};
}

void thread_read_clock(struct thread *t)
{
    t->now = clocks();
}

struct thread *server_thread_of(struct server *s, uint16_t endpoint)
{
    switch (endpoint) {
    case ENDPOINT_CONTROL: return &s->threads[s->loops_count];
    case ENDPOINT_LOG: return &s->threads[s->loops_count + 1];
    case ENDPOINT_JOBS: return &s->threads[s->loops_count + 2];
    default: return &s->threads[endpoint % s->loops_count];
    }
}

void thread_wake(struct thread *t)
{
    ev_async_send(t->ev, &t->wake);
}

void thread_awake_shard(struct thread *t, struct shard *s)
{
    if (s->awake)
        return;
    s->awake = true;
    shard_begin_turn(s, t->now);
    t->awake[t->awake_count++] = s;
}

/* Sorts messages by where they go: this thread's own are delivered in this turn, others when it ends. */
static void route(struct thread *t, struct message_queue *q)
{
    for (struct message *m; (m = message_pop(q));) {
        struct thread *to = server_thread_of(t->server, m->to);
        message_push(to == t ? &t->local : &t->outboxes[to - t->server->threads], m);
    }
}

static void send_outboxes(struct thread *t)
{
    for (uint32_t i = 0; i < t->server->threads_count; i++) {
        if (t->outboxes[i].head == NULL)
            continue;
        struct thread *to = &t->server->threads[i];
        if (mailbox_push(&to->mailbox, &t->outboxes[i]))
            thread_wake(to);
    }
}

static void deliver_to_loop(struct thread *t, struct message *m)
{
    if (m->verb == VERB_CONNECTION) {
        thread_awake_shard(t, &t->server->shards[m->to]);
        connections_accept_fd(t, m);
        return;
    }
    if (m->verb == VERB_STOP) {
        if (t->index == 0)
            listeners_stop(t->server);
        t->closing = true;
        connections_stop_input(t);
        message_push(&t->stops, m);
        return;
    }
    struct shard *s = &t->server->shards[m->to];
    if (m->verb == VERB_DRAIN && m->is_reply) {
        message_free(m);
        __atomic_add_fetch(&t->server->drained, 1, __ATOMIC_RELEASE);
        return;
    }
    thread_awake_shard(t, s);
    shard_message(s, m);
    route(t, &s->out);
}

static void deliver(struct thread *t, struct message *m)
{
    struct server *s = t->server;
    switch (t->kind) {
    case THREAD_LOOP: deliver_to_loop(t, m); return;
    case THREAD_CONTROL:
        control_message(&s->control, t->now, m);
        route(t, &s->control.out);
        return;
    case THREAD_LOG: log_writer_message(&s->log_writer, m); return;
    case THREAD_JOBS: jobs_message(&s->jobs, m); return;
    }
}

/* Delivers what is there, and what that brings about. False when the turn's time ran out first. */
static bool deliver_local(struct thread *t)
{
    int64_t until = t->now.mono.us + TURN_US_MAX;
    unsigned n = 0;
    for (struct message *m; (m = message_pop(&t->local));) {
        deliver(t, m);
        if (++n % MESSAGES_PER_CLOCK == 0 && clocks().mono.us > until)
            return t->local.head == NULL;
    }
    return true;
}

static bool deliver_all(struct thread *t)
{
    mailbox_take(&t->mailbox, &t->local);
    return deliver_local(t);
}

/* A timer that fires too early does no harm, so it is set anew only when it would fire too late: not in every turn. */
static void arm_timer(struct thread *t, struct mono_us deadline)
{
    if (deadline.us >= t->timer_at.us)
        return;
    t->timer_at = deadline;
    ev_timer_stop(t->ev, &t->timer);
    int64_t left = deadline.us - t->now.mono.us;
    ev_timer_set(&t->timer, left > 0 ? (double)left / 1e6 : 0.0, 0.0);
    ev_timer_start(t->ev, &t->timer);
}

/* A shard that is to stop says so once its requests have ended; its answers still go out before its connections are closed. */
static void end_stops(struct thread *t)
{
    struct message_queue all = t->stops;
    t->stops = (struct message_queue){0};
    for (struct message *m; (m = message_pop(&all));) {
        if (t->server->shards[m->to].host.requests_count) {
            message_push(&t->stops, m);
            continue;
        }
        message_free(m);
        __atomic_add_fetch(&t->server->drained, 1, __ATOMIC_RELEASE);
    }
}

static bool end_turn_loop(struct thread *t)
{
    /* What sessions sent is delivered before the shards end their turn: a write that came in this turn goes to the log in
     * this turn, not when the loop is next woken. */
    for (uint32_t i = 0; i < t->awake_count; i++)
        route(t, &t->awake[i]->out);
    bool done = deliver_all(t);
    struct mono_us deadline = MONO_NEVER;
    for (uint32_t i = 0; i < t->awake_count; i++) {
        struct shard *s = t->awake[i];
        shard_end_turn(s);
        route(t, &s->out);
        struct mono_us d = shard_deadline(s);
        if (d.us < deadline.us)
            deadline = d;
    }
    /* What the ends of turns brought about may again be for the log: then another turn, at once. */
    done = done && t->local.head == NULL;
    done = deliver_local(t) && done;
    connections_write(t);
    /* Connections that may be read from again went on with what they had left. */
    for (uint32_t i = 0; i < t->awake_count; i++)
        done = done && t->awake[i]->out.head == NULL;
    for (uint32_t i = 0; done && i < t->awake_count; i++)
        t->awake[i]->awake = false;
    if (done)
        t->awake_count = 0;
    end_stops(t);
    arm_timer(t, deadline);
    return done;
}

static bool end_turn_log(struct thread *t)
{
    struct server *s = t->server;
    bool done = deliver_all(t);
    log_writer_end_turn(&s->log_writer, t->now);
    if (s->log_writer.failed != OK) {
        /* Nothing may be acknowledged after a failed sync, by this node, ever: see log_writer.c. */
        log_error("commitlog", "%.*s", BYTES_FMT(s->log_writer.fail.message));
        server_die("commitlog",
                   "the commit log failed: the node stops, as nothing can be promised any more");
    }
    route(t, &s->log_writer.out);
    arm_timer(t, log_writer_deadline(&s->log_writer));
    return done;
}

static bool end_turn_jobs(struct thread *t)
{
    struct server *s = t->server;
    deliver_all(t);
    bool worked = jobs_step(&s->jobs, t->now);
    if (worked && s->jobs.fail.err != OK)
        log_error("flush", "%.*s", BYTES_FMT(s->jobs.fail.message));
    /* After a failed write or sync LMDB itself answers nothing but errors; nothing acknowledged is lost, the log holds it. */
    if (s->jobs.failed != OK)
        server_die("flush", "writing the level failed: the node stops");
    route(t, &s->jobs.out);
    struct mono_us d = jobs_deadline(&s->jobs);
    arm_timer(t, d);
    return !(worked && d.us <= t->now.mono.us);
}

static void on_prepare(struct ev_loop *ev, ev_prepare *w, int events)
{
    (void)events;
    struct thread *t = w->data;
    bool done = true;
    switch (t->kind) {
    case THREAD_LOOP: done = end_turn_loop(t); break;
    case THREAD_CONTROL: done = deliver_all(t); break;
    case THREAD_LOG: done = end_turn_log(t); break;
    case THREAD_JOBS: done = end_turn_jobs(t); break;
    }
    send_outboxes(t);
    /* Work left: poll without waiting. */
    if (!done)
        ev_idle_start(ev, &t->idle);
    else
        ev_idle_stop(ev, &t->idle);
    if (__atomic_load_n(&t->stopping, __ATOMIC_ACQUIRE) && done) {
        if (t->kind == THREAD_LOOP)
            connections_close_all(t);
        ev_break(ev, EVBREAK_ALL);
    }
}

static void on_check(struct ev_loop *ev, ev_check *w, int events)
{
    (void)ev;
    (void)events;
    struct thread *t = w->data;
    t->now = clocks();
    for (uint32_t i = 0; i < t->awake_count; i++) /* left over from a turn whose time ran out */
        shard_begin_turn(t->awake[i], t->now);
}

static void on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)ev;
    (void)events;
    struct thread *t = w->data;
    t->timer_at = MONO_NEVER;
    for (uint32_t i = 0; i < t->shards_count; i++) {
        thread_awake_shard(t, t->shards[i]);
        shard_tick(t->shards[i]);
    }
}

static void on_wake(struct ev_loop *ev, ev_async *w, int events)
{
    (void)ev;
    (void)w;
    (void)events;
}

static void on_idle(struct ev_loop *ev, ev_idle *w, int events)
{
    (void)ev;
    (void)w;
    (void)events;
}

void thread_init(struct thread *t, struct server *s, enum thread_kind kind, uint32_t index)
{
    t->server = s;
    t->kind = kind;
    t->index = index;
    t->now = clocks();
    t->timer_at = MONO_NEVER;
    t->ev = ev_loop_new(EVFLAG_NOENV | EVBACKEND_EPOLL);
    ensure(t->ev != NULL);
    t->outboxes = calloc(s->threads_count, sizeof *t->outboxes);
    ensure(t->outboxes != NULL);
    list_init(&t->connections);
    ev_async_init(&t->wake, on_wake);
    ev_prepare_init(&t->prepare, on_prepare);
    ev_check_init(&t->check, on_check);
    ev_timer_init(&t->timer, on_timer, 0, 0);
    ev_idle_init(&t->idle, on_idle);
    t->wake.data = t->prepare.data = t->check.data = t->timer.data = t->idle.data = t;
    ev_async_start(t->ev, &t->wake);
    ev_prepare_start(t->ev, &t->prepare);
    ev_check_start(t->ev, &t->check);
    /* The clock is read before anything else in a turn. */
    ev_set_priority(&t->check, EV_MAXPRI);
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;
    /* Signals are the main thread's. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    ev_run(t->ev, 0);
    return NULL;
}

void thread_start(struct thread *t)
{
    int rc = pthread_create(&t->id, NULL, thread_main, t);
    ensure(rc == 0);
    t->started = true;
}

void thread_join(struct thread *t)
{
    if (!t->started)
        return;
    pthread_join(t->id, NULL);
    t->started = false;
}

void thread_free(struct thread *t)
{
    free(t->outboxes);
    free(t->shards);
    free(t->awake);
    free(t->read_buffer);
    ev_loop_destroy(t->ev);
}
