// Package portable lets a file system hold every key that it cannot hold as it
// is: because it takes names that differ by case for one, because it reserves
// names (con, aux), drops a dot at the end, or has only short names. [For]
// looks at the storage and wraps it when it must; on an ordinary Linux folder
// there is nothing to do, and nothing is wrapped.
//
// # Names
//
// A part of a key that cannot be a name is written with a dash before it. No
// tag and no component of a repository begins with a dash, so what is written
// so is told from a legal name at a glance, and both stay within [A-Za-z0-9._-],
// the names that CNCF distribution accepts. Behind the dash stands the part,
// where a dash begins what could not be written plainly:
//
//	-l    the capital L       Latest  →  --latest
//	--    a dash              RC-1    →  --r-c--1
//	-0    a dot at the end    v1.     →  -v1-0
//	-93a  the byte 0x3a
//	-1    at the beginning: the part goes on in the folder's child
//
// The name of a part depends on the part alone, never on what else is there,
// and leads back to it.
//
// # What distribution wrote
//
// Distribution writes tags under their plain names, also where case is ignored.
// Such a tag is read, listed, overwritten and deleted where it lies, under
// the spelling that it has on disk; a tag that differs from it by case lives
// beside it, under its name with a dash. All other names that distribution
// writes are in lower case.
//
// A driver's abilities that take keys must be implemented here, or else they
// would be found in what is wrapped, and meet keys that are not translated.
//
// Imports: registry/driver. Lock: spelling.mu, a leaf.
package portable
