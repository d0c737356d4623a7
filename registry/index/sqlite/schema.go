package sqlite

import "strings"

// version is the schema's. A file of another version is set aside and built anew.
const version = 3

// schema: obj is a manifest or a blob, named once by the key of its digest;
// tags counts the tags that name it, refs those that reach it. hold says which
// repository holds which object, as a blob link (1), a manifest revision (2),
// or both (3); key repeats a manifest's, so that they are listed in order. edge
// leads from a manifest to what lives through it: its config and layers, the
// children of an index, and, turned round, the referrers of a subject.
const schema = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE total(
	blobs INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, tagged INTEGER NOT NULL DEFAULT 0,
	repos INTEGER NOT NULL DEFAULT 0, tags INTEGER NOT NULL DEFAULT 0, manifests INTEGER NOT NULL DEFAULT 0);
INSERT INTO total DEFAULT VALUES;
CREATE TABLE repo(
	id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
	tags INTEGER NOT NULL, manifests INTEGER NOT NULL,
	size INTEGER NOT NULL, shared INTEGER NOT NULL, pushed INTEGER NOT NULL);
CREATE INDEX repo_pushed ON repo(pushed DESC, name) WHERE tags > 0;
CREATE INDEX repo_listed ON repo(name) WHERE manifests > 0;
CREATE INDEX repo_empty ON repo(id) WHERE tags=0 AND manifests=0;
CREATE TABLE obj(
	id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,
	refs INTEGER NOT NULL, holds INTEGER NOT NULL, tags INTEGER NOT NULL,
	subject INTEGER, artifact TEXT, info BLOB);
CREATE INDEX obj_subject ON obj(subject, key) WHERE subject IS NOT NULL;
CREATE INDEX obj_loose ON obj(id) WHERE holds=0 AND refs=0;
CREATE TABLE hold(repo INTEGER NOT NULL, obj INTEGER NOT NULL, kind INTEGER NOT NULL, key BLOB, PRIMARY KEY(repo, obj)) WITHOUT ROWID;
CREATE INDEX hold_obj ON hold(obj);
CREATE INDEX hold_manifest ON hold(repo, key) WHERE key IS NOT NULL;
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
	sqlTotal = `UPDATE total SET blobs=blobs+?, bytes=bytes+?, tagged=tagged+?, repos=repos+?, tags=tags+?, manifests=manifests+?`

	sqlRepo       = `SELECT id, name, tags, manifests, size, shared, pushed FROM repo WHERE name=?`
	sqlRepoByID   = `SELECT id, name, tags, manifests, size, shared, pushed FROM repo WHERE id=?`
	sqlRepoLast   = `SELECT ifnull(max(id),0) FROM repo`
	sqlRepoNew    = `INSERT INTO repo(id, name, tags, manifests, size, shared, pushed) VALUES(?,?,?,?,?,?,?)`
	sqlRepoSet    = `UPDATE repo SET tags=?, manifests=?, size=?, shared=?, pushed=? WHERE id=?`
	sqlRepoDel    = `DELETE FROM repo WHERE id=?`
	sqlRepoPushed = `SELECT ifnull(max(at),0) FROM tag WHERE repo=?`

	sqlObj     = `SELECT id, key, size, refs, holds, tags, ifnull(subject,0), info IS NOT NULL FROM obj WHERE key=?`
	sqlObjByID = `SELECT id, key, size, refs, holds, tags, ifnull(subject,0), info IS NOT NULL FROM obj WHERE id=?`
	sqlObjLast = `SELECT ifnull(max(id),0) FROM obj`
	sqlObjNew  = `INSERT INTO obj(id, key, size, refs, holds, tags, subject, artifact, info) VALUES(?,?,?,?,?,?,nullif(?,0),?,?)`
	sqlObjSet  = `UPDATE obj SET size=?, refs=?, holds=?, tags=? WHERE id=?`
	sqlObjInfo = `UPDATE obj SET subject=nullif(?,0), artifact=?, info=? WHERE id=?`

	sqlHold    = `SELECT kind FROM hold WHERE repo=? AND obj=?`
	sqlHoldPut = `INSERT OR REPLACE INTO hold(repo, obj, kind, key) VALUES(?,?,?,?)`
	sqlHoldDel = `DELETE FROM hold WHERE repo=? AND obj=?`
	sqlHeld    = `SELECT obj, kind FROM hold WHERE repo=?`
	sqlHolders = `SELECT repo FROM hold WHERE obj=?`
	sqlRevised = `SELECT 1 FROM hold WHERE obj=? AND kind>=2 LIMIT 1`

	sqlEdgeDel = `DELETE FROM edge WHERE parent=? AND child=?`
	sqlEdgeHas = `SELECT 1 FROM edge WHERE parent=? AND child=?`
	sqlKids    = `SELECT child FROM edge WHERE parent=?`
	sqlParents = `SELECT parent FROM edge WHERE child=?`

	sqlTag      = `SELECT obj, at, by, pulls, pulled FROM tag WHERE repo=? AND name=?`
	sqlTagNew   = `INSERT INTO tag(repo, name, obj, at, by, pulls, pulled) VALUES(?,?,?,?,?,0,0)`
	sqlTagSet   = `UPDATE tag SET obj=?, at=?, by=?, pulls=?, pulled=? WHERE repo=? AND name=?`
	sqlTagDel   = `DELETE FROM tag WHERE repo=? AND name=?`
	sqlTags     = `SELECT name FROM tag WHERE repo=?`
	sqlTagPull  = `UPDATE tag SET pulls=pulls+?, pulled=max(pulled,?) WHERE repo=? AND name=? AND obj=?`
	sqlTagsPull = `UPDATE tag SET pulls=pulls+?, pulled=max(pulled,?) WHERE obj=? AND repo=?`

	sqlMeta = `INSERT OR REPLACE INTO meta(key, value) VALUES(?,?)`
)

// sqlReach gives everything that lives through an object, itself included.
const sqlReach = `WITH RECURSIVE r(o) AS (SELECT ? UNION SELECT e.child FROM r JOIN edge e ON e.parent=r.o) SELECT o FROM r`

// sqlEdgePuts put edges: one, two and so on at a time.
var sqlEdgePuts = func() (out [8]string) {
	for i := range out {
		out[i] = `INSERT OR IGNORE INTO edge(parent, child) VALUES` + strings.Repeat(`(?,?),`, i) + `(?,?)`
	}
	return out
}()
