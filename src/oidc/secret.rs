//! Secrets that Keyfob hands out, and the digests of them that it keeps.
//!
//! **Invariant:** a [`Secret`] is shown once and cannot be stored; a [`Digest`] can be stored and
//! cannot be turned back or shown to a peer.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What a secret is for. The prefix makes a leaked one recognisable, and keeps one kind from ever
/// being taken for another: the prefix is part of what is hashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecretKind {
    /// An authorization code.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// An opaque access token.
    AccessToken,
    /// A client secret.
    ClientSecret,
    /// The session cookie of a signed-in browser.
    Session,
    /// The cookie that binds a browser to the transactions it started.
    Browser,
    /// The cookie of a browser in which a person has signed in before.
    KnownBrowser,
    /// The handle of an authorization transaction, in the URLs of its pages.
    Transaction,
    /// What a device asks the token endpoint with.
    DeviceCode,
    /// The `request_uri` of a pushed authorization request, in the form that [RFC 9126 section 2.2]
    /// gives as an example.
    ///
    /// [RFC 9126 section 2.2]: https://www.rfc-editor.org/rfc/rfc9126#section-2.2
    PushedAuthorizationRequest,
    /// An initial access token, which lets clients register themselves.
    InitialAccessToken,
    /// A registration access token, with which a client manages its own registration.
    RegistrationAccessToken,
}

impl SecretKind {
    /// The characters that every secret of this kind starts with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "kfc_",
            Self::RefreshToken => "kfr_",
            Self::AccessToken => "kfa_",
            Self::ClientSecret => "kfs_",
            Self::Session => "kfi_",
            Self::Browser => "kfb_",
            Self::KnownBrowser => "kfk_",
            Self::Transaction => "kft_",
            Self::DeviceCode => "kfd_",
            Self::PushedAuthorizationRequest => "urn:ietf:params:oauth:request_uri:",
            Self::InitialAccessToken => "kfj_",
            Self::RegistrationAccessToken => "kfm_",
        }
    }
}

/// A bearer secret of 256 random bits in the clear: on its way to the peer that shall hold it.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret of `kind` made of these 256 bits.
    #[must_use]
    pub fn new(kind: SecretKind, bits: &[u8; 32]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(kind.prefix().len() + 43));
        text.push_str(kind.prefix());
        URL_SAFE_NO_PAD.encode_string(bits, &mut text);
        Self(text)
    }

    /// The same of 512 bits: for secrets that sign, whose length an algorithm asks for
    /// ([RFC 7518 section 3.2]).
    ///
    /// [RFC 7518 section 3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
    #[must_use]
    pub fn new_long(kind: SecretKind, bits: &[u8; 64]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(4 + 86));
        text.push_str(kind.prefix());
        URL_SAFE_NO_PAD.encode_string(bits, &mut text);
        Self(text)
    }

    /// Reads what a peer presented as a secret of `kind`; `None` if it cannot be one.
    #[must_use]
    pub fn parse(kind: SecretKind, presented: &str) -> Option<Self> {
        let bits = presented.strip_prefix(kind.prefix())?;
        let is_encoding = bits.len() == 43 && URL_SAFE_NO_PAD.decode(bits).is_ok();
        is_encoding.then(|| Self(Zeroizing::new(presented.to_owned())))
    }

    /// The text that is handed to the peer.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be stored of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a secret, base64url without padding: 43 characters.
///
/// A plain hash is enough because what is hashed has 256 random bits; passwords do not, and never
/// become a `Digest`.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Digest(String);

impl Digest {
    /// The digest of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
    }

    /// A digest read back from the store.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    #[must_use]
    pub fn as_stored(&self) -> &str {
        &self.0
    }

    /// Whether both are the same, in time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}
