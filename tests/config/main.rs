//! The configuration: every mistake is named with its value and its fix, and nothing secret shown.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test are not tests to clippy"
)]

mod apis;
mod mistakes;
mod secrets;
mod settings;
mod support;
