/*
 * finding -- what a matcher answers, which may have been taken over: what is taken is a cause
 * that there is and texts without control characters, and written again it is the same bytes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/matchwire.h"
#include "t/fuzz/fuzz.h"

static void holds_text(const char *text, size_t size, char kept)
{
    HOLDS(strnlen(text, size) < size);
    for (; *text != '\0'; text++)
        HOLDS(((unsigned char)*text >= ' ' && *text != 0x7f) || *text == kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    unsigned char again[JR_MATCH_FINDING_SIZE];
    struct jr_finding finding;
    bool good = jr_match_finding_decode(&finding, bytes, size);

    HOLDS(finding.cause != JR_CAUSE_NONE && jr_cause_name(finding.cause) != NULL);
    HOLDS((finding.cause == JR_CAUSE_UNKNOWN) == (*finding.signature == '\0'));
    HOLDS(good || (finding.cause == JR_CAUSE_UNKNOWN && finding.unreadable));
    holds_text(finding.signature, sizeof finding.signature, '\0');
    HOLDS(strspn(finding.signature, JR_SIGNATURE_ID_LETTERS) == strlen(finding.signature));
    holds_text(finding.line, sizeof finding.line, '\0');
    holds_text(finding.first_error, sizeof finding.first_error, '\n');
    holds_text(finding.step, sizeof finding.step, '\0');
    if (good) {
        HOLDS(jr_match_finding_encode(&finding, again) == size);
        HOLDS(memcmp(again, bytes, size) == 0);
    }
    return 0;
}
