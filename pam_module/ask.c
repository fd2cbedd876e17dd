/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the stub and the wire under one deadline.
 */
#include <config.h>

#include "pam_module/ask.h"

#include <pthread.h>

#include "pam_module/stub.h"

#define LATE_MS  200 /* the helper has the same deadline: let it report it */
#define LEAVE_MS 100 /* for its exit, after its answer */

static gc_status
exchange(int socket, const struct gc_bytes *frame,
         const struct gc_wire_request *request, struct gc_wire_reply *ret_reply,
         struct gc_error *err)
{
    GC_AUTO(gc_bytes) answer = {0};
    gc_status st = gc_wire_send(socket, frame, err);

    if (st == GC_OK)
        st = gc_wire_receive(socket, request->deadline + LATE_MS, &answer, err);
    if (st == GC_OK)
        st = gc_wire_reply_read(&answer, request->call, ret_reply, err);
    return st;
}

/* Explain a missing answer by the way the helper ended. */
static gc_status
explain(gc_status st, int how, const char *helper, struct gc_error *err)
{
    if (st == GC_E_UNAVAILABLE)
        return gc_fail(err, st, "the helper did not answer in time");
    if (how == GC_STUB_SETUP)
        return gc_fail(err, st, "cannot set up a clean process for the helper");
    if (how == GC_STUB_NO_EXEC)
        return gc_fail(err, st, "the helper %.256s cannot be run", helper);
    if (how > 128)
        return gc_fail_context(err, st, "the helper was ended by signal %d",
                               how - 128);
    return gc_fail_context(err, st, "the helper ended with status %d", how);
}

static gc_status
ask(const char *helper, const struct gc_wire_request *request,
    struct gc_wire_reply *ret_reply, struct gc_error *err)
{
    GC_AUTO(gc_bytes) frame = {0};
    struct gc_stub stub = {.socket = -1};
    struct gc_wire_reply reply;
    gc_status st = gc_wire_request_write(request, &frame, err);
    int how;

    if (st == GC_OK)
        st = gc_stub_start(helper, &stub, err);
    if (st != GC_OK)
        return st;
    st = exchange(stub.socket, &frame, request, &reply, err);
    /* GC_E_INTERNAL is end of file: the helper is exiting. */
    how = gc_stub_end(&stub, st == GC_OK || st == GC_E_INTERNAL ? LEAVE_MS : 0);
    if (st != GC_OK)
        return explain(st, how, helper, err);
    *ret_reply = reply;
    return GC_OK;
}

gc_status
gc_ask(const char *helper, const struct gc_wire_request *request,
       struct gc_wire_reply *ret_reply, struct gc_error *err)
{
    int before = PTHREAD_CANCEL_ENABLE, ignored;
    gc_status st;

    /* A host that cancels its thread must not leave a helper behind. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    st = ask(helper, request, ret_reply, err);
    (void)pthread_setcancelstate(before, &ignored);
    return st;
}
