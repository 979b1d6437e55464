//! How clients authenticate ([OIDC Core section 9]).
//!
//! [OIDC Core section 9]: https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication

use serde::{Deserialize, Serialize};

/// How a client authenticates at the token endpoint ([OIDC Core section 9]).
///
/// [OIDC Core section 9]: https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthenticationMethod {
    /// A secret, by HTTP Basic or in the body: every client with a secret may use either.
    #[default]
    ClientSecretBasic,
    /// As [`Self::ClientSecretBasic`].
    ClientSecretPost,
    /// A public client: it names itself and no more.
    None,
}
