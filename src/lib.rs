//! Keyfob, a small OpenID Connect identity provider.

pub mod config;
pub mod dev;
pub mod http;
pub mod keys;
pub mod oidc;
pub mod provider;
