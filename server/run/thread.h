/* The threads of a node: L loops that drive the shards and sockets, and one each for control, log and jobs. Every thread has a libev loop, a
 * mailbox and a wake-up; messages for another thread are collected in an outbox and pushed once a turn.
 *
 * A turn: poll → read the clocks once → sockets and mailbox → messages until none is left (or the turn's time is used up) → end of
 * turn of each machine that something reached → outboxes → outputs to sockets → poll. Other shards' turns cost nothing. */
#ifndef SERVER_RUN_THREAD_H
#define SERVER_RUN_THREAD_H

#include "server/node/control.h"
#include "server/node/jobs.h"
#include "server/node/log_writer.h"
#include "server/node/shard.h"
#include "server/run/config.h"
#include "server/run/mailbox.h"
#include "storage/disk.h"

#include <ev.h>
#include <pthread.h>

enum thread_kind { THREAD_LOOP, THREAD_CONTROL, THREAD_LOG, THREAD_JOBS };

struct server;

struct thread {
    struct server *server;
    enum thread_kind kind;
    uint32_t index; /* among the loops */
    pthread_t id;
    bool started;
    struct ev_loop *ev;
    ev_async wake;
    ev_prepare prepare;
    ev_check check;
    ev_timer timer;
    ev_idle idle; /* active while a turn left work behind */
    struct mailbox mailbox;
    struct message_queue local;     /* to be delivered on this thread */
    struct message_queue *outboxes; /* one a thread of the server */
    struct now now;
    bool stopping; /* atomic: leave the loop */
    /* THREAD_LOOP */
    struct shard **shards;
    uint32_t shards_count;
    struct shard *
        *awake; /* shards that something reached since their last end of a turn; room for all */
    uint32_t awake_count;
    struct mono_us timer_at; /* when the timer fires; MONO_NEVER: it does not run */
    struct list connections;
    struct message_queue stops; /* VERB_STOP of shards with requests in flight */
    uint8_t *read_buffer;
    bool closing; /* no new input is taken any more */
};

struct server {
    const struct config *config;
    struct node node;
    struct arena arena;  /* lives as long as the server */
    int64_t *own_tokens; /* ascending */
    size_t own_tokens_count;
    struct thread *threads; /* loops, then control, log, jobs */
    uint32_t threads_count, loops_count;
    struct shard *shards;
    struct control control;
    struct log_writer log_writer;
    struct jobs jobs;
    struct uuid directory_id; /* drawn with the directory: a foreign log segment is refused */
    struct disk disk;
    struct commitlog *commitlog;
    int lock_fd;
    uint32_t *shard_connections; /* atomic, by shard */
    uint32_t connections;        /* atomic */
    struct listener *listeners;
    size_t listeners_count;
    uint32_t drained; /* atomic: shards that have drained */
};

struct thread *server_thread_of(struct server *s, uint16_t endpoint);
/* Ends the process at once, saying why: the log can no longer be trusted. */
_Noreturn void server_die(const char *component, const char *what);

/* thread.c */
void thread_init(struct thread *t, struct server *s, enum thread_kind kind, uint32_t index);
void thread_start(struct thread *t);
void thread_join(struct thread *t);
void thread_free(struct thread *t);
/* Sets t->now to now. On t's own thread. */
void thread_read_clock(struct thread *t);
/* From any thread. */
void thread_wake(struct thread *t);
/* Before anything reaches a shard of this thread: gives it the turn's time, and its end of turn. */
void thread_awake_shard(struct thread *t, struct shard *s);

/* connection.c: what loops do with sockets. */
struct listener;
void connections_accept_fd(struct thread *t, struct message *m); /* VERB_CONNECTION */
void connections_write(struct thread *t);                        /* outputs of all shards of t */
void connections_stop_input(struct thread *t);
void connections_close_all(struct thread *t);
err_t listeners_open(struct server *s, struct fail *fail) MUST_USE;
void listeners_close(struct server *s);
void listeners_start(struct server *s); /* on loop 0, before it runs */
void listeners_stop(struct server *s);  /* on loop 0's thread */

/* A socket on its way to the loop of its shard, one way. */
struct message_connection {
    struct message head;
    int fd;
    char address[64];
    uint16_t port;
};

#endif
