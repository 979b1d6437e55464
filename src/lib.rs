//! Keyfob, a small OpenID Connect identity provider.

pub mod cli;
pub mod config;
pub mod dev;
pub mod http;
pub mod keys;
pub mod logging;
pub mod oidc;
pub mod provider;
pub mod server;
pub mod store;
