//! What exists in `keyfob dev` alone: the lesson, the demo relying party, their pages.

pub mod pages;
