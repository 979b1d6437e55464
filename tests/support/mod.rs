//! What the integration tests share: a server of their own, a browser that fills in forms, and a
//! relying party.
#![allow(
    dead_code,
    reason = "each test binary includes the whole and uses its part"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the tests live outside the server: their time and their environment are the machine's"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and says why"
)]

pub(crate) mod balancer;
pub(crate) mod browser;
pub(crate) mod certificates;
pub(crate) mod chromium;
pub(crate) mod client_key;
pub(crate) mod holder;
pub(crate) mod html;
pub(crate) mod independent;
pub(crate) mod jwe;
pub(crate) mod jwt;
pub(crate) mod launch;
pub(crate) mod peer;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod relying_party;
pub(crate) mod requirement;
pub(crate) mod seeds;
pub(crate) mod time_machine;
pub(crate) mod toolchain;
