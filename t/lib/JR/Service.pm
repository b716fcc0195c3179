# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Service -- the program under test, as it is deployed: spawn-fcgi runs
# it, nginx stands before it, settings come by a clean environment.
#
# Also reads its log and finds its processes. One folder holds everything; a
# second service may share the STATE_DIR of the first.

package JR::Service;

use strict;
use warnings;
use JR::Cgi;
use JR::FastCGI;
use JR::Http;
use JR::Log;
use JR::Nginx;
use JR::Process qw(spawn reap running is_stopped children_of session_of end_processes);
use JR::Wait qw(wait_for);

use constant STOP_S => 10;

# Quick enough for tests; each test overrides what it is about.
my %SETTINGS = (
    GITHUB_SIGN_KEY    => 'a-signing-key-for-tests-only-000001',
    GITHUB_TOKEN       => 'ghp_a-token-for-tests-only-000000002',
    WORKERS            => 2,
    MAP_SIZE           => '64M',
    RERUN_DELAY        => '20ms',
    API_BACKOFF_MIN    => '50ms',
    API_BACKOFF_MAX    => '400ms',
    API_WRITE_INTERVAL => '1ms',
    RECONCILE_INTERVAL => 0,
    JR_TEST_PATIENCE   => 0,    # a 404 is believed at once
);

sub sign_key { return $SETTINGS{GITHUB_SIGN_KEY} }
sub token    { return $SETTINGS{GITHUB_TOKEN} }

# dir, binary; github (JR::FakeGitHub); env => {...} over the settings above,
# undef takes a variable away; state_dir of another service; pages: what nginx
# opens, the value of RERUNNER_PAGES; port: of 127.0.0.1, for what knows no unix
# sockets; nginx_waits_s: for an answer, if not 60 s
sub new {
    my ($class, %o) = @_;
    my $self = bless { count => 0, expected_deaths => 0, %o }, $class;
    mkdir $self->{dir} or die "$self->{dir}: $!";
    $self->{state_dir} //= "$self->{dir}/state";
    mkdir $self->{state_dir}, 0700;
    $self->{log}      = JR::Log->new("$self->{dir}/service.log");
    $self->{cgi_door} = JR::Cgi->new(
        binary => $self->{binary},
        dir    => $self->{dir},
        env    => sub { $self->environment },
    );
    return $self;
}

sub environment {
    my ($self) = @_;
    my %env = (
        PATH => '/usr/local/bin:/usr/bin:/bin',
        %SETTINGS,
        STATE_DIR => $self->{state_dir},
        $self->{github} ? $self->{github}->settings : (),
        %{ $self->{env} // {} },
    );
    delete $env{$_} for grep { !defined $env{$_} } keys %env;
    # Options of the sanitizers are the builder's business, not a setting.
    for (grep {/^[A-Z]+SAN_OPTIONS$/} keys %ENV) { $env{$_} = $ENV{$_} }
    return \%env;
}

sub socket_path { return "$_[0]{dir}/fcgi.sock" }
sub log         { return $_[0]{log} }
sub master      { return $_[0]{master} }
sub state_dir   { return $_[0]{state_dir} }

# Start both; returns when the service says that it is up.
sub start {
    my ($self) = @_;
    $self->start_service;
    $self->start_nginx;
    return $self;
}

# listener: an open socket to serve instead of having spawn-fcgi make one
sub start_service {
    my ($self, %o) = @_;
    my $mark = $self->log->mark;
    my @argv = $o{listener}
        ? ($self->{binary})
        : ('/usr/bin/spawn-fcgi', '-n', '-s', $self->socket_path, '-M', '0660', '--', $self->{binary});
    $self->{master} = spawn(
        argv  => \@argv,
        env   => $self->environment,
        out   => $self->log->path,
        stdin => $o{listener},
    );
    wait_for { $self->log->count('started', since => $mark) || !running($self->{master}) };
    die "the service does not start:\n" . $self->log->text if !running($self->{master});
    # It says so before it starts its children, of which one may have its reasons to die.
    my ($line) = $self->log->find('started', since => $mark);
    wait_for { $self->children > ($line->{workers} // 0) } 5;
    return $self;
}

sub start_nginx {
    my ($self) = @_;
    my $params = JR::Nginx::FASTCGI_PARAMS;
    $params .= qq(fastcgi_param RERUNNER_PAGES "$self->{pages}";\n) if defined $self->{pages};
    my $port = $self->{port} ? "listen 127.0.0.1:$self->{port};" : '';
    $self->{nginx} = JR::Nginx->start(
        dir    => "$self->{dir}/nginx",
        user   => $self->{user},
        server => <<"CONF");
client_max_body_size 25m;
client_body_buffer_size 128k;
server {
    listen unix:$self->{dir}/http.sock;
    $port
    location / {
        fastcgi_pass unix:@{[ $self->socket_path ]};
        fastcgi_read_timeout @{[ $self->{nginx_waits_s} // 60 ]}s;
        $params
    }
}
CONF
    return $self;
}

# Wait status of the master; undef when it had to be killed. Signal 0: the
# test has sent one.
sub stop_service {
    my ($self, $signal) = @_;
    my $master = delete $self->{master} // return 0;
    kill $signal // 'TERM', $master;
    my $status = reap($master, STOP_S);
    my $gone = defined $status && wait_for { !session_of($master) } STOP_S;
    push @{ $self->{faults} }, 'processes left behind after the stop' if !$gone;
    push @{ $self->{faults} }, 'wait status ' . ($status // 'none') . ' after the stop'
        if ($status // -1) != 0;
    end_processes($master, session_of($master)) if !$gone;
    return $status;
}

# Stop, change settings, start; the STATE_DIR and nginx stay.
sub restart {
    my ($self, %env) = @_;
    $self->stop_service;
    $self->{env} = { %{ $self->{env} // {} }, %env };
    return $self->start_service;
}

# The master is dead by the test's own hand: forget it, wait for its children.
sub bury {
    my ($self) = @_;
    my $master = delete $self->{master};
    reap($master);
    my $gone = wait_for { !session_of($master) } STOP_S;
    end_processes(session_of($master)) if !$gone;
    return $gone;
}

# The doors.
sub http    { return JR::Http->new(unix => "$_[0]{dir}/http.sock") }
sub fastcgi { return JR::FastCGI->new(unix => $_[0]->socket_path) }
sub cgi     { return $_[0]{cgi_door} }

# Processes. The dispatcher is the child that holds the lock; whose lock it is
# stands in the file.
sub children { return children_of($_[0]{master}) }

sub dispatcher {
    my ($self) = @_;
    my $file = "$self->{state_dir}/dispatcher.lock";
    my $inode = (stat $file)[1] // return;
    open my $locks, '<', '/proc/locks' or die "/proc/locks: $!";
    return if !grep {/:$inode /} <$locks>;
    open my $fh, '<', $file or return;
    my ($pid) = (<$fh> // '') =~ /^(\d+)/ or return;
    return (grep { $_ == $pid } $self->children)[0];
}

# The dispatcher, once it has stopped itself at a point (JR_TEST_STOP_AT=POINT:FILE). The file is
# there a moment before.
sub dispatcher_at {
    my ($self, $file) = @_;
    my $pid = -e $file ? $self->dispatcher : undef;
    return $pid && is_stopped($pid) ? $pid : undef;
}

sub workers {
    my ($self) = @_;
    my $dispatcher = (wait_for { $self->dispatcher }) // 0;
    return grep { $_ != $dispatcher } $self->children;
}

# All its children have begun: the dispatcher holds its lock, and each worker has opened the file
# of that, to look at it, which is the last thing that it opens. For root, who may see.
sub wait_at_work {
    my ($self) = @_;
    my $has_begun = sub { my ($pid) = @_; return grep { m{/dispatcher\.lock$} } map { readlink // '' } glob "/proc/$pid/fd/*" };
    return wait_for { $self->dispatcher && !grep { !$has_begun->($_) } $self->children };
}

# Why a run was closed, by the log; "none": it was not.
sub closed_reason {
    my ($self, $run) = @_;
    my $entry = $self->log->wait_entry('decision', run => $run->id, verdict => 'closed');
    return $entry ? $entry->{reason} : 'none';
}

# The next child-died line belongs to the test.
sub expect_death { my ($self, $n) = @_; $self->{expected_deaths} += $n // 1; return }

# Stop everything; what is wrong, as text, one line each.
sub finish {
    my ($self) = @_;
    $self->stop_service if $self->{master};
    my @faults = @{ $self->{faults} // [] };
    if ($self->{nginx}) {
        push @faults, 'nginx did not stop' if !defined $self->{nginx}->stop;
        push @faults, map {"nginx: $_"} $self->{nginx}->error_log =~ /^(.*\[(?:alert|emerg|crit)\].*)$/mg;
    }
    push @faults, 'a child of a CGI request stays' if !$self->{cgi_door}->wait_children;
    $self->{cgi_door}->kill_children;
    for my $log ($self->log, JR::Log->new($self->{cgi_door}->log)) {
        push @faults, $log->text =~ /^(.*(?:ERROR: \w+Sanitizer|runtime error:|LeakSanitizer).*)$/mg;
    }
    my @deaths = $self->log->find('child-died');
    push @faults, map { 'lost: ' . $_->{line} } @deaths if @deaths != $self->{expected_deaths};
    return @faults;
}

# After a test that died: leave no process behind.
sub abandon {
    my ($self) = @_;
    end_processes($self->{master}, session_of($self->{master})) if $self->{master};
    $self->{nginx}->stop if $self->{nginx};
    $self->{cgi_door}->kill_children;
    return;
}

1;
