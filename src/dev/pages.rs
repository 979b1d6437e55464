//! The pages of `keyfob dev`: the lesson, and what the demo relying party shows.

pub mod demo;
pub mod home;
pub mod tokens;

#[cfg(test)]
mod tests;
