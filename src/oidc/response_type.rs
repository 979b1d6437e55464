//! Response types ([OAuth 2.0 Multiple Response Types]).
//!
//! [OAuth 2.0 Multiple Response Types]: https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html

use serde::{Deserialize, Serialize};

/// A response type ([OAuth 2.0 Multiple Response Types]).
///
/// [OAuth 2.0 Multiple Response Types]: https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    /// An authorization code.
    Code,
}

/// The response types that a client may use.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ResponseTypes(pub Vec<ResponseType>);

impl Default for ResponseTypes {
    fn default() -> Self {
        Self(vec![ResponseType::Code])
    }
}
