/* SPDX-License-Identifier: Apache-2.0 */
/* Principal -> account: whole names, or nothing. */
#include <config.h>

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gss/identity.h"
#include "src/base/base.h"

static void
one_principal_is_one_account(void **state)
{
    static const struct {
        const char *principal, *account, *realm;
        bool same;
    } cases[] = {
        {"alice@EXAMPLE.TEST", "alice", "EXAMPLE.TEST", true},
        /* prefixes and extensions, of each part */
        {"alice@EXAMPLE.TEST", "alic", "EXAMPLE.TEST", false},
        {"alice@EXAMPLE.TEST", "alice2", "EXAMPLE.TEST", false},
        {"alice@EXAMPLE.TEST", "alice", "EXAMPLE.TES", false},
        {"alice@EXAMPLE.TEST", "alice", "EXAMPLE.TEST2", false},
        {"alice@EXAMPLE.TEST.EVIL", "alice", "EXAMPLE.TEST", false},
        {"alice2@EXAMPLE.TEST", "alice", "EXAMPLE.TEST", false},
        {"alice", "alice", "EXAMPLE.TEST", false},
        {"alice@", "alice", "EXAMPLE.TEST", false},
        {"alice/EXAMPLE.TEST", "alice", "EXAMPLE.TEST", false},
        {"alicexEXAMPLE.TEST", "alice", "EXAMPLE.TEST", false},
        {"@EXAMPLE.TEST", "alice", "EXAMPLE.TEST", false},
        {"", "alice", "EXAMPLE.TEST", false},
        /* case is another name */
        {"Alice@EXAMPLE.TEST", "alice", "EXAMPLE.TEST", false},
        {"alice@example.test", "alice", "EXAMPLE.TEST", false},
        /* other realms, more components, computer accounts */
        {"alice@OTHER.TEST", "alice", "EXAMPLE.TEST", false},
        {"alice/admin@EXAMPLE.TEST", "alice", "EXAMPLE.TEST", false},
        {"alice/admin@EXAMPLE.TEST", "alice/admin", "EXAMPLE.TEST", false},
        {"alice$@EXAMPLE.TEST", "alice", "EXAMPLE.TEST", false},
        {"alice$@EXAMPLE.TEST", "alice$", "EXAMPLE.TEST", true},
        /* a separator that is smuggled in */
        {"alice@EVIL@EXAMPLE.TEST", "alice@EVIL", "EXAMPLE.TEST", false},
        {"alice\\@EVIL@EXAMPLE.TEST", "alice\\@EVIL", "EXAMPLE.TEST", false},
        {"alice\\@EVIL@EXAMPLE.TEST", "alice", "EXAMPLE.TEST", false},
        {"alice@EVIL@EXAMPLE.TEST", "alice", "EVIL@EXAMPLE.TEST", false},
        /* nobody is nobody */
        {"@EXAMPLE.TEST", "", "EXAMPLE.TEST", false},
        {"alice@", "alice", "", false},
        {"@", "", "", false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++)
        assert_int_equal(gc_identity_matches(cases[i].principal,
                                             cases[i].account, cases[i].realm),
                         cases[i].same);
}

static void
equal_means_all_of_it(void **state)
{
    (void)state;
    assert_true(gc_identity_equal("alice", 5, "alice", 5));
    assert_true(gc_identity_equal("", 0, "", 0));
    assert_false(gc_identity_equal("alice", 5, "alic", 4));
    assert_false(gc_identity_equal("alic", 4, "alice", 5));
    assert_false(gc_identity_equal("alice", 5, "alicf", 5));
    assert_false(gc_identity_equal("alice\0x", 7, "alice\0y", 7));
    assert_false(gc_identity_equal("alice", 5, "alice\0", 6));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_principal_is_one_account),
        cmocka_unit_test(equal_means_all_of_it),
    };

    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
