#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# conf/web and conf/quickstart: what they start, as whom, and that it all ends
# together, whoever is killed first.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd qw(abs_path);
use File::Copy qw(copy);
use IO::Socket::IP;
use POSIX qw(WIFSIGNALED WEXITSTATUS SIGTERM SIGKILL);
use Test::More;
use Time::HiRes qw(time);
use JR::FakeGitHub;
use JR::File qw(read_file_or_empty write_file);
use JR::Http;
use JR::Load qw(all_at_once);
use JR::Process qw(spawn reap running children_of by_folder end_processes);
use JR::Test;

my $KEY   = 'a-signing-key-of-web-t-000000000001';
my $TOKEN = 'ghp_a-token-of-web-t-00000000000002';
my $ROOT  = $> == 0;

# How much longer it may take to start over stragglers, whom it gives 0.3 s.
use constant ALIKE_S => 2.5;

# The folder has a space in it, as paths may have.
my $tmp = tmpdir() . '/a folder';
mkdir $tmp or die "$tmp: $!";
my $build = "$tmp/build";
mkdir $build and mkdir "$build/fcgi" or die "$build: $!";
symlink abs_path(binary()), "$build/fcgi/job-rerunner" or die "symlink: $!";

my $count = 0;

sub new_dir {
    my ($owner) = @_;
    my $dir = "$tmp/state" . ++$count;
    mkdir $dir, 0700 or die "$dir: $!";
    if ($owner) {
        chown +(getpwnam $owner)[2, 3], $dir or die "chown: $!";
    }
    return $dir;
}

# Start a script of conf/ with args; settings over those that it needs.
sub start {
    my (%o) = @_;
    my $log = "$tmp/log" . ++$count;
    my %env = (
        PATH            => '/usr/bin:/bin',
        JR_BUILDDIR     => $build,
        GITHUB_SIGN_KEY => $KEY,
        GITHUB_TOKEN    => $TOKEN,
        GITHUB_API_URL  => 'http://127.0.0.1:9',
        WORKERS         => 2,
        MAP_SIZE        => '64M',
        PORT            => JR::FakeGitHub::free_port(),
        %{ $o{env} // {} },
    );
    delete $env{$_} for grep { !defined $env{$_} } keys %env;
    $env{$_} = join ':', $ENV{$_}, $env{$_} // () for grep {/^[A-Z]+SAN_OPTIONS$/} keys %ENV;
    my $pid = spawn(
        argv     => [@{ $o{as} // [] }, '/bin/sh', $o{script} // srcdir() . '/conf/web', @{ $o{args} // [] }],
        env      => \%env,
        out      => $log,
        in_child => sub { chdir($o{dir} // $tmp) or die "chdir: $!" },
    );
    return { pid => $pid, log => $log, port => $env{PORT}, state => $env{STATE_DIR} };
}

# Start and wait until it says that it serves.
sub serve {
    my (%o) = @_;
    my $began = time;
    my $web = start(%o);
    wait_for { read_file_or_empty($web->{log}) =~ /is served$/m || !running($web->{pid}) };
    $web->{took} = time - $began;
    like(read_file_or_empty($web->{log}), qr/is served$/m, 'it serves') or diag(read_file_or_empty($web->{log}));
    return $web;
}

sub descendants {
    my ($pid) = @_;
    return map { ($_, descendants($_)) } children_of($pid);
}

sub get {
    my ($web, %request) = @_;
    return eval {
        JR::Http->new(port => $web->{port})->send({ method => 'GET', path => '/', headers => [], %request });
    };
}

sub greets {
    my ($web, $name) = @_;
    my $answer = get($web);
    return like($answer && $answer->body, qr/Hello, I'm a job Re-Runner!/, $name);
}

sub comm { return read_file_or_empty("/proc/$_[0]/comm") =~ s/\n//r }

# Its own child of that name: nginx's master, or the program's.
sub child {
    my ($web, $name) = @_;
    my ($pid) = grep { comm($_) eq $name } children_of($web->{pid});
    return $pid // die "no $name";
}

# The end of a conf/web: its exit status, and that nothing is left.
sub ends {
    my ($web, $status, $name, @family) = @_;
    my $start = time;
    my $got   = reap($web->{pid});
    my $took  = time - $start;
    $got = defined $got ? WIFSIGNALED($got) ? 'signal' : WEXITSTATUS($got) : 'none';
    ok($status eq 'failure' ? $got =~ /^[1-9]/ : $got eq $status, "$name: status $status")
        or diag("got $got\n" . read_file_or_empty($web->{log}));
    cmp_ok($took, '<', 10 * slowness(), "$name: within 10 s");
    ok((wait_for { !grep { running($_) } @family } 5), "$name: nobody is left")
        or end_processes(@family);
    return if !$web->{state} || $status eq 'failure' && !@family;
    my @files = grep { !m{/nginx\.conf$} } glob "'$web->{state}/web/'*";
    is("@files", '', "$name: no socket or pid file is left");
    return;
}

sub stop {
    my ($web, $signal, $name) = @_;
    my @family = descendants($web->{pid});
    kill $signal, $web->{pid};
    ends($web, 0, $name, @family);
    return;
}

subtest 'serving' => sub {
    my $web = serve(env => { STATE_DIR => new_dir(), BODY_MAX => '10k' });
    my $answer = get($web);
    is($answer && $answer->status, 200, 'GET / is answered');
    greets($web, 'by the program');
    wait_ok { read_file_or_empty($web->{log}) =~ /^\S+ "GET \/ HTTP\/1\.1" 200 /m } 'nginx logs to stderr';

    $answer = get($web, method => 'POST', body => 'x' x 20_000,
        headers => [['Content-Type', 'application/json'], ['X-GitHub-Delivery', 'abc-1'],
            ['X-GitHub-Event', 'ping']]);
    is($answer && $answer->status, 413, 'more than BODY_MAX is refused');
    ok($answer && $answer->header('X-Rerun-Reason'), 'by the program, not by nginx');
    wait_ok { read_file_or_empty($web->{log}) =~ /^\S+ "POST .* 413 .*delivery=abc-1 event=ping/m }
        'the access log has delivery and event';

    my @family;
    wait_ok { (@family = descendants($web->{pid})) >= 6 } 'processes of both';
    my @told = grep { read_file_or_empty("/proc/$_/cmdline") =~ /\Q$KEY\E|\Q$TOKEN\E/ } $web->{pid}, @family;
    is("@told", '', 'no secret is in a command line');
    my @nginx = grep { comm($_) eq 'nginx' } @family;
    cmp_ok(scalar @nginx, '>=', 2, 'nginx has a master and a worker');
    @told = grep { read_file_or_empty("/proc/$_/environ") =~ /\Q$KEY\E|\Q$TOKEN\E|STATE_DIR/ } @nginx;
    is("@told", '', 'nginx is given no setting');
    # The shell is known by what it is born with; job-rerunner has wiped it.
    @told = grep { read_file_or_empty("/proc/$_/environ") =~ /\Q$KEY\E|\Q$TOKEN\E|WORKERS|GITHUB/ } $web->{pid};
    is("@told", '', 'nor is this shell, but for what it needs itself');
    @told = grep { read_file_or_empty("/proc/$_/environ") =~ /\Q$KEY\E|\Q$TOKEN\E/ } @family;
    is("@told", '', 'nor has anybody a secret in his environment');
    is(join(' ', sort map { comm($_) } children_of($web->{pid})), 'job-rerunner nginx', 'there is nobody but the two');
    is(readlink("/proc/$web->{pid}/fd/8"), undef, 'and the pipe with what was set is closed');

    my $second = start(env => { STATE_DIR => $web->{state} });
    ends($second, 'failure', 'a second one for the same STATE_DIR');
    like(read_file_or_empty($second->{log}), qr/already running/, 'and it says why');

    my $other = serve(env => { STATE_DIR => new_dir() });
    greets($_, 'two at once, each with a STATE_DIR of its own') for $web, $other;
    stop($other, 'INT', 'SIGINT');
    greets($web, 'the other one is not touched');
    stop($web, 'TERM', 'SIGTERM');

    $web = serve(env => { STATE_DIR => $web->{state} });
    stop($web, 'HUP', 'SIGHUP, after a second start');
};

# An address of this host that is not a loopback one; asks the kernel, sends nothing.
sub outer_address {
    my $socket = IO::Socket::IP->new(PeerHost => '192.0.2.1', PeerPort => 9, Proto => 'udp') or return;
    return $socket->sockhost =~ /^127\./ ? undef : $socket->sockhost;
}

subtest 'who may see the pages' => sub {
    my $web = serve(env => { STATE_DIR => new_dir(), LISTEN => '0.0.0.0' });
    # host and from are addresses to send to and from, named is the header Host.
    my $status = sub {
        my ($path, %o) = @_;
        my @headers = (['Host', delete $o{named} // "localhost:$web->{port}"], @{ delete $o{headers} // [] });
        my $answer = eval {
            JR::Http->new(port => $web->{port}, map { $_ => delete $o{$_} } grep { $o{$_} } qw(host from))
                ->send({ method => 'GET', path => $path, headers => \@headers, %o });
        };
        return $answer ? $answer->status : "none: $@";
    };
    is($status->('/status'), 200, 'this host: /status');
    is($status->('/metrics'), 200, 'this host: /metrics');
    is($status->($_), 200, "this host: $_") for qw(/runs /runs.csv /repos.json /settings);
    for my $name ("127.0.0.1:$web->{port}", qw(127.0.0.1 127.0.1.1:80 localhost LocalHost [::1] [::1]:5000)) {
        is($status->('/status', named => $name), 200, "by the name $name");
    }
    # Names that a foreign page in a browser on this host may have, made to lead here.
    for my $name ('rebound.example.org', "rebound.example.org:$web->{port}", qw(127.0.0.1.example.org localhost.example.org
        xlocalhost 192.0.2.1 128.0.0.1 [::2] 127.example.org)) {
        is($status->($_, named => $name), 404, "by the name $name: $_") for qw(/status /runs/1 /metrics);
        is($status->('/', named => $name), 200, "by the name $name: the greeting");
    }
    is($status->('/status', from => '127.0.0.5', host => '127.0.0.5'), 200, 'by another loopback address too');
    is($status->('/runs/1', method => 'HEAD'), 404, 'this host: /runs/ID');
    # What another web server on this host hands on is from elsewhere.
    for my $header (['X-Forwarded-For', '192.0.2.7'], ['x-forwarded-for', '127.0.0.1'], ['Forwarded', 'for=127.0.0.1'], ['Via', '1.1 proxy']) {
        my $answer = get($web, path => '/status', headers => [['Host', 'localhost'], $header, ['RERUNNER_PAGES', 'status'], ['Rerunner-Pages', 'status']]);
        is($answer && $answer->body, "There is no such page.\n", "$header->[0]: none of the pages");
        is($status->('/', headers => [$header]), 200, "$header->[0]: the greeting");
    }
  SKIP: {
        my $outer = outer_address();
        skip 'no address but loopback', 3 if !$outer;
        for my $path ('/status', '/runs/1', '/metrics') {
            is($status->($path, host => $outer, named => '127.0.0.1', headers => [['Rerunner-Pages', 'status metrics']]), 404, "another address: $path");
        }
    }
    stop($web, 'TERM', 'SIGTERM');
};

subtest 'a thousand webhooks at one moment' => sub {
    open my $limits, '<', '/proc/self/limits' or die "limits: $!";
    my ($files) = join('', <$limits>) =~ /^Max open files +\d+ +(\d+)/m;
    plan skip_all => 'no limit high enough for so many files' if !$ROOT && ($files // 0) < 12_288;
    my $web = serve(env => { STATE_DIR => new_dir(), WORKERS => 16 });
    my @events = map { delivery(job_event(run_id => next_id(), action => 'queued'), key => $KEY) } 1 .. 1000;
    my $came = all_at_once($web->{port}, @events);
    # nginx writes to the same log.
    is_deeply($came, { 202 => 1000 }, 'all are taken')
        or diag(explain($came), grep { !/ webhook .* status=202 / } read_file_or_empty($web->{log}) =~ /^.*\n/mg);
    stop($web, 'TERM', 'SIGTERM');
};

subtest 'one dies' => sub {
    for my $name (qw(nginx job-rerunner)) {
        my $web    = serve(env => { STATE_DIR => new_dir() });
        my @family = descendants($web->{pid});
        kill 'KILL', child($web, $name);
        ends($web, 'failure', "$name killed", @family);
        like(read_file_or_empty($web->{log}), qr/was killed by signal 9/, "$name killed: it says so");
    }
    my $web = serve(env => { STATE_DIR => new_dir() });
    my $worker = wait_for { (children_of(child($web, 'nginx')))[0] };
    kill 'KILL', $worker;
    wait_ok { my ($new) = children_of(child($web, 'nginx')); $new && $new != $worker }
        "nginx replaces its worker";
    greets($web, 'and serves on');
    stop($web, 'TERM', 'then SIGTERM');
};

# Stragglers at their worst: the web server's workers without a master, on the
# port, and a program that does not react.
sub leave_stragglers {
    my ($web)  = @_;
    my $nginx  = child($web, 'nginx');
    my @family = descendants($web->{pid});
    kill 'STOP', child($web, 'job-rerunner'), children_of($nginx);
    kill 'KILL', $nginx, $web->{pid};
    reap($web->{pid});
    return @family;
}

subtest 'conf/web itself is killed' => sub {
    my $web = serve(env => { STATE_DIR => new_dir() });
    my $usual_s = $web->{took};
    my @took_s;
    my $alike_s = ALIKE_S;
    # A machine that is busy may take its time, but not each time.
    while (@took_s < 5 && !grep { $_ < $usual_s + $alike_s } @took_s) {
        my @family = leave_stragglers($web);
        $web = serve(env => { STATE_DIR => $web->{state}, PORT => $web->{port} });
        push @took_s, $web->{took};
        $alike_s = ALIKE_S * slowness();
        ok(!(grep { running($_) } @family), 'the stragglers are gone');
        greets($web, 'it serves again on the same port');
    }
    cmp_ok($took_s[-1], '<', $usual_s + $alike_s, sprintf 'after %s s, and without stragglers %.2f s', "@took_s", $usual_s);
    stop($web, 'TERM', 'then SIGTERM');
};

# What it runs for a moment is all that is left, and has the lock for as long.
subtest 'conf/web is killed while it starts' => sub {
    my $bin = "$tmp/slow";
    mkdir $bin or die "$bin: $!";
    open my $fh, '>', "$bin/nginx" or die "nginx: $!";
    print {$fh} "#!/bin/sh\nexec sleep 60\n";
    close $fh or die "nginx: $!";
    chmod 0755, "$bin/nginx" or die "nginx: $!";
    my $dir = new_dir();
    for my $time (1 .. 5) {
        my $web = start(env => { STATE_DIR => $dir, PATH => "$bin:/usr/bin:/bin" });
        wait_ok { grep { comm($_) eq 'sleep' } children_of($web->{pid}) } "$time: nginx is waited for";
        kill 'KILL', $web->{pid};
        reap($web->{pid});
        $web = serve(env => { STATE_DIR => $dir });
        stop($web, 'TERM', "$time: it starts after that");
    }
};

# A library to preload, which sends a signal to the shell at one of its forks.
sub signal_at_fork {
    my $preload = tmpdir() . '/signal_at_fork.so'; # without a space: it is a list
    return $preload if -e $preload;
    my $compiler = spawn(
        argv => ['/usr/bin/cc', '-shared', '-fPIC', qq{-DNUMBERS="$preload.numbers"}, '-o', $preload, srcdir() . '/t/lib/signal_at_fork.c'],
        env  => { PATH => '/usr/bin:/bin' },
    );
    is(reap($compiler), 0, 'the preload is built');
    return $preload;
}

# A conf/web that gets the signal at so many a fork, once it is gone or serves. It
# is to get none when all forks are behind it.
sub start_with_signal {
    my ($signal, $fork, $dir) = @_;
    my $preload = signal_at_fork();
    write_file("$preload.numbers", "$fork $signal\n");
    # The program gets it as well, and the sanitizer wants to be first there.
    my %env = (LD_PRELOAD => $preload, ASAN_OPTIONS => 'verify_asan_link_order=0');
    my $web = start(env => { STATE_DIR => $dir, %env });
    wait_for { read_file_or_empty($web->{log}) =~ /is served$/m || !running($web->{pid}) };
    return $web;
}

sub all_forks_are_behind {
    my ($web, $fork) = @_;
    stop($web, 'TERM', 'all forks are behind it');
    cmp_ok($fork, '>', 5, 'after some');
    return;
}

# Whenever the signal comes: also between the start of a child and the note of its number.
subtest 'SIGTERM while it starts' => sub {
    my $dir = new_dir();
    for my $fork (1 .. 100) {
        my $web = start_with_signal(SIGTERM, $fork, $dir);
        return all_forks_are_behind($web, $fork)
            if running($web->{pid}) && read_file_or_empty($web->{log}) !~ /stopping$/m;
        my $status = reap($web->{pid});
        # Before there is anything to be stopped, nobody needs to.
        ok(defined $status && ($status == 0 || ($status == 15 && read_file_or_empty($web->{log}) !~ /stopping/)),
            "fork $fork: it stops") or diag(read_file_or_empty($web->{log}));
        # Killed like that, it waits for nobody. On a busy machine a killed process is there for a moment.
        wait_for { !by_folder($tmp) } (($status // 0) ? undef : 1);
        my @left = by_folder($tmp);
        is("@left", '', "fork $fork: nobody is left");
        end_processes($web->{pid}, @left);
    }
    fail('it never serves');
};

# The child learns that it has lost its parent even when that was before it could
# ask the kernel to be told.
subtest 'SIGKILL while it starts' => sub {
    for my $owner ($ROOT ? ('root', 'www-data') : undef) {
        my $as = $owner ? " for $owner" : '';
        my ($fork, $web) = (0);
        while (++$fork <= 100) {
            $web = start_with_signal(SIGKILL, $fork, new_dir($owner));
            last if running($web->{pid});
            reap($web->{pid});
            wait_ok { !by_folder($tmp) } "fork $fork$as: nobody is left" or end_processes(by_folder($tmp));
        }
        all_forks_are_behind($web, $fork);
    }
};

subtest 'wrong settings' => sub {
    my $port = JR::FakeGitHub::free_port();
    my @cases = (
        [{ PORT => 'http' }, qr/PORT='http'/],
        [{ PORT => 0 }, qr/PORT='0'/],
        [{ PORT => 65536 }, qr/PORT='65536'/],
        [{ LISTEN => '127.0.0.1; daemon on' }, qr/LISTEN='127\.0\.0\.1; daemon on'/],
        [{ STATE_DIR => "$tmp/" . 'x' x 110 }, qr/107 bytes/],
        [{ STATE_DIR => '/proc/nowhere/state' }, qr/cannot make STATE_DIR/],
        [{ RUN_ATTEMPTS => 'many' }, qr/RUN_ATTEMPTS/],
    );
    for (@cases) {
        my ($env, $message) = @$_;
        my $dir = new_dir();
        my $web = start(env => { STATE_DIR => $dir, %$env });
        ends($web, 'failure', join ' ', %$env);
        like(read_file_or_empty($web->{log}), $message, 'the message names it');
    }
    my $taken = IO::Socket::IP->new(Listen => 1, LocalHost => '127.0.0.1', LocalPort => $port);
    my $web = start(env => { STATE_DIR => new_dir(), PORT => $port });
    ends($web, 'failure', 'the port is taken');
};

# The program makes the socket by itself, at the path in JR_SOCKET.
subtest 'where there can be no socket' => sub {
    my $dir = new_dir();
    my $taken = write_file("$dir/taken", '');
    my @cases = (
        ['socket', qr/'socket' is no path of a socket/],
        ["$dir/", qr/is no path of a socket/],
        ["$dir/nowhere/socket", qr/cannot open the folder/],
        ["$taken/socket", qr/cannot open the folder/],
        ["$dir/" . 'x' x 100, qr/name '.*' is too long/],
        [$taken, qr/cannot listen on .*Address already in use/],
    );
    for (@cases) {
        my ($path, $message) = @$_;
        my $result = tool([], GITHUB_SIGN_KEY => $KEY, GITHUB_TOKEN => $TOKEN, STATE_DIR => $dir, MAP_SIZE => '64M', JR_SOCKET => $path);
        is($result->{status}, 1, "$path: status 1") or diag($result->{err});
        like($result->{err}, qr/ start-failed text=".*$message/, 'the message says why');
    }
};

subtest 'IPv6' => sub {
    my $probe = IO::Socket::IP->new(Listen => 1, LocalHost => '::1', LocalPort => 0);
    plan skip_all => 'no IPv6 on this host' if !$probe;
    close $probe;
    my $web = serve(env => { STATE_DIR => new_dir(), LISTEN => '::1' });
    ok(IO::Socket::IP->new(PeerHost => '::1', PeerPort => $web->{port}), '::1 is listened on');
    stop($web, 'TERM', 'SIGTERM');
};

# uids (real, effective, saved, file system) of a process
sub uids { return read_file_or_empty("/proc/$_[0]/status") =~ /^Uid:\s+(.*)$/m ? split ' ', $1 : () }

subtest 'started by root for www-data' => sub {
    plan skip_all => 'not root' if !$ROOT;
    my $uid = getpwnam 'www-data';
    my $web = serve(env => { STATE_DIR => new_dir('www-data') });
    greets($web, 'it serves');
    my @wrong = grep {
        grep { $_ != $uid } uids($_)
    } descendants($web->{pid});
    is(join(' ', map { comm($_) } @wrong), '', 'all but conf/web run as www-data');
    unlike(read_file_or_empty($web->{log}), qr/warning/, 'no warning');
    stop($web, 'TERM', 'SIGTERM');

    $web = serve(env => { STATE_DIR => $web->{state} });
    my @family = descendants($web->{pid});
    kill 'KILL', $web->{pid};
    reap($web->{pid});
    wait_ok { !grep { running($_) } @family } 'killed: the others leave, also the one that has become www-data by itself';

    $web = serve(env => { STATE_DIR => $web->{state} });
    @family = descendants($web->{pid});
    kill 'STOP', child($web, 'job-rerunner');
    kill 'KILL', $web->{pid};
    reap($web->{pid});
    $web = serve(env => { STATE_DIR => $web->{state}, PORT => $web->{port} });
    ok(!(grep { running($_) } @family), 'stragglers are gone after the next start');
    stop($web, 'TERM', 'SIGTERM');

    $web = serve(env => { STATE_DIR => new_dir() });
    like(read_file_or_empty($web->{log}), qr/warning: root owns/, 'a STATE_DIR of root is warned of');
    greets($web, 'and served');
    stop($web, 'TERM', 'SIGTERM');
};

# A source tree that needs neither packages nor a build.
sub built_tree {
    my $tree = "$tmp/tree" . ++$count;
    mkdir $_ or die "$_: $!" for $tree, map {"$tree/$_"} qw(conf fcgi t t/sim);
    for my $name (qw(packages quickstart web)) {
        copy(srcdir() . "/conf/$name", "$tree/conf/$name") or die "$name: $!";
    }
    symlink abs_path(binary()), "$tree/fcgi/job-rerunner" or die "symlink: $!";
    symlink srcdir() . '/t/sim/demo', "$tree/t/sim/demo" or die "symlink: $!";
    symlink abs_path(($ENV{JR_BUILDDIR} // srcdir()) . '/t/sim/player'), "$tree/t/sim/player" or die "symlink: $!";
    for my $name (qw(apt-packages config.status configure Makefile)) {
        open my $fh, '>', "$tree/$name" or die "$name: $!";
        print {$fh} "all:\nt/sim/player:\n" if $name eq 'Makefile';
    }
    chmod 0755, "$tree/configure";
    return $tree;
}

# Root without its power over the files of others cannot but do everything there as their owner.
subtest 'root does nothing in the folder of another user' => sub {
    plan skip_all => 'not root' if !$ROOT;
    my @weak = ('/usr/bin/setpriv', '--bounding-set=-dac_override,-dac_read_search', '--');
    my $dir = new_dir('www-data');
    chmod 0755, $dir or die "chmod: $!"; # what is in it is for the owner alone all the same
    for my $time (1, 2) {
        my $web = serve(as => \@weak, env => { STATE_DIR => $dir, WORKERS => 2 });
        greets($web, "$time: it serves");
        my ($socket) = glob "'$dir/web/fcgi.'*";
        is((stat $socket)[4], scalar getpwnam('www-data'), 'the socket is of the owner');
        is(sprintf('%o', (stat $socket)[2] & 07777), '600', 'and for him alone');
        is(readlink("/proc/$web->{pid}/cwd"), $tmp, 'the shell has stayed where it was');
        kill 'KILL', $web->{pid};
        reap($web->{pid});
    }

    my $roots = "$tmp/roots";
    mkdir $roots, 0755 or die "$roots: $!";
    $dir = new_dir('www-data');
    symlink $roots, "$dir/web" or die "symlink: $!";
    my $web = start(env => { STATE_DIR => $dir });
    ends($web, 'failure', 'a link that leads to a folder of root');
    like(read_file_or_empty($web->{log}), qr/www-data cannot write to/, 'and it says so');
    is_deeply([glob "'$roots/'*"], [], 'nothing is there');

    # A new STATE_DIR is made where nobody else can put anything in its place.
    my $foreign = new_dir('www-data');
    for my $script (qw(web quickstart)) {
        my $tree = $script eq 'quickstart' ? built_tree() : srcdir();
        $web = start(script => "$tree/conf/$script", env => { STATE_DIR => "$foreign/new/state" });
        ends($web, 'failure', "$script: a new STATE_DIR in the folder of another user");
        like(read_file_or_empty($web->{log}), qr/is not root's: make it yourself/, 'and it says why');
    }
    ok(!-e "$foreign/new", 'nothing is made');
    $web = serve(env => { STATE_DIR => "$tmp/new one/state" });
    is((stat "$tmp/new one/state")[4], scalar getpwnam('www-data'), 'in one of root it is made for www-data');
    is(sprintf('%o', (stat "$tmp/new one/state")[2] & 07777), '700', 'for him alone');
    stop($web, 'TERM', 'SIGTERM');
};

# As on a fresh machine where root has cloned into its own home, with umask 077.
subtest 'a program that only root can reach' => sub {
    plan skip_all => 'not root' if !$ROOT;
    my $home = "$tmp/home";
    mkdir $_, 0700 or die "$_: $!" for $home, "$home/fcgi";
    copy(abs_path(binary()), "$home/fcgi/job-rerunner") or die "copy: $!";
    chmod 0700, "$home/fcgi/job-rerunner" or die "chmod: $!";
    my $token = write_file("$home/token", "$TOKEN\n");
    chmod 0600, $token or die "chmod: $!";
    my $web = serve(env => { STATE_DIR => new_dir('www-data'), JR_BUILDDIR => $home,
        GITHUB_TOKEN => undef, GITHUB_TOKEN_FILE => $token });
    greets($web, 'it serves, with a secret that only root can read');
    stop($web, 'TERM', 'SIGTERM');
};

subtest 'ordinary user' => sub {
    my @as;
    if ($ROOT) {
        @as = qw(/usr/bin/setpriv --reuid=www-data --regid=www-data --clear-groups --);
        plan skip_all => 'www-data cannot read the source tree'
            if system @as, '/usr/bin/test', '-r', srcdir() . '/conf/web';
        plan skip_all => 'www-data cannot run the program'
            if system @as, '/usr/bin/test', '-x', "$build/fcgi/job-rerunner";
    }
    my $dir = new_dir($ROOT ? 'www-data' : undef);
    my $web = serve(as => \@as, dir => $dir);
    $web->{state} = "$dir/state";
    ok(-d "$dir/state/web", 'STATE_DIR is ./state');
    is(sprintf('%o', (stat "$dir/state")[2] & 07777), '700', 'for itself alone');
    greets($web, 'it serves');
    stop($web, 'TERM', 'SIGTERM');

    return if !$ROOT;
    $web = start(as => \@as, env => { STATE_DIR => new_dir() });
    ends($web, 'failure', "somebody else's STATE_DIR");
};

subtest 'quickstart' => sub {
    my $tree = built_tree();
    my %bare = (JR_BUILDDIR => undef, GITHUB_SIGN_KEY => undef, GITHUB_TOKEN => undef);
    my %o    = (script => "$tree/conf/quickstart", env => { %bare, STATE_DIR => new_dir() });

    my $web = serve(%o);
    greets($web, 'it serves');
    my ($key) = read_file_or_empty($web->{log}) =~ /GITHUB_SIGN_KEY=([0-9a-f]{64})$/m;
    ok($key, 'a key is made and printed');
    my $file = "$web->{state}/github_sign_key";
    is(read_file_or_empty($file), "$key\n", 'and kept in STATE_DIR');
    is(sprintf('%o', (stat $file)[2] & 07777), '600', 'for the owner alone');
    like(read_file_or_empty($web->{log}), qr/DRY_RUN=yes/, 'without a token it says that it is a dry run');
    my @told = grep { read_file_or_empty("/proc/$_/cmdline") =~ /$key/ } $web->{pid}, descendants($web->{pid});
    is("@told", '', 'no key in a command line');
    stop($web, 'INT', 'Ctrl-C');

    $web = serve(%o);
    like(read_file_or_empty($web->{log}), qr/GITHUB_SIGN_KEY=$key$/m, 'the next start has the same key');
    stop($web, 'TERM', 'SIGTERM');

    # What somebody else has put there is neither shown nor used.
    my $secret = write_file("$tmp/somebody's", "not-the-key-of-this-service\n");
    for my $owner ($ROOT ? ('root', 'www-data') : undef) {
        my $dir = new_dir($owner);
        symlink $secret, "$dir/github_sign_key" or die "symlink: $!";
        $web = start(%o, env => { %bare, STATE_DIR => $dir });
        ends($web, 'failure', 'a link in the place of the key' . ($owner ? ", of $owner" : ''));
        like(read_file_or_empty($web->{log}), qr/github_sign_key' is not a file with a key/, 'and it says so');
        unlike(read_file_or_empty($web->{log}), qr/not-the-key/, 'but not what is in it');
        unlink "$dir/github_sign_key";
        write_file("$dir/github_sign_key", "some:words of\nanother:file\n");
        chmod 0644, "$dir/github_sign_key";
        $web = start(%o, env => { %bare, STATE_DIR => $dir });
        ends($web, 'failure', 'another file');
        like(read_file_or_empty($web->{log}), qr/something else in it than a key/, 'it says so');
        unlike(read_file_or_empty($web->{log}), qr/some:words/, 'but not what is in it');
    }

    $o{env} = { JR_BUILDDIR => undef, STATE_DIR => new_dir() };
    $web = serve(%o);
    unlike(read_file_or_empty($web->{log}), qr/\Q$KEY\E|\Q$TOKEN\E|DRY_RUN(?!=no\b)/, 'what was given is neither printed nor changed');
    ok(!-e "$web->{state}/github_sign_key", 'nor is another key made');
    stop($web, 'TERM', 'SIGTERM');
};

# What quickstart says when it serves, and of that what is to be pasted about a webhook.
sub next_steps {
    my ($web) = @_;
    wait_for { read_file_or_empty($web->{log}) =~ /"Adding a repository"\.$/m || !running($web->{pid}) } 10 * slowness();
    my ($text) = read_file_or_empty($web->{log}) =~ /is served\n\n(.*?"Adding a repository"\.)\n\n/s;
    my ($webhook) = ($text // '') =~ /^(    body=.*?)\n\n/ms;
    return ($text // '', $webhook // 'exit 1');
}

# Paste a command into a shell; what it prints.
sub paste {
    my ($command, %env) = @_;
    my $out = "$tmp/pasted" . ++$count;
    my $pid = spawn(argv => ['/bin/sh', '-c', $command], env => { PATH => '/usr/bin:/bin', %env }, out => $out);
    is(reap($pid), 0, 'what is pasted succeeds');
    return read_file_or_empty($out);
}

# All commands but one.
sub path_without {
    my ($name) = @_;
    my $bin = "$tmp/without-$name";
    mkdir $bin or die "$bin: $!";
    for my $file (map { glob "$_/*" } qw(/usr/bin /usr/sbin)) {
        symlink $file, "$bin/" . $file =~ s{.*/}{}r if $file !~ m{/\Q$name\E$};
    }
    return $bin;
}

# What a pasted webhook prints, by curl or, where there is none, by other means.
sub answered {
    my ($status, $reason) = @_;
    return qr/^(?:HTTP\S* )?$status .*\b\Q$reason\E/s;
}

subtest 'what quickstart says to try next' => sub {
    my $tree = built_tree();
    my %bare = (JR_BUILDDIR => undef, GITHUB_SIGN_KEY => undef, GITHUB_TOKEN => undef, RERUN_DELAY => '100ms');
    my $web  = serve(script => "$tree/conf/quickstart", env => { %bare, STATE_DIR => new_dir() });
    my ($text, $webhook) = next_steps($web);
    my $url = "http://127.0.0.1:$web->{port}";
    like($text, qr{^The greeting: \Q$url\E/$}m, 'the greeting');
    like($text, qr{^How it goes:  \Q$url\E/status$}m, 'the page');
    like($text, qr{\Q$tree/conf/quickstart\E'? --demo$}m, 'the demo');
    my ($key) = read_file_or_empty("$web->{state}/github_sign_key") =~ /(\w+)/;
    unlike($text, qr/$key/, 'the key is not in it');
    my @told = grep { read_file_or_empty("/proc/$_/environ") =~ /JR_WEB_SAYS/ } descendants($web->{pid});
    is("@told", '', 'nobody gets it but the shell that says it');
    like(paste($webhook), answered(201, 'run-failed'), "the webhook, time $_") for 1, 2;
    wait_ok { read_file_or_empty($web->{log}) =~ / decision .* run=4242 .*verdict=dry-run / } 'the run is decided about';
    is(scalar(() = read_file_or_empty($web->{log}) =~ / decision .* run=4242 /g), 1, 'once');
    my ($commands) = $text =~ /^(    export PATH.*?)\n\n/ms;
    my $out = paste($commands // 'exit 1');
    like($out, qr/^dispatcher +at work/m, 'status');
    like($out, qr/^octo\/app, run 4242, workflow 'Try it'/m, 'why');
    stop($web, 'INT', 'Ctrl-C');

    $web = serve(script => "$tree/conf/quickstart",
        env => { %bare, STATE_DIR => $web->{state}, PATH => path_without('curl'), MAP_SIZE => '64M' });
    ($text, $webhook) = next_steps($web);
    unlike($webhook, qr/curl/, 'without curl it goes by other means');
    like(paste($webhook), qr/^201 run-failed;/, 'and the answer is the same');
    stop($web, 'TERM', 'SIGTERM');

    # A service that may rerun is told of no run.
    my $file = write_file("$tmp/a key", "$KEY\n");
    for my $how ({ GITHUB_SIGN_KEY => $KEY }, { GITHUB_SIGN_KEY => undef, GITHUB_SIGN_KEY_FILE => $file }) {
        $web = serve(script => "$tree/conf/quickstart", env => { JR_BUILDDIR => undef, STATE_DIR => new_dir(), %$how });
        ($text, $webhook) = next_steps($web);
        my $answer = paste($webhook, map { $_ => $how->{$_} } grep { $how->{$_} } keys %$how);
        like($answer, answered(204, 'event-not-watched'), 'with a token: a ping, signed with ' . (sort keys %$how)[-1]);
        unlike($text, qr/\Q$KEY\E/, 'the key is not in it');
        stop($web, 'TERM', 'SIGTERM');
    }
};

subtest 'quickstart --demo' => sub {
    my $tree = built_tree();
    my $state = new_dir();
    my %o = (
        script => "$tree/conf/quickstart", args => ['--demo'],
        # None of what is set for a real service has to do with it.
        env => { JR_BUILDDIR => undef, STATE_DIR => $state, REPOS => 'octo/*', DRY_RUN => 'yes', GITHUB_API_URL => 'https://api.github.com' },
    );
    my $web = serve(%o);
    $web->{state} = "$state-demo";
    my ($text, $webhook) = next_steps($web);
    # The service is up a moment after what says so.
    wait_ok { read_file_or_empty($web->{log}) =~ / settings .*GITHUB_API_URL=http:\/\/127\.0\.0\.1:\d+ .*DRY_RUN=no/ } 'it asks a GitHub of its own';
    unlike(read_file_or_empty($web->{log}), qr/REPOS=octo|\Q$KEY\E|\Q$TOKEN\E/, 'and knows nothing of what is set');
    is_deeply([glob "'$state/'*"], [], 'nothing is in STATE_DIR');
    greets($web, 'it serves');

    my %shown = ('/status' => 'paused', '/runs' => 'rescued', '/repos' => 'acme/mobile', '/jobs' => 'integration', '/runners' => 'build-3');
    for my $path (sort keys %shown) {
        like(get($web, path => $path, headers => [['Host', 'localhost']])->body, qr/\b\Q$shown{$path}\E\b/, "$path shows something");
    }
    wait_ok { tool(['status'], STATE_DIR => "$state-demo")->{out} =~ /^dispatcher +at work/m } 'its dispatcher is at work';
    my ($commands) = $text =~ /^(    export PATH.*?)\n\n/ms;
    my $out = paste(($commands // 'exit 1') =~ s/^.* resume .*$//mr);
    like($out, qr/^dispatcher +at work/m, 'status');
    like($out, qr/^\S+Z +\d+ +acme\/api +CI +main .* success +run-succeeded/m, 'runs');
    like($out, qr/^acme\/website +CI +end-to-end .*\n.*^acme +linux,self-hosted +build-3 .* yes /ms, 'flaky');
    like($out, qr/^Rescued: .*^Attempt 2\n/ms, 'why');

    my $event = delivery(run_event(run_id => next_id(), action => 'requested', repo => 'acme/website'),
        key => read_file_or_empty("$state-demo/github_sign_key") =~ s/\n//r);
    status_is(JR::Http->new(port => $web->{port})->send($event), 202, 'a webhook');
    like(paste($webhook), answered(201, 'run-failed'), 'the webhook that is to be pasted');
    wait_ok { read_file_or_empty($web->{log}) =~ / rerun .* run=4242 attempt=1 .*reason=rerun-accepted/ } 'is followed by a rerun';
    like(paste($webhook), answered('20\d', 'run-failed'), 'pasted again');
    # Its job takes half a minute and more.
    my $ended = wait_for { read_file_or_empty($web->{log}) =~ / webhook .* action=completed .* run=4242 attempt=2 conclusion=success .*reason=run-succeeded/ } 120;
    ok($ended, 'which the GitHub of the demo brings to a good end');

    like(tool(['status'], STATE_DIR => "$state-demo")->{out}, qr/^store .*, 6 repositories$/m, 'in a repository that was known');

    my $second = start(%o);
    $second->{state} = undef;
    ends($second, 'failure', 'a second one');
    like(read_file_or_empty($second->{log}), qr/already running/, 'says why');
    stop($web, 'INT', 'Ctrl-C');

    $web = serve(%o);
    $web->{state} = "$state-demo";
    next_steps($web);
    is(tool(['why', 4242], STATE_DIR => "$state-demo")->{status}, 1, 'the next one begins from scratch');
    stop($web, 'TERM', 'SIGTERM');

    unlink "$state-demo/is-a-demo";
    $web = start(%o);
    $web->{state} = undef;
    ends($web, 'failure', 'a folder that no demo has made');
    ok(-s "$state-demo/data.mdb", 'is left as it is');
    like(read_file_or_empty($web->{log}), qr/--demo has not made it/, 'and it says why');

  SKIP: {
        skip 'not root', 1 if !$ROOT;
        my @as = qw(/usr/bin/setpriv --reuid=www-data --regid=www-data --clear-groups --);
        skip 'www-data cannot read the source tree', 1 if system @as, '/usr/bin/test', '-r', srcdir() . '/t/sim/demo';
        my $dir = new_dir('www-data');
        $web = serve(%o, as => \@as, dir => $dir, env => { JR_BUILDDIR => undef });
        ok(-d "$dir/state-demo", 'an ordinary user has it in ./state-demo');
        stop($web, 'INT', 'Ctrl-C');
        is_deeply([map { s/.*\///r } glob "'$dir/'{*,.[!.]*}"], ['state-demo'], 'and nothing else is left there');
    }
};

subtest 'packages' => sub {
    my $list = "$tmp/list";
    open my $fh, '>', $list or die "$list: $!";
    print {$fh} "no-such-package-1\nno-such-package-2\n";
    close $fh;

    # A machine without sudo.
    my $bin = "$tmp/bin";
    mkdir $bin or die "$bin: $!";
    for my $name (qw(cat dpkg-query id sh)) {
        my ($path) = grep {-x} map {"$_/$name"} qw(/usr/bin /bin);
        symlink $path, "$bin/$name" or die "symlink: $!";
    }
    my @as = $ROOT ? qw(/usr/bin/setpriv --reuid=www-data --regid=www-data --clear-groups --) : ();
    plan skip_all => 'www-data cannot read the source tree'
        if @as && system @as, '/usr/bin/test', '-r', srcdir() . '/conf/packages';
    my $log = "$tmp/packages.log";
    my $pid = spawn(
        argv => [@as, '/bin/sh', srcdir() . '/conf/packages', $list],
        env  => { PATH => $bin },
        out  => $log,
    );
    my $status = reap($pid);
    is(defined $status && $status >> 8, 1, 'neither root nor sudo: status 1');
    like(read_file_or_empty($log),
        qr/apt-get install --no-install-recommends -y no-such-package-1 no-such-package-2$/m,
        'and the command to run');

    open $fh, '>', $list or die "$list: $!";
    print {$fh} "perl-base\n";
    close $fh;
    $pid = spawn(
        argv => [@as, '/bin/sh', srcdir() . '/conf/packages', $list],
        env  => { PATH => $bin }, out => $log,
    );
    is(reap($pid), 0, 'nothing is missing: nothing is done');
};

finish();
