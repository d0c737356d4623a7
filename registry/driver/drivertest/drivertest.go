package drivertest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"berth/registry/driver"
)

// Run runs the suite. open gives an empty driver each time; it is called from
// parallel tests.
func Run(t *testing.T, open func(t *testing.T) driver.Driver) {
	t.Helper()
	for name, test := range tests() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func tests() map[string]func(*testing.T, driver.Driver) {
	return map[string]func(*testing.T, driver.Driver){
		"PutIsReadBack":                       putIsReadBack,
		"PutReplacesWhole":                    putReplacesWhole,
		"AnEmptyFileExists":                   emptyFile,
		"AMissingKeyIsNotExist":               missingKey,
		"BelowAFileThereIsNothing":            belowAFile,
		"MalformedKeysAreRefused":             malformedKeys,
		"ACancelledContextDoesNothing":        cancelledContext,
		"StatTellsFilesFromFolders":           statKinds,
		"AFileCannotReplaceAFolder":           fileOverFolder,
		"OpenSeeks":                           openSeeks,
		"AnOpenFileSurvivesItsReplacement":    openSurvives,
		"ContentIsCopied":                     contentIsCopied,
		"AppendCreatesTruncatesAndResumes":    appendResumes,
		"AppendElsewhereThanAtTheEndFails":    appendOffset,
		"WrittenBytesAreSeenBeforeClose":      seenBeforeClose,
		"AClosedWriterRefuses":                closedWriter,
		"ABigFileComesBack":                   bigFile,
		"MoveReplaces":                        moveReplaces,
		"MoveOfNothingIsNotExist":             moveMissing,
		"MoveOntoItselfKeepsTheFile":          moveOntoItself,
		"DeleteRemovesOneFile":                deleteFile,
		"DeleteRemovesATree":                  deleteTree,
		"ADeletedTreeCanBeMadeAnew":           deleteAndAgain,
		"ListIsLexicalAndDirect":              listLexical,
		"ListOfTheRoot":                       listRoot,
		"ListStopsWhenTold":                   listStops,
		"WalkYieldsEveryFile":                 walk,
		"PutsOfOneKeyByManyAreWhole":          putByMany,
		"ReadersSeeOldOrNewNeverHalf":         readersSeeWhole,
		"PutsAndDeletesOfATreeDoNotTrip":      putVersusDelete,
		"ManyFoldersAreMadeAtOnce":            manyFolders,
		"OnlyOneOfTwoMovesOfOneFileSucceeds":  racingMoves,
		"SpaceIsPlausibleWhereItIsKnown":      space,
		"RandomOperationsMatchASimpleModel":   model,
		"LongKeysAndOddCharactersAreKept":     oddNames,
		"AFileMovedWhileItIsWrittenIsTheSame": moveWhileWriting,
		"ABatchIsMadeInItsOrder":              batchOrder,
		"ABatchStopsAtTheFirstFailure":        batchStops,
		"ABatchDeletesWhatIsNotThere":         batchDeletesNothing,
		"AnEmptyBatchIsNothing":               batchEmpty,
		"BatchesThatMeetAreMadeOneByOne":      batchesMeet,
		"ReadersOfABatchSeeOldOrNew":          batchReadersSeeWhole,
		"ABatchMayBeLarge":                    batchIsLarge,
	}
}

func put(t *testing.T, d driver.Driver, key, content string) {
	t.Helper()
	if err := d.Put(t.Context(), key, []byte(content)); err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

func read(t *testing.T, d driver.Driver, key string) string {
	t.Helper()
	s, err := get(t.Context(), d, key)
	if err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	return s
}

func get(ctx context.Context, d driver.Driver, key string) (string, error) {
	f, err := d.Open(ctx, key)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(f)
	return string(b), errors.Join(err, f.Close())
}

func want(t *testing.T, d driver.Driver, key, content string) {
	t.Helper()
	if got := read(t, d, key); got != content {
		t.Errorf("%s holds %q, want %q", key, clip(got), clip(content))
	}
	info, err := d.Stat(t.Context(), key)
	if err != nil || info.Key != key || info.Dir || info.Size != int64(len(content)) || info.Modified.IsZero() {
		t.Errorf("stat %s = %+v, %v; want a file of %d bytes", key, info, err, len(content))
	}
}

func gone(t *testing.T, d driver.Driver, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if info, err := d.Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat %s = %+v, %v; want fs.ErrNotExist", key, info, err)
		}
		if _, err := get(t.Context(), d, key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open %s: %v; want fs.ErrNotExist", key, err)
		}
	}
}

// list gives the keys of a folder, those of folders with a slash behind them.
func list(t *testing.T, d driver.Driver, prefix string) string {
	t.Helper()
	var keys []string
	for info, err := range d.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		if info.Dir {
			info.Key += "/"
		}
		keys = append(keys, info.Key)
	}
	return strings.Join(keys, " ")
}

func write(t *testing.T, d driver.Driver, key string, offset int64, content string) {
	t.Helper()
	w, err := d.Append(t.Context(), key, offset)
	if err != nil {
		t.Fatalf("append %s at %d: %v", key, offset, err)
	}
	if n, err := io.WriteString(w, content); err != nil || n != len(content) {
		t.Fatalf("write %s: %d, %v", key, n, err)
	}
	if got := w.Size(); got != offset+int64(len(content)) {
		t.Errorf("%s: size %d after writing %d bytes at %d", key, got, len(content), offset)
	}
	if err := w.Close(); err != nil {
		t.Fatalf("close %s: %v", key, err)
	}
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
