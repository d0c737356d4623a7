package config

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// Storage says where bytes go: exactly one of Filesystem and InMemory is set.
type Storage struct {
	Filesystem  *Filesystem `yaml:"filesystem"`
	InMemory    *InMemory   `yaml:"inmemory"`
	S3          Later       `yaml:"s3"`
	Azure       Later       `yaml:"azure"`
	GCS         Later       `yaml:"gcs"`
	Delete      Delete      `yaml:"delete"`
	Maintenance Maintenance `yaml:"maintenance"`
	Cache       Cache       `yaml:"cache"`
	Redirect    Redirect    `yaml:"redirect"`
	Tag         Tag         `yaml:"tag"`
}

// Filesystem keeps bytes in a folder.
type Filesystem struct {
	RootDirectory string `yaml:"rootdirectory"`
	// MaxThreads is how many file operations run at once.
	MaxThreads int `yaml:"maxthreads"`
}

// InMemory keeps bytes until the process ends.
type InMemory struct{}

// Delete says whether clients may delete.
type Delete struct {
	Enabled bool `yaml:"enabled"`
}

// Maintenance is upkeep that runs by itself, and the read-only mode.
type Maintenance struct {
	UploadPurging UploadPurging `yaml:"uploadpurging"`
	ReadOnly      struct {
		Enabled bool `yaml:"enabled"`
	} `yaml:"readonly"`
}

// UploadPurging removes uploads that nobody finished.
type UploadPurging struct {
	Enabled  bool          `yaml:"enabled"`
	Age      time.Duration `yaml:"age"`
	Interval time.Duration `yaml:"interval"`
	// DryRun only logs what would be removed.
	DryRun bool `yaml:"dryrun"`
}

// Cache says what is kept in memory.
type Cache struct {
	// BlobDescriptor is empty or inmemory.
	BlobDescriptor string `yaml:"blobdescriptor"`
	// LayerInfo is the old name of BlobDescriptor.
	LayerInfo string `yaml:"layerinfo"`
	// BlobDescriptorSize is how many descriptors distribution keeps.
	BlobDescriptorSize int `yaml:"blobdescriptorsize"`
}

// Redirect says whether clients are sent to the storage itself.
type Redirect struct {
	Disable bool `yaml:"disable"`
}

// Tag bounds the work on tags.
type Tag struct {
	ConcurrencyLimit int `yaml:"concurrencylimit"`
}

// removedStorages went from distribution too, with its version 3.
var removedStorages = map[string]string{"swift": "OpenStack Swift", "oss": "Alibaba OSS", "rados": "Ceph RADOS"}

// UnmarshalYAML takes a section, or the bare name of a driver ("inmemory").
func (s *Storage) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Tag != "!!null" {
		name := *node
		node = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{&name, {Kind: yaml.MappingNode, Tag: "!!map"}}}
	}
	type plain Storage
	if err := node.Decode((*plain)(s)); err != nil {
		return err
	}
	// "filesystem:" with nothing behind it is a null, and is meant.
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i].Value
		switch key {
		case "filesystem":
			s.Filesystem = orNew(s.Filesystem)
		case "inmemory":
			s.InMemory = orNew(s.InMemory)
		case "s3", "s3aws":
			s.S3.set = true
		case "azure":
			s.Azure.set = true
		case "gcs":
			s.GCS.set = true
		case "delete", "maintenance", "cache", "redirect", "tag":
		default:
			if removedStorages[key] != "" {
				return fmt.Errorf("line %d: the storage %s (%s) was removed from distribution in version 3, and berth does not have it; "+
					"copy the images to a filesystem storage with the registry that you have", node.Content[i].Line, key, removedStorages[key])
			}
			return fmt.Errorf("line %d: no storage is called %q; there are filesystem and inmemory", node.Content[i].Line, key)
		}
	}
	return nil
}

// named says whether any storage was chosen.
func (s *Storage) named() bool {
	return s.Filesystem != nil || s.InMemory != nil || s.S3.set || s.Azure.set || s.GCS.set
}

func orNew[T any](p *T) *T {
	if p == nil {
		p = new(T)
	}
	return p
}
