/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example to copy: log in to a guest with the Kerberos ticket at hand, make
 * a guest operation with it, release it.
 *
 *   kinit alice
 *   in_guest https://vcenter.example.com svc@vsphere.local ca.pem \
 *            vm-42 host/win01.example.com <password-file
 *
 * Built outside of guestcred's own tree; see README.md beside it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <guestcred.h>

#define TIMEOUT_MS 30000

/*
 * The guest operation.  This one asks whether the guest takes the ticket; all
 * others have "vm" and "auth" too, and more: ListProcessesInGuest of
 * GuestProcessManager/guestOperationsProcessManager, for instance.
 */
#define OPERATION                                                              \
    "/sdk/vim25/8.0.1.0/GuestAuthManager/guestOperationsAuthManager/"          \
    "ValidateCredentialsInGuest"

struct text {
    char data[4096];
    size_t len;
};

static size_t
keep(char *data, size_t size, size_t count, void *user)
{
    struct text *text = user;
    size_t len = size * count;

    if (len >= sizeof(text->data) - text->len)
        return 0;
    memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
    return len;
}

/* POST to vCenter; the HTTP status, 0 where there is none. */
static long
post(CURL *curl, const char *server, const char *path,
     const struct curl_slist *headers, const char *body, struct text *reply)
{
    char url[1024];
    long status = 0;

    snprintf(url, sizeof(url), "%s%s", server, path);
    reply->len = 0;
    reply->data[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* Our own session with vCenter, as "vmware-api-session-id: ...". */
static struct curl_slist *
log_in(CURL *curl, const char *server, const char *name, const char *password)
{
    struct text reply;
    char header[4200];
    long status;

    curl_easy_setopt(curl, CURLOPT_USERNAME, name);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
    status = post(curl, server, "/api/session", NULL, "", &reply);
    curl_easy_setopt(curl, CURLOPT_USERNAME, NULL);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, NULL);
    if (status != 201 || reply.len < 3)
        return NULL;
    /* A JSON string: the id between quotes. */
    snprintf(header, sizeof(header), "vmware-api-session-id: %.*s",
             (int)reply.len - 2, reply.data + 1);
    return curl_slist_append(NULL, header);
}

/* What this program is for.  TICKET's auth goes into the body as it is. */
static int
work(const char *server, const char *name, const char *password,
     const char *ca_file, const struct guestcred_ticket *ticket)
{
    const char *auth = guestcred_ticket_auth(ticket, NULL);
    const char *vm = guestcred_ticket_vm(ticket);
    size_t size = strlen(auth) + strlen(vm) + 128;
    char *body = malloc(size);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers;
    struct text reply;
    long status = 0;

    if (body == NULL || curl == NULL)
        abort();
    snprintf(body, size,
             "{\"vm\":{\"_typeName\":\"ManagedObjectReference\","
             "\"type\":\"VirtualMachine\",\"value\":\"%s\"},\"auth\":%s}",
             vm, auth);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    headers = log_in(curl, server, name, password);
    if (headers != NULL) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        status = post(curl, server, OPERATION, headers, body, &reply);
    }
    printf("the guest operation: HTTP %ld\n", status);
    memset(body, 0, size); /* a program that lives on uses explicit_bzero */
    free(body);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status == 200 || status == 204;
}

static int
fail(const char *what, const struct guestcred_error *err)
{
    fprintf(stderr, "%s: %s (%s)%s%s\n", what, err->message,
            guestcred_status_word(err->status),
            err->hint[0] != '\0' ? "; " : "", err->hint);
    return err->retryable ? 3 : 1;
}

int
main(int argc, char **argv)
{
    struct guestcred_client *client = NULL;
    struct guestcred_credential *credential = NULL;
    struct guestcred_ticket *ticket = NULL;
    struct guestcred_error err;
    char password[256] = "";
    int status = 0;

    if (argc != 6) {
        fprintf(stderr, "usage: in_guest URL USERNAME CA-FILE VM SPN <PASSWORD\n");
        return 2;
    }
    if (guestcred_client_new(-1, &client, &err) != 0)
        return fail("client", &err);
    if (fgets(password, sizeof(password), stdin) != NULL)
        password[strcspn(password, "\n")] = '\0';

    if (guestcred_client_set_url(client, argv[1], &err) != 0
        || guestcred_client_set_login(client, argv[2], password,
                                      strlen(password), &err) != 0
        || guestcred_client_set_ca_file(client, argv[3], &err) != 0
        || guestcred_credential_new(&credential, &err) != 0)
        status = fail("configuration", &err);
    else if (guestcred_acquire(client, credential, argv[4], argv[5], 0,
                               TIMEOUT_MS, &ticket, &err) != 0)
        status = fail("acquire", &err);
    if (ticket != NULL) {
        printf("a ticket for %s in %s\n", guestcred_ticket_principal(ticket),
               guestcred_ticket_vm(ticket));
        if (!work(argv[1], argv[2], password, argv[3], ticket))
            status = 1;
        if (guestcred_release(client, ticket, TIMEOUT_MS, NULL, &err) != 0)
            status = fail("release", &err);
        else
            printf("released\n");
    }
    if (client != NULL && guestcred_logout(client, &err) != 0)
        status = fail("logout", &err);
    memset(password, 0, sizeof(password));
    guestcred_ticket_free(ticket);
    guestcred_credential_free(credential);
    guestcred_client_free(client);
    return status;
}
