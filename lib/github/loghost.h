/*
 * loghost -- the hosts where logs are, which GitHub's links lead to.
 *
 * Such a host is a stranger. It gets the link and what any browser sends: no token, none of
 * GitHub's headers. It is spoken to by https (by http only where GITHUB_API_URL is http), and
 * leads nowhere else: no redirect is followed. What a link could use us for is refused: an
 * address of this host or its network, unless GITHUB_API_URL is itself at one (link-local ones:
 * only where that is at a link-local one), and addresses where nobody is, always. An address
 * counts after names are resolved, IPv6 that holds IPv4 as that. A proxy in the environment is
 * taken, as for the API; its own address is not judged, and what it resolves, it judges.
 *
 * Read is the end of a log, so many bytes of it. Hosts that know no ranges send all of it: what
 * is long and says so is asked for once more, from a place near its end on; else the end is kept
 * while the rest goes by. Limits: 60 s in all, 10 s to connect, 15 s without a byte, 256 MB.
 *
 * Who uses it begins reads, waits until jr_loghost_fd() can be read or jr_loghost_wait_ms() is
 * over, and calls jr_loghost_work(); what has ended meanwhile can be taken.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LOGHOST_H
#define JR_LOGHOST_H

#include "lib/base/error.h"
#include "lib/config/settings.h"
#include "lib/model/evidence.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jr_loghost;

/* A read under way, or one that has ended and was not released yet. */
struct jr_log_read;

struct jr_loghost_limits {
    int64_t total_ms;
    int64_t idle_s;
    uint64_t most_bytes; /* so many go by at the most */
};

/*
 * Make a client.
 *   settings    github_api_url and github_ca_file count: its certificates are trusted besides
 *               those in the system's folder. Kept until close
 *   tail_bytes  how much of a log's end is read, at least 1
 * Only after fork, one for a process. JR_OK, JR_EINVAL when GITHUB_API_URL is no URL,
 * JR_ENOMEM or JR_EIO.
 */
enum jr_err jr_loghost_open(struct jr_loghost **host, const struct jr_settings *settings,
                            size_t tail_bytes, struct jr_error *error) JR_CHECKED;

/* Close it, after all reads were released. NULL: nothing. */
void jr_loghost_close(struct jr_loghost *host);

/* Other limits from the next read on; a zero leaves the usual one. */
void jr_loghost_set_limits(struct jr_loghost *host, const struct jr_loghost_limits *limits);

/* Can be read when there is work to do; for poll(2). */
int jr_loghost_fd(const struct jr_loghost *host);

/* How long until there is work to do though nothing can be read, in ms; INT64_MAX: never. */
int64_t jr_loghost_wait_ms(const struct jr_loghost *host);

/* Go on with all reads as far as that is possible without waiting. */
void jr_loghost_work(struct jr_loghost *host);

/*
 * Begin to read the log that a link leads to (struct jr_github_log); at most three requests.
 * Returns what is to be released in the end; NULL: there is no memory.
 */
struct jr_log_read *jr_loghost_begin(struct jr_loghost *host, const char *link) JR_CHECKED;

/* Wait for its end; for who has nothing else to do. NULL: nothing. */
void jr_loghost_await(struct jr_log_read *read);

/* Has it ended? So has one that is NULL. */
bool jr_loghost_is_over(const struct jr_log_read *read);

/*
 * Take what has come of a read that is over.
 *   text    out: FOUND: the log's end, as it came, with a NUL behind it; may hold anything;
 *           the caller's, to be freed. Else NULL
 *   length  out: of the text, tail_bytes at the most; 0: the log is empty
 *   cut     out: what stood before is not in it
 *   words   out: why it could not be read, for people, with the host's name and without the
 *           link, which is a secret; else empty
 * Returns FOUND; ABSENT: 404, it was never stored; UNREADABLE: whatever else, also 410 (it is
 * no longer kept), a log of which only a part came, and a read that is NULL. Once for a read.
 */
#define JR_LOG_WORDS_SIZE 256
enum jr_presence jr_loghost_take(struct jr_log_read *read, char **text, size_t *length, bool *cut,
                                 char words[JR_LOG_WORDS_SIZE]);

/*
 * Of a read that came out UNREADABLE: may another one, by a new link, fare better? After a
 * broken connection, a host that is too slow or has a bad day, and a link whose time was over;
 * not after a link, an address or a log that is refused here, which will be again. NULL: yes.
 */
bool jr_loghost_may_pass(const struct jr_log_read *read);

/* Release it, under way or not. NULL: nothing. */
void jr_loghost_release(struct jr_log_read *read);

#endif
