//! What clients may ask of the protocol beyond the plain code flow, over HTTP against a running
//! server: one file a feature, with what must work and what must be refused.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and says why"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a table of cases is as long as it is"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the tests live outside the server: their time is the machine's"
)]

#[path = "../support/mod.rs"]
mod support;

mod claims_parameter;
mod response_types;
mod signed_responses;
