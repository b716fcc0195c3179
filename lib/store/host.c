/*
 * host -- the id by which other hosts know this one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/host.h"

#include <string.h>

static const char key[] = "cluster-host";

struct asked {
    const char *made;
    char *id;
};

static void look(struct jr_txn *txn, void *context)
{
    char *id = context;
    size_t length = 0;

    if (!jr_txn_get(txn, JR_TABLE_META, key, strlen(key), id, JR_HOST_ID_SIZE - 1, &length)
        || length != JR_HOST_ID_SIZE - 1)
        length = 0;
    id[length] = '\0';
}

enum jr_err jr_host_look(struct jr_store *store, char id[JR_HOST_ID_SIZE], struct jr_error *error)
{
    id[0] = '\0';
    return jr_store_read(store, look, id, error);
}

static void get(struct jr_txn *txn, void *context)
{
    const struct asked *asked = context;
    size_t length = 0;

    if (!jr_txn_get(txn, JR_TABLE_META, key, strlen(key), asked->id, JR_HOST_ID_SIZE - 1, &length)
        || length != JR_HOST_ID_SIZE - 1) {
        memcpy(asked->id, asked->made, JR_HOST_ID_SIZE - 1);
        jr_txn_put(txn, JR_TABLE_META, key, strlen(key), asked->id, JR_HOST_ID_SIZE - 1);
    }
    asked->id[JR_HOST_ID_SIZE - 1] = '\0';
}

enum jr_err jr_host_id(struct jr_store *store, const char made[JR_HOST_ID_SIZE],
                       char id[JR_HOST_ID_SIZE], struct jr_error *error)
{
    struct asked asked = { made, id };
    enum jr_err err = jr_store_write(store, get, &asked, error);

    if (err != JR_OK)
        id[0] = '\0';
    return err;
}
