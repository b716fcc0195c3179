# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Browser -- a headless Chromium, driven by chromedriver: what it loads, what
# it says, what it makes of a page.
#
# The protocol: https://www.w3.org/TR/webdriver2/ , and behind goog/cdp/execute
# https://chromedevtools.github.io/devtools-protocol/ .

package JR::Browser;

use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use JR::FakeGitHub;
use JR::Process qw(spawn reap running session_of end_processes);
use JR::Wait qw(wait_for deadline_s);

my $JSON = JSON::PP->new->utf8->canonical;

# Where a program of this name is; nothing when it is not installed.
sub find {
    my ($name) = @_;
    return (grep {-x} map {"$_/$name"} split(/:/, $ENV{PATH} // ''), '/usr/bin')[0];
}

sub is_installed { return find('chromium') && find('chromedriver') }

# dir: a new folder for everything that the browser writes
sub start {
    my ($class, %o) = @_;
    my $self = bless { %o, port => JR::FakeGitHub::free_port(), http => HTTP::Tiny->new(timeout => deadline_s()) }, $class;
    mkdir $_ or die "$_: $!" for $self->{dir}, "$self->{dir}/profile";
    $self->{pid} = spawn(
        argv => [find('chromedriver'), "--port=$self->{port}"],
        env  => { PATH => '/usr/bin:/bin', HOME => $self->{dir}, TMPDIR => $self->{dir} },
        out  => "$self->{dir}/chromedriver.log",
    );
    wait_for { eval { $self->call(GET => '/status')->{ready} } || !running($self->{pid}) };
    my @arguments = (
        qw(--headless --disable-gpu --disable-quic --no-first-run --disable-background-networking
            --disable-component-update --disable-sync --hide-scrollbars), "--user-data-dir=$self->{dir}/profile",
        $> == 0 ? '--no-sandbox' : (),
    );
    my $session = $self->call(POST => '/session', { capabilities => { alwaysMatch => {
        browserName => 'chrome',
        'goog:chromeOptions' => { args => \@arguments, binary => find('chromium') },
        'goog:loggingPrefs'  => { browser => 'ALL', performance => 'ALL' },
    } } });
    $self->{session} = "/session/$session->{sessionId}";
    return $self;
}

# One command of the protocol; its value.
sub call {
    my ($self, $method, $path, $body) = @_;
    my $answer = $self->{http}->request($method, "http://127.0.0.1:$self->{port}$path",
        { headers => { 'Content-Type' => 'application/json' }, $method eq 'POST' ? (content => $JSON->encode($body // {})) : () });
    my $value = eval { $JSON->decode($answer->{content})->{value} };
    die "$method $path: $answer->{status} $answer->{content}\n" if !$answer->{success};
    return $value;
}

sub command { my ($self, $path, $body) = @_; return $self->call(POST => "$self->{session}$path", $body) }
sub cdp { my ($self, $name, %params) = @_; return $self->command('/goog/cdp/execute', { cmd => $name, params => \%params }) }

sub go { my ($self, $url) = @_; return $self->command('/url', { url => $url }) }

# The value that a function body returns.
sub run { my ($self, $script) = @_; return $self->command('/execute/sync', { script => $script, args => [] }) }

# width and height in CSS pixels; scheme: light or dark
sub look_like {
    my ($self, %o) = @_;
    $self->cdp('Emulation.setDeviceMetricsOverride', width => 0 + $o{width}, height => 0 + $o{height},
        deviceScaleFactor => 1, mobile => $o{width} < 600 ? JSON::PP::true : JSON::PP::false);
    $self->cdp('Emulation.setEmulatedMedia', features => [{ name => 'prefers-color-scheme', value => $o{scheme} }]);
    return;
}

# What has been said on the console since the last call: lines of text.
sub console {
    my ($self) = @_;
    return map {"$_->{level}: $_->{message}"} @{ $self->command('/se/log', { type => 'browser' }) };
}

# Addresses that have been asked for since the last call.
sub requests {
    my ($self) = @_;
    my @events = map { $JSON->decode($_->{message})->{message} } @{ $self->command('/se/log', { type => 'performance' }) };
    return map { $_->{params}{request}{url} } grep { $_->{method} eq 'Network.requestWillBeSent' } @events;
}

# The whole page as a PNG file.
sub screenshot {
    my ($self, $name) = @_;
    my $shot = $self->cdp('Page.captureScreenshot', format => 'png', captureBeyondViewport => JSON::PP::true);
    open my $fh, '>:raw', $name or die "$name: $!";
    print {$fh} decode_base64($shot->{data});
    close $fh or die "$name: $!";
    return;
}

sub stop {
    my ($self) = @_;
    eval { $self->call(DELETE => delete $self->{session}) } if $self->{session};
    my $pid = delete $self->{pid} // return;
    kill 'TERM', $pid;
    reap($pid);
    end_processes(session_of($pid));
    return;
}

1;
