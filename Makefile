# Berth. The first target explains the others.

TAGS_WINDOW := x11,migrated_fynedo,no_metadata,no_emoji
# The whole window with Fyne's software renderer: no X, no GL, no cgo.
TAGS_TEST   := ci
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS     := -s -w -X main.version=$(VERSION)
GO          := go
TOOLS       := $(CURDIR)/.tools
FUZZTIME    := 10s
# Packages whose code does not import Fyne; they are tested with the race detector.
PLAIN       := ./registry/... ./app/... ./dockerbridge/... ./ui/model/... ./ui/tray/...
FYNE        := . ./assets/... ./ui ./ui/page/... ./ui/theme/... ./ui/widget/... ./ui/uitest/...

export CGO_ENABLED ?= 1
export GOFLAGS := $(GOFLAGS) -buildvcs=false

.DEFAULT_GOAL := help
.PHONY: help run test build headless lint fmt bench bench-peers bench-growth fuzz screens setup-build setup-test setup-peers tools unit cross e2e bin/berth bin/berth-headless bin/e2e.test bin/peers

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / && $$1 != "help" { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: setup-build bin/berth ## install what is missing, build, and start Berth
	@bin/berth $(ARGS)

test: setup-test ## everything that must be green: lint, unit, other systems, end to end
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory cross
	@$(MAKE) --no-print-directory e2e

build: setup-build bin/berth ## bin/berth, with window and tray

headless: bin/berth-headless ## bin/berth-headless, static, for servers and containers

lint: tools ## gofumpt, go mod tidy, go vet, staticcheck
	@out=$$($(TOOLS)/gofumpt -l $$(git ls-files -co --exclude-standard '*.go')); [ -z "$$out" ] || { echo "not formatted, run make fmt:"; echo "$$out"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet -tags $(TAGS_TEST) ./...
	$(GO) vet -tags $(TAGS_TEST),e2e ./e2e
	$(TOOLS)/staticcheck -tags $(TAGS_TEST) ./...
	$(TOOLS)/staticcheck -tags $(TAGS_TEST),e2e ./e2e

fmt: tools ## format every Go file
	$(TOOLS)/gofumpt -w $$(git ls-files -co --exclude-standard '*.go')

bench: setup-test bin/berth bin/e2e.test tools ## speed and memory of the registry and of the binary
	$(GO) test -tags $(TAGS_TEST) -run '^$$' -bench . -benchmem $(PLAIN)
	scripts/as-root bin/e2e.test -test.run '^$$' -test.bench ColdStart -test.benchtime 20x
	scripts/as-root bin/e2e.test -test.run '^$$' -test.bench IdleMemory -test.benchtime 1x

bench-peers: setup-peers bin/berth-headless bin/peers $(TOOLS)/peers/registry ## Berth beside other registries, into docs/performance.md
	bin/peers -check -markdown docs/performance.md $(ARGS)

bench-growth: bin/berth-headless bin/peers ## every row with up to 100,000 repositories, and large layers
	bin/peers -growth 100,10000,100000 -markdown docs/performance.md $(ARGS)
	bin/peers -uploads -markdown docs/performance.md

fuzz: ## every fuzz target for FUZZTIME (default 10s)
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' registry app dockerbridge ui 2>/dev/null | while read -r file; do \
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file" | while read -r target; do \
			echo "$$file $$target"; $(GO) test -tags $(TAGS_TEST) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")"; \
		done; \
	done

screens: setup-test bin/berth bin/e2e.test tools ## pictures of every page of the real window in docs/screens
	@mkdir -p docs/screens
	BERTH_SCREENS=$(CURDIR)/docs/screens scripts/as-root bin/e2e.test -test.run '^TestScreens$$' -test.v

# What follows is used by the targets above.

setup-build:
	@scripts/setup build

setup-test:
	@scripts/setup test

setup-peers:
	@scripts/setup peers

tools: $(TOOLS)/.stamp

$(TOOLS)/.stamp: tools/go.mod tools/go.sum
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) -C tools install tool
	@touch $@

$(TOOLS)/peers/registry: tools/peers/go.mod tools/peers/go.sum
	@mkdir -p $(TOOLS)/peers
	CGO_ENABLED=0 GOBIN=$(TOOLS)/peers $(GO) -C tools/peers install tool
	@touch $@

bin/peers:
	CGO_ENABLED=0 $(GO) build -o $@ ./e2e/peers

bin/berth:
	$(GO) build -tags $(TAGS_WINDOW) -ldflags '$(LDFLAGS)' -o $@ .

bin/berth-headless:
	CGO_ENABLED=0 $(GO) build -tags headless -ldflags '$(LDFLAGS)' -o $@ .

bin/e2e.test:
	$(GO) test -c -tags $(TAGS_TEST),e2e -o $@ ./e2e

unit:
	$(GO) test -tags $(TAGS_TEST) -race -shuffle=on $(PLAIN)
	$(GO) test -tags $(TAGS_TEST) -shuffle=on $(FYNE) ./e2e/peers

# The other systems, as far as they can be checked without a cross compiler: the
# tray of macOS needs cgo.
cross:
	GOOS=darwin CGO_ENABLED=0 $(GO) vet -tags headless . $(filter-out ./ui/tray/...,$(PLAIN))
	GOOS=windows CGO_ENABLED=0 $(GO) vet -tags headless . $(PLAIN)

e2e: tools $(TOOLS)/peers/registry bin/berth bin/berth-headless bin/e2e.test
	scripts/as-root bin/e2e.test -test.timeout 15m -test.v
