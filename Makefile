# A thin front of meson: each target installs what it lacks (as root) and then does one thing.
BUILD  ?= build
PREFIX ?= /usr

.PHONY: all demo test unit integration fault fuzz sanitize bench lint fmt install clean help

all: ## build croftd, croft and the roles into build/
	@tools/packages build
	@test -f $(BUILD)/build.ninja || meson setup --prefix=$(PREFIX) $(BUILD) >/dev/null
	@ninja -C $(BUILD) --quiet

demo: all ## install, build, start Croft and show its main job on a real C project
	@tools/packages demo
	@tools/demo $(BUILD)

test: unit integration fault fuzz sanitize ## every test that there is

unit: all ## unit tests
	@tools/packages test
	@meson test -C $(BUILD) --no-rebuild --suite unit --print-errorlogs

integration: all ## the real daemon, from the outside
	@tools/packages test
	@tests/run $(BUILD) integration contract isolation

fault: all ## kill -9 of every role at every step
	@tools/packages test
	@tests/run $(BUILD) fault

sanitize: ## the integration tests again, with address and undefined-behaviour sanitizers
	@tools/packages test
	@test -f $(BUILD)-sanitize/build.ninja || \
	  meson setup -Db_sanitize=address,undefined -Db_lundef=false -Dwerror=false $(BUILD)-sanitize >/dev/null
	@ninja -C $(BUILD)-sanitize --quiet
	@meson test -C $(BUILD)-sanitize --no-rebuild --suite unit --print-errorlogs
	@tests/run $(BUILD)-sanitize integration contract

fuzz: ## a short run of every fuzz target; FUZZ_SECONDS=600 for a long one
	@tools/packages test
	@tests/fuzz/run

bench: all ## figures beside peers, as a table and build/bench.json
	@tools/packages bench
	@bench/run $(BUILD)

lint: ## gcc and clang without a warning, cppcheck, formatting, scripts
	@tools/packages lint
	@tools/lint

fmt: ## format the C sources
	@tools/packages lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: all ## install below PREFIX (/usr), or for a package below DESTDIR
	@tools/install $(BUILD) $(PREFIX) $(if $(DESTDIR),$(abspath $(DESTDIR)))

clean: ## remove what was built
	@rm -rf $(BUILD) $(BUILD)-*

help: ## print this
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
