#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The fake etcd and a real one give the same answers to one table of requests; and two hosts agree
# by the fake one, so that this is tested where no etcd is installed.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 qw(encode_base64);
use Test::More;
use JSON::PP ();
use JR::Doors;
use JR::Etcd;
use JR::FakeEtcd;
use JR::Http;
use JR::Test;

my $JSON = JSON::PP->new->canonical->ascii;

my %etcd = (fake => JR::FakeEtcd->start);
if (JR::Etcd::binary()) {
    $etcd{real} = JR::Etcd->start(dir => tmpdir() . '/etcd', owner => $$, members => 1);
}
else {
    diag('NO ETCD HERE: the fake one is compared with the table only; apt-get install etcd-server');
}

# What the gateway answers. Revisions are those of an etcd that is new, whose first is 1; what is a
# member's own is a star.
sub header { my ($revision) = @_; return (header => { cluster_id => '*', member_id => '*', raft_term => '*', revision => "$revision" }) }

sub kv {
    my ($key, $value, $created, $modified, $version, $lease) = @_;
    return {
        key => $key, length $value ? (value => $value) : (), create_revision => "$created", mod_revision => "$modified",
        version => "$version", $lease ? (lease => $lease) : (),
    };
}

# With as many keys as there are, if these are not all.
sub kvs {
    my ($kvs, $of) = @_;
    return @$kvs ? (kvs => $kvs, count => '' . ($of // @$kvs), $of ? (more => JSON::PP::true) : ()) : ();
}

sub range { my ($revision, $kvs, $of) = @_; return [200, { header($revision), kvs($kvs // [], $of) }] }

sub done { my ($what, $revision, %more) = @_; return { "response_$what" => { header => { revision => "$revision" }, %more } } }
sub got { my ($revision, @kvs) = @_; return done(range => $revision, kvs(\@kvs)) }

sub lost { my ($revision, @responses) = @_; return [200, { header($revision), @responses ? (responses => \@responses) : () }] }

sub won {
    my ($answer) = [@{ lost(@_) }];
    $answer->[1]{succeeded} = JSON::PP::true;
    return $answer;
}

# Of what is no JSON or no base64 each version of etcd says something else.
sub refused {
    my ($status, $code, $message) = @_;
    return [$status, { code => $code, defined $message ? (message => "etcdserver: $message") : () }];
}

my $NO_KEY   = refused(400, 3, 'key is not provided');
my $NO_LEASE = refused(404, 5, 'requested lease not found');
my $TWICE    = refused(400, 3, 'duplicate key given in txn request');

# What it is asked; keys and values as they are, a lease by the name that its row has.
sub created  { my ($key, $revision) = @_; return { target => 'CREATE',  key => $key, create_revision => "$revision" } }
sub modified { my ($key, $revision) = @_; return { target => 'MOD',     key => $key, mod_revision    => "$revision" } }
sub version  { my ($key, $version)  = @_; return { target => 'VERSION', key => $key, version         => "$version" } }

sub put { my ($key, $value, $lease) = @_; return { request_put => { key => $key, value => $value, $lease ? (lease => $lease) : () } } }
sub get { my ($key, %more) = @_; return { request_range => { key => $key, %more } } }
sub del { my ($key, %more) = @_; return { request_delete_range => { key => $key, %more } } }

sub txn { my ($if, $then, $else) = @_; return { compare => $if, success => $then, failure => $else // [] } }

# name, path, body, [status, answer]; and the name of the lease that it grants.
my @table = (
    ['no key is there', 'kv/range', { key => 'a' }, range(1)],
    ['an empty range', 'kv/range', { key => 'a', range_end => 'z' }, range(1)],
    ['no key is named', 'kv/range', { key => '' }, $NO_KEY],
    ['nothing is asked', 'kv/range', {}, $NO_KEY],
    ['an empty transaction', 'kv/txn', {}, won(1)],
    ['a snapshot of nothing', 'kv/txn', txn([], [get('a'), get('b')]), won(1, got(1), got(1))],
    ['a key is created', 'kv/txn', txn([created('a', 0)], [put(a => 'one'), get('a')], [get('a')]),
        won(2, done(put => 2), got(2, kv('a', 'one', 2, 2, 1)))],
    ['which is lost when it is there', 'kv/txn', txn([created('a', 0)], [put(a => 'two'), get('a')], [get('a')]),
        lost(2, got(2, kv('a', 'one', 2, 2, 1)))],
    ['without a read', 'kv/txn', txn([created('a', 0)], [put(a => 'two')]), lost(2)],
    ['created just then', 'kv/txn', txn([created('a', 2)], [get('a')]), won(2, got(2, kv('a', 'one', 2, 2, 1)))],
    ['it is changed', 'kv/txn', txn([modified('a', 2)], [put(a => 'two'), get('a')], [get('a')]),
        won(3, done(put => 3), got(3, kv('a', 'two', 2, 3, 2)))],
    ['but not twice', 'kv/txn', txn([modified('a', 2)], [put(a => 'three')], [get('a')]), lost(3, got(3, kv('a', 'two', 2, 3, 2)))],
    ['by its version', 'kv/txn', txn([version('a', 2)], [put(a => 'three')]), won(4, done(put => 4))],
    ['by a number', 'kv/txn', txn([{ target => 'MOD', key => 'a', mod_revision => 4 }], [get('a')]), won(4, got(4, kv('a', 'three', 2, 4, 3)))],
    ['what is not there has no revision', 'kv/txn', txn([modified('x', 0), version('x', 0), created('x', 0)], []), won(4)],
    ['nor any other', 'kv/txn', txn([modified('x', 4)], []), lost(4)],
    ['one of two is lost', 'kv/txn', txn([created('b', 0), modified('a', 3)], [put(b => 'x')]), lost(4)],
    ['two keys have one revision', 'kv/txn', txn([], [put(b => 'x'), put(c => 'y'), get('a', range_end => 'z')]),
        won(5, done(put => 5), done(put => 5), got(5, kv('a', 'three', 2, 4, 3), kv('b', 'x', 5, 5, 1), kv('c', 'y', 5, 5, 1)))],
    ['a read before the write', 'kv/txn', txn([], [get('c'), put(c => 'z'), get('c')]),
        won(6, got(5, kv('c', 'y', 5, 5, 1)), done(put => 6), got(6, kv('c', 'z', 5, 6, 2)))],
    ['the same key twice', 'kv/txn', txn([], [put(c => '1'), put(c => '2')]), $TWICE],
    ['in the half that is not done', 'kv/txn', txn([], [], [put(c => '1'), put(c => '2')]), $TWICE],
    ['put and deleted', 'kv/txn', txn([], [put(c => '1'), del('c')]), $TWICE],
    ['in both halves', 'kv/txn', txn([created('c', 0)], [put(c => '1')], [put(c => '3')]), lost(7, done(put => 7))],
    ['a put without a key', 'kv/txn', txn([], [put('' => '1')]), $NO_KEY],
    ['a compare without a key', 'kv/txn', txn([created('', 0)], []), $NO_KEY],
    ['an operation that is none', 'kv/txn', txn([], [{}]), refused(400, 3, 'key not found')],
    ['128 operations', 'kv/txn', txn([], [map { get("n$_") } 1 .. 128]), won(7, map { got(7) } 1 .. 128)],
    ['one more', 'kv/txn', txn([], [map { get("n$_") } 1 .. 129]), refused(400, 3, 'too many operations in txn request')],
    ['a range', 'kv/range', { key => 'b', range_end => 'c' }, range(7, [kv('b', 'x', 5, 5, 1)])],
    ['a limit', 'kv/range', { key => 'a', range_end => 'z', limit => '2' }, range(7, [kv('a', 'three', 2, 4, 3), kv('b', 'x', 5, 5, 1)], 3)],
    ['a limit in a transaction', 'kv/txn', txn([], [get('b', range_end => 'z', limit => 1)]),
        won(7, done(range => 7, kvs([kv('b', 'x', 5, 5, 1)], 2)))],
    ['a limit that is as much as there is', 'kv/range', { key => 'b', range_end => 'z', limit => 2 }, range(7, [kv('b', 'x', 5, 5, 1), kv('c', '3', 5, 7, 3)])],
    ['a limit of 0 is none', 'kv/range', { key => 'b', range_end => 'z', limit => '0' }, range(7, [kv('b', 'x', 5, 5, 1), kv('c', '3', 5, 7, 3)])],
    ['all from a key on', 'kv/range', { key => 'c', range_end => "\0" }, range(7, [kv('c', '3', 5, 7, 3)])],
    ['a range that ends before it begins', 'kv/range', { key => 'c', range_end => 'a' }, range(7)],
    ['what is not there is deleted', 'kv/txn', txn([], [del('x')]), won(7, done(delete_range => 7))],
    ['a key is deleted', 'kv/txn', txn([modified('b', 5)], [del('b'), get('b')]), won(8, done(delete_range => 8, deleted => '1'), got(8))],
    ['and created again', 'kv/txn', txn([created('b', 0)], [put(b => 'new'), get('b')]), won(9, done(put => 9), got(9, kv('b', 'new', 9, 9, 1)))],
    ['one deleted, one put', 'kv/txn', txn([], [del('b'), put(d => 'y')]), won(10, done(delete_range => 10, deleted => '1'), done(put => 10))],
    ['some are deleted', 'kv/txn', txn([], [del('c', range_end => 'e')]), won(11, done(delete_range => 11, deleted => '2'))],
    ['any bytes', 'kv/txn', txn([], [put("\x01\xff/\xfe" => "\n\0\x80?"), get("\x01\xff/\xfe")]), won(12, done(put => 12), got(12, kv("\x01\xff/\xfe", "\n\0\x80?", 12, 12, 1)))],
    ['in order of bytes', 'kv/range', { key => "\x01", range_end => "\0" }, range(12, [kv("\x01\xff/\xfe", "\n\0\x80?", 12, 12, 1), kv('a', 'three', 2, 4, 3)])],
    ['an empty value', 'kv/txn', txn([], [put(e => ''), get('e')]), won(13, done(put => 13), got(13, kv('e', '', 13, 13, 1)))],

    ['a lease', 'lease/grant', { TTL => '600' }, [200, { header(13), ID => 'LEASE', TTL => '600' }], 'LEASE'],
    ['kept alive', 'lease/keepalive', { ID => 'LEASE' }, [200, { result => { header(13), ID => 'LEASE', TTL => '600' } }]],
    ['with keys', 'kv/txn', txn([], [put(l => 'x', 'LEASE'), put(m => 'y', 'LEASE'), get('l')]),
        won(14, done(put => 14), done(put => 14), got(14, kv('l', 'x', 14, 14, 1, 'LEASE')))],
    ['a key leaves it', 'kv/txn', txn([], [put(m => 'z'), get('m')]), won(15, done(put => 15), got(15, kv('m', 'z', 14, 15, 2)))],
    ['revoked', 'lease/revoke', { ID => 'LEASE' }, [200, { header(16) }]],
    ['its keys are gone', 'kv/range', { key => 'l', range_end => 'n' }, range(16, [kv('m', 'z', 14, 15, 2)])],
    ['revoked again', 'lease/revoke', { ID => 'LEASE' }, $NO_LEASE],
    ['kept alive too late', 'lease/keepalive', { ID => 'LEASE' }, [200, { result => { header(16), ID => 'LEASE' } }]],
    ['a key for it', 'kv/txn', txn([], [put(a => 'x'), put(l => 'x', 'LEASE')]), $NO_LEASE],
    ['nothing of that is done', 'kv/range', { key => 'a' }, range(16, [kv('a', 'three', 2, 4, 3)])],
    ['in the half that is not done', 'kv/txn', txn([created('a', 0)], [put(l => 'x', 'LEASE')], [get('l')]), lost(16, got(16))],
    ['a lease that never was', 'lease/keepalive', { ID => '4711' }, [200, { result => { header(16), ID => '4711' } }]],
    ['nor can be revoked', 'lease/revoke', { ID => 4711 }, $NO_LEASE],
    ['a lease without keys', 'lease/grant', { TTL => 600 }, [200, { header(16), ID => 'EMPTY', TTL => '600' }], 'EMPTY'],
    ['revoked', 'lease/revoke', { ID => 'EMPTY' }, [200, { header(16) }]],

    ['no JSON', 'kv/range', '{"key"', refused(400, 3)],
    ['no base64', 'kv/range', '{"key":"?"}', refused(400, 3)],
    ['no number', 'lease/grant', '{"TTL":"soon"}', refused(400, 3)],
    ['no such path', 'kv/nothing', {}, [404]],
    ['the status of a member', 'maintenance/status', {}, [200, { header(16), version => '*', leader => '*' }]],

    # Two seconds are the least.
    ['a short lease', 'lease/grant', { TTL => '1' }, [200, { header(16), ID => 'SHORT', TTL => '2' }], 'SHORT'],
    ['with a key', 'kv/txn', txn([], [put(s => 'x', 'SHORT')]), won(17, done(put => 17))],
);

my @later = (
    ['it is over', 'lease/keepalive', { ID => 'SHORT' }, [200, { result => { header(18), ID => 'SHORT' } }]],
    ['its key is gone', 'kv/range', { key => 's' }, range(18)],
    ['it cannot be revoked', 'lease/revoke', { ID => 'SHORT' }, $NO_LEASE],
);

# As it goes over the wire: bytes in base64, leases by their ids.
sub wire {
    my ($what, $leases, $member) = @_;
    return { map { $_ => wire($what->{$_}, $leases, $_) } keys %$what } if ref $what eq 'HASH';
    return [map { wire($_, $leases) } @$what] if ref $what eq 'ARRAY';
    return $what if ref $what;
    return encode_base64($what, '') if $member =~ /^(?:key|value|range_end)$/;
    return $member =~ /^(?:lease|ID)$/ ? $leases->{$what} // $what : $what;
}

# An answer as text, without what differs from one etcd to another, and what was added to errors
# and to the status of a member by one version or the other.
sub comparable {
    my ($answer, $want) = @_;
    return $answer->status if !$want || !$answer->json;
    my %json = %{ $answer->json };
    delete @json{ grep { !exists $want->{$_} } qw(error message details) };
    delete @json{ grep { !exists $want->{$_} } keys %json } if $want->{version};
    my $text = $JSON->encode(\%json);
    $text =~ s/"(cluster_id|member_id|raft_term|leader)":"[1-9][0-9]*"/"$1":"*"/g;
    $text =~ s/"version":"3\.[0-9.]+"/"version":"*"/ if $want->{version};
    return $answer->status . " $text";
}

my %leases = map { $_ => {} } keys %etcd;

sub compare {
    my ($which, @rows) = @_;
    my ($http, $leases) = (JR::Http->new(port => $etcd{$which}{clients}[0]), $leases{$which});
    for my $row (@rows) {
        my ($name, $path, $asked, $answer, $granted) = @$row;
        my ($status, $want) = @$answer;
        my $body = ref $asked ? $JSON->encode(wire($asked, $leases)) : $asked;
        my $got = $http->send({ method => 'POST', path => "/v3/$path", headers => [['Content-Type', 'application/json']], body => $body });
        $leases->{$granted} = ($got->json // {})->{ID} if $granted;
        is comparable($got, $want), $want ? "$status " . $JSON->encode(wire($want, $leases)) : $status, $name;
    }
    return;
}

# A subtest for each etcd.
sub with_each {
    my ($name, $code) = @_;
    for my $which (qw(fake real)) {
      SKIP: {
            skip "no etcd-server: $name, real", 1 if !$etcd{$which};
            subtest "$name, $which" => sub { $code->($which) };
        }
    }
    return;
}

with_each 'the answers of the table' => sub { compare($_[0], @table) };

# The first case of cluster.t.
subtest 'two hosts agree by the fake etcd' => sub {
    my $github = github();
    my $fake   = JR::FakeEtcd->start;
    my @hosts  = map {
        service(
            github => $github, CLUSTER_ETCD => $fake->urls, CLUSTER_HOST => "host-$_", CLUSTER_TAKEOVER => '60s',
            JR_TEST_SHORTER => 20, WORKERS => 1,
        )->start
    } 1, 2;
    wait_ok { 2 == grep { $_->log->count('cluster-up') } @hosts } 'they are among each other';
    my $run = workflow_run(github => $github, door => JR::Doors->new(@hosts), jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { ($fake->claim($run->id, 1) // {})->{result} } 'its claim has ended';
    is $fake->claim($run->id, 1)->{result}, 'accepted', 'GitHub has accepted a rerun';
    is_deeply [scalar $run->posts, scalar $run->accepted], [1, 1], 'which one host asked for, once';
    my $check = sub { tool(['check', '--online'], %{ $hosts[0]->environment })->{out} };
    wait_ok { $check->() =~ /^etcd node +http\S+: version 3/m } 'check --online knows the etcd';
    $_->stop_service for @hosts;
    $fake->stop;
};

with_each 'a lease that is over' => sub {
    my ($which) = @_;
    wait_ok { !(() = $etcd{$which}->keys_below('s')) } 'its key goes';
    compare($which, @later);
};

$_->stop for values %etcd;
finish();
