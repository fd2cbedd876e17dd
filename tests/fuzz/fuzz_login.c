/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login: whatever stands where the helper keeps logins is refused, or is one
 * that is written back and read again as the same.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/helper/logins.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GC_AUTO(gc_login) login = {.uid = 0}, again = {.uid = 0};
    GC_AUTO(gc_bytes) text = {0}, first = {0}, second = {0};
    struct gc_error err = {0};
    gc_status st;

    fuzz_check(gc_bytes_set(&text, data, size, NULL) == GC_OK, "memory");
    st = gc_login_read(&text, &login, &err);
    if (st != GC_OK) {
        fuzz_check(st == GC_E_PROTOCOL && err.status == st
                       && err.message[0] != '\0',
                   "refused for a reason");
        fuzz_check(login.transaction[0] == '\0' && login.credential.len == 0,
                   "refused leaves nothing behind");
        return 0;
    }
    fuzz_check(gc_entry_id_is(login.transaction), "it has a name");
    fuzz_check(login.uid > 0 && login.service[0] != '\0'
                   && login.host[0] != '\0',
               "a login says whose, by what, for which process");
    fuzz_check(login.copies[0] == '\0' || gc_copies_path_is(login.copies),
               "its tickets are where a session's are");
    fuzz_check(login.credential.len <= GC_LOGIN_CREDENTIAL_MAX
                   && login.written >= 0,
               "numbers in their bounds");
    fuzz_check(gc_login_write(&login, &first, NULL) == GC_OK,
               "what was read can be written");
    fuzz_check(gc_login_read(&first, &again, NULL) == GC_OK, "and read");
    fuzz_check(gc_login_write(&again, &second, NULL) == GC_OK
                   && first.len == second.len
                   && memcmp(first.data, second.data, first.len) == 0,
               "as the same");
    return 0;
}
