//! The OpenID Provider.

pub mod account;
pub mod clock;
pub mod random;
