package portable

import (
	"encoding/hex"
	"strings"
)

// mark begins every name that is not its part's own.
const mark = '-'

// Rules say what a file system does to names. The zero value is: nothing.
type Rules struct {
	// Fold: names that differ by case are one.
	Fold bool
	// Windows: device names are reserved, dots and spaces at the end are
	// dropped, and some characters are forbidden.
	Windows bool
	// MaxName is the longest name in bytes; 0 means that 255 is enough.
	MaxName int
}

// defaultMax is the longest name of nearly every file system.
const defaultMax = 255

func (r Rules) max() int {
	if r.MaxName == 0 {
		return defaultMax
	}
	return r.MaxName
}

// plain reports whether a part is its own name.
func (r Rules) plain(part string) bool {
	if part == "" {
		return true
	}
	if part[0] == mark || len(part) > r.max() {
		return false
	}
	if r.Fold && folds(part) {
		return false
	}
	return !r.Windows || !forbidden(part)
}

// folds reports whether a part may be taken for another one: all but ASCII
// counts, since nobody knows how a file system folds that.
func folds(part string) bool {
	for i := range len(part) {
		if c := part[i]; 'A' <= c && c <= 'Z' || c >= 0x80 {
			return true
		}
	}
	return false
}

func forbidden(part string) bool {
	if last := part[len(part)-1]; last == '.' || last == ' ' {
		return true
	}
	for i := range len(part) {
		if c := part[i]; c < ' ' || strings.IndexByte(`<>:"|?*\`, c) >= 0 {
			return true
		}
	}
	return device(part)
}

// device reports whether Windows takes a name for a device, whatever stands
// behind its first dot.
func device(part string) bool {
	if strings.IndexByte("cCpPaAnNlL", part[0]) < 0 {
		return false
	}
	if i := strings.IndexByte(part, '.'); i >= 0 {
		part = part[:i]
	}
	for part != "" && part[len(part)-1] == ' ' {
		part = part[:len(part)-1]
	}
	switch len(part) {
	case 3:
		for _, name := range [...]string{"con", "prn", "aux", "nul"} {
			if strings.EqualFold(part, name) {
				return true
			}
		}
	case 4, 5: // com1 and lpt1; the digits ¹²³ have two bytes
		if strings.EqualFold(part[:3], "com") || strings.EqualFold(part[:3], "lpt") {
			switch part[3:] {
			case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
				return true
			}
		}
	case 6, 7:
		return strings.EqualFold(part, "conin$") || strings.EqualFold(part, "conout$")
	}
	return false
}

// name gives the name of a part: itself, or one with a mark. It is a path of
// several names where one cannot hold it.
func (r Rules) name(part string) string {
	if r.plain(part) {
		return part
	}
	return r.marked(part)
}

// marked gives the name with a mark, whether the part needs one or not.
func (r Rules) marked(part string) string {
	out := make([]byte, 1, len(part)+16)
	out[0] = mark
	for i := range len(part) {
		out = r.unit(out, part[i], i == len(part)-1)
	}
	if len(out) <= r.max() {
		return string(out)
	}
	return r.chunks(part)
}

// unit appends what one byte of a part is written as.
func (r Rules) unit(out []byte, c byte, last bool) []byte {
	switch {
	case c == mark:
		return append(out, mark, mark)
	case c == '.' && last:
		return append(out, mark, '0')
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '.':
		return append(out, c)
	case 'A' <= c && c <= 'Z' && r.Fold:
		return append(out, mark, c|0x20)
	case 'A' <= c && c <= 'Z':
		return append(out, c)
	}
	return hex.AppendEncode(append(out, mark, '9'), []byte{c})
}

// more stands behind the mark of a name that goes on in a child.
const more = "-1"

// chunks writes a part as several names. Each begins with a mark, all but the
// last say more, and no unit is torn; any may end where a dot must not.
func (r Rules) chunks(part string) string {
	var out strings.Builder
	var chunk []byte
	limit := r.max() - 1 - len(more)
	for i := range len(part) {
		one := r.unit(nil, part[i], part[i] == '.')
		if len(chunk)+len(one) > limit {
			out.WriteByte(mark)
			out.WriteString(more)
			out.Write(chunk)
			out.WriteByte('/')
			chunk = chunk[:0]
		}
		chunk = append(chunk, one...)
	}
	out.WriteByte(mark)
	out.Write(chunk)
	return out.String()
}

// goesOn reports whether a name is continued by its child.
func goesOn(name string) bool {
	return len(name) > len(more) && name[0] == mark && name[1:1+len(more)] == more
}

// part is the way back from a marked name, or a path of several; false for
// what this package does not write.
func (r Rules) part(name string) (string, bool) {
	var out []byte
	for piece := range strings.SplitSeq(name, "/") {
		if piece == "" || piece[0] != mark {
			return "", false
		}
		body := piece[1:]
		if goesOn(piece) {
			body = body[len(more):]
		}
		for i := 0; i < len(body); i++ {
			c := body[i]
			if c != mark {
				out = append(out, c)
				continue
			}
			i++
			switch {
			case i >= len(body):
				return "", false
			case body[i] == mark:
				out = append(out, mark)
			case body[i] == '0':
				out = append(out, '.')
			case 'a' <= body[i] && body[i] <= 'z':
				out = append(out, body[i]-0x20)
			case body[i] == '9' && i+2 < len(body):
				b, err := hex.DecodeString(body[i+1 : i+3])
				if err != nil {
					return "", false
				}
				out = append(out, b[0])
				i += 2
			default:
				return "", false
			}
		}
	}
	part := string(out)
	return part, len(part) > 0 && r.marked(part) == name
}
