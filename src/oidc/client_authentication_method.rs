//! How clients authenticate ([OIDC Core section 9], [RFC 8705 section 2]).
//!
//! [OIDC Core section 9]: https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication
//! [RFC 8705 section 2]: https://www.rfc-editor.org/rfc/rfc8705#section-2

use serde::{Deserialize, Serialize};

use super::policy::ClientCertificatePolicy;

/// How a client authenticates at the token endpoint, and wherever else clients do. It authenticates
/// in this way and in no other.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthenticationMethod {
    /// A secret, by HTTP Basic or in the body: every client with a secret may use either.
    #[default]
    ClientSecretBasic,
    /// As [`Self::ClientSecretBasic`].
    ClientSecretPost,
    /// An assertion that it signs with its secret.
    ClientSecretJwt,
    /// An assertion that it signs with a private key of its own.
    PrivateKeyJwt,
    /// A certificate that an authority issued ([RFC 8705 section 2.1]).
    ///
    /// [RFC 8705 section 2.1]: https://www.rfc-editor.org/rfc/rfc8705#section-2.1
    TlsClientAuth,
    /// A certificate of its own making ([RFC 8705 section 2.2]).
    ///
    /// [RFC 8705 section 2.2]: https://www.rfc-editor.org/rfc/rfc8705#section-2.2
    SelfSignedTlsClientAuth,
    /// A public client: it names itself and no more.
    None,
}

impl ClientAuthenticationMethod {
    /// Every method.
    pub const ALL: &[Self] = &[
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::None,
    ];

    /// Whether clients can authenticate so under `policy`: certificates have to reach Keyfob.
    #[must_use]
    pub fn is_offered(self, policy: &ClientCertificatePolicy) -> bool {
        match self {
            Self::TlsClientAuth => policy.is_accepted && !policy.authorities.is_empty(),
            Self::SelfSignedTlsClientAuth => policy.is_accepted,
            Self::ClientSecretBasic
            | Self::ClientSecretPost
            | Self::ClientSecretJwt
            | Self::PrivateKeyJwt
            | Self::None => true,
        }
    }

    /// The name of the method.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
            Self::None => "none",
        }
    }

    /// Whether a client with it has a secret, to present or to sign with.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt => true,
            Self::PrivateKeyJwt
            | Self::TlsClientAuth
            | Self::SelfSignedTlsClientAuth
            | Self::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_written_by_its_name() {
        for method in ClientAuthenticationMethod::ALL {
            let json = serde_json::to_value(method).unwrap();
            assert_eq!(json, method.as_str());
        }
    }
}
