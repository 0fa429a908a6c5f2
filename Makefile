# seadog: one Makefile, not recursive. `make help` lists what there is to make.

PREFIX ?= /usr/local
CC ?= cc
PKG_CONFIG ?= pkg-config
KIND ?= release

PACKAGES := libcurl libcjson inih sqlite3 libsodium
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wformat=2 \
	-Wundef -Wvla -Wnull-dereference -Wimplicit-fallthrough $(WERROR)
HARDENING := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
VERSION := $(shell cat VERSION)

CFLAGS_release := -O2 -g $(HARDENING)
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
CFLAGS_asan := -O1 -g $(SANITIZERS)
LDFLAGS_asan := $(SANITIZERS)
CFLAGS_cover := -O0 -g --coverage
LDFLAGS_cover := --coverage

BUILD := build/$(KIND)
CPPFLAGS += -Iinclude -Itests -D_GNU_SOURCE -DSEADOG_VERSION='"$(VERSION)"'
ALL_CFLAGS := -std=gnu17 $(WARNINGS) $(CFLAGS_$(KIND)) -ffile-prefix-map=$(CURDIR)=. -pthread \
	$(shell $(PKG_CONFIG) --cflags $(PACKAGES)) $(CFLAGS)
ALL_LDFLAGS := $(LDFLAGS_$(KIND)) -pthread $(LDFLAGS)
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lev -lm

SOURCES := $(wildcard watchdog/*/*.c)
OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out watchdog/face/main.c,$(SOURCES)))
LIBRARY := $(BUILD)/libseadog.a
FAKE_ENGINE := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/model/model*.c tests/fake/server*.c))
TEST_SUPPORT := $(FAKE_ENGINE) $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/*/test_*.c))

all: build/seadog

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

# The model Engine behind a socket, for tests that run programs (tests/fake/server.h).
fake-engine: $(BUILD)/tests/fake/seadog-fake-engine

$(BUILD)/tests/fake/seadog-fake-engine: $(BUILD)/tests/fake/fake.o $(FAKE_ENGINE) $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Unit tests and scenes under ASan and UBSan.
check-units:
	$(MAKE) --no-print-directory KIND=asan run-units

run-units: $(TESTS)
	@set -e; for t in $(TESTS); do echo "== $$t"; $$t; done

clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)

.PHONY: all fake-engine check-units run-units clean
.SECONDARY:
