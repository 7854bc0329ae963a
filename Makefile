# make run    builds chskd and starts it with a demo to open in a browser
# make test   everything that must pass, fetching what it needs
# make check  what a change should pass before it is committed
# The other targets are parts of these.

GO       ?= go
FUZZTIME ?= 4s
PKGS     := ./...
BIN      := bin/chskd

.PHONY: build run test mutants check fmt vet lint tidy race fuzz bench bench-check million million-check bench-values rivals-check cover browser-deps oracle-deps examples-deps proxy-deps clean

build: $(BIN)

# Go decides what is out of date; the target is cheap when nothing is.
.PHONY: $(BIN)
$(BIN):
	$(GO) build -o $(BIN) ./cmd/chskd

# RUNFLAGS are more flags, as in: make run RUNFLAGS="--listen 127.0.0.1:9000"
RUNFLAGS ?=
run: build
	$(BIN) serve --demo $(RUNFLAGS)

# Most of what the tests of the daemon do is wait for it, so more of them run at once than there
# are CPUs.
test: vet browser-deps oracle-deps examples-deps proxy-deps mutants
	$(GO) test -timeout 25m -parallel 6 $(PKGS)

# Each rule of the cursor is broken in turn; model and simulation must notice.
mutants:
	$(GO) test -tags chskmutate -run TestMutants ./shard ./engine ./backend

check: fmt vet lint tidy race fuzz

fmt:
	@bad=$$(gofmt -l .); if [ -n "$$bad" ]; then echo "gofmt -w these:" $$bad; exit 1; fi

vet:
	$(GO) vet $(PKGS)

lint:
	$(GO) tool staticcheck $(PKGS)

tidy:
	$(GO) mod tidy -diff

race:
	$(GO) test -race -short $(PKGS)

# Every fuzz target for a few seconds, one after the other.
fuzz:
	@for t in $$($(GO) test ./fuzz -list '^Fuzz' | grep '^Fuzz'); do \
		$(GO) test ./fuzz -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x || exit 1; done

bench:
	$(GO) test -run '^$$' -bench . -benchmem $(PKGS)

# Instructions and allocations of the hot paths against bench/check/golden.txt. UPDATE=1 writes the
# file, REPEAT=10 shows how well the figures repeat.
bench-check:
	@./bench/check/deps.sh
	$(GO) run ./bench/check $(if $(UPDATE),-update) $(if $(REPEAT),-repeat $(REPEAT))

# The tables of docs/benchmarks.md, section Values: some minutes.
bench-values:
	@./bench/rivals/values/run.sh 20 40ms

# Whether the peers of bench/rivals still build and answer: some seconds. What is not installed is
# skipped. What they cost beside chskd is bench/rivals/compare.sh: half an hour.
rivals-check: build
	@CHSKD=$(abspath $(BIN)) ./bench/rivals/check.sh

# A million WebSockets on this machine, held for five minutes: docs/million.md. N and HOLD are smaller
# or larger ones; MILLIONFLAGS are more flags, as --check, --set-sysctls or --help.
N    ?= 1000000
HOLD ?= 5m
MILLIONFLAGS ?=
million: build
	$(GO) build -o bin/million ./bench/million
	bin/million --chskd $(BIN) --conns $(N) --hold $(HOLD) --report bin/million-report $(MILLIONFLAGS)

# The same with 100,000 for 20 seconds, of which every event must arrive: under a minute.
million-check:
	CHSKD_LONG=1 $(GO) test -count 1 -run TestLong ./bench/million

cover:
	$(GO) test -coverprofile=cover.out $(PKGS) && $(GO) tool cover -func=cover.out | tail -1

# The browser test drives Debian's Chromium. Where it cannot be installed the test is
# skipped with a loud line, unless CHSKD_REQUIRE_BROWSER=1.
browser-deps:
	@./browser/deps.sh

# The readers and writers of others that the packers are tested against: Debian's Clojure and some
# npm packages. Where they cannot be installed their tests are skipped with a loud line, unless
# CHSKD_REQUIRE_ORACLES=1.
oracle-deps:
	@./packer/oracle/deps.sh

# What the examples are written in. Where it cannot be installed their tests are skipped with a loud
# line, unless CHSKD_REQUIRE_EXAMPLES=1.
examples-deps:
	@./examples/deps.sh

# The proxies whose configs docs/proxy has. Where one cannot be installed its tests are skipped with a
# loud line, unless CHSKD_REQUIRE_PROXIES=1.
proxy-deps:
	@./docs/proxy/deps.sh

clean:
	rm -rf bin cover.out
