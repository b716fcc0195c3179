# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Test -- what an end-to-end test starts with: a folder of its own, the
# service, the fake GitHub, and the checks that end every test.
#
#   JR_BUILDDIR  where t/job-rerunner was built (default: the source tree)
#   JR_SRCDIR    the source tree (default: the one that t/ stands in)
#   JR_LEAVE=1   keep the folder

package JR::Test;

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp ();
use POSIX qw(_exit dup2 setsid);
use Test::More;
use JR::FakeGitHub;
use JR::File qw(read_file_or_empty);
use JR::Payload qw(job_event run_event comment_event button_event delivery next_id json_text);
use JR::Process qw(spawn reap by_folder end_processes);
use JR::Run;
use JR::Service;
use JR::Turn;
use JR::Wait qw(wait_for wait_ok deadline_s slowness);

our @EXPORT = qw(
    service github workflow_run tool finish tmpdir binary srcdir builddir
    job_event run_event comment_event button_event delivery next_id json_text wait_for wait_ok slowness
    status_is
);

my ($OWNER, $TMP, @SERVICES, @GITHUBS);

# Through END, so that nothing is left behind by a test that is stopped.
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP PIPE);

# One of many.
JR::Turn::take() if $ENV{HARNESS_ACTIVE};

# Every wait has a limit; should one be without, the whole test has.
my $WHOLE_S = 900;
my $began = time;
$SIG{ALRM} = sub {
    my $left = $began + deadline_s($WHOLE_S) - time;
    return alarm $left if $left > 1;
    diag('not done after so long');
    exit 1;
};
alarm $WHOLE_S;

sub srcdir { return $ENV{JR_SRCDIR} // abs_path(dirname(abs_path(__FILE__)) . '/../../..') }
sub builddir { return $ENV{JR_BUILDDIR} // srcdir() }

# The program as tests run it, with the switches of t/testpoint.c; by a name inside our
# folder, so that its processes can be told from those of a test that runs beside this one.
sub binary {
    my $link = tmpdir() . '/job-rerunner';
    if (!-l $link) {
        my $built = builddir() . '/t/job-rerunner';
        die "$built is not there: `make t/job-rerunner' first, or set JR_BUILDDIR\n" if !-x $built;
        symlink abs_path($built), $link or die "symlink: $!";
    }
    return $link;
}

# Short, for the paths of sockets; open, for services of another user.
sub tmpdir {
    if (!$TMP) {
        my $base = $ENV{TMPDIR} && length $ENV{TMPDIR} < 40 ? $ENV{TMPDIR} : '/tmp';
        $TMP = File::Temp::tempdir('jr-XXXXXX', DIR => $base);
        chmod 0755, $TMP;
        $OWNER = $$;
        hire_janitor();
    }
    return $TMP;
}

# A child that outlives us: should we be killed before END could clean up, it
# sees the pipe closed and does so.
my $lifeline;

sub hire_janitor {
    pipe my $read, $lifeline or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    return if $pid;
    close $lifeline;
    setsid();
    for my $fd (0 .. 2) {
        open my $null, '+<', '/dev/null' or _exit(1);
        dup2(fileno $null, $fd);
    }
    $SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE);
    sysread $read, my $nothing, 1;
    if (-d $TMP) {
        kill 'TERM', by_folder($TMP);
        wait_for { !by_folder($TMP) } 10;
        end_processes(by_folder($TMP));
        remove_tree($TMP) if !$ENV{JR_LEAVE};
    }
    _exit(0);
}

# A service that is not started yet; settings in capitals (and curl's proxy
# variables), options of JR::Service in small letters.
sub service {
    my (%o) = @_;
    my %env = map { $_ => delete $o{$_} } grep {/^[A-Z]|_proxy$/} keys %o;
    my $service = JR::Service->new(
        dir => tmpdir() . '/service' . @SERVICES, binary => binary(), env => \%env, %o,
    );
    push @SERVICES, $service;
    return $service;
}

sub github {
    my (%o) = @_;
    my $github = JR::FakeGitHub->start(
        dir => tmpdir() . '/github' . @GITHUBS, tokens => [JR::Service::token()], %o,
    );
    push @GITHUBS, $github;
    return $github;
}

sub workflow_run { return JR::Run->new(@_) }

# The administrator's tool: { status, out, err } of one call.
sub tool {
    my ($args, %env) = @_;
    delete $env{$_} for grep { !defined $env{$_} } keys %env;
    my %file = map { $_ => tmpdir() . "/tool.$_" } qw(out err);
    unlink values %file;
    my $pid = spawn(
        argv => [binary(), @$args],
        env  => { PATH => '/usr/bin:/bin', %env, map { $_ => $ENV{$_} } grep {/^[A-Z]+SAN_OPTIONS$/} keys %ENV },
        %file,
    );
    my $status = reap($pid);
    end_processes($pid) if !defined $status;
    my %result = (status => defined $status ? $status & 127 ? "signal $status" : $status >> 8 : 'timeout');
    $result{$_} = read_file_or_empty($file{$_}) for keys %file;
    return \%result;
}

# An answer has one of the statuses (given as 202 or '201|202').
sub status_is {
    my ($answer, $want, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $got = $answer ? $answer->status : 'no answer';
    my $ok = ok($got =~ /^(?:$want)$/, "$name: $want");
    diag("got $got, reason ", $answer && $answer->header('X-Rerun-Reason') // 'none') if !$ok;
    return $ok;
}

# Stop all; nothing may be wrong in the logs, nothing may be left behind.
sub finish {
    my @faults = map { $_->finish } @SERVICES;
    push @faults, map { $_->faults } @GITHUBS;
    $_->stop for splice @GITHUBS;
    @SERVICES = ();
    if ($TMP && !(wait_for { !by_folder($TMP) } 10)) {
        my @left = by_folder($TMP);
        push @faults, map {"process $_ is left behind"} @left;
        end_processes(@left);
    }
    ok(!@faults, 'clean end: no alert, no sanitizer report, nothing lost or left behind');
    diag($_) for @faults;
    done_testing();
    return;
}

END {
    if ($TMP && $OWNER == $$) {
        my $status = $?;
        $_->abandon for @SERVICES;
        $_->stop for @GITHUBS;
        if ($ENV{JR_LEAVE}) { diag("left: $TMP") }
        else                { remove_tree($TMP) }
        $? = $status;
    }
}

1;
