//! Keyfob, a small OpenID Connect identity provider.

pub mod keys;
pub mod dev;
pub mod http;
pub mod config;
pub mod oidc;
pub mod provider;
pub mod store;
