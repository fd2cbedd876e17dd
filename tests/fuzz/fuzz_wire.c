/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: a packet is refused, or what was read from it can be written and read
 * again as the same.  Both directions, every call.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/helper/wire.h"

static void
same(const struct gc_bytes *a, const struct gc_bytes *b)
{
    fuzz_check(a->len == b->len && memcmp(a->data, b->data, a->len) == 0,
               "as the same");
}

static void
as_request(const struct gc_bytes *frame)
{
    GC_AUTO(gc_wire_request) request = {.call = 0};
    GC_AUTO(gc_wire_request) back = {.call = 0};
    GC_AUTO(gc_bytes) first = {0};
    GC_AUTO(gc_bytes) second = {0};
    gc_status st = gc_wire_request_read(frame, &request, NULL);

    fuzz_check(st == GC_OK || st == GC_E_PROTOCOL, "good or bad");
    if (st != GC_OK) {
        fuzz_check(request.user[0] == '\0' && request.options.data == NULL,
                   "refused leaves nothing behind");
        return;
    }
    for (const char *o = NULL; (o = gc_wire_option_next(&request, o)) != NULL;)
        fuzz_check(strchr(o, '=') != NULL && *o != '=', "name=value");
    fuzz_check((request.source == GC_WIRE_PASSWORD)
                   == (request.password[0] != '\0'),
               "a password goes with its source");
    /* Escaping may make it longer than a message can be. */
    if (gc_wire_request_write(&request, &first, NULL) == GC_E_CONFIG)
        return;
    fuzz_check(first.len > 0, "what was read can be written");
    fuzz_check(gc_wire_request_read(&first, &back, NULL) == GC_OK, "and read");
    fuzz_check(gc_wire_request_write(&back, &second, NULL) == GC_OK,
               "and written again");
    same(&first, &second);
}

static void
as_reply(const struct gc_bytes *frame, gc_wire_call call)
{
    struct gc_wire_reply reply = {.call = 0};
    GC_AUTO(gc_bytes) first = {0};
    GC_AUTO(gc_bytes) second = {0};
    gc_status st = gc_wire_reply_read(frame, call, &reply, NULL);

    fuzz_check(st == GC_OK || st == GC_E_PROTOCOL, "good or bad");
    if (st != GC_OK)
        return;
    fuzz_check(reply.call == call, "an answer to what was asked");
    fuzz_check(call != GC_WIRE_AUTHENTICATE || reply.status != GC_OK
                   || reply.uid > 0,
               "nobody becomes root");
    fuzz_check(reply.status == GC_OK
                   || (reply.copies[0] == '\0' && reply.uid == 0),
               "a refusal promises nothing");
    fuzz_check(!reply.expired || reply.status == GC_E_DENIED,
               "who has expired is not in");
    fuzz_check(call != GC_WIRE_AUTHENTICATE || reply.status != GC_OK
                   || reply.principal[0] != '\0',
               "success names whom");
    fuzz_check(gc_wire_reply_write(&reply, &first, NULL) == GC_OK,
               "what was read can be written");
    fuzz_check(gc_wire_reply_read(&first, call, &reply, NULL) == GC_OK,
               "and read");
    fuzz_check(gc_wire_reply_write(&reply, &second, NULL) == GC_OK,
               "and written again");
    same(&first, &second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GC_AUTO(gc_bytes) frame = {0};

    if (gc_bytes_set(&frame, data, size, NULL) != GC_OK)
        return 0;
    as_request(&frame);
    for (int call = GC_WIRE_AUTHENTICATE; call <= GC_WIRE_CLOSE; call++)
        as_reply(&frame, (gc_wire_call)call);
    return 0;
}
