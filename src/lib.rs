//! Keyfob, a small OpenID Connect identity provider.

pub mod oidc;
pub mod provider;
pub mod store;
