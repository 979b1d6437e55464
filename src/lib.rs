//! Keyfob, a small OpenID Connect identity provider.

pub mod config;
pub mod oidc;
pub mod provider;
