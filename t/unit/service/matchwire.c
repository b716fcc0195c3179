/*
 * matchwire -- findings and files as they go between dispatcher and matcher.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/matchwire.h"
#include "t/unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct jr_finding network = {
    .cause = JR_CAUSE_NETWORK,
    .signature = "connection-lost",
    .line = "curl: (56) reset by \xc3\xa4",
    .step = "Build",
};

/* The longest texts there are have room. */
static void fill(struct jr_finding *finding)
{
    memset(finding, 'x', sizeof *finding);
    finding->cause = JR_CAUSE_MEMORY;
    finding->unreadable = true;
    finding->signature[sizeof finding->signature - 1] = '\0';
    finding->line[sizeof finding->line - 1] = '\0';
    finding->first_error[sizeof finding->first_error - 1] = '\0';
    finding->step[sizeof finding->step - 1] = '\0';
}

static void assert_same(const struct jr_finding *one, const struct jr_finding *two)
{
    assert_int_equal(one->cause, two->cause);
    assert_int_equal(one->unreadable, two->unreadable);
    assert_string_equal(one->signature, two->signature);
    assert_string_equal(one->line, two->line);
    assert_string_equal(one->first_error, two->first_error);
    assert_string_equal(one->step, two->step);
}

static void findings(void **state)
{
    struct jr_finding all[3] = { network }, read;
    unsigned char bytes[JR_MATCH_FINDING_SIZE];

    (void)state;
    fill(&all[1]);
    all[2].cause = JR_CAUSE_UNKNOWN;
    snprintf(all[2].first_error, sizeof all[2].first_error, "error: one\nerror: two");
    for (size_t i = 0; i < COUNT(all); i++) {
        size_t length = jr_match_finding_encode(&all[i], bytes);

        assert_true(jr_match_finding_decode(&read, bytes, length));
        assert_same(&read, &all[i]);
    }
}

/* Names and annotations may have any characters; what is handed on has no control characters. */
static void cleaned(void **state)
{
    struct jr_finding finding = network, read;
    unsigned char bytes[JR_MATCH_FINDING_SIZE];
    size_t length;

    (void)state;
    snprintf(finding.line, sizeof finding.line, "a\x1b[31mb\nc\x7f");
    snprintf(finding.step, sizeof finding.step, "Build\tit");
    snprintf(finding.first_error, sizeof finding.first_error, "x\r\ny");
    length = jr_match_finding_encode(&finding, bytes);
    assert_true(jr_match_finding_decode(&read, bytes, length));
    assert_string_equal(read.line, "a [31mb c ");
    assert_string_equal(read.step, "Build it");
    assert_string_equal(read.first_error, "x \ny");
}

/* A byte of a finding that is good is changed. */
static const struct lie {
    const char *name;
    size_t at; /* of the record; the signature's length stands at 2, the line's at 19 */
    unsigned char byte;
} lies[] = {
    { "no cause", 0, 0 },
    { "a cause that there is not", 0, 14 },
    { "a cause beyond all", 0, 255 },
    { "an unknown cause with a signature", 0, JR_CAUSE_UNKNOWN },
    { "neither yes nor no", 1, 2 },
    { "a signature that is longer than all", 2, 0x7f },
    { "a signature that is longer than it is", 3, 16 },
    { "a signature with a NUL", 4, 0 },
    { "a signature with another letter", 4, 'C' },
    { "a signature with a blank", 10, ' ' },
    { "a line with a NUL", 24, 0 },
    { "a line with an escape", 24, 0x1b },
    { "a line with a line feed", 24, '\n' },
    { "a line with a delete", 24, 0x7f },
};

static void not_taken(void **state)
{
    const struct lie *lie = *state;
    unsigned char bytes[JR_MATCH_FINDING_SIZE];
    size_t length = jr_match_finding_encode(&network, bytes);
    struct jr_finding read;

    assert_int_equal(bytes[3], strlen(network.signature));
    assert_int_equal(bytes[21], 'c');
    bytes[lie->at] = lie->byte;
    assert_false(jr_match_finding_decode(&read, bytes, length));
    assert_int_equal(read.cause, JR_CAUSE_UNKNOWN);
    assert_true(read.unreadable);
    assert_string_equal(read.signature, "");
    assert_string_equal(read.line, "");
}

/* Whole, or not at all. */
static void other_lengths(void **state)
{
    unsigned char bytes[JR_MATCH_FINDING_SIZE + 1] = { 0 };
    size_t length = jr_match_finding_encode(&network, bytes);
    struct jr_finding read;

    (void)state;
    for (size_t cut = 0; cut < length; cut++)
        assert_false(jr_match_finding_decode(&read, bytes, cut));
    assert_true(jr_match_finding_decode(&read, bytes, length));
    assert_false(jr_match_finding_decode(&read, bytes, length + 1));
}

static void files(void **state)
{
    char *bytes;
    size_t length;
    int fd = jr_match_put("abc", 3);

    (void)state;
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    bytes = jr_match_read(fd, 3, &length);
    assert_non_null(bytes);
    assert_int_equal(length, 3);
    assert_string_equal(bytes, "abc");
    free(bytes);
    assert_null(jr_match_read(fd, 2, &length));
    close(fd);
    assert_null(jr_match_read(fd, 3, &length));
}

static void messages(void **state)
{
    struct jr_match_message sent = { .kind = JR_MATCH_JOB, .number = 7, .length = 3, .bytes = "abc" }, got;
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(jr_match_receive(ends[1], MSG_DONTWAIT, true, &got), JR_EBUSY);
    sent.fd = jr_match_put("x", 1);
    assert_true(jr_match_send(ends[0], &sent, 0));
    assert_true(jr_match_send(ends[0], &sent, 0));
    close(sent.fd);
    assert_int_equal(jr_match_receive(ends[1], 0, true, &got), JR_OK);
    assert_int_equal(got.kind, JR_MATCH_JOB);
    assert_int_equal(got.number, 7);
    assert_int_equal(got.length, 3);
    assert_memory_equal(got.bytes, "abc", 3);
    assert_true(got.fd >= 0 && (fcntl(got.fd, F_GETFD) & FD_CLOEXEC));
    close(got.fd);
    assert_int_equal(jr_match_receive(ends[1], 0, false, &got), JR_OK);
    assert_int_equal(got.fd, -1);
    assert_int_equal(send(ends[0], "\x04" "12345678", 9, 0), 9);
    assert_int_equal(jr_match_receive(ends[1], 0, true, &got), JR_EFORMAT);
    close(ends[0]);
    assert_int_equal(jr_match_receive(ends[1], 0, true, &got), JR_ENOENT);
    assert_false(jr_match_send(ends[1], &sent, 0));
    close(ends[1]);
}

int main(void)
{
    TEST(findings);
    TEST(cleaned);
    TABLE(lies, not_taken);
    TEST(other_lengths);
    TEST(files);
    TEST(messages);
    return run_program("matchwire");
}
