# Kittson's two commands are `make run` and `make test`; each installs what is missing, builds, and does its job.
#
#   make run        boot the embedded guest on both engines and show what each dispatch state costs
#   make test       the whole test suite, in release mode
#   make build      the release build (.build/release/kittson)
#   make install    PREFIX=/usr/local: program, man page, shell completions, plugin header
#   make guests     rebuild Guests/ (needs an IA-64 cross compiler, CROSS_COMPILE=ia64-linux-gnu-)
#   make vectors    rewrite Tests/Vectors (needs python3 and binutils-ia64-linux-gnu)
#   make coverage   rewrite Documentation/coverage.md
#   make bench      benchmarks into bench/results/ (BENCH_QUICK=1: without the microbenchmarks)
#   make clean

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
TEST_FLAGS ?=

# Debian and Ubuntu packages; a system that has the files by other means needs none of them.
RUN_PACKAGES = $(if $(shell pkg-config --exists libffi 2>/dev/null && echo yes),,libffi-dev pkg-config)
TEST_PACKAGES = $(RUN_PACKAGES) \
  $(if $(shell pkg-config --exists mpfr 2>/dev/null && echo yes),,libmpfr-dev) \
  $(if $(shell command -v ia64-linux-gnu-objdump),,binutils-ia64-linux-gnu)

.PHONY: run test build install guests vectors coverage bench manual clean toolchain headers run-packages test-packages

run: build
	@.build/release/kittson bench --summary

build: run-packages headers
	@$(SWIFT) build -c release --product kittson

test: test-packages headers
	@$(SWIFT) test -c release $(TEST_FLAGS)

# The compiler does not note that a Swift module depends on a C header: what was built with another one (the layout of
# the processor's state!) would stay.
headers:
	@sum=$$(cat CSupport/include/* | cksum); [ "$$sum" = "$$(cat .build/headers 2>/dev/null)" ] || { \
	  mkdir -p .build && find Sources Tests -name '*.swift' -exec touch {} + && echo "$$sum" >.build/headers; }

toolchain:
	@command -v $(SWIFT) >/dev/null 2>&1 || { echo "kittson: no Swift toolchain: install Swift 6.3 or newer from swift.org and put it on PATH" >&2; exit 1; }

run-packages: toolchain
	@Documentation/tools/install-packages $(RUN_PACKAGES)

test-packages: toolchain
	@Documentation/tools/install-packages $(TEST_PACKAGES)

manual: toolchain run-packages headers
	@mkdir -p .build/manual
	@$(SWIFT) package --allow-writing-to-package-directory generate-manual --output-directory .build/manual >/dev/null

install: manual
	$(SWIFT) build -c release --static-swift-stdlib --product kittson
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d $(DESTDIR)$(PREFIX)/include
	install -m 755 .build/release/kittson $(DESTDIR)$(PREFIX)/bin/kittson
	install -m 644 .build/manual/kittson.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	.build/release/kittson --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/kittson
	.build/release/kittson --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_kittson
	.build/release/kittson --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/kittson.fish
	install -m 644 CSupport/include/kittson_cpu.h CSupport/include/kittson_paravirt.h $(DESTDIR)$(PREFIX)/include/

guests:
	@$(MAKE) -C Guests

vectors:
	@python3 Tests/Vectors/make/make.py

coverage: build
	@.build/release/kittson vectors --coverage Tests/Vectors/*.json > Documentation/coverage.md.new
	@mv Documentation/coverage.md.new Documentation/coverage.md

bench: run-packages
	@bench/run
	@if [ -r "$${KITTSON_GUESTS:-../shared/guests}/bench/programs.json" ]; then bench/programs; \
	else echo "bench: KITTSON_GUESTS names no benchmark programs: left out" >&2; fi

clean:
	@rm -rf .build bench/.build
