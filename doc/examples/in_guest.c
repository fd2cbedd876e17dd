/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example to copy: log in to a guest with the Kerberos ticket at hand, list
 * its processes, log out.
 *
 *   kinit alice
 *   in_guest https://vcenter.example.com svc@vsphere.local ca.pem \
 *            vm-42 host/win01.example.com <password-file
 */

#include <stdio.h>
#include <string.h>

#include <guestcred.h>

#define TIMEOUT_MS 30000

int
main(int argc, char **argv)
{
    struct guestcred_client *client = NULL;
    struct guestcred_request *request = NULL;
    struct guestcred_ticket *ticket = NULL;
    struct guestcred_reply *reply = NULL;
    struct guestcred_error err, late;
    char password[256] = "";

    if (argc != 6 || fgets(password, sizeof(password), stdin) == NULL) {
        fprintf(stderr, "usage: in_guest URL USERNAME CA-FILE VM SPN <PASSWORD\n");
        return 2;
    }
    password[strcspn(password, "\n")] = '\0';
    if (guestcred_client_new(-1, &client, &err) == 0
        && guestcred_client_set_url(client, argv[1], &err) == 0
        && guestcred_client_set_login(client, argv[2], password, strlen(password), &err) == 0
        && guestcred_client_set_ca_file(client, argv[3], &err) == 0
        && guestcred_request_new(&request, &err) == 0
        && guestcred_request_set_vm(request, argv[4], &err) == 0
        && guestcred_request_set_target(request, argv[5], &err) == 0
        && guestcred_client_acquire(client, request, TIMEOUT_MS, &ticket, &err) == 0
        && guestcred_client_guest_call(client, ticket, "GuestProcessManager", "ListProcessesInGuest",
                                       NULL, TIMEOUT_MS, &reply, &err) == 0)
        printf("%s\n", guestcred_reply_text(reply, NULL)); /* JSON */
    else
        fprintf(stderr, "%s: %s; %s\n", guestcred_status_word(err.status), err.message, err.hint);
    memset(password, 0, sizeof(password));

    /* Whatever happened: the guest keeps no ticket, and vCenter no session. */
    if (ticket != NULL && guestcred_client_release(client, ticket, TIMEOUT_MS, NULL, &late) != 0)
        fprintf(stderr, "release: %s\n", late.message);
    if (client != NULL && guestcred_client_logout(client, &late) != 0)
        fprintf(stderr, "logout: %s\n", late.message);
    guestcred_reply_free(reply);
    guestcred_ticket_free(ticket);
    guestcred_request_free(request);
    guestcred_client_free(client);
    return err.retryable ? 3 : err.status != GUESTCRED_OK;
}
