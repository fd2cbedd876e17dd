/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message at a time: hosts disagree on the layout of an array of them.
 */
#include <config.h>

#include "pam_module/converse.h"

#include <stdlib.h>
#include <string.h>

static int
converse(pam_handle_t *pamh, int style, const char *text,
         struct pam_response **ret_response)
{
    const struct pam_message message = {style, text}, *messages[] = {&message};
    const struct pam_conv *conversation;
    const void *item = NULL;

    if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || item == NULL)
        return PAM_CONV_ERR;
    conversation = item;
    if (conversation->conv == NULL)
        return PAM_CONV_ERR;
    return conversation->conv(1, messages, ret_response,
                              conversation->appdata_ptr);
}

/* Wipe and free what a host answered. */
static void
forget(struct pam_response *response)
{
    if (response == NULL)
        return;
    if (response->resp != NULL)
        explicit_bzero(response->resp, strlen(response->resp));
    free(response->resp);
    free(response);
}

int
gc_converse_ask(pam_handle_t *pamh, bool echo, const char *prompt,
                struct gc_bytes *ret_answer)
{
    struct pam_response *response = NULL;
    int code = converse(pamh, echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF,
                        prompt, &response);
    size_t len;

    if (code != PAM_SUCCESS || response == NULL) {
        forget(response);
        return code == PAM_BUF_ERR ? PAM_BUF_ERR : PAM_CONV_ERR;
    }
    len = response->resp == NULL ? 0 : strlen(response->resp);
    if (len == 0 || len >= PAM_MAX_RESP_SIZE)
        code = PAM_AUTH_ERR;
    else if (gc_bytes_set(ret_answer, response->resp, len, NULL) != GC_OK)
        code = PAM_BUF_ERR;
    forget(response);
    return code;
}

void
gc_converse_tell(pam_handle_t *pamh, const char *text)
{
    struct pam_response *response = NULL;

    (void)converse(pamh, PAM_ERROR_MSG, text, &response);
    forget(response);
}
