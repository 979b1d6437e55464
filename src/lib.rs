//! Keyfob, a small OpenID Connect identity provider.

pub mod oidc;
pub mod keys;
pub mod provider;
