# What is done often. `just` lists it.

_list:
    @just --list

# Everything that CI checks, with what is found on this machine.
check: format-check lint deny test

# Puts the code into its form.
fmt:
    cargo fmt

# Says where the code is not in its form.
format-check:
    cargo fmt --check

# Warnings are errors.
lint:
    cargo clippy --locked --all-targets -- -D warnings

# Licences, sources and banned crates.
deny:
    cargo deny check bans licenses sources

# The tests; what cannot be found is left out, and said.
test *arguments:
    cargo test --locked {{ arguments }}

# The tests, and nothing may be left out.
test-all *arguments:
    KEYFOB_TEST_REQUIRE=postgres,browser,interop cargo test --locked {{ arguments }}

# How fast the release build is on one core, beside what the core can do.
bench *arguments:
    cargo bench --locked --bench speed -- {{ arguments }}

# The OpenID Foundation's conformance plans, by a suite that runs already at that address.
conformance suite *plans:
    cargo build --locked
    tests/conformance/run.py {{ suite }} {{ plans }}
