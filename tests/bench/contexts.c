/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a first token costs beside other tickets.
 *
 *   contexts CACHE COUNT    as many contexts from it, one after the other
 *   contexts CACHE +COUNT   make it larger by as many tickets
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "src/base/clock.h"
#include "tests/integration/gss/acceptor.h"

int
main(int argc, char **argv)
{
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_new(-1);
    struct gc_want want = {.source = GC_SOURCE_CCACHE,
                           .target = "host/guest1.example.test",
                           .deadline = gc_clock_now() + 60000};
    struct gc_error err = {.status = GC_OK};

    if (argc != 3 || initiator == NULL)
        return 2;
    if (argv[2][0] == '+') {
        add_others(argv[1], atoi(argv[2] + 1));
        return 0;
    }
    (void)snprintf(want.place, sizeof(want.place), "%s", argv[1]);
    for (int i = atoi(argv[2]); i > 0; i--) {
        GC_AUTO(gc_said) said = {.done = false};

        if (initiator->ops->begin(initiator, &want, &said, &err) != GC_OK) {
            fprintf(stderr, "contexts: %s\n", err.message);
            return 1;
        }
        initiator->ops->end(initiator);
    }
    return 0;
}
