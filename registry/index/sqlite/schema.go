package sqlite

// version is the schema's. A file of another version is set aside and built anew.
const version = 2

// schema: obj is a manifest or a blob, named once. hold says which repository
// holds which object, as a blob link (1), a manifest revision (2), or both (3).
// edge leads from a manifest to what lives through it: its config and layers,
// the children of an index, and, turned round, the referrers of a subject.
const schema = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE total(
	blobs INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, tagged INTEGER NOT NULL DEFAULT 0,
	repos INTEGER NOT NULL DEFAULT 0, tags INTEGER NOT NULL DEFAULT 0, manifests INTEGER NOT NULL DEFAULT 0);
INSERT INTO total DEFAULT VALUES;
CREATE TABLE repo(
	id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
	tags INTEGER NOT NULL DEFAULT 0, manifests INTEGER NOT NULL DEFAULT 0,
	size INTEGER NOT NULL DEFAULT 0, shared INTEGER NOT NULL DEFAULT 0, pushed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX repo_pushed ON repo(pushed DESC, name) WHERE tags > 0;
CREATE INDEX repo_listed ON repo(name) WHERE manifests > 0;
CREATE TABLE obj(
	id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, size INTEGER NOT NULL DEFAULT 0,
	refs INTEGER NOT NULL DEFAULT 0, holds INTEGER NOT NULL DEFAULT 0,
	subject INTEGER, known INTEGER NOT NULL DEFAULT 0, artifact TEXT NOT NULL DEFAULT '', info TEXT);
CREATE INDEX obj_subject ON obj(subject, digest) WHERE subject IS NOT NULL;
CREATE TABLE hold(repo INTEGER NOT NULL, obj INTEGER NOT NULL, kind INTEGER NOT NULL, PRIMARY KEY(repo, obj)) WITHOUT ROWID;
CREATE INDEX hold_obj ON hold(obj);
CREATE TABLE edge(parent INTEGER NOT NULL, child INTEGER NOT NULL, PRIMARY KEY(parent, child)) WITHOUT ROWID;
CREATE INDEX edge_child ON edge(child);
CREATE TABLE tag(
	repo INTEGER NOT NULL, name TEXT NOT NULL, obj INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL DEFAULT '',
	pulls INTEGER NOT NULL DEFAULT 0, pulled INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(repo, name)) WITHOUT ROWID;
CREATE INDEX tag_obj ON tag(obj);
CREATE INDEX tag_at ON tag(repo, at);
`

// The kinds of hold.
const (
	holdBlob     = 1
	holdManifest = 2
)

// Every statement that runs more than once.
const (
	sqlTotal = `UPDATE total SET blobs=blobs+?, bytes=bytes+?, tagged=tagged+?`
	sqlCount = `UPDATE total SET repos=repos+?, tags=tags+?, manifests=manifests+?`

	sqlRepoID  = `SELECT id FROM repo WHERE name=?`
	sqlRepoNew = `INSERT INTO repo(name) VALUES(?) RETURNING id`
	sqlRepoAdd = `UPDATE repo SET manifests=manifests+?, size=size+?, shared=shared+? WHERE id=?`
	sqlRepoTag = `UPDATE repo SET tags=tags+?, pushed=ifnull((SELECT max(at) FROM tag WHERE repo=repo.id),0) WHERE id=? RETURNING tags`

	sqlObj     = `SELECT id, size, refs, holds, known, ifnull(subject,0) FROM obj WHERE digest=?`
	sqlObjNew  = `INSERT INTO obj(digest, size) VALUES(?,?) RETURNING id`
	sqlObjByID = `SELECT id, size, refs, holds, known, ifnull(subject,0) FROM obj WHERE id=?`
	sqlObjSize = `UPDATE obj SET size=? WHERE id=?`
	sqlObjHold = `UPDATE obj SET holds=? WHERE id=?`
	sqlObjRefs = `UPDATE obj SET refs=? WHERE id=?`
	sqlObjInfo = `UPDATE obj SET known=1, subject=nullif(?,0), artifact=?, info=? WHERE id=?`

	sqlHold    = `SELECT kind FROM hold WHERE repo=? AND obj=?`
	sqlHoldPut = `INSERT OR REPLACE INTO hold(repo, obj, kind) VALUES(?,?,?)`
	sqlHoldDel = `DELETE FROM hold WHERE repo=? AND obj=?`
	// sqlSharers gives the other repositories that hold an object.
	sqlSharers = `SELECT repo FROM hold WHERE obj=? AND repo<>?`
	sqlHolders = `SELECT repo FROM hold WHERE obj=?`
	sqlRevised = `SELECT count(*) FROM hold WHERE obj=? AND kind>=2`

	sqlEdgePut = `INSERT OR IGNORE INTO edge(parent, child) VALUES(?,?)`
	sqlEdgeHas = `SELECT count(*) FROM edge WHERE parent=? AND child=?`
	sqlEdgeDel = `DELETE FROM edge WHERE parent=? AND child=?`

	sqlTag     = `SELECT obj, pulls, pulled FROM tag WHERE repo=? AND name=?`
	sqlTagPut  = `INSERT OR REPLACE INTO tag(repo, name, obj, at, by, pulls, pulled) VALUES(?,?,?,?,?,?,?)`
	sqlTagDel  = `DELETE FROM tag WHERE repo=? AND name=?`
	sqlTagPull = `UPDATE tag SET pulls=pulls+1, pulled=max(pulled,?) WHERE repo=? AND obj=? AND (?='' OR name=?)`

	// sqlReach gives everything that lives through an object, itself included.
	sqlReach = `WITH RECURSIVE r(o) AS (SELECT ? UNION SELECT e.child FROM r JOIN edge e ON e.parent=r.o) SELECT o FROM r`
	// sqlRoots gives the tagged objects that an object lives through, itself
	// included, and by how many tags each is named.
	sqlRoots = `WITH RECURSIVE a(o) AS (SELECT ? UNION SELECT e.parent FROM a JOIN edge e ON e.child=a.o)
		SELECT o, (SELECT count(*) FROM tag WHERE obj=o) n FROM a WHERE n>0`
)
