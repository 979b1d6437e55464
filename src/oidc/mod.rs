//! The vocabulary of OAuth 2.0 and OpenID Connect, and every decision of the protocol.
//!
//! **Invariant:** no IO here and no clock. Every function is total over its arguments; an instant
//! is an argument.

pub mod client;
pub mod consent;
pub mod grant;
pub mod issuer;
pub mod pkce;
pub mod policy;
pub mod redirect_uri;
pub mod scope;
pub mod secret;
pub mod session;
pub mod timestamp;
pub mod transaction;
pub mod user;
