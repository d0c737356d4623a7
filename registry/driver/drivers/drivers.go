package drivers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"berth/registry/driver"
	"berth/registry/driver/careful"
	"berth/registry/driver/filesystem"
	"berth/registry/driver/memory"
	"berth/registry/driver/portable"
)

// table has a driver for each name under "storage:" in config.yml.
var table = map[string]func(options map[string]any) (driver.Driver, error){
	"filesystem": opener(files),
	"inmemory":   opener(func(struct{}) (driver.Driver, error) { return memory.New(), nil }),
}

// files opens a folder, on whatever file system it is.
func files(o filesystem.Options) (driver.Driver, error) {
	folder, err := filesystem.Open(o)
	if errors.Is(err, driver.ErrNoSpace) && careful.GiveUp(o.RootDirectory) == nil {
		// What a power cut interrupted needs room to be carried out.
		folder, err = filesystem.Open(o)
	}
	if err != nil {
		return nil, err
	}
	watched, err := careful.Wrap(folder, folder.Root())
	if err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	d, err := portable.For(context.Background(), watched)
	if err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	return d, nil
}

// Names lists the drivers, sorted.
func Names() []string {
	return slices.Sorted(maps.Keys(table))
}

// Open opens the driver of a name with its options as they stand in
// config.yml, under the keys of CNCF distribution. Text is read as YAML reads
// it, so that an environment variable can give a number. A name or a key that
// does not exist is refused, and the error lists what does.
func Open(name string, options map[string]any) (driver.Driver, error) {
	open, ok := table[name]
	if !ok {
		return nil, fmt.Errorf("no storage driver %q: there are %s", name, strings.Join(Names(), ", "))
	}
	d, err := open(options)
	if err != nil {
		return nil, fmt.Errorf("open storage %s: %w", name, err)
	}
	return d, nil
}

// opener decodes options into the driver's own type.
func opener[O any](open func(O) (driver.Driver, error)) func(map[string]any) (driver.Driver, error) {
	return func(options map[string]any) (driver.Driver, error) {
		var o O
		if err := decode(options, &o); err != nil {
			return nil, err
		}
		return open(o)
	}
}

func decode[O any](options map[string]any, into *O) error {
	known := keys(reflect.TypeFor[O]())
	for _, key := range slices.Sorted(maps.Keys(options)) {
		if !slices.Contains(known, key) {
			return fmt.Errorf("no option %q: there are %s", key, cmp.Or(strings.Join(known, ", "), "none"))
		}
		// One key at a time, so that an error can name it.
		var value, pair yaml.Node
		if text, ok := options[key].(string); ok {
			value = yaml.Node{Kind: yaml.ScalarNode, Value: text} // untagged: text as YAML reads it
		} else if err := value.Encode(options[key]); err != nil {
			return fmt.Errorf("option %s: %w", key, err)
		}
		pair = yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: key}, &value}}
		if err := pair.Decode(into); err != nil {
			return fmt.Errorf("option %s: %w", key, err)
		}
	}
	return nil
}

// keys gives the yaml tags of a struct.
func keys(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		out = append(out, key)
	}
	return out
}
