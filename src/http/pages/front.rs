//! The page at the root of the issuer.

use askama::Template;

use super::{Layout, UserSummary};

/// Says what this place is and who is signed in.
#[derive(Debug, Template)]
#[template(path = "front.html")]
pub struct FrontPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Who is signed in, if anybody is.
    pub user: Option<UserSummary<'a>>,
}
