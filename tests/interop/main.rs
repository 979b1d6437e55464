//! Relying parties that nobody here wrote, made with libraries of other languages or whole programs
//! of their own. What the scripts among them do is in this folder, too.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and says why"
)]

#[path = "../support/mod.rs"]
mod support;

mod apache;
mod mcp;
mod scripts;
mod single_page_app;
