# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Nginx -- a private nginx in one folder: the web server in front of the
# service, and the TLS end of the fake GitHub.
#
# Knows only how to run one; what it serves is the caller's server block.

package JR::Nginx;

use strict;
use warnings;
use IO::Socket::UNIX;
use JR::Process qw(spawn reap session_of running end_processes);
use JR::Wait qw(wait_for);

# Variables of a request that nginx hands on; as in a production config, a
# client's Proxy header is not among them.
use constant FASTCGI_PARAMS => <<'CONF';
fastcgi_param GATEWAY_INTERFACE CGI/1.1;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param DOCUMENT_URI $document_uri;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
fastcgi_param QUERY_STRING $query_string;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param HTTP_PROXY "" if_not_empty;
CONF

sub binary {
    for my $dir (split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/usr/local/sbin') {
        return "$dir/nginx" if -x "$dir/nginx";
    }
    die "nginx is not installed\n";
}

# dir: its folder; user: who the workers run as when started by root;
# server: text of the http block; main: text outside of it, if not a few connections;
# processes: how many workers, if not 1
sub start {
    my ($class, %o) = @_;
    my $self = bless {%o}, $class;
    mkdir $self->{dir} or die "$self->{dir}: $!";
    open my $fh, '>', "$self->{dir}/nginx.conf" or die "nginx.conf: $!";
    print {$fh} $self->config;
    close $fh;
    $self->{pid} = spawn(
        argv => [binary(), '-p', $self->{dir}, '-c', 'nginx.conf', '-e', 'error.log'],
        out  => "$self->{dir}/output",
    );
    wait_for { -s "$self->{dir}/nginx.pid" || !running($self->{pid}) };
    die "nginx does not start: " . $self->error_log if !running($self->{pid});
    return $self;
}

sub config {
    my ($self) = @_;
    my $user = $> == 0 ? 'user ' . ($self->{user} // 'root') . ';' : '';
    my $temp = join "\n    ",
        map {"${_}_temp_path temp-$_;"} qw(client_body proxy fastcgi uwsgi scgi);
    my $processes = $self->{processes} // 1;
    my $main = $self->{main} // 'events { worker_connections 512; }';
    return <<"CONF";
$user
daemon off;
worker_processes $processes;
pid nginx.pid;
error_log error.log warn;
$main
http {
    access_log access.log;
    $temp
    $self->{server}
}
CONF
}

sub stop {
    my ($self) = @_;
    return 0 if !$self->{pid};
    my $pid = delete $self->{pid};
    kill 'TERM', $pid;
    my $status = reap($pid);
    end_processes(session_of($pid));
    return $status;
}

sub error_log {
    my ($self) = @_;
    my $text = '';
    for my $name (qw(error.log output)) {
        open my $fh, '<', "$self->{dir}/$name" or next;
        local $/;
        $text .= <$fh> // '';
    }
    return $text;
}

1;
