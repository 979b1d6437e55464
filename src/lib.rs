//! Keyfob, a small OpenID Connect identity provider.

pub mod keys;
pub mod oidc;
pub mod provider;
