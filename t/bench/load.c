/*
 * load -- what wrk sends: each request a signed webhook that was never sent
 * before.
 *
 * The events are those of many runs that go on at once: of each of JOBS jobs
 * `queued`, then `in_progress`, then `completed`; one run in eight fails. When a
 * run is over, the next takes its place. Ids ascend, as GitHub's do.
 *
 * A body is one of a few fixed heads, some 9 kB, and a short tail with the ids.
 * So the HMAC of a head is computed once, and goes on over the tail: the client
 * costs little of the machine that it shares with what is measured.
 *
 * A shared object that wrk's Lua calls (load.lua), all in one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS     256 /* that go on at once: a run's events are far apart, so that they keep their order */
#define JOBS     4
#define FAILING  8  /* one run in so many */
#define BLOCK    64 /* of SHA-256 */
#define DIGEST   32
#define HEAD_MAX ((size_t)64 * 1024)

int load_open(const char *folder, const char *key);
size_t load_next(void);
const char *load_bytes(void);

/* The files HEAD.json in the folder. */
enum { QUEUED,
       IN_PROGRESS,
       SUCCESS,
       FAILURE,
       HEADS };
static const char *const head_names[HEADS] = { "queued", "in_progress", "success", "failure" };

static struct {
    char *bytes;
    size_t length;
    EVP_MD_CTX *signed_so_far; /* the inner hash, after key and head */
} heads[HEADS];

static struct {
    uint64_t id;
    unsigned step; /* events sent */
} runs[RUNS];

static EVP_MD_CTX *outer; /* after the key */
static EVP_MD_CTX *work;
static uint64_t next_run_id;
static uint64_t ticks; /* of the last delivery id */
static uint64_t dice;
static char request[HEAD_MAX + 4096];

static EVP_MD_CTX *begin(const unsigned char key[BLOCK], unsigned char pad)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char block[BLOCK];

    for (int i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1)
        (void)EVP_DigestUpdate(context, block, BLOCK);
    return context;
}

static bool read_head(const char *folder, int which, const unsigned char key[BLOCK])
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.json", folder, head_names[which]);
    file = fopen(path, "rb");
    if (file == NULL)
        return false;
    heads[which].bytes = malloc(HEAD_MAX);
    heads[which].length = heads[which].bytes == NULL ? 0 : fread(heads[which].bytes, 1, HEAD_MAX, file);
    fclose(file);
    heads[which].signed_so_far = begin(key, 0x36);
    return heads[which].signed_so_far != NULL && heads[which].length > 0
           && EVP_DigestUpdate(heads[which].signed_so_far, heads[which].bytes, heads[which].length) == 1;
}

/* Read the heads. Returns 0, or -1 when something is missing. */
int load_open(const char *folder, const char *key)
{
    unsigned char block[BLOCK] = { 0 };
    struct timespec now;

    if (key == NULL || strlen(key) > BLOCK)
        return -1;
    memcpy(block, key, strlen(key));
    for (int i = 0; i < HEADS; i++)
        if (!read_head(folder, i, block))
            return -1;
    outer = begin(block, 0x5c);
    work = EVP_MD_CTX_new();
    if (outer == NULL || work == NULL)
        return -1;
    /* Later wrks go on where earlier ones cannot have been. */
    clock_gettime(CLOCK_REALTIME, &now);
    next_run_id = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    /* 100 ns since 1582-10-15, RFC 9562 */
    ticks = (uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100 + UINT64_C(0x01b21dd213814000);
    dice = next_run_id | 1;
    for (int i = 0; i < RUNS; i++)
        runs[i].id = next_run_id++;
    return 0;
}

/* xorshift64 */
static uint64_t throw_dice(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

static void sign(int head, const char *tail, size_t length, char hex[2 * DIGEST + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[DIGEST];

    (void)EVP_MD_CTX_copy_ex(work, heads[head].signed_so_far);
    (void)EVP_DigestUpdate(work, tail, length);
    (void)EVP_DigestFinal_ex(work, digest, NULL);
    (void)EVP_MD_CTX_copy_ex(work, outer);
    (void)EVP_DigestUpdate(work, digest, DIGEST);
    (void)EVP_DigestFinal_ex(work, digest, NULL);
    for (int i = 0; i < DIGEST; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * DIGEST] = '\0';
}

/* Build the next request; returns its length. */
size_t load_next(void)
{
    unsigned place = (unsigned)(throw_dice() >> 32) % RUNS;
    uint64_t run_id = runs[place].id;
    unsigned job = runs[place].step % JOBS, stage = runs[place].step / JOBS;
    int head = (int)stage;
    char tail[256], signature[2 * DIGEST + 1];
    int length, tail_length;

    if (stage == SUCCESS && job == JOBS - 1 && run_id % FAILING == 0)
        head = FAILURE;
    if (++runs[place].step == 3 * JOBS) {
        runs[place].id = next_run_id++;
        runs[place].step = 0;
    }
    tail_length = snprintf(tail, sizeof tail, "\"name\":\"test (%u)\",\"id\":%llu,\"run_id\":%llu}}", job,
                           (unsigned long long)(run_id * JOBS + job), (unsigned long long)run_id);
    sign(head, tail, (size_t)tail_length, signature);
    ticks++;
    length = snprintf(request, sizeof request,
                      "POST / HTTP/1.1\r\n"
                      "Host: reruns.example.org\r\n"
                      "User-Agent: GitHub-Hookshot/0000000\r\n"
                      "Content-Length: %zu\r\n"
                      "Accept: */*\r\n"
                      "Content-Type: application/json\r\n"
                      "X-GitHub-Delivery: %08x-%04x-1%03x-8000-%012x\r\n"
                      "X-GitHub-Event: workflow_job\r\n"
                      "X-GitHub-Hook-ID: 400000000\r\n"
                      "X-GitHub-Hook-Installation-Target-ID: 4711\r\n"
                      "X-GitHub-Hook-Installation-Target-Type: repository\r\n"
                      "X-Hub-Signature: sha1=0000000000000000000000000000000000000000\r\n"
                      "X-Hub-Signature-256: sha256=%s\r\n\r\n",
                      heads[head].length + (size_t)tail_length, (unsigned)(ticks & 0xffffffff),
                      (unsigned)(ticks >> 32 & 0xffff), (unsigned)(ticks >> 48 & 0xfff), 1u, signature);
    memcpy(request + length, heads[head].bytes, heads[head].length);
    memcpy(request + length + heads[head].length, tail, (size_t)tail_length);
    return (size_t)length + heads[head].length + (size_t)tail_length;
}

const char *load_bytes(void)
{
    return request;
}
