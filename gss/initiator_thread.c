/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initiator in a thread of its own: a deadline, a cancel descriptor, and
 * copies of everything that passes.
 *
 * Owner and thread share a struct exchange.  One lock settles which of them
 * frees it: an owner that stops waiting leaves it to the thread.
 */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "gss/initiator.h"
#include "src/base/clock.h"
#include "src/base/descriptor.h"

#define STACK_SIZE (1024UL * 1024)
#define EXIT_MS    100 /* the most that an exit waits for all of them */

enum op { WHO, BEGIN, ANSWER };

/* One thread, and what it was asked last. */
struct exchange {
    struct exchange *next;
    pthread_t thread;
    pthread_cond_t wake;
    int told; /* eventfd, readable when there is a reply */
    bool busy;
    bool over;             /* the owner waits for the thread to return */
    atomic_bool abandoned; /* … or never will: free what there is */
    bool returned;         /* nothing is left but to join it */
    bool cancelled;        /* the end of the process joins it */

    /* The question: the thread's own copies. */
    enum op op;
    struct gc_want want;
    struct gc_bytes password, challenge; /* secret */

    /* The reply. */
    gc_status status;
    struct gc_error error;
    struct gc_said said;
    struct gc_facts facts;

    struct gc_initiator *local; /* made by the thread */
};

struct threaded {
    struct gc_initiator door;
    int cancel_fd;
    pid_t process; /* the one with the thread; a fork has none */
    int64_t deadline;
    struct exchange *exchange;  /* NULL: none is under way */
    struct gc_initiator *local; /* between two exchanges */
    bool begun;
    struct gc_facts facts;
};

/* Guards the list, and in each exchange what the two ends tell each other. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct exchange *all;

static void
acquire_lock(void)
{
    (void)pthread_mutex_lock(&lock);
}

static void
release_lock(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* The threads are the parent's. */
static void
forget_all(void)
{
    all = NULL;
    release_lock();
}

static void
watch_forks(void)
{
    (void)pthread_atfork(acquire_lock, release_lock, forget_all);
}

/* ---- the thread --------------------------------------------------------- */

static void
wipe(void *user)
{
    struct exchange *x = user;

    gc_bytes_clear(&x->password);
    gc_bytes_clear(&x->challenge);
}

static gc_status
work(struct exchange *x)
{
    struct gc_initiator *local = x->local;
    gc_status st = GC_OK;

    if (local == NULL)
        local = x->local = gc_initiator_local_new();
    if (local == NULL)
        return gc_fail_no_memory(&x->error);
    if (x->op == WHO)
        return local->ops->who(local, &x->want, x->facts.principal, &x->error);
    if (x->op == BEGIN)
        st = local->ops->begin(local, &x->want, &x->said, &x->error);
    else
        st = local->ops->answer(local, &x->challenge, &x->said, &x->error);
    return st == GC_OK ? local->ops->facts(local, &x->facts, &x->error) : st;
}

/* Wait for a question; false when there will be none. */
static bool
next_question(struct exchange *x)
{
    bool go;

    acquire_lock();
    while (!x->busy && !x->over && !x->abandoned)
        (void)pthread_cond_wait(&x->wake, &lock);
    go = x->busy && !x->abandoned;
    release_lock();
    return go;
}

/*
 * Only MIT's library can be cancelled, and only at the end of the process; not
 * while it writes to the user's cache.
 */
static void
answer_question(struct exchange *x)
{
    int before;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    x->status = work(x);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    if (x->op == BEGIN && x->status == GC_OK && !x->abandoned)
        gc_initiator_local_save(x->local);
    wipe(x);
    acquire_lock();
    x->busy = false;
    (void)eventfd_write(x->told, 1);
    release_lock();
}

static void
drop(struct exchange *x)
{
    wipe(x);
    gc_said_clear(&x->said);
    gc_initiator_free(GC_TAKE(x->local));
}

/*
 * pthread_cancel unwinds it by force, and so past code that gcc 12's ASan takes
 * for a stack overflow.
 */
__attribute__((no_sanitize_address)) static void *
serve(void *user)
{
    struct exchange *x = user;
    int before;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_cleanup_push(wipe, x);
    while (next_question(x))
        answer_question(x);
    pthread_cleanup_pop(0);
    if (x->abandoned)
        drop(x);
    else if (x->local != NULL)
        x->local->ops->end(x->local);
    acquire_lock();
    x->returned = true;
    release_lock();
    return NULL;
}

/* ---- threads, as their owners see them ---------------------------------- */

static void
exchange_free(struct exchange *x)
{
    drop(x);
    (void)close(x->told);
    (void)pthread_cond_destroy(&x->wake);
    free(x);
}

static void
unlist(const struct exchange *x)
{
    struct exchange **at = &all;

    while (*at != NULL && *at != x)
        at = &(*at)->next;
    if (*at != NULL)
        *at = x->next;
}

/* Free the threads that have returned; how many abandoned ones have not? */
static unsigned int
reap(void)
{
    unsigned int count = 0;
    struct exchange *next;

    acquire_lock();
    for (struct exchange *x = all; x != NULL; x = next) {
        next = x->next;
        if (!x->abandoned)
            continue;
        if (!x->returned) {
            count++;
            continue;
        }
        unlist(x);
        (void)pthread_join(x->thread, NULL);
        exchange_free(x);
    }
    release_lock();
    return count;
}

/* Signals belong to the host's own threads. */
static int
launch(struct exchange *x)
{
    pthread_attr_t attr;
    sigset_t every, before;
    int code = pthread_attr_init(&attr);

    if (code != 0)
        return code;
    (void)pthread_attr_setstacksize(&attr, STACK_SIZE);
    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before);
    code = pthread_create(&x->thread, &attr, serve, x);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return code;
}

static gc_status
start(struct threaded *t, struct gc_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct exchange *x;
    int code;
    gc_status st;

    if (reap() >= GC_ABANDONED_MAX) {
        st = gc_fail(err, GC_E_UNAVAILABLE,
                     "%d earlier requests still wait for a KDC",
                     GC_ABANDONED_MAX);
        return gc_fail_hint(
            err, st, "check that a KDC of the realm is up and reachable");
    }
    (void)pthread_once(&once, watch_forks);
    x = calloc(1, sizeof(*x));
    if (x == NULL)
        return gc_fail_no_memory(err);
    x->local = GC_TAKE(t->local);
    (void)pthread_cond_init(&x->wake, NULL);
    x->told = gc_descriptor_lift(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    code = x->told < 0 ? errno : launch(x);
    if (code != 0) {
        exchange_free(x);
        return gc_fail(err, GC_E_INTERNAL, "cannot start a thread: %s",
                       strerror(code));
    }
    acquire_lock();
    x->next = all;
    all = x;
    release_lock();
    t->exchange = x;
    return GC_OK;
}

/* Leave the exchange to its thread. */
static void
abandon(struct threaded *t)
{
    struct exchange *x = GC_TAKE(t->exchange);

    t->begun = false;
    acquire_lock();
    x->abandoned = true;
    (void)pthread_cond_signal(&x->wake);
    release_lock();
}

/*
 * libkrb5's finaliser aborts under a thread that is at work.  A host that ends
 * by exit with such threads does not wait for a KDC.
 */
__attribute__((destructor)) static void
cancel_all(void)
{
    struct exchange *x, *next, *cancelled = NULL;
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += EXIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    acquire_lock();
    for (x = all; x != NULL; x = next) {
        next = x->next;
        if (!x->busy && !x->abandoned)
            continue;
        x->cancelled = true;
        (void)pthread_cancel(x->thread);
        unlist(x);
        x->next = cancelled;
        cancelled = x;
    }
    release_lock();
    for (x = cancelled; x != NULL; x = x->next)
        (void)pthread_clockjoin_np(x->thread, NULL, CLOCK_MONOTONIC, &until);
}

/* ---- the door ----------------------------------------------------------- */

/* Wait for the reply, the deadline or the cancellation. */
static gc_status
await(const struct threaded *t, struct gc_error *err)
{
    gc_status st = gc_descriptor_await(
        t->exchange->told, (struct gc_limit){t->deadline, t->cancel_fd},
        "Kerberos", err);

    if (st != GC_E_UNAVAILABLE)
        return st;
    return gc_fail_hint(err, st,
                        "check that a KDC of the realm is up and reachable, or "
                        "allow more time");
}

/* Ask what EXCHANGE holds already, and wait. */
static gc_status
ask(struct threaded *t, enum op op, struct gc_error *err)
{
    struct exchange *x = t->exchange;
    eventfd_t told;
    gc_status st;

    acquire_lock();
    x->op = op;
    x->busy = true;
    (void)pthread_cond_signal(&x->wake);
    release_lock();
    st = await(t, err);
    if (st != GC_OK) {
        abandon(t);
        return st;
    }
    (void)eventfd_read(x->told, &told);
    acquire_lock(); /* the thread has written all of it */
    st = x->status;
    release_lock();
    t->begun = st == GC_OK && op != WHO;
    t->facts = x->facts;
    if (st != GC_OK && err != NULL)
        *err = x->error;
    return st;
}

/* A thread that has its own copy of WANT. */
static gc_status
prepare(struct threaded *t, const struct gc_want *want, struct gc_error *err)
{
    struct exchange *x;
    gc_status st = GC_OK;

    if (t->process != getpid())
        return gc_fail(err, GC_E_INTERNAL,
                       "the initiator is another process's");
    t->begun = false;
    t->deadline = want->deadline;
    if (t->exchange == NULL)
        st = start(t, err);
    if (st != GC_OK)
        return st;
    x = t->exchange;
    x->want = *want;
    x->want.password = NULL;
    if (want->password == NULL)
        return GC_OK;
    x->want.password = &x->password;
    return gc_bytes_set(&x->password, want->password->data, want->password->len,
                        err);
}

static gc_status
take_said(struct exchange *x, struct gc_said *ret_said)
{
    gc_bytes_move(&ret_said->token, &x->said.token);
    ret_said->done = x->said.done;
    return GC_OK;
}

static gc_status
who(struct gc_initiator *initiator, const struct gc_want *want,
    char ret_principal[GC_PRINCIPAL_SIZE], struct gc_error *err)
{
    struct threaded *t = (struct threaded *)initiator;
    gc_status st = gc_want_check(want, err);

    if (st == GC_OK)
        st = prepare(t, want, err);
    if (st == GC_OK)
        st = ask(t, WHO, err);
    if (st == GC_OK)
        memcpy(ret_principal, t->facts.principal, GC_PRINCIPAL_SIZE);
    return st;
}

static gc_status
begin(struct gc_initiator *initiator, const struct gc_want *want,
      struct gc_said *ret_said, struct gc_error *err)
{
    struct threaded *t = (struct threaded *)initiator;
    gc_status st = gc_want_check(want, err);

    if (st == GC_OK)
        st = prepare(t, want, err);
    if (st == GC_OK)
        st = ask(t, BEGIN, err);
    return st == GC_OK ? take_said(t->exchange, ret_said) : st;
}

static gc_status
answer(struct gc_initiator *initiator, const struct gc_bytes *challenge,
       struct gc_said *ret_said, struct gc_error *err)
{
    struct threaded *t = (struct threaded *)initiator;
    gc_status st;

    if (!t->begun || t->process != getpid())
        return gc_fail(err, GC_E_INTERNAL, "no exchange is under way");
    st = gc_bytes_set(&t->exchange->challenge, challenge->data, challenge->len,
                      err);
    if (st == GC_OK)
        st = ask(t, ANSWER, err);
    return st == GC_OK ? take_said(t->exchange, ret_said) : st;
}

/* Known since the last leg, so that no deadline can come between. */
static gc_status
facts(struct gc_initiator *initiator, struct gc_facts *ret_facts,
      struct gc_error *err)
{
    const struct threaded *t = (const struct threaded *)initiator;

    if (!t->begun)
        return gc_fail(err, GC_E_INTERNAL, "no exchange is under way");
    *ret_facts = t->facts;
    return GC_OK;
}

static void
end(struct gc_initiator *initiator)
{
    struct threaded *t = (struct threaded *)initiator;
    struct exchange *x = t->exchange;
    bool ours;

    if (x == NULL || t->process != getpid())
        return;
    t->begun = false;
    t->exchange = NULL;
    acquire_lock();
    x->over = true;
    ours = !x->cancelled;
    (void)pthread_cond_signal(&x->wake);
    unlist(x);
    release_lock();
    if (!ours)
        return;
    (void)pthread_join(x->thread, NULL);
    t->local = GC_TAKE(x->local);
    exchange_free(x);
}

static void
destroy(struct gc_initiator *initiator)
{
    struct threaded *t = (struct threaded *)initiator;

    if (t->process == getpid()) {
        end(initiator);
        gc_initiator_free(t->local);
    }
    free(t);
}

struct gc_initiator *
gc_initiator_new(int cancel_fd)
{
    static const struct gc_initiator_ops ops = {who,   begin, answer,
                                                facts, end,   destroy};
    struct threaded *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->door.ops = &ops;
    t->cancel_fd = cancel_fd;
    t->process = getpid();
    return &t->door;
}
