//! The OpenID Provider.

pub mod clock;
pub mod random;
