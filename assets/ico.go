package assets

import "encoding/binary"

// ICO wraps a square PNG of size by size pixels as a Windows icon, which is what
// the notification area of Windows takes.
func ICO(png []byte, size int) []byte {
	const header = 6 + 16
	b := make([]byte, header, header+len(png))
	binary.LittleEndian.PutUint16(b[2:], 1) // an icon
	binary.LittleEndian.PutUint16(b[4:], 1) // one picture
	b[6], b[7] = byte(size), byte(size)     // 256 wraps to 0, which means 256
	binary.LittleEndian.PutUint16(b[10:], 1)
	binary.LittleEndian.PutUint16(b[12:], 32)
	binary.LittleEndian.PutUint32(b[14:], uint32(len(png)))
	binary.LittleEndian.PutUint32(b[18:], header)
	return append(b, png...)
}
