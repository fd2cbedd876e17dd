/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/retry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Refused connections and 503 are tried this often; vim faults until DEADLINE.
 */
#define TRANSPORT_ATTEMPTS 3
#define PAUSE_FIRST_MS     200
#define PAUSE_MAX_MS       5000

/* Three quarters to five quarters of MS, so that a crowd spreads. */
static int
jitter(int ms)
{
    unsigned char byte;

    if (getrandom(&byte, 1, GRND_NONBLOCK) != 1)
        byte = 128;
    return ms * 3 / 4 + ms * byte / 512;
}

static void __attribute__((format(printf, 2, 3)))
say(const struct gc_retry *r, const char *fmt, ...)
{
    char line[GC_ERROR_MESSAGE_SIZE + 64];
    va_list args;

    if (r->log == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    r->log(r->log_user, line);
}

/* The guest saw nothing of a call that was NotAuthenticated. */
static bool
log_in_again(struct gc_retry *r, struct gc_error *why)
{
    if (r->logged_in_again)
        return false;
    r->logged_in_again = true;
    say(r, "the vCenter session is gone: logging in again");
    return r->guest->ops->login(r->guest, r->limit, why) == GC_OK;
}

bool
gc_retry(struct gc_retry *r, struct gc_error *why)
{
    struct pollfd cancel = {.fd = r->limit.cancel_fd, .events = POLLIN};
    int pause;

    if (why->again && strcmp(why->fault, "NotAuthenticated") == 0)
        return log_in_again(r, why);
    if (!why->again)
        return false;
    if (why->fault[0] == '\0' && ++r->failures >= TRANSPORT_ATTEMPTS)
        return false;
    if (r->pause_ms == 0)
        r->pause_ms = PAUSE_FIRST_MS;
    pause = jitter(r->pause_ms);
    if (pause >= gc_clock_left(r->limit.deadline))
        return false;
    say(r, "%s; trying again in %d ms", why->message, pause);
    if (poll(&cancel, 1, pause) > 0) {
        (void)gc_fail(why, GC_E_CANCELED, "interrupted");
        return false;
    }
    r->pause_ms =
        r->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : r->pause_ms * 2;
    return true;
}

bool
gc_retry_harmless(struct gc_retry *r, struct gc_error *why)
{
    if (why->status == GC_E_UNAVAILABLE && why->fault[0] == '\0')
        why->again = true;
    return gc_retry(r, why);
}

gc_status
gc_retry_done(gc_status st, const struct gc_error *why, struct gc_error *err)
{
    if (st == GC_OK)
        return GC_OK;
    if (err != NULL)
        *err = *why;
    return why->status;
}
