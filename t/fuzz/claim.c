/*
 * claim -- the record of who may ask for a rerun, out of etcd, where others write: what is taken
 * has its ranges, and written again it is read as the same.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/cluster/claim.h"
#include "t/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    struct jr_claim claim, again;
    struct jr_error error;
    struct jr_buffer buffer;
    size_t length;
    char *text = take_rest(&input, &length);
    enum jr_err err = jr_claim_parse(text, length, &claim, &error);

    HOLDS((err == JR_OK) == (claim.state != JR_CLAIM_NONE));
    if (err == JR_OK) {
        HOLDS((claim.state == JR_CLAIM_DONE) == (claim.result != JR_CLAIM_OPEN));
        HOLDS(strlen(claim.host) == JR_CLAIM_ID_SIZE - 1);
        HOLDS(claim.status >= 0 && claim.status <= 999 && claim.at_ms >= 0);
        jr_buffer_init(&buffer, JR_CLAIM_MOST);
        jr_claim_print(&claim, &buffer);
        HOLDS(buffer.ok);
        HOLDS(jr_claim_parse(buffer.bytes, buffer.length, &again, &error) == JR_OK);
        HOLDS(again.state == claim.state && again.posts == claim.posts);
        HOLDS(strcmp(again.op, claim.op) == 0);
        jr_buffer_release(&buffer);
    }
    free(text);
    return 0;
}
