//! What a test needs beside Rust: a database server, a browser, another language's runtime.
//!
//! A machine without it leaves the test out and says so in one line. `KEYFOB_TEST_REQUIRE`, a list
//! such as `postgres,browser,interop`, makes that a failure.

use std::io::Write as _;

/// Something that not every machine has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Requirement {
    /// PostgreSQL: server binaries, or the URL of a running server.
    Postgres,
    /// Chromium, its driver, and npm for axe-core.
    Browser,
    /// Node.js with npm, Python 3 with venv, Go, a JDK with Maven, Apache with mod_auth_openidc.
    Interop,
}

impl Requirement {
    /// Its name in `KEYFOB_TEST_REQUIRE`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Browser => "browser",
            Self::Interop => "interop",
        }
    }

    /// Whether this run must not do without it.
    fn is_demanded(self) -> bool {
        let demanded = std::env::var("KEYFOB_TEST_REQUIRE").unwrap_or_default();
        demanded.split(',').any(|name| name.trim() == self.name())
    }

    /// Says that what needs it is left out, and why.
    ///
    /// # Panics
    /// If `KEYFOB_TEST_REQUIRE` names it.
    pub(crate) fn leave_out(self, reason: &str) {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let line = format!("left out: {test} needs {}: {reason}", self.name());
        assert!(
            !self.is_demanded(),
            "{line}, and KEYFOB_TEST_REQUIRE demands it"
        );
        // Not `eprintln!`, which the test harness keeps to itself while a test passes.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// `found`, or `None` after [`Self::leave_out`] with what was missing.
    ///
    /// # Panics
    /// If it is missing and `KEYFOB_TEST_REQUIRE` names it.
    pub(crate) fn require<T>(self, found: Result<T, String>) -> Option<T> {
        found.map_err(|reason| self.leave_out(&reason)).ok()
    }
}
