//! What an attacker tries, over HTTP against a running server, and the answer that it must get.
//! The files are grouped by what is attacked; the names say what must hold.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and says why"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "how long an answer takes is what some of these tests are about"
)]
#![allow(
    clippy::too_many_lines,
    clippy::format_collect,
    reason = "a table of attacks is as long as it is"
)]

#[path = "../support/mod.rs"]
mod support;

mod assertions;
mod authorization_pages;
mod authorization_parameters;
mod client_authentication;
mod codes;
mod cross_origin;
mod keys;
mod login;
mod logout;
mod pkce;
mod redirect_uris;
mod refresh_tokens;
mod robustness;
mod secrets_at_rest;
mod sessions;
mod token_use;
