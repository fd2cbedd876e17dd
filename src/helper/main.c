/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred-helper: pam_guestcred starts it as root, with one socket, for one
 * call.  wire.h has the order of its work.
 */
#include <config.h>

#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/helper/calls.h"

/* Do we look as the module's stub starts us? */
static bool
started_properly(void)
{
    uid_t real, effective, saved;

    return prctl(PR_SET_DUMPABLE, 0) == 0
           && getresuid(&real, &effective, &saved) == 0 && real == 0
           && effective == 0 && saved == 0;
}

/*
 * Start with an empty environment.  Only libkrb5's own mechanisms are loaded: a
 * plug-in would run as root and as the user.
 */
static bool
set_environment(const struct gc_request *request)
{
    const char *krb5 = gc_options_text(&request->config, GC_OPT_PAM_KRB5_CONF);

    return clearenv() == 0 && setenv("GSS_MECH_CONFIG", "/dev/null", 1) == 0
           && (krb5 == NULL || setenv("KRB5_CONFIG", krb5, 1) == 0);
}

static gc_status
serve(struct gc_request *request, struct gc_wire_reply *reply,
      struct gc_error *err)
{
    switch (request->wire.call) {
    case GC_WIRE_AUTHENTICATE:
        return gc_call_authenticate(request, reply, err);
    case GC_WIRE_ACCOUNT:
        return gc_call_account(request, reply, err);
    case GC_WIRE_ESTABLISH:
    case GC_WIRE_OPEN:
        return gc_call_establish(request, reply, err);
    case GC_WIRE_DELETE:
    case GC_WIRE_CLOSE:
        return gc_call_delete(request, reply, err);
    }
    return gc_fail(err, GC_E_INTERNAL, "an unknown call");
}

/* Has the host ended, or sent more than one message? */
static bool
abandoned(void)
{
    struct pollfd peer = {GC_WIRE_FD, POLLIN, 0};

    return poll(&peer, 1, 0) != 0;
}

/* Serve the request if it could be read (ST, ERR), and send the outcome. */
static int
answer(struct gc_request *request, gc_status st, struct gc_error *err)
{
    GC_AUTO(gc_bytes) frame = {0};
    struct gc_wire_reply reply;

    gc_wire_reply_init(&reply, request->wire.call);
    if (st == GC_OK && !set_environment(request))
        st = gc_fail_no_memory(err);
    if (st == GC_OK)
        st = serve(request, &reply, err);
    if (st != GC_OK)
        gc_wire_reply_fail(&reply, err);
    reply.expired = st == GC_E_DENIED && request->expired;
    st = gc_wire_reply_write(&reply, &frame, err);
    if (st == GC_OK && abandoned())
        st = GC_E_CANCELED;
    if (st == GC_OK)
        st = gc_wire_send(GC_WIRE_FD, &frame, err);
    if (st == GC_OK)
        return 0;
    gc_call_undo(request, &reply);
    return 1;
}

static int
run(void)
{
    GC_AUTO(gc_request) request = {.store = NULL};
    struct gc_error error = {.status = GC_OK};
    gc_status st = gc_request_read(GC_WIRE_FD, &request, &error);

    /* An unreadable request gets no answer. */
    return request.wire.call == 0 ? 1 : answer(&request, st, &error);
}

int
main(void)
{
    (void)umask(077);
    if (!started_properly())
        return 2;
    /* Skip the libraries' exit handlers; they are not needed. */
    _exit(run());
}
