//! Keyfob, a small OpenID Connect identity provider.

pub mod oidc;
pub mod keys;
pub mod store;
pub mod provider;
pub mod http;
pub mod config;
pub mod dev;
