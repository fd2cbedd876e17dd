/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: the requests of `guestcred acquire`, replayed in one process with
 * libcurl and GSS-API and nothing else: no JSON, no checks, no store.  What
 * guestcred costs is measured against this.
 *
 * usage: floor URL CA-FILE USERNAME PASSWORD VM TARGET [SESSION-FILE]
 * TARGET is a Kerberos principal, host/guest1.example.test@
 * Cold: it logs in and out.  With SESSION-FILE, made at the first run, it uses
 * the session in it, as `acquire --new` does, and releases the ticket.
 */
#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <openssl/evp.h>

#define SDK     "/sdk/vim25/9.0.0.0"
#define MANAGER SDK "/GuestAuthManager/guestOperationsAuthManager"

static char session[512]; /* the header line to send back */
static char reply[65536];
static size_t reply_len;

static void
die(const char *what)
{
    (void)fprintf(stderr, "floor: %s\n", what);
    exit(1);
}

static size_t
on_header(char *line, size_t size, size_t count, void *user)
{
    static const char name[] = "vmware-api-session-id:";

    (void)user;
    if (size * count < sizeof(session)
        && strncasecmp(line, name, sizeof(name) - 1) == 0)
        (void)snprintf(session, sizeof(session), "%.*s",
                       (int)(size * count) - 2, line);
    return size * count;
}

static size_t
on_body(char *data, size_t size, size_t count, void *user)
{
    (void)user;
    if (reply_len + size * count < sizeof(reply)) {
        memcpy(reply + reply_len, data, size * count);
        reply_len += size * count;
        reply[reply_len] = '\0';
    }
    return size * count;
}

static void
request(CURL *curl, const char *url, const char *path, const char *body)
{
    struct curl_slist *headers = NULL;
    char whole[1024];

    (void)snprintf(whole, sizeof(whole), "%s%s", url, path);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Accept: application/json");
    if (session[0] != '\0')
        headers = curl_slist_append(headers, session);
    (void)curl_easy_setopt(curl, CURLOPT_URL, whole);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body != NULL)
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    else
        (void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    reply_len = 0;
    if (curl_easy_perform(curl) != CURLE_OK)
        die(path);
    curl_slist_free_all(headers);
}

static char *
first_token(const char *target)
{
    gss_buffer_desc text = {strlen(target), (void *)(size_t)target};
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 major, minor;
    unsigned char *base64;

    major = gss_import_name(&minor, &text, GSS_KRB5_NT_PRINCIPAL_NAME, &name);
    if (major != GSS_S_COMPLETE)
        die("gss_import_name");
    major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &context, name,
                                 (gss_OID)(size_t)gss_mech_krb5,
                                 GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG
                                     | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG,
                                 0, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER,
                                 NULL, &token, NULL, NULL);
    if (GSS_ERROR(major))
        die("gss_init_sec_context");
    base64 = malloc(token.length / 3 * 4 + 8);
    if (base64 == NULL)
        die("memory");
    (void)EVP_EncodeBlock(base64, token.value, (int)token.length);
    (void)gss_release_buffer(&minor, &token);
    (void)gss_release_name(&minor, &name);
    (void)gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    return (char *)base64;
}

static CURL *
start(const char *ca_file)
{
    CURL *curl;

    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    curl = curl_easy_init();
    if (curl == NULL)
        die("curl_easy_init");
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                           (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    return curl;
}

static void
log_in(CURL *curl, const char *url, const char *user, const char *password)
{
    char body[1024];

    request(curl, url, "/api/vcenter/system?action=hello",
            "{\"api_releases\":[\"9.0.0.0\",\"8.0.3.0\",\"8.0.2.0\","
            "\"8.0.1.0\"]}");
    request(curl, url, SDK "/ServiceInstance/ServiceInstance/content", NULL);
    (void)snprintf(body, sizeof(body),
                   "{\"userName\":\"%s\",\"password\":\"%s\"}", user, password);
    request(curl, url, SDK "/SessionManager/SessionManager/Login", body);
    request(curl, url,
            SDK "/GuestOperationsManager/guestOperationsManager/authManager",
            NULL);
}

static bool
read_session(const char *path)
{
    FILE *f = fopen(path, "r");
    bool read = f != NULL && fgets(session, sizeof(session), f) != NULL;

    if (f != NULL)
        (void)fclose(f);
    return read;
}

static void
write_session(const char *path)
{
    FILE *f = fopen(path, "w");

    if (f == NULL || fputs(session, f) < 0 || fclose(f) != 0)
        die(path);
}

static void
acquire(CURL *curl, const char *url, const char *vm, const char *token)
{
    static char body[65536];

    (void)snprintf(
        body, sizeof(body),
        "{\"vm\":{\"_typeName\":\"ManagedObjectReference\",\"type\":"
        "\"VirtualMachine\",\"value\":\"%s\"},\"requestedAuth\":{\"_typeName\":"
        "\"SSPIAuthentication\",\"interactiveSession\":false,\"sspiToken\":"
        "\"%s\"}}",
        vm, token);
    request(curl, url, MANAGER "/AcquireCredentialsInGuest", body);
    if (strstr(reply, "TicketedSessionAuthentication") == NULL)
        die("no ticket");
}

/* The reply is the object that the call takes as `auth`. */
static void
release(CURL *curl, const char *url, const char *vm)
{
    static char body[sizeof(reply) + 512];

    (void)snprintf(body, sizeof(body),
                   "{\"vm\":{\"_typeName\":\"ManagedObjectReference\",\"type\":"
                   "\"VirtualMachine\",\"value\":\"%s\"},\"auth\":%s}",
                   vm, reply);
    request(curl, url, MANAGER "/ReleaseCredentialsInGuest", body);
    if (reply_len != 0)
        die("the ticket is not released");
}

int
main(int argc, char **argv)
{
    const char *file = argc == 8 ? argv[7] : NULL;
    char *token;
    CURL *curl;

    if (argc != 7 && argc != 8)
        die("usage: floor URL CA-FILE USERNAME PASSWORD VM TARGET [FILE]");
    token = first_token(argv[6]);
    curl = start(argv[2]);
    if (file == NULL || !read_session(file)) {
        log_in(curl, argv[1], argv[3], argv[4]);
        if (file != NULL)
            write_session(file);
    }
    acquire(curl, argv[1], argv[5], token);
    if (file == NULL)
        request(curl, argv[1], SDK "/SessionManager/SessionManager/Logout",
                "{}");
    else
        release(curl, argv[1], argv[5]);
    curl_easy_cleanup(curl);
    free(token);
    return 0;
}
