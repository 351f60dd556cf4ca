# `make test` is the gate; every other target is longer or narrower and is run by whoever touches its subject.
SHELL := bash
STAGE := .ci/stage
JUDGES := oci-chart-core/testkit/judges
# What is no default and tested all the same.
FEATURES := --features oci-chart-core/cloud,oci-chart-core/pgp,oci-chart-core/keyless,oci-chart-examples/pgp,oci-chart-examples/keyless,oci-chart-c/testing
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := archive bundle certificate challenge constraint evidence keyring manifest policy provenance pull_secret reference registries signature statement wire yaml

.PHONY: publish test lint install size abi sanitize judges bench fuzz audit wheels dist portability package help

help: ## Lists the targets.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

publish: ## Packages an example chart, pushes it, reads it back by digest and prints the receipt.
	cargo run --release -q -p oci-chart-examples --bin publish

test: ## Everything that must pass, with what it needs installed first; prints minutes per stage.
	@$(STAGE) format cargo fmt --all --check
	@$(STAGE) judges $(JUDGES)/install.sh
	@$(STAGE) lint cargo clippy -q --workspace --all-targets $(FEATURES) -- -D warnings
	@$(STAGE) features $(MAKE) -s features
	@$(STAGE) tests cargo test -q --workspace --lib --bins --tests $(FEATURES)
	@$(STAGE) python .ci/python
	@$(STAGE) c env FEATURES="$(FEATURES)" .ci/c
	@$(STAGE) go env FEATURES="$(FEATURES)" .ci/go
	@$(STAGE) examples $(MAKE) -s examples
	@$(STAGE) doc-tests cargo test -q --workspace --doc $(FEATURES)
	@$(STAGE) docs env RUSTDOCFLAGS="-D warnings" cargo doc -q -p oci-chart-core -p oci-chart-testkit --no-deps --features oci-chart-core/cloud,oci-chart-core/pgp,oci-chart-core/keyless
	@$(STAGE) package $(MAKE) -s package

lint: ## Formatting and lints alone.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(FEATURES) -- -D warnings

.PHONY: features
features: # Every set of features compiles alone.
	cargo clippy -q -p oci-chart-core --no-default-features -- -D warnings
	cargo clippy -q -p oci-chart-core --no-default-features --features registry -- -D warnings
	cargo clippy -q -p oci-chart-core --no-default-features --features blocking -- -D warnings
	cargo clippy -q -p oci-chart-core --no-default-features --features sign -- -D warnings
	cargo clippy -q -p oci-chart-core --features http2 -- -D warnings
	cargo test -q -p oci-chart-core --features http2 --test it -- http2 a_build_without
	cargo clippy -q -p oci-chart-core --no-default-features --features cloud -- -D warnings
	cargo clippy -q -p oci-chart-core --no-default-features --features pgp -- -D warnings

.PHONY: examples
examples: # Every example runs as it stands.
	@for story in package push-pull verify publish provenance diagnose; do cargo run -q -p oci-chart-examples --features pgp,keyless --bin $$story || exit 1; done

install: ## Installs the C library: PREFIX (/usr/local), DESTDIR, LIBDIR; see oci-chart-c/install.sh.
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" LIBDIR="$(LIBDIR)" oci-chart-c/install.sh

size: ## The shared library as it is installed has at most 8 MB.
	@PREFIX="$(CURDIR)/target/c/dist" oci-chart-c/install.sh
	@size=$$(stat -L -c %s target/c/dist/lib/liboci_chart.so); echo "$$size bytes, at most 8000000"; [ $$size -le 8000000 ]

abi: ## Compares the C interface with the last tag's (none: says so), or with that of BASE; a break wants another minor version.
	oci-chart-c/abi/diff.sh $(BASE)

sanitize: ## The C tests with address sanitizers in the library too; installs clang and nightly Rust, or says what is missing.
	FEATURES="$(FEATURES)" .ci/sanitize

judges: ## Installs the foreign programs that judge us.
	$(JUDGES)/install.sh

package: ## What would be published is complete.
	cargo package -q -p oci-chart-core --allow-dirty --no-verify
	@cargo package -p oci-chart-core --allow-dirty --list | grep -E '^(testkit|fuzz|tests)/' && { echo "test code in the package"; exit 1; } || true

bench: ## Ratios against peers, and exact counts (takes a while).
	$(MAKE) size
	OCI_CHART_PREFIX=$(CURDIR)/target/c/dist cargo bench -p oci-chart-benches $(addprefix --bench ,package unpack push verify yaml rivals_cli startup)
	cargo bench --profile dist -p oci-chart-benches --bench python
	cargo bench -p oci-chart-c --bench calls

fuzz: ## Each fuzz target for FUZZ_SECONDS (60).
	cargo +nightly fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz@0.13.2
	cd oci-chart-core && for target in $(FUZZ_TARGETS); do \
		mkdir -p fuzz/corpus/$$target && \
		cargo +nightly fuzz run -s none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 || exit 1; \
	done

audit: ## Licences and sources of what we depend on.
	cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny@0.20.2
	cargo deny --all-features check bans licenses sources

wheels: ## Wheels of all targets and the source distribution, audited, into target/wheels (takes long).
	.ci/wheels

dist: ## Gathers a release in dist/: crate, wheels, C library, bill of materials, checksums. After `make wheels`.
	.ci/dist

portability: ## Compiles for Windows and macOS.
	.ci/portability
