//! What a person's account is protected by.

pub mod password_hasher;
pub mod password_rules;
