/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which library runs.
 */
#include <config.h>

#include "src/guestcred.h"

const char *
guestcred_version(void)
{
    return PACKAGE_VERSION;
}

int
guestcred_version_number(void)
{
    return GUESTCRED_VERSION_NUMBER;
}
