/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Target names from anywhere: whatever is accepted prints as a name that is
 * accepted again, means the same, and has nothing in it that could be read as
 * another component.
 */
#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "gss/spn.h"

static void
check_printed(const struct gc_spn *spn)
{
    char printed[GC_TARGET_SIZE], again[GC_TARGET_SIZE];
    char principal[GC_TARGET_SIZE];
    struct gc_spn second;

    gc_spn_print(spn, printed);
    gc_spn_principal(spn, principal);
    fuzz_check(printed[0] != '\0' && principal[0] != '\0', "a name prints");
    fuzz_check(strncmp(principal, printed, strlen(printed)) == 0,
               "the principal is the printed name");
    fuzz_check(gc_spn_parse(printed, &second, NULL) == GC_OK,
               "a printed name is a name");
    gc_spn_print(&second, again);
    fuzz_check(strcmp(printed, again) == 0, "printing is stable");
    for (const char *at = printed; *at != '\0'; at++)
        fuzz_check(*at > ' ' && *at < 0x7f && *at != '\\', "plain characters");
    fuzz_check(strchr(printed, '/') == strrchr(printed, '/'), "two components");
    fuzz_check(strchr(principal, '@') == strrchr(principal, '@'), "one realm");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gc_error err = {.status = GC_OK};
    struct gc_spn spn;
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (gc_spn_parse(text, &spn, &err) == GC_OK)
        check_printed(&spn);
    else
        fuzz_check(err.message[0] != '\0' && err.hint[0] != '\0',
                   "a refusal speaks");
    free(text);
    return 0;
}
