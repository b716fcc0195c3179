#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What Dokku would run: the build that app.json names, then the Procfile's command, as
# the user of its containers; one container after the other, and two at once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd qw(abs_path);
use JSON::PP ();
use POSIX qw(WEXITSTATUS WIFEXITED);
use Test::More;
use JR::FakeGitHub;
use JR::File qw(read_file_or_empty);
use JR::Http;
use JR::Process qw(spawn reap running);
use JR::Test;

# herokuishuser
use constant ID => 32767;

my $KEY = 'a-signing-key-of-dokku-t-00000000001';
my $tmp = tmpdir();

my $app = JSON::PP->new->decode(read_file_or_empty(srcdir() . '/app.json'));
is($app->{formation}{web}{quantity}, 1, 'app.json: one container');
my ($command, @more) = read_file_or_empty(srcdir() . '/Procfile') =~ /^web: (.*)\n(.*)\z/s;
ok($command && "@more" eq '', 'Procfile: one process');
my @odd = grep { !/^[a-z0-9][a-z0-9+.-]+$/ } split /\n/, read_file_or_empty(srcdir() . '/apt-packages');
is("@odd", '', 'apt-packages: names only');

# A plain build is made here: once is enough.
if (read_file_or_empty(abs_path(binary())) =~ /__asan_init/ || !grep { -x "$_/autoreconf" } qw(/usr/local/bin /usr/bin)) {
    finish();
    exit 0;
}

# What would be pushed, in the state of a fresh clone; /app in the container.
my $tree = "$tmp/app";
mkdir $tree or die "$tree: $!";
my @products = qw(*.o *.a .deps autom4te.cache ./state ./config.status ./config.h ./configure ./Makefile ./Makefile.in
    ./fcgi/job-rerunner ./t/job-rerunner ./t/unit/*.t .git ./_build ./_inst ./job-rerunner-*);
is(system('/bin/sh', '-c', 'from=$1 to=$2; shift 2
    tar --create --directory="$from" "$@" --file="$to.tar" . &&
        tar --extract --directory="$to" --file="$to.tar" --no-same-owner && chmod -R u+w "$to"',
    'sh', srcdir(), $tree, map {"--exclude=$_"} @products), 0, 'a copy of the sources');

my $state = "$tmp/storage";
mkdir $state or die "$state: $!";
my @as;
if ($> == 0) {
    @as = ('/usr/bin/setpriv', '--reuid=' . ID, '--regid=' . ID, '--clear-groups', '--');
    is(system('/bin/chown', '-R', ID . ':' . ID, $tree, $state), 0, 'of the user of the containers');
}

my %env = (
    PATH            => '/usr/local/bin:/usr/bin:/bin',
    HOME            => $tree,
    STATE_DIR       => $state,
    GITHUB_SIGN_KEY => $KEY,
    GITHUB_TOKEN    => 'ghp_a-token-of-dokku-t-000000000002',
    GITHUB_API_URL  => 'http://127.0.0.1:9',
    MAP_SIZE        => '64M',
    RERUN_DELAY     => '1h',
);

# A command of the container, as Dokku has a shell run it: a process, and what it says.
my $count = 0;

sub in_container {
    my ($line, %o) = @_;
    my $log = "$tmp/log" . ++$count;
    my $pid = spawn(
        argv     => [@{ $o{as} // \@as }, '/bin/sh', '-c', $line],
        env      => { %env, %{ $o{env} // {} } },
        out      => $log,
        in_child => sub { chdir $tree or die "$tree: $!" },
    );
    return { pid => $pid, log => $log };
}

# Its exit status.
sub ends {
    my ($process) = @_;
    my $status = reap($process->{pid}, 300);
    return defined $status && WIFEXITED($status) ? WEXITSTATUS($status) : 'none';
}

# Quick, since it is not measured.
my $build = in_container($app->{scripts}{dokku}{predeploy}, env => { CFLAGS => '-O0' });
is(ends($build), 0, 'the predeploy command of app.json') or diag(read_file_or_empty($build->{log}));
ok(-x "$tree/fcgi/job-rerunner", 'builds the program');

sub start {
    my $port = JR::FakeGitHub::free_port();
    my $web = in_container($command, env => { PORT => $port });
    wait_for { read_file_or_empty($web->{log}) =~ /is served$/m || !running($web->{pid}) };
    return { %$web, port => $port };
}

# As Dokku's own nginx hands it on.
sub request {
    my ($web, $method, $path, %o) = @_;
    my @headers = (['Host', 'reruns.example.org'], ['X-Forwarded-For', '192.0.2.7'], @{ $o{headers} // [] });
    return JR::Http->new(port => $web->{port})->send({ method => $method, path => $path, %o, headers => \@headers });
}

sub webhook {
    my ($web, $event) = @_;
    my $delivery = delivery($event, key => $KEY);
    return request($web, 'POST', '/', %$delivery{qw(headers body)});
}

my @job = (run_id => next_id(), id => next_id());

subtest 'a deploy' => sub {
    my $web = start();
    like(read_file_or_empty($web->{log}), qr{^web: http://0\.0\.0\.0:$web->{port}/ is served$}m, 'it serves on PORT') or diag(read_file_or_empty($web->{log}));
    status_is(webhook($web, job_event(@job, action => 'queued')), 202, 'a webhook');
    status_is(request($web, 'GET', '/'), 200, 'the greeting');
    status_is(request($web, 'GET', '/status'), 404, 'no page, to nobody');

    my $tool = in_container('exec fcgi/job-rerunner status');
    is(ends($tool), 0, 'dokku enter, status') or diag(read_file_or_empty($tool->{log}));
    like(read_file_or_empty($tool->{log}), qr/^health +good$/m, 'all is good');
    if ($> == 0) {
        $tool = in_container('exec fcgi/job-rerunner status', as => []);
        is(ends($tool), 0, 'the same as root') or diag(read_file_or_empty($tool->{log}));
        my @foreign = grep { (stat)[4] != ID } glob "$state/* $state/web/*";
        is("@foreign", '', 'all files are of the one user');
    }

    my $second = start();
    isnt(ends($second), 0, 'a second container at once leaves');
    like(read_file_or_empty($second->{log}), qr/already running for STATE_DIR/, 'and says why');
    status_is(request($web, 'GET', '/'), 200, 'the first one goes on');

    kill 'TERM', $web->{pid};
    is(ends($web), 0, 'docker stop');
    $web = start();
    status_is(webhook($web, job_event(@job, action => 'completed', conclusion => 'failure')), 201,
        'the next container knows what the first was told');
    kill 'TERM', $web->{pid};
    is(ends($web), 0, 'docker stop');
};

finish();
