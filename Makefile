# Two commands matter: make demo, make test. Both do all their set-up.
SHELL   := /bin/bash
GO      ?= go
VERSION ?= 0.1.0-dev
LDFLAGS := -s -w -X main.version=$(VERSION)
BIN     := bin/requeen
PREFIX  ?= /usr/local

.PHONY: build man install demo recording test unit vet enumerations lab-test lab-recoveries lab-others torture torture-kills torture-cuts torture-20 torture-others bench fmt clean go-version

build: go-version
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/requeen

man: build
	$(BIN) man -out bin/man

# The program, its man pages, and the completion of bash, zsh and fish.
install: build
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/requeen
	$(BIN) man -out $(DESTDIR)$(PREFIX)/share/man/man1
	@$(foreach to,bash:bash-completion/completions/requeen zsh:zsh/site-functions/_requeen fish:fish/vendor_completions.d/requeen.fish, \
	  mkdir -p $(dir $(DESTDIR)$(PREFIX)/share/$(lastword $(subst :, ,$(to)))) && \
	  $(BIN) completion $(firstword $(subst :, ,$(to))) > $(DESTDIR)$(PREFIX)/share/$(lastword $(subst :, ,$(to))) &&) true
	@echo "installed in $(DESTDIR)$(PREFIX)"

# The language and the modules need this Go; an older one fails with errors
# that do not say so.
go-version:
	@command -v $(GO) >/dev/null || { echo "Go is not installed: install Go 1.26 or newer (see go.dev/doc/install)."; exit 1; }
	@v=$$($(GO) env GOVERSION | sed 's/^go//'); want=$$(sed -n 's/^go //p' go.mod); \
	  [ "$$(printf '%s\n%s\n' "$$want" "$$v" | sort -V | head -n 1)" = "$$want" ] || \
	  { echo "Go $$v is too old: go.mod asks for $$want. Install a newer Go (see go.dev/doc/install)."; exit 1; }

demo: build
	@internal/lab/demo.sh $(BIN)

# The demo as an animated picture, for the README.
recording: build
	$(GO) run ./internal/lab/record -out internal/lab/demo.svg -- internal/lab/demo.sh $(BIN)

# Minutes of arithmetic and nothing else: make test does them beside the lab's tests,
# which mostly wait.
ENUMERATIONS := ^TestEvery(Emergency|Shape)$$

test: vet
	$(GO) test -timeout 10m -skip '$(ENUMERATIONS)' ./...
	@$(MAKE) --no-print-directory -k -j 3 enumerations $(LAB_TESTS) || $(SAY_WHAT_FAILED)

unit: vet
	$(GO) test -timeout 10m ./...

vet: go-version
	$(GO) vet ./...
	$(GO) vet -tags lab ./internal/lab/... ./cmd/requeen

enumerations: go-version
	@mkdir -p bin
	@internal/lab/beside.sh bin/enumerations.log $(GO) test -timeout 30m -count=1 -v -run '$(ENUMERATIONS)' ./plan
	@grep -E 'states' bin/enumerations.log

# Real swarms on this machine: needs root, installs the packages it lacks, and
# fails (never skips) where a lab can't be made. The recoveries have a lab of their
# own beside everybody else's, since a lab mostly waits; the others' packages come one
# after the other (-p 1).
LAB_TESTS := lab-recoveries lab-others
RECOVERIES := ^TestRecovery
SAY_WHAT_FAILED = { for log in $(LAB_TESTS:%=bin/%.log); do internal/lab/failures.sh $$log; done; exit 1; }

lab-test: go-version
	@$(MAKE) --no-print-directory -k -j 2 $(LAB_TESTS) || $(SAY_WHAT_FAILED)

lab-recoveries: go-version
	@mkdir -p bin
	@set -o pipefail; $(GO) test -tags lab -count=1 -timeout 50m -v -run '$(RECOVERIES)' ./internal/lab/scenario 2>&1 | tee bin/$@.log

# Shown when it has ended: the lines of two tests among each other tell nothing.
lab-others: go-version
	@mkdir -p bin
	@$(GO) test -tags lab -p 1 -count=1 -timeout 50m -v -skip '$(RECOVERIES)' ./internal/lab/... >bin/$@.log 2>&1; status=$$?; cat bin/$@.log; exit $$status

# Every kill point on every engine, two labs side by side, since a lab mostly waits.
# What passed stands in the report and is not tried again; remove the report to begin
# anew.
torture: go-version
	@mkdir -p bin
	@$(MAKE) --no-print-directory -j 2 -k torture-kills torture-20 torture-cuts torture-others; status=$$?; \
	  awk '/^(ok|FAIL) /{last[substr($$0,6)]=$$1} END{for(n in last) c[last[n]]++; print c["ok"]+0 " passed, " c["FAIL"]+0 " failed"}' bin/torture.report; exit $$status

TORTURE := RQ_TORTURE=1 RQ_TORTURE_REPORT=$(CURDIR)/bin/torture.report $(GO) test -tags lab -count=1 -timeout 8h -v ./internal/lab/scenario

torture-kills:
	RQ_LAB_SUFFIX=k $(TORTURE) -run 'TestRecoveryOn28$$/^killed_in'
torture-cuts:
	RQ_LAB_SUFFIX=c $(TORTURE) -run 'TestRecoveryOn28$$/^cut_off'
torture-20:
	$(TORTURE) -run 'TestRecoveryOn20$$'
torture-others:
	$(TORTURE) -run '(Plain|Autolocked)On(20|28)$$/(count|killed)'
	$(TORTURE) -run 'TestRecovery(On28|Shapes|Refused)|TestShapePorts' -skip 'TestRecoveryOn28$$/^(killed_in|cut_off)'
	$(TORTURE) -run 'TestData$$|TestKeptOn28'
	RQ_TORTURE=1 $(GO) test -tags lab -count=1 -v -run 'Test(Google|Azure)$$' ./internal/lab/objectstore

# What requeen costs, next to what one does without it; about half an
# hour on a machine with nothing else to do. Results: internal/lab/bench/results.md
bench: build
	$(GO) run ./internal/lab/bench -program $(BIN)

fmt:
	gofmt -w $$(git ls-files '*.go')

clean:
	rm -rf bin
