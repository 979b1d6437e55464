//! The protocol over HTTP against a running server: what each specification asks of it, and what it
//! must refuse. The files are named after what they are about.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and says why"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a table of cases is as long as it is"
)]

#[path = "../support/mod.rs"]
mod support;

mod registration;
mod registration_management;
mod unchecked_clients;
mod webfinger;
