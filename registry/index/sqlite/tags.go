package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"berth/registry/index"
)

// row is a tag on its way out: the object that it names, and its columns.
type row struct {
	obj int64
	tag index.Tag
}

// Tags lists the tags of a repository. Manifests are read for the page only, and
// so are sizes, unless it is them that sort.
func (x *Index) Tags(ctx context.Context, repo string, q index.Query) ([]index.Tag, error) {
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	id, err := x.repository(ctx, repo)
	if err != nil {
		return nil, err
	}
	rows, err := x.tagRows(ctx, id)
	if err != nil {
		return nil, err
	}
	twins := byObject(rows)
	if q.Search != "" {
		want := strings.ToLower(q.Search)
		rows = slices.DeleteFunc(rows, func(r row) bool { return !strings.Contains(strings.ToLower(r.tag.Name), want) })
	}
	measured := q.Order == index.BySize || q.Order == index.ByFrees
	if measured {
		if err := x.measure(ctx, id, rows); err != nil {
			return nil, err
		}
	}
	sortRows(rows, q)
	rows = rows[min(max(q.Offset, 0), len(rows)):]
	if q.Limit > 0 && q.Limit < len(rows) {
		rows = rows[:q.Limit]
	}
	if !measured {
		if err := x.measure(ctx, id, rows); err != nil {
			return nil, err
		}
	}
	if err := x.describe(ctx, id, rows); err != nil {
		return nil, err
	}
	same(rows, twins)
	out := make([]index.Tag, len(rows))
	for i, r := range rows {
		out[i] = r.tag
	}
	return out, nil
}

// tagRows reads what all tags of a repository are sorted and searched by.
func (x *Index) tagRows(ctx context.Context, repo int64) ([]row, error) {
	rows, err := x.query(ctx, `SELECT name, obj, at, by, pulls, pulled FROM tag WHERE repo = ? ORDER BY name`, repo)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var r row
		var at, pulled int64
		if err := rows.Scan(&r.tag.Name, &r.obj, &at, &r.tag.By, &r.tag.Pulls, &pulled); err != nil {
			return nil, err
		}
		r.tag.Pushed, r.tag.LastPull = timeOf(at), timeOf(pulled)
		out = append(out, r)
	}
	return out, x.watch(rows.Err())
}

// describe fills in what the manifests of a page's tags tell. CROSS JOIN keeps
// SQLite from going through all that the repository holds for each of them.
func (x *Index) describe(ctx context.Context, repo int64, page []row) error {
	at := map[int64][]int{}
	var ids []int64
	for i, r := range page {
		if at[r.obj] == nil {
			ids = append(ids, r.obj)
		}
		at[r.obj] = append(at[r.obj], i)
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	rows, err := x.query(ctx, `SELECT o.id, o.key, o.size, o.info,
		(SELECT count(*) FROM obj m CROSS JOIN hold h ON h.repo = ? AND h.obj = m.id AND h.kind >= 2 WHERE m.subject = o.id)
		FROM json_each(?) j CROSS JOIN obj o ON o.id = j.value`, repo, string(list))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var t index.Tag
		var key, info sql.RawBytes
		if err := rows.Scan(&id, &key, &t.Descriptor.Size, &info, &t.Referrers); err != nil {
			return x.watch(err)
		}
		t.Descriptor.Digest = digestOf(key)
		if info != nil {
			m, err := decode(info)
			if err != nil {
				return x.watch(err)
			}
			t.Descriptor, t.Platforms = m.Descriptor, m.Platforms
		}
		for _, i := range at[id] {
			page[i].tag.Descriptor, page[i].tag.Platforms, page[i].tag.Referrers = t.Descriptor, t.Platforms, t.Referrers
		}
	}
	return x.watch(rows.Err())
}

// byObject gives the names of the tags of each object, in order.
func byObject(rows []row) map[int64][]string {
	out := map[int64][]string{}
	for _, r := range rows {
		out[r.obj] = append(out[r.obj], r.tag.Name)
	}
	return out
}

// same tells the tags of a page which others have their digest.
func same(page []row, twins map[int64][]string) {
	for i, r := range page {
		names := twins[r.obj]
		if len(names) < 2 {
			continue
		}
		some := names[:min(len(names), index.MaxSame+1)]
		some = slices.DeleteFunc(slices.Clone(some), func(s string) bool { return s == r.tag.Name })
		page[i].tag.Same = some[:min(len(some), index.MaxSame)]
	}
}

// measure fills in what each tag reaches, what of that others reach as well, and
// what it would free.
func (x *Index) measure(ctx context.Context, repo int64, rows []row) error {
	type sums struct{ size, shared, frees int64 }
	known := map[int64]sums{}
	stmt, err := x.file.Load().prepared(`SELECT ifnull(sum(size),0), ifnull(sum(CASE WHEN refs>0 AND images>1 THEN size END),0),
		ifnull(sum(CASE WHEN refs=1 AND pinned=0 AND disk>0 THEN disk END),0) FROM obj WHERE id IN (` + sqlReach + `)`)
	if err != nil {
		return x.watch(err)
	}
	for i, r := range rows {
		s, ok := known[r.obj]
		if !ok {
			if err := stmt.QueryRowContext(ctx, r.obj, repo, repo).Scan(&s.size, &s.shared, &s.frees); err != nil {
				return x.watch(err)
			}
			known[r.obj] = s
		}
		rows[i].tag.Size, rows[i].tag.Shared, rows[i].tag.Frees = s.size, s.shared, s.frees
	}
	return nil
}

func sortRows(rows []row, q index.Query) {
	by := func(a, b row) int { return a.tag.Pushed.Compare(b.tag.Pushed) }
	descending := q.Descending
	switch q.Order {
	case index.ByName:
		by = func(a, b row) int { return compareVersions(a.tag.Name, b.tag.Name) }
	case index.BySize:
		by = func(a, b row) int { return cmp.Compare(a.tag.Size, b.tag.Size) }
	case index.ByFrees:
		by = func(a, b row) int { return cmp.Compare(a.tag.Frees, b.tag.Frees) }
	case index.ByPulls:
		by = func(a, b row) int { return cmp.Compare(a.tag.Pulls, b.tag.Pulls) }
	case index.ByPushed:
	default:
		descending = true
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		c := by(a, b)
		if descending {
			c = -c
		}
		return cmp.Or(c, compareVersions(a.tag.Name, b.tag.Name))
	})
}

// compareVersions orders names as people order versions: runs of digits by
// their value, everything else by its bytes.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		if digit(a[0]) && digit(b[0]) {
			x, restA := number(a)
			y, restB := number(b)
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = restA, restB
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	switch {
	case prerelease(a):
		return -1
	case prerelease(b):
		return 1
	}
	return cmp.Compare(len(a), len(b))
}

// prerelease reports whether what a version goes on with makes it older than
// the version without it: v1.0-rc1 comes before v1.0, but 1.0-alpine after 1.0.
func prerelease(rest string) bool {
	rest = strings.ToLower(strings.TrimLeft(rest, "-."))
	for _, word := range []string{"rc", "alpha", "beta", "pre", "dev", "snapshot"} {
		if strings.HasPrefix(rest, word) {
			return true
		}
	}
	return false
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// number splits leading digits off, without their leading zeros.
func number(s string) (digits, rest string) {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	return strings.TrimLeft(s[:i], "0"), s[i:]
}
