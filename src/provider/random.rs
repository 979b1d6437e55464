//! Where randomness comes from: an argument of the provider.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::oidc::client_authentication_method::ClientAuthenticationMethod;
use crate::oidc::secret::{Secret, SecretKind};

/// A source of random bytes, fit for secrets.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Random {
    /// The operating system's.
    ///
    /// # Panics
    ///
    /// Drawing from it panics if the operating system has none.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the source that everybody else asks"
    )]
    #[expect(
        clippy::expect_used,
        reason = "without randomness no secret may be made"
    )]
    pub fn system() -> Self {
        Self::from_source(|bytes| {
            getrandom::fill(bytes).expect("the operating system's randomness");
        })
    }

    /// A source that fills what it is given.
    #[must_use]
    pub fn from_source(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// Random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// A new secret of `kind`.
    #[must_use]
    pub fn secret(&self, kind: SecretKind) -> Secret {
        Secret::new(kind, &self.bytes())
    }

    /// A new secret for a client that authenticates by `method`: a longer one to sign with.
    #[must_use]
    pub fn client_secret(&self, method: ClientAuthenticationMethod) -> Secret {
        if method == ClientAuthenticationMethod::ClientSecretJwt {
            return Secret::new_long(SecretKind::ClientSecret, &self.bytes());
        }
        self.secret(SecretKind::ClientSecret)
    }

    /// A new random identifier (UUID version 4).
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
