//! What each specification asks of Keyfob, over HTTP against a running server; one file a feature.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and says why"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the tests live outside the server: their time is the machine's"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a table of cases is as long as it is"
)]

#[path = "../support/mod.rs"]
mod support;

mod logout;
mod outbound;
