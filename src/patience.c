/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/patience.h"

#include <poll.h>
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

bool
gc_patience_wait(struct gc_patience *p, struct gc_error *err,
                 void (*tell)(void *user, const struct gc_error *err,
                              int pause_ms),
                 void *user)
{
    struct pollfd cancel = {.fd = p->limit.cancel_fd, .events = POLLIN};
    int pause;

    if (!err->again)
        return false;
    if (err->fault[0] == '\0' && ++p->failures >= TRANSPORT_ATTEMPTS)
        return false;
    if (p->pause_ms == 0)
        p->pause_ms = PAUSE_FIRST_MS;
    pause = jitter(p->pause_ms);
    if (pause >= gc_clock_left(p->limit.deadline))
        return false;
    if (tell != NULL)
        tell(user, err, pause);
    if (poll(&cancel, 1, pause) > 0) {
        (void)gc_fail(err, GC_E_CANCELED, "interrupted");
        return false;
    }
    p->pause_ms =
        p->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : p->pause_ms * 2;
    return true;
}
