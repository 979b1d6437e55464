//! Keyfob, a small OpenID Connect identity provider.

pub mod cli;
pub mod config;
pub mod logging;
pub mod oidc;
pub mod provider;
