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

my %etcd = (fake => JR::FakeEtcd->start, 'strict fake' => JR::FakeEtcd->start(strict => 1));
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

# What is known as 412 in 3.4 is 400 from 3.5 on. Of what is no JSON or no base64 each version of etcd says something else.
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

# Since some versions ago etcd asks more often who one is: the answer before that, and since.
sub since { my ($before, $since) = @_; return { before => $before, since => $since } }

# name, path, body, [status, answer]; the name of the lease or token that it gives; whose token.
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
    ['the shortest lease', 'lease/grant', { TTL => '1' }, [200, { header(16), ID => '*', TTL => '2' }]],
    ['a short lease', 'lease/grant', { TTL => '15' }, [200, { header(16), ID => 'SHORT', TTL => '15' }], 'SHORT'],
    ['with a key', 'kv/txn', txn([], [put(s => 'x', 'SHORT')]), won(17, done(put => 17))],
);

my @later = (
    ['it is over', 'lease/keepalive', { ID => 'SHORT' }, [200, { result => { header(18), ID => 'SHORT' } }]],
    ['its key is gone', 'kv/range', { key => 's' }, range(18)],
    ['it cannot be revoked', 'lease/revoke', { ID => 'SHORT' }, $NO_LEASE],
);

sub taken { return [200, { header(18), @_ }] }
sub kept { my ($revision, $lease) = @_; return [200, { result => { header($revision), ID => $lease, TTL => '600' } }] }

# As it is told where an answer is a stream.
sub refused_in_stream { my ($status, $answer) = @{ refused(@_) }; return [$status, { error => $answer }] }

my @NOBODY     = (400, 3,  'user name is empty');
my @UNKNOWN    = (401, 16, 'invalid auth token');
my @DENIED     = (403, 7,  'permission denied');
my $NO_NAME    = refused(@NOBODY);
my $NO_TOKEN   = refused(@UNKNOWN);
my $NO_RIGHT   = refused(@DENIED);
my $NOT_PROVED = refused(400, 3, 'authentication failed, invalid user ID or password');

sub not_now { my ($why) = @_; return refused(400, 9, $why) }
sub login { my ($name, $password, $token) = @_; return ('auth/authenticate', { name => $name, password => $password }, taken(token => $token), $token) }

my %BELOW = (key => '/jr/', range_end => '/jr0');

my @users = (
    ['users are not asked for', 'auth/authenticate', { name => 'hosts', password => 'sesame' }, not_now('authentication is not enabled')],
    ['there is no root', 'auth/enable', {}, not_now('root user does not exist')],
    ['root', 'auth/user/add', { name => 'root', password => 'secret' }, taken()],
    ['without his role', 'auth/enable', {}, not_now('root user does not have root role')],
    ['no such role', 'auth/user/grant', { user => 'root', role => 'rerunner' }, not_now('role name not found')],
    ['his role', 'auth/user/grant', { user => 'root', role => 'root' }, taken()],
    ['root again', 'auth/user/add', { name => 'root', password => 'secret' }, not_now('user name already exists')],
    ['a user without a name', 'auth/user/add', { name => '', password => 'x' }, $NO_NAME],
    ['a user', 'auth/user/add', { name => 'hosts', password => 'sesame' }, taken()],
    ['one without rights', 'auth/user/add', { name => 'guest', password => 'x' }, taken()],
    ['a role', 'auth/role/add', { name => 'rerunner' }, taken()],
    ['that role again', 'auth/role/add', { name => 'rerunner' }, not_now('role name already exists')],
    ['its keys', 'auth/role/grant', { name => 'rerunner', perm => { permType => 'READWRITE', %BELOW } }, taken()],
    ['keys of no role', 'auth/role/grant', { name => 'x', perm => { permType => 'READWRITE', %BELOW } }, not_now('role name not found')],
    ['is given', 'auth/user/grant', { user => 'hosts', role => 'rerunner' }, taken()],
    ['to nobody', 'auth/user/grant', { user => 'x', role => 'rerunner' }, not_now('user name not found')],
    ['a lease of before', 'lease/grant', { TTL => '600' }, taken(ID => 'BEFORE', TTL => '600'), 'BEFORE'],
    ['users are asked for', 'auth/enable', {}, taken()],

    ['nobody reads', 'kv/range', { key => '/jr/x' }, $NO_NAME],
    ['nobody writes', 'kv/txn', txn([], [put('/jr/x' => '1')]), $NO_NAME],
    ['what asks for nothing', 'kv/txn', {}, won(18)],
    ['no key and nobody', 'kv/range', {}, $NO_KEY],
    ['nobody makes users', 'auth/user/add', { name => 'y', password => 'y' }, $NO_NAME],
    ['a lease for nobody', 'lease/grant', { TTL => 600 }, since(taken(ID => '*', TTL => '600'), $NO_NAME), 'NOBODYS'],
    ['kept by nobody', 'lease/keepalive', { ID => 'BEFORE' }, since(kept(18, 'BEFORE'), refused_in_stream(@NOBODY))],
    ['revoked by nobody', 'lease/revoke', { ID => 'BEFORE' }, since(taken(), $NO_NAME)],
    ['the status for nobody', 'maintenance/status', {}, since(taken(version => '*', leader => '*'), $NO_NAME)],
    ['the version for all', '/version', undef, [200, { etcdserver => '*', etcdcluster => '*' }]],

    ['a wrong password', 'auth/authenticate', { name => 'hosts', password => 'secret' }, $NOT_PROVED],
    ['none', 'auth/authenticate', { name => 'hosts' }, $NOT_PROVED],
    ['an unknown user', 'auth/authenticate', { name => 'x', password => 'sesame' }, $NOT_PROVED],
    ['a token', login(hosts => 'sesame', 'TOKEN')],
    ['it is enough', 'kv/range', { key => '/jr/x' }, range(18), undef, 'TOKEN'],
    ['goes along bare', 'kv/range', { key => '/jr/x' }, $NO_TOKEN, undef, 'Bearer TOKEN'],
    ['not that one', 'kv/range', { key => '/jr/x' }, $NO_TOKEN, undef, 'nonsense'],
    ['an empty one', 'kv/range', { key => '/jr/x' }, $NO_TOKEN, undef, ''],
    ['nor for nothing', 'kv/txn', {}, $NO_TOKEN, undef, 'nonsense'],
    ['nor for a lease', 'lease/grant', { TTL => 600 }, $NO_TOKEN, undef, 'nonsense'],
    ['what is wrong anyway', 'kv/txn', txn([], [put('/x' => '1'), put('/x' => '2')]), $TWICE, undef, 'nonsense'],
    ['a key of the role', 'kv/txn', txn([created('/jr/x', 0)], [put('/jr/x' => '1'), get('/jr/', range_end => '/jr0')]),
        won(19, done(put => 19), got(19, kv('/jr/x', '1', 19, 19, 1))), undef, 'TOKEN'],
    ['the key after them', 'kv/range', { key => '/jr0' }, $NO_RIGHT, undef, 'TOKEN'],
    ['a key before them', 'kv/range', { key => '/jr' }, $NO_RIGHT, undef, 'TOKEN'],
    ['more at the end', 'kv/range', { key => '/jr/', range_end => '/jr1' }, $NO_RIGHT, undef, 'TOKEN'],
    ['more at the beginning', 'kv/range', { key => '/jr', range_end => '/jr0' }, $NO_RIGHT, undef, 'TOKEN'],
    ['all that follow', 'kv/range', { key => '/jr/', range_end => "\0" }, $NO_RIGHT, undef, 'TOKEN'],
    ['a range of none', 'kv/range', { key => '/jr/z', range_end => '/jr/a' }, range(19), undef, 'TOKEN'],
    ['another key is compared', 'kv/txn', txn([created('/x', 0)], []), $NO_RIGHT, undef, 'TOKEN'],
    ['written', 'kv/txn', txn([], [put('/x' => '1')]), $NO_RIGHT, undef, 'TOKEN'],
    ['read', 'kv/txn', txn([], [get('/x')]), $NO_RIGHT, undef, 'TOKEN'],
    ['deleted, in the half that is not done', 'kv/txn', txn([], [], [del('/x')]), $NO_RIGHT, undef, 'TOKEN'],
    ['the right counts before the lease', 'kv/txn', txn([], [put('/x' => '1', '4711')]), $NO_RIGHT, undef, 'TOKEN'],
    ['users are for root', 'auth/user/add', { name => 'y', password => 'y' }, $NO_RIGHT, undef, 'TOKEN'],
    ['so is the status', 'maintenance/status', {}, since([200, { header(19), version => '*', leader => '*' }], $NO_RIGHT), undef, 'TOKEN'],

    ['a lease', 'lease/grant', { TTL => '600' }, [200, { header(19), ID => 'OWN', TTL => '600' }], 'OWN', 'TOKEN'],
    ['with a key', 'kv/txn', txn([], [put('/jr/l' => 'x', 'OWN')]), won(20, done(put => 20)), undef, 'TOKEN'],
    ['kept', 'lease/keepalive', { ID => 'OWN' }, kept(20, 'OWN'), undef, 'TOKEN'],
    ['by a token that is none', 'lease/keepalive', { ID => 'OWN' }, since(kept(20, 'OWN'), refused_in_stream(@UNKNOWN)), undef, 'nonsense'],
    ['the token of a guest', 'auth/authenticate', { name => 'guest', password => 'x' }, [200, { header(20), token => 'GUEST' }], 'GUEST'],
    ['he may read nothing', 'kv/range', { key => '/jr/x' }, $NO_RIGHT, undef, 'GUEST'],
    ['nor keep it', 'lease/keepalive', { ID => 'OWN' }, since(kept(20, 'OWN'), refused_in_stream(@DENIED)), undef, 'GUEST'],
    ['nor revoke it', 'lease/revoke', { ID => 'OWN' }, $NO_RIGHT, undef, 'GUEST'],
    ['nobody may', 'lease/revoke', { ID => 'OWN' }, $NO_NAME],
    ['nor by nonsense', 'lease/revoke', { ID => 'OWN' }, $NO_TOKEN, undef, 'nonsense'],
    ['a lease that never was', 'lease/keepalive', { ID => '4711' }, [200, { result => { header(20), ID => '4711' } }], undef, 'TOKEN'],
    ['nor can be revoked', 'lease/revoke', { ID => '4711' }, $NO_LEASE, undef, 'TOKEN'],

    ["root's token", 'auth/authenticate', { name => 'root', password => 'secret' }, [200, { header(20), token => 'ROOT' }], 'ROOT'],
    ['is good for each key', 'kv/range', { key => '/x' }, range(20), undef, 'ROOT'],
    ['and for the status', 'maintenance/status', {}, [200, { header(20), version => '*', leader => '*' }], undef, 'ROOT'],
    ['a new password', 'auth/user/changepw', { name => 'hosts', password => 'open' }, [200, { header(20) }], undef, 'ROOT'],
    ['of nobody', 'auth/user/changepw', { name => 'x', password => 'open' }, not_now('user name not found'), undef, 'ROOT'],
    ['ends the token', 'kv/range', { key => '/jr/x' }, $NO_TOKEN, undef, 'TOKEN'],
    ['and no other', 'kv/range', { key => '/x' }, range(20), undef, 'ROOT'],
    ['the old one counts no more', 'auth/authenticate', { name => 'hosts', password => 'sesame' }, $NOT_PROVED],
    ['a new token', 'auth/authenticate', { name => 'hosts', password => 'open' }, [200, { header(20), token => 'NEW' }], 'NEW'],
    ['revokes the lease', 'lease/revoke', { ID => 'OWN' }, [200, { header(21) }], undef, 'NEW'],
);

# As it goes over the wire: bytes in base64, leases by their ids, tokens as they were given.
sub wire {
    my ($what, $leases, $member) = @_;
    return { map { $_ => wire($what->{$_}, $leases, $_) } keys %$what } if ref $what eq 'HASH';
    return [map { wire($_, $leases) } @$what] if ref $what eq 'ARRAY';
    return $what if ref $what;
    return encode_base64($what, '') if $member =~ /^(?:key|value|range_end)$/;
    return $member =~ /^(?:lease|ID|token)$/ ? $leases->{$what} // $what : $what;
}

# An answer as text, without what differs from one etcd to another, and what was added to errors
# and to the status of a member by one version or the other.
sub comparable {
    my ($answer, $want) = @_;
    my $status = $answer->status == 412 ? 400 : $answer->status;
    return $status if !$want || !$answer->json;
    my %json = %{ $answer->json };
    delete @json{ grep { !exists $want->{$_} } qw(error message details) };
    delete @json{ grep { !exists $want->{$_} } keys %json } if $want->{version};
    my $text = $JSON->encode(\%json);
    $text =~ s/"(cluster_id|member_id|raft_term|leader)":"[1-9][0-9]*"/"$1":"*"/g;
    $text =~ s/"(version|etcd\w+)":"3\.[0-9.]+"/"$1":"*"/g;
    $text =~ s/"ID":"[0-9]+"/"ID":"*"/ if ($want->{ID} // '') eq '*';
    return "$status $text";
}

my %leases = map { $_ => {} } keys %etcd;
my %strict;

sub compare {
    my ($which, @rows) = @_;
    my ($http, $leases) = (JR::Http->new(port => $etcd{$which}{clients}[0]), $leases{$which});
    for my $row (@rows) {
        my ($name, $path, $asked, $answer, $granted, $token) = @$row;
        $answer = $answer->{ is_strict($which) ? 'since' : 'before' } if ref $answer eq 'HASH';
        my ($status, $want) = @$answer;
        my $body = ref $asked ? $JSON->encode(wire($asked, $leases)) : $asked;
        my @headers = defined $token ? ['Authorization', $token =~ s/([A-Z]+)$/$leases->{$1}/r] : ();
        my $got = $http->send(
            defined $asked
            ? { method => 'POST', path => "/v3/$path", headers => [['Content-Type', 'application/json'], @headers], body => $body }
            : { method => 'GET', path => $path, headers => \@headers }
        );
        $leases->{$granted} = ($got->json // {})->{ID} // ($got->json // {})->{token} if $granted;
        is comparable($got, $want), $want ? "$status " . $JSON->encode(wire($want, $leases)) : $status, $name;
    }
    return;
}

# Where there are users: does it tell its status to nobody else?
sub is_strict {
    my ($which) = @_;
    return $strict{$which} //= !$etcd{$which}->call('/v3/maintenance/status', {});
}

# A subtest for each etcd.
sub with_each {
    my ($name, $code) = @_;
    for my $which ('fake', 'strict fake', 'real') {
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
    my $result;
    wait_ok { $result = ($fake->claim($run->id, 1) // {})->{result} } 'its claim has ended';
    is $result, 'accepted', 'GitHub has accepted a rerun';
    is_deeply [scalar $run->posts, scalar $run->accepted], [1, 1], 'which one host asked for, once';
    my $check = sub { tool(['check', '--online'], %{ $hosts[0]->environment })->{out} };
    wait_ok { $check->() =~ /^etcd node +http\S+: version 3/m } 'check --online knows the etcd';
    $_->stop_service for @hosts;
    $fake->stop;
};

subtest 'tokens come to an end' => sub {
    my $github = github();
    my $fake   = JR::FakeEtcd->start(strict => 1, token_ttl_s => 0.2);
    my @user   = (CLUSTER_USER => 'hosts', CLUSTER_PASSWORD => 'password-for-tests');
    $fake->enable_users(hosts => 'password-for-tests');
    my $host = service(github => $github, CLUSTER_ETCD => $fake->urls, @user, CLUSTER_TAKEOVER => '60s', JR_TEST_SHORTER => 20, WORKERS => 1)->start;
    wait_ok { $host->log->count('cluster-up') } 'a host has its token';
    # They are numbered, and each look at the number makes one.
    my $looks = 0;
    my $given = sub { return ($fake->login =~ /([0-9]+)$/)[0] - ++$looks };
    my $first = $given->();
    wait_ok { $given->() > $first } 'when it is over, a new one is asked for';
    # Ours may be over before it is used.
    wait_ok { $fake->login; $fake->call('/v3/auth/user/changepw', { name => 'hosts', password => 'password-for-tests' }) }
        'all of its tokens are refused';
    my $run = workflow_run(github => $github, door => $host->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run->accepted } 'it is rerun';
    my $check = sub { tool(['check', '--online'], %{ $host->environment })->{out} };
    wait_ok { $check->() =~ /^etcd node +http\S+: version 3\.5\.30$/m } 'check --online knows the version, though not the status';
    $host->stop_service;
    $fake->stop;
};

with_each 'a lease that is over' => sub {
    my ($which) = @_;
    wait_ok { !(() = $etcd{$which}->keys_below('s')) } 'its key goes';
    compare($which, @later);
};

with_each 'users' => sub { compare($_[0], @users) };

# The second host has not looked at the run before the first has had it rerun, and sees it from what
# the events show and the claim tells.
with_each 'whose rerun it was' => sub {
    my ($which) = @_;
    my $github = github();
    my @hosts  = map {
        service(
            github => $github, CLUSTER_ETCD => $etcd{$which}->urls, CLUSTER_HOST => "host-$_", JR_TEST_SHORTER => 20,
            CLUSTER_USER => 'root', CLUSTER_PASSWORD => 'secret',
            RERUN_DELAY => $_ == 1 ? '20ms' : '1h', WORKERS => 1, pages => 'status',
        )->start
    } 1, 2;
    wait_ok { 2 == grep { $_->log->count('cluster-up') } @hosts } 'they are among each other';
    my $run = workflow_run(github => $github, door => JR::Doors->new(@hosts), jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run->accepted } 'the first host has it rerun';
    status_is $run->play(build => 'success'), 200, 'which helps';
    wait_ok { $hosts[1]->log->find('decision', run => $run->id, reason => 'rerun-elsewhere') } 'the second finds whose that was';
    my $told = tool(['why', $run->id], %{ $hosts[1]->environment })->{out};
    like $told, qr/host-1, at 20\d\d-/, 'and tells it';
    my $json = $JSON->decode(tool(['why', $run->id, '--json'], %{ $hosts[1]->environment })->{out});
    is_deeply [@{ $json->{run} }{qw(reruns verdict)}], [1, 'rescued'], 'it counts as a rerun of the service';
    my $days = $hosts[1]->http->send({ path => '/repos/octo/app.json', method => 'GET' })->json->{days};
    is_deeply [@{ $days->[-1] }{qw(reruns rescued)}], [1, 1], 'on that day, too';
    is scalar $run->posts, 1, 'there was one';
    $_->stop_service for @hosts;
};

$_->stop for values %etcd;
finish();
