//! The web: what browsers and clients see of the provider.

pub mod assets;
pub mod pages;
