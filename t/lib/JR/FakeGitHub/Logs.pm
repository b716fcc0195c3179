# SPDX-License-Identifier: BSD-2-Clause
#
# JR::FakeGitHub::Logs -- the host where the fake GitHub has its logs: another than the API's,
# which knows nobody's token. A link is good for a time, and for one job.
#
# A job's `log` is a text, as its bytes are, or a list of lines, which get what the runner puts
# before them: a byte order mark, and a time each. undef: it was never stored. `log_before`: so
# many bytes of other lines stand before it. Where a test says nothing, there is a short one.
#
# What the host does not do well (set_log_host):
#   ignore_range => 1   answer 200 with all of it
#   no_suffix => S      refuse a range that only names the end, with that status
#   no_length => 1      do not say how long it is
#   encoding => E       say that it is encoded
#   gone => 1           no log is there any more, as for one that was never stored
#   fails => S          answer with that status

package JR::FakeGitHub::Logs;

use strict;
use warnings;
use Encode qw(encode_utf8);
use POSIX qw(strftime);

use constant {
    LINK_LIFE_S => 600,
    BOM         => "\xef\xbb\xbf",
    FILLER      => "2026-01-01T00:00:00.0000000Z retrying (1/3)... ok, 0 errors\n",
    PIECE       => 65536,
};

sub new { return bless { base => '', links => {}, serial => 0, how => {} }, $_[0] }

sub set_base { my ($self, $base) = @_; $self->{base} = $base; return 1 }
sub set_how  { my ($self, $to) = @_; @{ $self->{how} }{ keys %$to } = values %$to; return 1 }

# A link to the log of a job.
sub link_to {
    my ($self, $run, $job) = @_;
    my $signature = sprintf 'k%06dQ%%2Fb%%3D', ++$self->{serial};
    $self->{links}{$signature} = { job => $job, ends => time + LINK_LIFE_S };
    return "$self->{base}/actions-results/workflow-job-run-$run->{id}/logs/job/job-logs.txt"
        . "?rsct=text%2Fplain&sp=r&spr=https&job=$job->{id}&sig=$signature";
}

# The answer to a request. Besides what any has: `before`, so many bytes of filling that go out
# before the body, with a whole line at their end (`at`).
sub answer {
    my ($self, $request) = @_;
    my ($signature) = $request->{query} =~ /(?:^|&)sig=([^&]*)/;
    my $link = defined $signature ? $self->{links}{$signature} : undef;
    return problem(403, 'AuthenticationFailed')
        if !$link || $link->{ends} <= time || defined $request->{headers}{authorization};
    return problem($self->{how}{fails}, 'ServerBusy') if $self->{how}{fails};
    my $job = $link->{job};
    my $log = $self->{how}{gone} ? undef : log_of($job);
    return problem(404, 'BlobNotFound') if !defined $log;
    my $answer = $self->part($request, $job->{log_before} // 0, $log);
    $answer->{headers}{'Content-Type'} = 'text/plain';
    $answer->{headers}{'Content-Encoding'} = $self->{how}{encoding} if $self->{how}{encoding};
    $answer->{no_length} = 1 if $self->{how}{no_length};
    return $answer;
}

sub problem {
    my ($status, $code, %headers) = @_;
    return {
        status => $status, headers => { 'Content-Type' => 'application/xml', 'x-ms-error-code' => $code, %headers },
        body   => qq{<?xml version="1.0" encoding="utf-8"?><Error><Code>$code</Code></Error>},
    };
}

# What was asked for of so many bytes of filling and a text.
sub part {
    my ($self, $request, $before, $text) = @_;
    my $size = $before + length $text;
    my ($from, $to) = ($request->{headers}{range} // '') =~ /^bytes=(\d*)-(\d*)$/;
    return { status => 200, before => $before, at => -$before, body => $text }
        if $self->{how}{ignore_range} || !length(($from // '') . ($to // ''));
    return problem($self->{how}{no_suffix}, 'InvalidRange') if !length $from && $self->{how}{no_suffix};
    $from = $size > $to ? $size - $to : 0 if !length $from;
    return problem(416, 'InvalidRange', 'Content-Range' => "bytes */$size") if $from >= $size;
    my $filling = $from < $before ? $before - $from : 0;
    return {
        status  => 206, before => $filling, at => $from - $before,
        headers => { 'Content-Range' => "bytes $from-" . ($size - 1) . "/$size" },
        body    => $filling ? $text : substr $text, $from - $before,
    };
}

# The bytes of a job's log; undef: it has none.
sub log_of {
    my ($job) = @_;
    return if $job->{status} ne 'completed';
    my $log = exists $job->{log} ? $job->{log} : default_log($job);
    return if !defined $log;
    return $log =~ /[^\x00-\xff]/ ? encode_utf8($log) : $log if !ref $log;
    my $time = strftime('%Y-%m-%dT%H:%M:%S.0000000Z', gmtime($job->{completed_at} // time));
    return BOM . join '', map { encode_utf8("$time $_\n") } @$log;
}

sub default_log {
    my ($job) = @_;
    return [
        q(Current runner version: '2.336.0'), '##[group]Run make', 'make', '##[endgroup]', 'building',
        ($job->{conclusion} // '') eq 'success' ? 'done' : '##[error]Process completed with exit code 1.',
    ];
}

# So many bytes of the filling, from a place on, in pieces that are easy to send.
sub filling {
    my ($at, $count, $send) = @_;
    my $many = FILLER x (PIECE / length(FILLER) + 2);
    while ($count > 0) {
        my $more = $count < PIECE ? $count : PIECE;
        $send->(substr $many, $at % length(FILLER), $more) or return 0;
        $at += $more;
        $count -= $more;
    }
    return 1;
}

1;
