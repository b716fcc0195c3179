/*
 * host -- the id by which other hosts know this one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_HOST_H
#define JR_HOST_H

#include "lib/base/error.h"
#include "lib/store/store.h"

/* 32 hexadecimal digits. */
#define JR_HOST_ID_SIZE 33

/*
 * Get it; it is made when it is asked for the first time, and stays with the store.
 *   made  random digits, which it becomes then
 *   id    out: empty unless JR_OK
 * Returns JR_OK or what failed.
 */
enum jr_err jr_host_id(struct jr_store *store, const char made[JR_HOST_ID_SIZE],
                       char id[JR_HOST_ID_SIZE], struct jr_error *error) JR_CHECKED;

/* The same without making it: empty where there is none yet. */
enum jr_err jr_host_look(struct jr_store *store, char id[JR_HOST_ID_SIZE],
                         struct jr_error *error) JR_CHECKED;

#endif
