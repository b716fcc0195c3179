#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# SIGHUP: the program on disk takes the place of the one that runs, without a
# request lost; and when it is no good, everything goes on as before.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd qw(abs_path);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time);
use JR::FastCGI qw(fcgi_begin fcgi_params fcgi_stdin fcgi_end);
use JR::File qw(write_file);
use JR::Http qw(cgi_params read_all);
use JR::Load qw(load);
use JR::Process qw(running);
use JR::Test;

my $github = github();

sub queued { return delivery(job_event(run_id => next_id(), action => 'queued')) }

# Ask for it; the line that tells what came of it.
sub reload {
    my ($service, $what) = @_;
    my $mark = $service->log->mark;
    kill 'HUP', $service->master;
    my $line = $service->log->wait_entry($what // 'reloaded', since => $mark);
    ok $line, $what // 'reloaded' or diag substr $service->log->text, $mark;
    return $line // {};
}

# And wait until those from before have left, who may serve one more request.
sub reload_whole {
    my ($service) = @_;
    my @old = $service->children;
    reload($service);
    return wait_ok { !grep { running($_) } @old } 'the old children have left';
}

sub serves {
    my ($service, $name) = @_;
    status_is $service->http->send(queued()), 202, "$name: a webhook";
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, "$name: a run fails";
    wait_ok { $run->accepted } "$name: and is rerun";
    return;
}

subtest 'new children, the same master' => sub {
    my $service = service(github => $github)->start;
    serves($service, 'before');
    my $master = $service->master;
    my @old = $service->children;
    is reload($service)->{pid}, $master, 'its process id stays';
    wait_ok { !grep { running($_) } @old } 'the old children leave';
    wait_ok { 3 == $service->children } 'as many have come';
    serves($service, 'after');
    is $service->log->count('child-died'), 0, 'nobody died';
    is $service->log->count('started'), 1, 'it was started once';
    reload($service);
    kill 'HUP', $master for 1 .. 5;
    select undef, undef, undef, 0.5;
    serves($service, 'after five more at once');
    is $service->stop_service, 0, 'it stops';
};

subtest 'what they are at is finished first' => sub {
    my $service = service(github => $github, WORKERS => 1)->start;
    my $request = queued();
    my ($first, $next, $rest) = unpack 'a100 a1 a*', $request->{body};
    ok $service->wait_at_work, 'all are at work';
    my ($worker) = $service->workers;
    my $fds = () = glob "/proc/$worker/fd/*";
    my $socket = $service->fastcgi->write_only(
        fcgi_begin() . fcgi_params(cgi_params($request)) . fcgi_stdin($first));
    wait_ok { $fds < (() = glob "/proc/$worker/fd/*") } 'it reads a body';
    reload($service);
    # It is given up when its sender is silent for 10 s.
    syswrite $socket, fcgi_stdin($next);
    status_is $service->http->send(queued()), 202, 'another is served by the new one';
    ok running($worker), 'the old one is still there';
    syswrite $socket, fcgi_stdin($rest) . fcgi_end();
    status_is JR::FastCGI::decode(read_all($socket)), 202, 'and finishes';
    wait_ok { !running($worker) } 'then leaves';
    is $service->log->count('child-died'), 0, 'which is no death';
    serves($service, 'the new one');
    $service->stop_service;
};

subtest 'old ones that do not leave' => sub {
    my $service = service(github => $github, WORKERS => 1)->start;
    my ($worker) = $service->workers;
    kill 'STOP', $worker;
    my $began = time;
    reload($service);
    wait_ok { !running($worker) } 'it is killed';
    cmp_ok time - $began, '>', 7, 'not at once';
    like $service->log->wait_entry('reload', level => 'warn')->{text}, qr/1 child from before did not end in time and is killed/, 'the log has it';
    serves($service, 'after');

    # And when it is stopped meanwhile.
    ($worker) = grep { $_ != $service->dispatcher } $service->children;
    kill 'STOP', $worker;
    reload($service);
    kill 'CONT', $worker;
    is $service->stop_service, 0, 'a stop soon after takes all along';
};

# A program of its own for each, to be replaced.
my $copies = 0;
sub own_binary {
    my $copy = tmpdir() . '/copy' . ++$copies;
    symlink abs_path(binary()), $copy or die "symlink: $!";
    return $copy;
}

my %broken = (
    'no program'          => sub { write_file($_[0], "this is no program\n") },
    'nothing'             => sub { unlink $_[0] },
    'one that crashes'    => sub { write_file($_[0], "#!/bin/sh\nkill -SEGV \$\$\n"); chmod 0755, $_[0] },
    'one that says no'    => sub { write_file($_[0], "#!/bin/sh\necho 'sorry,' >&2\necho no >&2\nexit 78\n"); chmod 0755, $_[0] },
);
my %why = (
    'no program'       => qr/ermission denied|Exec format error/,
    'nothing'          => qr/No such file/,
    'one that crashes' => qr/signal 11/,
    'one that says no' => qr/status 78: sorry, no; everything goes on as before/,
);
for my $name (sort keys %broken) {
    subtest "on disk is $name" => sub {
        my $copy = own_binary();
        my $service = service(github => $github, binary => $copy)->start;
        wait_ok { 3 == $service->children } 'it has its children';
        my @children = $service->children;
        $broken{$name}->($copy);
        my $line = reload($service, 'reload-refused');
        is $line->{level}, 'error', 'an error';
        like $line->{text} // '', $why{$name}, 'which says why';
        is_deeply [$service->children], \@children, 'the same children';
        serves($service, 'as before');
        unlink $copy;
        symlink abs_path(binary()), $copy or die "symlink: $!";
        reload($service);
        serves($service, 'with a good one');
        is $service->log->count('child-died'), 0, 'nobody died';
        $service->stop_service;
    };
}

subtest 'the new program is the one on disk' => sub {
    my $copy = own_binary();
    my $service = service(github => $github, binary => $copy)->start;
    write_file($copy, "#!/bin/sh\nJR_TEST_NEW=yes exec '@{[ abs_path(binary()) ]}' \"\$@\"\n");
    chmod 0755, $copy;
    reload($service);
    wait_ok { 3 == $service->children } 'its children';
    open my $fh, '<', '/proc/' . $service->master . '/environ' or plan skip_all => 'its environment cannot be read';
    local $/;
    like <$fh>, qr/JR_TEST_NEW=yes/, 'it came by way of the new one';
    serves($service, 'it');
    $service->stop_service;
};

subtest 'a store that cannot be used' => sub {
    my $service = service(github => $github)->start;
    serves($service, 'before');
    my @children = $service->children;
    my $data = $service->state_dir . '/data.mdb';
    # The children go on with the file that they have open.
    rename $data, "$data.good" or die "rename: $!";
    write_file($data, "this is no store\n" x 1000);
    local $ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // (), 'handle_sigbus=0:handle_segv=0:handle_abort=0';
    like reload($service, 'reload-refused')->{text} // '', qr/STATE_DIR/, 'refused';
    is_deeply [$service->children], \@children, 'the same children';
    rename "$data.good", $data or die "rename: $!";
    serves($service, 'as before');
    $service->stop_service;
};

# What was good when it was tried is not any more when the new one begins.
sub spoil_after_check {
    my ($service, $copy) = @_;
    my $data = $service->state_dir . '/data.mdb';
    write_file($copy, <<"SH");
#!/bin/sh
[ "\$1" = check ] || { mv '$data' '$data.good' && mkdir '$data'; }
exec '@{[ abs_path(binary()) ]}' "\$@"
SH
    chmod 0755, $copy;
    return sub {
        rmdir $data or die "rmdir: $!";
        rename "$data.good", $data or die "rename: $!";
    };
}

# A service whose reload is at that. Returns it, what mends the store, and its processes
# of before: the master, and the children.
sub in_a_spoilt_reload {
    my $copy = own_binary();
    my $service = service(github => $github, binary => $copy)->start;
    serves($service, 'before');
    my @processes = ($service->master, $service->children);
    my $repair = spoil_after_check($service, $copy);
    kill 'HUP', $processes[0];
    ok $service->log->wait_entry('start-failed'), 'the new one cannot open it';
    return ($service, $repair, @processes);
}

subtest 'a store that cannot be used for a moment' => sub {
    my ($service, $repair, $master, @old) = in_a_spoilt_reload();
    is_deeply [grep { running($_) } @old], \@old, 'the old children are there';
    # It gives up after eight tries, a second apart.
    kill 'STOP', $master;
    serves($service, 'they');
    $repair->();
    kill 'CONT', $master;
    is +($service->log->wait_entry('reloaded') // {})->{pid}, $master, 'the new one goes on trying';
    wait_ok { !grep { running($_) } @old } 'the old children leave';
    serves($service, 'after');
    is $service->log->count('child-died'), 0, 'nobody died';
    is $service->stop_service, 0, 'it stops';
};

subtest 'and is stopped meanwhile' => sub {
    my ($service, $repair, undef, @old) = in_a_spoilt_reload();
    my $began = time;
    is $service->stop_service, 0, 'it stops';
    cmp_ok time - $began, '<', 5 * slowness(), 'at once';
    ok !(grep { running($_) } @old), 'with the old children';
    $repair->();
};

subtest 'and is told to reload meanwhile' => sub {
    my ($service, $repair, $master) = in_a_spoilt_reload();
    kill 'HUP', $master;
    $repair->();
    wait_ok { $service->log->count('reloaded') == 2 } 'it does so after that';
    serves($service, 'after');
    is $service->stop_service, 0, 'it stops';
};

subtest 'a store that cannot be used any more' => sub {
    my ($service, $repair, $master, @old) = in_a_spoilt_reload();
    wait_ok { !running($master) } 'it gives up';
    is $service->log->count('start-failed'), 8, 'after some tries';
    ok !(grep { running($_) } @old), 'the old children have ended before';
    ok $service->bury, 'nothing is left behind';
    $repair->();
};

subtest 'secrets' => sub {
    my $file = tmpdir() . '/sign_key';
    my ($old, $new) = (JR::Service::sign_key(), 'another-signing-key-for-tests-000003');
    write_file($file, "$old\n");
    my $service = service(github => $github, GITHUB_SIGN_KEY => undef, GITHUB_SIGN_KEY_FILE => $file)->start;
    serves($service, 'before');
    write_file($file, "$new\n");
    my %by_new = (key => $new);
    status_is $service->http->send(queued()), 202, 'the file is not looked at meanwhile';
    reload_whole($service);
    status_is $service->http->send(queued()), 403, 'the old key is no longer good';
    status_is $service->http->send(delivery(job_event(run_id => next_id(), action => 'queued'), %by_new)), 202,
        'the new one is';
    write_file($file, "\n");
    like reload($service, 'reload-refused')->{text} // '', qr/GITHUB_SIGN_KEY_FILE: is empty/, 'an empty one is refused';
    status_is $service->http->send(delivery(job_event(run_id => next_id(), action => 'queued'), %by_new)), 202,
        'it has its key still';
    write_file($file, "$old\n");
    # The token came by the environment, and comes through each time.
    for my $round (1 .. 3) {
        reload_whole($service);
        serves($service, "round $round");
    }
    $service->stop_service;
};

# systemd does so with the socket, which all share, each time that it runs something with it: also
# what ExecReload= says.
sub make_blocking {
    my ($socket) = @_;
    my $flags = fcntl($socket, F_GETFL, 0) // die "fcntl: $!";
    fcntl($socket, F_SETFL, $flags & ~O_NONBLOCK) // die "fcntl: $!";
    return;
}

subtest 'ten reloads under load' => sub {
    my $service = service(github => $github, WORKERS => 16);
    my $listener = IO::Socket::UNIX->new(Listen => 128, Local => $service->socket_path) or die $!;
    chmod 0660, $service->socket_path;
    $service->start_service(listener => $listener);
    $service->start_nginx;
    my ($rounds, $seen, $since, $mark, %status) = (0, 0, 0, 0);
    my $slowest = 0;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails meanwhile';
    load($service->http, sub {
        $status{ $_[1] }++;
        return 1 if ++$seen < $since + 20;
        return if $rounds == 10;
        my $began = time;
        make_blocking($listener);
        reload($service);
        $slowest = time - $began if time - $began > $slowest;
        $rounds++;
        $since = $seen;
        return 1;
    }, (\&queued) x 20_000);
    is_deeply [keys %status], [202], "none of $seen requests failed" or diag(explain(\%status));
    note sprintf 'the slowest reload took %.2f s', $slowest;
    wait_ok { $run->accepted } 'and it is rerun';
    is scalar $run->accepted, 1, 'once';
    is $service->log->count('child-died'), 0, 'nobody died';
    is $service->log->count('reload', level => 'warn'), 0, 'nobody had to be killed';
    make_blocking($listener);
    is $service->stop_service, 0, 'it stops as quickly';
    is $service->log->count('stop'), 0, 'by itself';
};

finish();
