package sqlite

import "strings"

// version is the schema's. A file of another version is set aside and built anew.
const version = 6

// schema: obj is a manifest or a blob, named once by the key of its digest; disk
// is what its file takes, -1 while there is none, and at the time of what is
// newest of it. tags counts the tags that name it, roots the roots, lasting
// those that last, revisions the repositories that link it as a manifest. What
// reaches it is counted as well: refs the tags, as the repository of each has it,
// images the tagged manifests, kept those with a root, pinned those with a lasting
// one, revs those with a revision. hold says which repository holds which object,
// as a blob link (1), a manifest revision (2), or both (3); key repeats a manifest's,
// so that they are listed in order. edge leads from a manifest to what lives
// through it: its config and layers, the children of an index, and, turned
// round, the referrers of a subject. Of a repository, kept is what it alone
// links and a lasting root reaches.
const schema = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE total(
	blobs INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, images INTEGER NOT NULL DEFAULT 0, shared INTEGER NOT NULL DEFAULT 0,
	held INTEGER NOT NULL DEFAULT 0, pinned INTEGER NOT NULL DEFAULT 0, loose INTEGER NOT NULL DEFAULT 0, untagged INTEGER NOT NULL DEFAULT 0,
	repos INTEGER NOT NULL DEFAULT 0, tags INTEGER NOT NULL DEFAULT 0, manifests INTEGER NOT NULL DEFAULT 0);
INSERT INTO total DEFAULT VALUES;
CREATE TABLE repo(
	id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
	tags INTEGER NOT NULL, manifests INTEGER NOT NULL,
	size INTEGER NOT NULL, shared INTEGER NOT NULL, kept INTEGER NOT NULL, pushed INTEGER NOT NULL);
CREATE INDEX repo_pushed ON repo(pushed DESC, name) WHERE tags > 0;
CREATE INDEX repo_listed ON repo(name) WHERE manifests > 0;
CREATE INDEX repo_empty ON repo(id) WHERE tags=0 AND manifests=0;
CREATE TABLE obj(
	id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, disk INTEGER NOT NULL, at INTEGER NOT NULL,
	refs INTEGER NOT NULL, images INTEGER NOT NULL, kept INTEGER NOT NULL, pinned INTEGER NOT NULL, revs INTEGER NOT NULL,
	holds INTEGER NOT NULL, tags INTEGER NOT NULL, roots INTEGER NOT NULL, lasting INTEGER NOT NULL, revisions INTEGER NOT NULL,
	subject INTEGER, artifact TEXT, info BLOB);
CREATE INDEX obj_subject ON obj(subject, key) WHERE subject IS NOT NULL;
CREATE INDEX obj_dead ON obj(id) WHERE disk<0 AND holds=0 AND refs=0 AND kept=0 AND revs=0;
CREATE INDEX obj_loose ON obj(at) WHERE disk>=0 AND refs=0 AND kept=0;
CREATE TABLE hold(
	repo INTEGER NOT NULL, obj INTEGER NOT NULL, kind INTEGER NOT NULL, at INTEGER NOT NULL, pulled INTEGER NOT NULL,
	key BLOB, PRIMARY KEY(repo, obj)) WITHOUT ROWID;
CREATE INDEX hold_obj ON hold(obj);
CREATE INDEX hold_manifest ON hold(repo, key) WHERE key IS NOT NULL;
CREATE TABLE root(id TEXT PRIMARY KEY, obj INTEGER NOT NULL, lasting INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE edge(parent INTEGER NOT NULL, child INTEGER NOT NULL, PRIMARY KEY(parent, child)) WITHOUT ROWID;
CREATE INDEX edge_child ON edge(child);
CREATE TABLE tag(
	repo INTEGER NOT NULL, name TEXT NOT NULL, obj INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL,
	pulls INTEGER NOT NULL, pulled INTEGER NOT NULL, PRIMARY KEY(repo, name)) WITHOUT ROWID;
CREATE INDEX tag_obj ON tag(obj, repo);
CREATE INDEX tag_at ON tag(repo, at);
`

// The kinds of hold.
const (
	holdBlob     = 1
	holdManifest = 2
)

// The statements of the writer.
const (
	sqlTotal = `UPDATE total SET blobs=blobs+?, bytes=bytes+?, images=images+?, shared=shared+?, held=held+?, pinned=pinned+?, loose=loose+?, untagged=untagged+?,
		repos=repos+?, tags=tags+?, manifests=manifests+?`

	repoColumns   = `id, name, tags, manifests, size, shared, kept, pushed`
	sqlRepo       = `SELECT ` + repoColumns + ` FROM repo WHERE name=?`
	sqlRepoByID   = `SELECT ` + repoColumns + ` FROM repo WHERE id=?`
	sqlRepoLast   = `SELECT ifnull(max(id),0) FROM repo`
	sqlRepoNew    = `INSERT INTO repo(` + repoColumns + `) VALUES(?,?,?,?,?,?,?,?)`
	sqlRepoSet    = `UPDATE repo SET tags=?, manifests=?, size=?, shared=?, kept=?, pushed=? WHERE id=?`
	sqlRepoDel    = `DELETE FROM repo WHERE id=?`
	sqlRepoPushed = `SELECT ifnull(max(at),0) FROM tag WHERE repo=?`

	objColumns = `id, key, size, disk, at, refs, images, kept, pinned, revs, holds, tags, roots, lasting, revisions`
	sqlObj     = `SELECT ` + objColumns + `, ifnull(subject,0), info IS NOT NULL FROM obj WHERE key=?`
	sqlObjByID = `SELECT ` + objColumns + `, ifnull(subject,0), info IS NOT NULL FROM obj WHERE id=?`
	sqlObjLast = `SELECT ifnull(max(id),0) FROM obj`
	sqlObjNew  = `INSERT INTO obj(` + objColumns + `, subject, artifact, info) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,nullif(?,0),?,?)`
	sqlObjSet  = `UPDATE obj SET size=?, disk=?, at=?, refs=?, images=?, kept=?, pinned=?, revs=?, holds=?, tags=?, roots=?, lasting=?, revisions=? WHERE id=?`
	sqlObjInfo = `UPDATE obj SET subject=nullif(?,0), artifact=?, info=? WHERE id=?`

	sqlHold     = `SELECT kind, at FROM hold WHERE repo=? AND obj=?`
	sqlHoldPut  = `INSERT INTO hold(repo, obj, kind, at, pulled, key) VALUES(?,?,?,?,0,?) ON CONFLICT DO UPDATE SET kind=excluded.kind, at=excluded.at, key=excluded.key`
	sqlHoldDel  = `DELETE FROM hold WHERE repo=? AND obj=?`
	sqlHoldPull = `UPDATE hold SET pulled=max(pulled,?) WHERE repo=? AND obj=?`
	sqlHeld     = `SELECT obj, kind FROM hold WHERE repo=?`
	sqlHolders  = `SELECT repo FROM hold WHERE obj=?`

	sqlRoot    = `SELECT obj, lasting FROM root WHERE id=?`
	sqlRootPut = `INSERT OR REPLACE INTO root(id, obj, lasting) VALUES(?,?,?)`
	sqlRootDel = `DELETE FROM root WHERE id=?`
	sqlRootAll = `SELECT id, obj, lasting FROM root WHERE id>? AND id<?`

	sqlEdgeDel = `DELETE FROM edge WHERE parent=? AND child=?`
	sqlEdgeHas = `SELECT 1 FROM edge WHERE parent=? AND child=?`
	sqlKids    = `SELECT child FROM edge WHERE parent=?`
	sqlParents = `SELECT parent FROM edge WHERE child=?`

	sqlTag      = `SELECT obj, at, by, pulls, pulled FROM tag WHERE repo=? AND name=?`
	sqlTagNew   = `INSERT INTO tag(repo, name, obj, at, by, pulls, pulled) VALUES(?,?,?,?,?,0,0)`
	sqlTagSet   = `UPDATE tag SET obj=?, at=?, by=?, pulls=?, pulled=? WHERE repo=? AND name=?`
	sqlTagDel   = `DELETE FROM tag WHERE repo=? AND name=?`
	sqlNaming   = `SELECT repo, count(*) FROM tag WHERE obj=? AND (?=0 OR repo=?) GROUP BY repo`
	sqlTags     = `SELECT name FROM tag WHERE repo=?`
	sqlTagPull  = `UPDATE tag SET pulls=pulls+?, pulled=max(pulled,?) WHERE repo=? AND name=? AND obj=?`
	sqlTagsPull = `UPDATE tag SET pulls=pulls+?, pulled=max(pulled,?) WHERE obj=? AND repo=?`

	sqlMeta = `INSERT OR REPLACE INTO meta(key, value) VALUES(?,?)`
)

// sqlReach gives everything that lives through an object in a repository, or,
// for 0, in any, itself included.
const sqlReach = `WITH RECURSIVE r(o) AS (SELECT ? UNION SELECT e.child FROM r CROSS JOIN edge e ON e.parent=r.o CROSS JOIN obj c ON c.id=e.child
	WHERE c.subject IS NOT e.parent OR ? = 0 OR EXISTS (SELECT 1 FROM hold h WHERE h.repo=? AND h.obj=e.child AND h.kind>=2)) SELECT o FROM r`

// sqlReachKey is sqlReach from what a key names.
var sqlReachKey = strings.Replace(sqlReach, `SELECT ?`, `SELECT id FROM obj WHERE key = ?`, 1)

// sqlEdgePuts put edges: one, two and so on at a time.
var sqlEdgePuts = func() (out [8]string) {
	for i := range out {
		out[i] = `INSERT OR IGNORE INTO edge(parent, child) VALUES` + strings.Repeat(`(?,?),`, i) + `(?,?)`
	}
	return out
}()
