# SPDX-License-Identifier: BSD-2-Clause
#
# JR::FakeEtcd -- an etcd of one member for tests, a process on a free port of 127.0.0.1: the handle
# that a test holds, with all that JR::Etcd has to read it.
#
# It has what the program asks of the JSON gateway, as etcd 3.4 answers it: transactions, ranges,
# leases, users, the status of a member. What it does not know it refuses with 501, where etcd would
# ignore a member that it does not know: a mistake in typing is seen. No history, no TLS.
# t/e2e/fake-etcd.t compares it with a real one.

package JR::FakeEtcd;

use strict;
use warnings;
use IO::Socket::IP;
use POSIX qw(_exit);
use JR::Etcd;
use JR::Process qw(end_processes reap);

our @ISA = ('JR::Etcd');

# strict => 1: with users, it asks who one is as newer versions do, of whoever asks for its status or
# about a lease, too; token_ttl_s: a token that is not used is over after so long
sub start {
    my ($class, %o) = @_;
    my $door = IO::Socket::IP->new(Listen => 64, LocalHost => '127.0.0.1', LocalPort => 0) or die "cannot listen: $!";
    my $self = bless { members => 1, relays => [], clients => [$door->sockport], owner => $$ }, $class;
    my $parent = $$;
    $self->{pid} = fork // die "fork: $!";
    return $self if $self->{pid};
    $SIG{TERM} = sub { _exit(0) };
    eval { JR::FakeEtcd::Server->new(%o)->serve($door, $parent); 1 } or print STDERR "fake etcd: $@";
    _exit(1);
}

sub stop {
    my ($self) = @_;
    $_->stop for splice @{ $self->{relays} };
    my $pid = delete $self->{pid} or return;
    end_processes($pid);
    reap($pid);
    return;
}

package JR::FakeEtcd::Server;

use IO::Select;
use JSON::PP ();
use MIME::Base64 qw(decode_base64 encode_base64);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
use JR::FakeEtcd::Users;
use JR::FakeGitHub::Server;

use constant {
    MEMBER      => '10276657743932975437',
    TERM        => '2',
    LEAST_TTL_S => 2,                           # of an etcd with an election timeout of a second
    MOST_OPS    => 128,
    FIRST_LEASE => 7_587_000_000_000_000_000,
};

my $JSON = JSON::PP->new->canonical->ascii;

# Codes of gRPC, and how the gateway tells them.
use constant { INVALID => 3, NOT_FOUND => 5, DENIED => 7, NOT_NOW => 9, UNIMPLEMENTED => 12, UNKNOWN_TOKEN => 16 };
my %STATUS = (INVALID, 400, NOT_FOUND, 404, DENIED, 403, NOT_NOW, 412, UNIMPLEMENTED, 501, UNKNOWN_TOKEN, 401);

# keys: key => { value, created, modified, version, lease }; leases: id => { ttl_s, due }.
# changed: a transaction has made the next revision, which it shows already.
# token: of the request that is answered
sub new {
    my ($class, %o) = @_;
    return bless {
        revision => 1, changed => 0, keys => {}, leases => {}, granted => 0, token => undef,
        strict => $o{strict}, users => JR::FakeEtcd::Users->new(ttl_s => $o{token_ttl_s}),
    }, $class;
}

# Serve until the parent is gone.
sub serve {
    my ($self, $door, $parent) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $all = IO::Select->new($door);
    my %input;
    while (getppid == $parent) {
        for my $handle ($all->can_read(1)) {
            if ($handle == $door) {
                my $new = $door->accept or next;
                $new->autoflush(1);
                $input{$new} = '';
                $all->add($new);
                next;
            }
            next if sysread($handle, $input{$handle}, 65536, length $input{$handle}) && $self->answer_all($handle, \$input{$handle});
            delete $input{$handle};
            $all->remove($handle);
            close $handle;
        }
    }
    return;
}

# True when the connection may carry more.
sub answer_all {
    my ($self, $handle, $input) = @_;
    while (my $request = JR::FakeGitHub::Server::take_request($input)) {
        my ($status, $answer) = $self->answer($request);
        my $body = ref $answer ? $JSON->encode($answer) : $answer;
        my $type = ref $answer ? 'application/json' : 'text/plain; charset=utf-8';
        my $sent = print {$handle} "HTTP/1.1 $status Fake\r\nContent-Type: $type\r\nContent-Length: ", length $body, "\r\n\r\n$body";
        return 0 if !$sent || $request->{raw_head} =~ m{ HTTP/1\.0\r} || lc($request->{headers}{connection} // '') eq 'close';
    }
    return 1;
}

my %DOES = (
    '/v3/kv/range'           => \&range,
    '/v3/kv/txn'             => \&txn,
    '/v3/lease/grant'        => \&grant,
    '/v3/lease/keepalive'    => \&keep_alive,
    '/v3/lease/revoke'       => \&revoke,
    '/v3/maintenance/status' => \&status,

    '/v3/auth/authenticate' => sub { my ($self, $asked) = @_; return $self->about_users(authenticate => $asked, qw(name password)) },
    '/v3/auth/enable'        => sub { my ($self, $asked) = @_; return $self->by_root(enable          => $asked) },
    '/v3/auth/user/add'      => sub { my ($self, $asked) = @_; return $self->by_root(add_user        => $asked, qw(name password)) },
    '/v3/auth/user/changepw' => sub { my ($self, $asked) = @_; return $self->by_root(change_password => $asked, qw(name password)) },
    '/v3/auth/user/grant'    => sub { my ($self, $asked) = @_; return $self->by_root(grant_role      => $asked, qw(user role)) },
    '/v3/auth/role/add'      => sub { my ($self, $asked) = @_; return $self->by_root(add_role        => $asked, qw(name)) },
    '/v3/auth/role/grant'    => \&grant_range,
);

sub answer {
    my ($self, $request) = @_;
    return (200, { etcdserver => $self->version, etcdcluster => '3.0.0' }) if "$request->{method} $request->{path}" eq 'GET /version';
    my $does = $DOES{ $request->{path} } or return (404, "Not Found\n");
    $self->end_leases;
    $self->{token} = $request->{headers}{authorization};
    my $answer = eval { $does->($self, decoded($request->{body})) };
    return (200, $answer) if $answer;
    die $@ if !ref $@;
    my ($code, $text) = @{ $@ };
    my %error = (message => $text, code => $code);
    return ($STATUS{$code}, $does == \&keep_alive ? { error => \%error } : { error => $text, %error });
}

sub about_users {
    my ($self, $method, $asked, @known) = @_;
    only($asked, @known);
    return { header => $self->header, $self->{users}->$method($asked) };
}

sub by_root {
    my ($self, @what) = @_;
    $self->{users}->check_root($self->{token});
    return $self->about_users(@what);
}

sub grant_range {
    my ($self, $asked) = @_;
    $self->{users}->check_root($self->{token});
    only($asked, qw(name perm));
    my $perm = $asked->{perm};
    only($perm, qw(permType key range_end));
    refuse(UNIMPLEMENTED, "the fake etcd does not grant $perm->{permType}") if $perm->{permType} ne 'READWRITE';
    $self->{users}->grant_range($asked->{name}, range_of($perm));
    return { header => $self->header };
}

sub refuse { my ($code, $text) = @_; die [$code, $text] }

sub decoded {
    my ($body) = @_;
    my $asked = eval { $JSON->decode($body) };
    refuse(INVALID, 'no JSON object') if ref $asked ne 'HASH';
    return $asked;
}

# Nothing but these may be asked.
sub only {
    my ($asked, @known) = @_;
    my %known = map { $_ => 1 } @known;
    my @others = grep { !$known{$_} } sort keys %$asked;
    refuse(UNIMPLEMENTED, "the fake etcd does not know: @others") if @others;
    return;
}

sub bytes {
    my ($text) = @_;
    refuse(INVALID, 'illegal base64 data') if length($text) % 4 || $text !~ m{^[A-Za-z0-9+/]*={0,2}$};
    return decode_base64($text);
}

sub base64 { my ($bytes) = @_; return encode_base64($bytes, '') }

# A number, which may come as a string.
sub number {
    my ($text) = @_;
    refuse(INVALID, 'not a number') if ($text // 0) !~ /^-?\d+$/;
    return 0 + ($text // 0);
}

sub key_of {
    my ($asked) = @_;
    my $key = bytes($asked->{key} // '');
    refuse(INVALID, 'etcdserver: key is not provided') if !length $key;
    return $key;
}

# Its first key, and the one after its last; '' after one key alone.
sub range_of { my ($asked) = @_; return (key_of($asked), bytes($asked->{range_end} // '')) }

# What a transaction writes has the next revision.
sub revision { my ($self) = @_; return $self->{revision} + $self->{changed} }

sub header {
    my ($self) = @_;
    return { cluster_id => MEMBER, member_id => MEMBER, revision => '' . $self->revision, raft_term => TERM };
}

sub commit {
    my ($self) = @_;
    $self->{revision} = $self->revision;
    $self->{changed}  = 0;
    return;
}

# The keys that are there, of one or of a range, in order of their bytes.
sub present {
    my ($self, $asked) = @_;
    my ($from, $end) = range_of($asked);
    return grep { exists $self->{keys}{$_} } $from if !length $end;
    return sort grep { $_ ge $from && ($end eq "\0" || $_ lt $end) } keys %{ $self->{keys} };
}

# Members that are 0 or empty are left out, as the gateway does.
sub shown {
    my ($self, $key) = @_;
    my $kept = $self->{keys}{$key};
    return {
        key => base64($key), create_revision => "$kept->{created}", mod_revision => "$kept->{modified}", version => "$kept->{version}",
        length $kept->{value} ? (value => base64($kept->{value})) : (), $kept->{lease} ? (lease => "$kept->{lease}") : (),
    };
}

sub found {
    my ($self, $asked) = @_;
    only($asked, qw(key range_end limit));
    my @keys  = $self->present($asked);
    my $count = @keys;
    my $limit = number($asked->{limit});
    splice @keys, $limit if $limit > 0 && $limit < $count;
    return if !$count;
    return (kvs => [map { $self->shown($_) } @keys], count => "$count", @keys < $count ? (more => JSON::PP::true) : ());
}

# May whoever asks read and write these? The fake knows no right to do one of them alone.
sub check_rights {
    my ($self, @asked) = @_;
    $self->{users}->check_ranges($self->{token}, map { [range_of($_)] } @asked);
    return;
}

sub range {
    my ($self, $asked) = @_;
    key_of($asked);
    $self->check_rights($asked);
    return { header => $self->header, $self->found($asked) };
}

my %COMPARED = (CREATE => [qw(create_revision created)], MOD => [qw(mod_revision modified)], VERSION => [qw(version version)]);

sub holds {
    my ($self, $compare) = @_;
    my ($member, $kept) = @{ $COMPARED{ $compare->{target} // 'VERSION' } // refuse(UNIMPLEMENTED, "the fake etcd does not compare $compare->{target}") };
    only($compare, qw(target key), $member);
    return number($compare->{$member}) == ($self->{keys}{ key_of($compare) } // { $kept => 0 })->{$kept};
}

# What etcd refuses of one half of a transaction, whichever half will be done.
sub check_operations {
    my ($self, @operations) = @_;
    refuse(INVALID, 'etcdserver: too many operations in txn request') if @operations > MOST_OPS;
    for my $operation (@operations) {
        refuse(INVALID, 'etcdserver: key not found') if !%$operation;    # so it calls an empty operation
        key_of($_) for values %$operation;
    }
    my %put;
    for (map { $_->{request_put} // () } @operations) {
        refuse(INVALID, 'etcdserver: duplicate key given in txn request') if $put{ key_of($_) }++;
    }
    for (map { $_->{request_delete_range} // () } @operations) {
        my ($from, $end) = range_of($_);
        my @both = grep { length $end ? $_ ge $from && $_ lt $end : $_ eq $from } keys %put;
        refuse(INVALID, 'etcdserver: duplicate key given in txn request') if @both;
    }
    return;
}

sub txn {
    my ($self, $asked) = @_;
    only($asked, qw(compare success failure));
    $self->check_operations(@{ $asked->{$_} // [] }) for qw(success failure);
    $self->check_rights(@{ $asked->{compare} // [] }, map { values %$_ } map { @{ $asked->{$_} // [] } } qw(success failure));
    my $won  = !grep { !$self->holds($_) } @{ $asked->{compare} // [] };
    my @todo = @{ $asked->{ $won ? 'success' : 'failure' } // [] };
    for my $lease (grep {$_} map { number($_->{lease}) } map { $_->{request_put} // () } @todo) {
        refuse(NOT_FOUND, 'etcdserver: requested lease not found') if !$self->{leases}{$lease};
    }
    my @responses = map { $self->operate(%$_) } @todo;
    $self->commit;
    return { header => $self->header, $won ? (succeeded => JSON::PP::true) : (), @responses ? (responses => \@responses) : () };
}

my %OPERATIONS = (range => \&found, put => \&put, delete_range => \&delete_range);

sub operate {
    my ($self, $name, $asked) = @_;
    my ($kind) = $name =~ /^request_(.*)/;
    my $does = $OPERATIONS{ $kind // '' } or refuse(UNIMPLEMENTED, "the fake etcd does not do $name");
    my %result = $does->($self, $asked);
    return { "response_$kind" => { header => { revision => '' . $self->revision }, %result } };
}

sub put {
    my ($self, $asked) = @_;
    only($asked, qw(key value lease));
    my $key = key_of($asked);
    $self->{changed} = 1;
    my $now = $self->revision;
    my $old = $self->{keys}{$key} // { created => $now, version => 0 };
    $self->{keys}{$key} = {
        value => bytes($asked->{value} // ''), created => $old->{created}, modified => $now, version => $old->{version} + 1,
        lease => number($asked->{lease}),
    };
    return;
}

sub delete_range {
    my ($self, $asked) = @_;
    only($asked, qw(key range_end));
    my @keys = $self->present($asked) or return;
    $self->remove(@keys);
    return (deleted => '' . @keys);
}

sub remove {
    my ($self, @keys) = @_;
    delete @{ $self->{keys} }{@keys};
    $self->{changed} = 1 if @keys;
    return;
}

sub now_s { return clock_gettime(CLOCK_MONOTONIC) }

# May whoever asks change the keys on this lease? Who is strict wants to know who it is, too.
sub check_rights_of_lease {
    my ($self, $id) = @_;
    $self->{users}->user_of($self->{token}) if $self->{strict};
    $self->{users}->check_ranges($self->{token}, map { [$_, ''] } grep { $self->{keys}{$_}{lease} == $id } keys %{ $self->{keys} });
    return;
}

sub grant {
    my ($self, $asked) = @_;
    only($asked, 'TTL');
    $self->check_rights_of_lease(-1);
    my $ttl_s = number($asked->{TTL});
    $ttl_s = LEAST_TTL_S if $ttl_s < LEAST_TTL_S;
    my $id = FIRST_LEASE + ++$self->{granted};
    $self->{leases}{$id} = { ttl_s => $ttl_s, due => now_s() + $ttl_s };
    return { header => $self->header, ID => "$id", TTL => "$ttl_s" };
}

# A lease that is over is no error: it has no TTL.
sub keep_alive {
    my ($self, $asked) = @_;
    only($asked, 'ID');
    my $id = number($asked->{ID});
    $self->check_rights_of_lease($id) if $self->{strict};
    my $lease = $self->{leases}{$id};
    $lease->{due} = now_s() + $lease->{ttl_s} if $lease;
    return { result => { header => $self->header, ID => "$id", $lease ? (TTL => "$lease->{ttl_s}") : () } };
}

sub revoke {
    my ($self, $asked) = @_;
    only($asked, 'ID');
    my $id = number($asked->{ID});
    $self->check_rights_of_lease($id);
    $self->end_lease($id) or refuse(NOT_FOUND, 'etcdserver: requested lease not found');
    return { header => $self->header };
}

# Its keys go with it, in one revision.
sub end_lease {
    my ($self, $id) = @_;
    delete $self->{leases}{$id} or return 0;
    $self->remove(grep { $self->{keys}{$_}{lease} == $id } keys %{ $self->{keys} });
    $self->commit;
    return 1;
}

sub end_leases {
    my ($self) = @_;
    my $now = now_s();
    $self->end_lease($_) for grep { $self->{leases}{$_}{due} <= $now } keys %{ $self->{leases} };
    return;
}

sub version { my ($self) = @_; return $self->{strict} ? '3.5.30' : '3.4.23' }

sub status {
    my ($self, $asked) = @_;
    only($asked);
    $self->{users}->check_root($self->{token}) if $self->{strict};
    return { header => $self->header, version => $self->version, leader => MEMBER };
}

1;
