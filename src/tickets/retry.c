/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/retry.h"

#include <sys/random.h>

#include "src/base/clock.h"

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

bool
gc_retry_wait(struct gc_retry *r, struct gc_error *err,
              void (*tell)(void *user, const struct gc_error *err,
                           int pause_ms),
              void *user)
{
    struct pollfd cancel = {.fd = r->limit.cancel_fd, .events = POLLIN};
    int pause;

    if (!err->again)
        return false;
    if (err->fault[0] == '\0' && ++r->failures >= TRANSPORT_ATTEMPTS)
        return false;
    if (r->pause_ms == 0)
        r->pause_ms = PAUSE_FIRST_MS;
    pause = jitter(r->pause_ms);
    if (pause >= gc_clock_left(r->limit.deadline))
        return false;
    if (tell != NULL)
        tell(user, err, pause);
    if (poll(&cancel, 1, pause) > 0) {
        (void)gc_fail(err, GC_E_CANCELED, "interrupted");
        return false;
    }
    r->pause_ms =
        r->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : r->pause_ms * 2;
    return true;
}
