//! The page that asks which account to go on with.

use askama::Template;

use super::{ClientSummary, Layout, UserSummary};

/// Answers `prompt=select_account`. Posts `tx`, `csrf` and `account` (`continue` or `other`) to
/// `/select-account`.
#[derive(Debug, Template)]
#[template(path = "select_account.html")]
pub struct SelectAccountPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The handle of the transaction.
    pub transaction: &'a str,
    /// The token against forged requests.
    pub csrf: &'a str,
    /// The client that asked.
    pub client: ClientSummary<'a>,
    /// Who is signed in.
    pub user: UserSummary<'a>,
}
