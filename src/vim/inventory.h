/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which VM is meant: a moId, an instance or BIOS UUID, or path:/DC/vm/…, also
 * as other tools write them. Uses SearchIndex; refuses two hits; tells "not
 * found" from "not a VM".
 */

#ifndef GC_SRC_VIM_INVENTORY_H
#define GC_SRC_VIM_INVENTORY_H

#include "src/vim/session.h"

/* 80 characters of up to 4 bytes, '/', '\\' and '%' as three. */
#define GC_INVENTORY_NAME_SIZE 512

/*
 * Resolve REF to a VirtualMachine's moId.  A moId costs no request, unless it
 * names its vCenter: that is then compared.  GC_E_NOT_FOUND: none, or another
 * kind of object (the sentence tells); GC_E_CONFIG: a form that is not known
 * (dns:, ip: and names are not yet), or more than one hit.
 */
GC_MUST_USE gc_status gc_inventory_find(struct gc_session *session,
                                        const char *ref, struct gc_limit limit,
                                        char ret_moid[GC_MOID_SIZE],
                                        struct gc_error *err);

/*
 * REF in its canonical form: a moId, "uuid:UUID", or REF itself.  Makes no
 * request.  True: a moId, or a UUID.
 */
#define GC_INVENTORY_REF_SIZE 4096
bool gc_inventory_canonical(const char *ref,
                            char ret_ref[GC_INVENTORY_REF_SIZE]);

/* The inventory name of the VM whose moId is MOID, as vCenter writes it. */
GC_MUST_USE gc_status gc_inventory_name(struct gc_session *session,
                                        const char *moid, struct gc_limit limit,
                                        char ret_name[GC_INVENTORY_NAME_SIZE],
                                        struct gc_error *err);

#endif
