// The mailbox with threads: nothing is lost, nothing comes twice, each sender's messages stay in order, and whoever finds it empty is
// told so (else a wake-up would be missed). Under the thread sanitizer this also proves what a message carries is seen.
#include "server/run/mailbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SENDERS = 2, MESSAGES = 100000 };

struct parcel {
    struct message head;
    uint32_t sender, number; // not atomic: published by the mailbox
};

static struct mailbox box;
static uint32_t wakes; // atomic

static void push_some(struct parcel *parcels, uint32_t from, uint32_t count)
{
    struct message_queue q = {0};
    for (uint32_t i = from; i < from + count; i++)
        message_push(&q, &parcels[i].head);
    if (mailbox_push(&box, &q))
        __atomic_add_fetch(&wakes, 1, __ATOMIC_RELAXED);
    assert_null(q.head);
}

static void *send_all(void *arg)
{
    struct parcel *parcels = arg;
    for (uint32_t i = 0; i < MESSAGES;) {
        uint32_t count = 1 + i % 7;
        if (count > MESSAGES - i)
            count = MESSAGES - i;
        push_some(parcels, i, count);
        i += count;
    }
    return NULL;
}

static void test_two_senders_one_taker(void **state)
{
    (void)state;
    struct parcel *parcels[SENDERS];
    pthread_t threads[SENDERS];
    for (uint32_t s = 0; s < SENDERS; s++) {
        parcels[s] = calloc(MESSAGES, sizeof **parcels);
        for (uint32_t i = 0; i < MESSAGES; i++) {
            parcels[s][i].sender = s;
            parcels[s][i].number = i;
        }
        assert_int_equal(pthread_create(&threads[s], NULL, send_all, parcels[s]), 0);
    }
    uint32_t next[SENDERS] = {0}, takes = 0;
    for (uint32_t taken = 0; taken < SENDERS * MESSAGES;) {
        struct message_queue q = {0};
        mailbox_take(&box, &q);
        takes += q.head != NULL;
        for (struct message *m; (m = message_pop(&q)); taken++) {
            struct parcel *p = (struct parcel *)m;
            assert_int_equal(p->number, next[p->sender]);
            next[p->sender]++;
        }
    }
    for (uint32_t s = 0; s < SENDERS; s++) {
        pthread_join(threads[s], NULL);
        free(parcels[s]);
    }
    // The mailbox was emptied as often as it was found empty.
    assert_int_equal(__atomic_load_n(&wakes, __ATOMIC_RELAXED), takes);
    assert_null(box.head);
}

static void test_take_appends_in_order(void **state)
{
    (void)state;
    struct mailbox b = {0};
    struct parcel p[6] = {0};
    struct message_queue in = {0}, out = {0};
    assert_false(mailbox_push(&b, &in)); // nothing: nobody is woken
    mailbox_take(&b, &out);
    assert_null(out.head);
    message_push(&out, &p[0].head);
    for (int i = 1; i < 4; i++)
        message_push(&in, &p[i].head);
    assert_true(mailbox_push(&b, &in));
    message_push(&in, &p[4].head);
    message_push(&in, &p[5].head);
    assert_false(mailbox_push(&b, &in));
    mailbox_take(&b, &out);
    for (int i = 0; i < 6; i++)
        assert_ptr_equal(message_pop(&out), &p[i].head);
    assert_null(message_pop(&out));
    assert_null(out.tail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_appends_in_order),
        cmocka_unit_test(test_two_senders_one_taker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
