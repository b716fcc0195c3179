-- load.lua -- wrk's side of load.c, and its result as one line.
--
--   JR_BENCH_LOAD   the shared object
--   JR_BENCH_HEADS  the folder of the heads
--   JR_BENCH_KEY    the signing key
--
-- SPDX-License-Identifier: BSD-2-Clause

local ffi = require "ffi"

ffi.cdef [[
int load_open(const char *folder, const char *key);
size_t load_next(void);
const char *load_bytes(void);
]]

local load, bytes

function init()
    load = ffi.load(os.getenv("JR_BENCH_LOAD"))
    if load.load_open(os.getenv("JR_BENCH_HEADS"), os.getenv("JR_BENCH_KEY")) ~= 0 then
        error("cannot read the heads of the bodies")
    end
    bytes = load.load_bytes()
end

function request()
    return ffi.string(bytes, load.load_next())
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format(
        "result requests=%d duration_us=%d p50_us=%d p99_us=%d errors=%d\n",
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.timeout + e.status))
end
