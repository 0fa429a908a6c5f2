# seadog: one Makefile, not recursive. `make help` lists what there is to make.

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
CC ?= cc
PKG_CONFIG ?= pkg-config
KIND ?= release

PACKAGES := libcurl libcjson inih sqlite3 libsodium ncursesw libarchive libzstd
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wformat=2 \
	-Wundef -Wvla -Wnull-dereference -Wimplicit-fallthrough $(WERROR)
HARDENING := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
VERSION := $(shell cat VERSION)

CFLAGS_release := -O2 -g $(HARDENING)
# What the parts of libarchive.a that are left out would need is in libraries that others bring along, or nowhere.
LDFLAGS_release := -pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed -Wl,--copy-dt-needed-entries
CFLAGS_asan := -O1 -g $(SANITIZERS)
LDFLAGS_asan := $(SANITIZERS)
CFLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
LDFLAGS_tsan := -fsanitize=thread
CFLAGS_cover := -O0 -g --coverage
LDFLAGS_cover := --coverage
CFLAGS_fuzz := -O1 -g $(SANITIZERS) -fsanitize=fuzzer-no-link
LDFLAGS_fuzz := $(SANITIZERS)

BUILD := build/$(KIND)
CPPFLAGS += -Iinclude -Itests -D_GNU_SOURCE -DSEADOG_VERSION='"$(VERSION)"'
ALL_CFLAGS := -std=gnu17 $(WARNINGS) $(CFLAGS_$(KIND)) -ffile-prefix-map=$(CURDIR)=. -pthread \
	$(shell $(PKG_CONFIG) --cflags $(PACKAGES)) $(CFLAGS)
ALL_LDFLAGS := $(LDFLAGS_$(KIND)) -pthread $(LDFLAGS)
# Of libarchive a tenth is needed; what is shared would bring 40 MB of other libraries (ICU) into a daemon that needs none.
ARCHIVE_release := $(if $(findstring /,$(shell $(CC) -print-file-name=libarchive.a)),-l:libarchive.a)
LIBS := $(shell $(PKG_CONFIG) --libs $(filter-out libarchive,$(PACKAGES))) $(or $(ARCHIVE_$(KIND)),-larchive) -lev -lm

SOURCES := $(sort $(wildcard watchdog/*/*.c))
OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out watchdog/face/main.c,$(SOURCES)))
LIBRARY := $(BUILD)/libseadog.a
FAKE_ENGINE := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/model/model*.c tests/fake/server*.c))
PRELOADED := tests/support/slow_fsync.c tests/support/broken_disk.c tests/support/stepped_clock.c
TEST_SUPPORT := $(FAKE_ENGINE) $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(PRELOADED),$(wildcard tests/support/*.c)))
# What plays so often that sanitizers would take many minutes is always the release build.
PLAIN := build/release/tests/act/test_rollback_pairs
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter-out $(PLAIN:build/release/%=%.c),$(wildcard tests/*/test_*.c)))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
MAN_PAGES := $(wildcard contrib/man/*.[157])
FUZZ_SECONDS ?= 20
CORE_OBJECTS := $(filter build/release/watchdog/core/%,$(patsubst %.c,build/release/%.o,$(SOURCES)))
C_FILES = $(shell find watchdog tests contrib -name '*.c')

all: build/seadog ## the program: build/seadog

build/seadog: $(BUILD)/seadog
	@ln -f $< $@ 2>/dev/null || cp -f $< $@

$(BUILD)/seadog: $(BUILD)/watchdog/face/main.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_SUPPORT) $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

fake-engine: $(BUILD)/tests/fake/seadog-fake-engine ## the model Engine behind a socket, for tests that run programs

$(BUILD)/tests/fake/seadog-fake-engine: $(BUILD)/tests/fake/fake.o $(FAKE_ENGINE) $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# What is measured here is a part of seadog by itself.
$(BUILD)/tests/bench/looks: $(BUILD)/tests/bench/looks.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Makes a container again beside itself, for tests/e2e/recreate.bats, which has it made.
$(BUILD)/tests/e2e/recreate: $(BUILD)/tests/e2e/recreate.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# The bench's own programs know the libraries themselves: they are what seadog is measured with and against.
$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LIBS)

# A slow disk, a broken one and a clock that is set, to be preloaded.
$(patsubst %.c,$(BUILD)/%.so,$(PRELOADED)): $(BUILD)/%.so: %.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(WARNINGS) -O2 -fPIC -shared -D_GNU_SOURCE -o $@ $<

$(BUILD)/tests/store/test_slow: | $(BUILD)/tests/support/slow_fsync.so
$(BUILD)/tests/store/test_broken: | $(BUILD)/tests/support/broken_disk.so
$(filter $(BUILD)/tests/daemon/%,$(TESTS)): | $(BUILD)/seadog
$(BUILD)/tests/vault/test_client: | $(BUILD)/seadog
$(BUILD)/tests/daemon/test_load: | $(BUILD)/tests/support/slow_fsync.so measured
$(BUILD)/tests/daemon/test_clock: | $(BUILD)/tests/support/stepped_clock.so measured

# What is measured is what is shipped, whatever kind the tests are of.
measured:
	@$(MAKE) --no-print-directory KIND=release build/release/seadog

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/driver.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/contrib/man/lists: $(BUILD)/contrib/man/lists.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/libseadog.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-18s %s\n", $$1, $$2 }' Makefile

check: all check-units check-corpus check-cli check-files check-man ## build; unit tests, scenes and the fuzz targets' corpus under ASan and UBSan

check-units: all fake-engine ## unit tests and scenes alone
	$(MAKE) --no-print-directory KIND=asan run-units

check-corpus: ## the fuzz targets' corpus alone, every input and its beginnings
	$(MAKE) --no-print-directory KIND=asan run-corpus

check-cli: all fake-engine ## the program as people call it, before the fake Engine
	FAKE=$(CURDIR)/$(BUILD)/tests/fake/seadog-fake-engine bats tests/cli

conf/seadog.conf: build/seadog
	$< config --example >$@.new && mv $@.new $@

plain:
	@$(MAKE) --no-print-directory KIND=release $(PLAIN)

run-units: $(TESTS) plain
	@failed=0; for t in $(TESTS) $(PLAIN); do echo "== $$t"; $$t || { echo "*** $$t failed"; failed=1; }; done; exit $$failed

run-corpus: $(FUZZERS:%=$(BUILD)/tests/fuzz/%)
	@failed=0; for f in $(FUZZERS); do echo "== $$f"; \
		$(BUILD)/tests/fuzz/$$f tests/fuzz/corpus/$${f#fuzz_} || { echo "*** $$f failed"; failed=1; }; done; exit $$failed

# What sees to the kernel's own files.
VM_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/meter/test_*.c) tests/face/test_sampler.c)

check-vm: ## the meter's tests on cgroup v2 with pressure and swap, in a virtual machine (tests/vm/run fetch gets its kernel)
	$(MAKE) --no-print-directory KIND=asan run-vm

run-vm: $(VM_TESTS)
	@tests/vm/run $(VM_TESTS)

e2e: all ## end-to-end tests on real Engines (root; contrib/bootstrap check gets them): E2E_ENGINES, E2E_FILES, E2E_JOBS
	sh tests/e2e/run

bench: bench-programs ## seadog against what one would use instead, in minutes; as root (build/bench/report.md, report.svg)
	@tests/bench/run.sh short $(ROWS)

bench-long: bench-programs ## the same with what takes hours
	@tests/bench/run.sh long $(ROWS)

bench-picture: ## the table and the picture of the last bench into contrib/bench, which the README shows
	@test -s build/bench/report.svg || { echo 'there is no build/bench/report.svg: sudo make bench' >&2; exit 1; }
	install -D -m 644 -t contrib/bench build/bench/report.md build/bench/report.svg

bench-programs: all fake-engine $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))

fuzz: ## each fuzz target for FUZZ_SECONDS (20); what it finds anew is kept in build/fuzz/corpus
	$(MAKE) --no-print-directory KIND=fuzz CC=clang run-fuzz

run-fuzz: $(FUZZERS:%=build/fuzz/%)
	@set -e; for f in $(FUZZERS); do mkdir -p build/fuzz/corpus/$${f#fuzz_}; \
		build/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/ build/fuzz/corpus/$${f#fuzz_} tests/fuzz/corpus/$${f#fuzz_} \
			>build/fuzz/$$f.log 2>&1 || { tail -40 build/fuzz/$$f.log; echo "== $$f FAILED"; exit 1; }; \
		echo "== $$f: $$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzz/$$f.log) inputs"; done

cover: ## how much of each file the unit tests reach (build/cover/html/index.html where lcov is installed)
	@find build/cover -name '*.gcda' -delete 2>/dev/null || true
	$(MAKE) --no-print-directory KIND=cover run-units
	@contrib/checks/cover.sh build/cover

man: $(BUILD)/contrib/man/lists ## fill the lists of the man pages from the program's tables
	@set -e; for page in $(MAN_PAGES); do $< <$$page >build/page && cat build/page >$$page; done; rm -f build/page

check-man: $(BUILD)/contrib/man/lists ## the man pages say what the program does; mandoc finds nothing wrong with them
	@set -e; for page in $(MAN_PAGES); do $< <$$page | cmp - $$page || { echo "$$page: make man"; exit 1; }; done
	@! command -v mandoc >/dev/null || ! mandoc -Tlint $(MAN_PAGES) 2>&1 | \
		grep -v -e 'referenced manual not found' -e 'outdated mandoc.db'

install: all ## into $(DESTDIR)$(PREFIX), the configuration into $(DESTDIR)$(SYSCONFDIR)/seadog
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" contrib/install.sh install

uninstall: ## takes away what install put there; a configuration that was changed, and the memory, stay
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" contrib/install.sh uninstall

check-files: all fake-engine ## what is installed, the unit's promises, the compose files
	FAKE=$(CURDIR)/$(BUILD)/tests/fake/seadog-fake-engine bats tests/files

check-reproducible: ## two folders, one program (builds it twice)
	contrib/checks/reproducible.sh

format: ## lay out all C files (headers are laid out by hand, as tables)
	clang-format -i $(C_FILES)

lint: lint-format lint-layers lint-purity lint-banned lint-lengths lint-shell lint-cppcheck lint-tidy ## all checks below

lint-format: ## layout: see .clang-format
	clang-format --dry-run -Werror $(C_FILES)

lint-layers: ## who may include what, and which file knows which library
	contrib/checks/layers.sh

lint-purity: $(CORE_OBJECTS) ## the core has no clock, file, socket or log
	contrib/checks/purity.sh $^

lint-banned: ## functions that have no place here
	contrib/checks/banned.sh

lint-lengths: ## functions are short
	contrib/checks/lengths.sh

lint-shell: ## shellcheck on scripts and bats files
	contrib/checks/shell.sh

lint-cppcheck: ## cppcheck
	cppcheck --quiet --enable=warning,portability,performance --inline-suppr --error-exitcode=1 --std=c11 \
		-j2 --suppress=missingIncludeSystem -Iinclude -D_GNU_SOURCE watchdog

lint-tidy: ## clang-tidy: see .clang-tidy
	@echo $(SOURCES) | xargs -n1 -P2 contrib/checks/tidy.sh $(CPPFLAGS) $(shell $(PKG_CONFIG) --cflags $(PACKAGES)) --

lint-proof: ## shows that each of these checks fails where it should
	contrib/checks/proof.sh

clean: ## remove what was built
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)

.PHONY: all help measured plain bench bench-long bench-picture bench-programs check check-units check-cli check-corpus check-man man e2e check-vm run-vm run-units run-corpus fuzz run-fuzz fake-engine cover format clean \
	lint lint-format lint-layers lint-purity lint-banned lint-lengths lint-shell lint-cppcheck lint-tidy lint-proof
.SECONDARY:
