/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example to copy: the ticket that this login left behind.
 *
 *   ticket_of_login [vm-42]
 *
 * A PAM application passes pam_getenvlist(pamh) in place of environ.
 */

#include <stdio.h>

#include <guestcred.h>

extern char **environ;

int
main(int argc, char **argv)
{
    struct guestcred_ticket *ticket = NULL;
    struct guestcred_error err;

    if (guestcred_ticket_from_pam_env(environ, argc > 1 ? argv[1] : NULL,
                                      &ticket, &err) != 0) {
        fprintf(stderr, "%s%s%s\n", err.message,
                err.hint[0] != '\0' ? "; " : "", err.hint);
        return 1;
    }
    printf("%s is logged in to %s (%s)\n", guestcred_ticket_principal(ticket),
           guestcred_ticket_vm(ticket), guestcred_ticket_target(ticket));
    guestcred_ticket_free(ticket);
    return 0;
}
