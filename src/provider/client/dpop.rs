//! Sender-constrained tokens: who holds the keys that a token is bound to ([RFC 9449],
//! [RFC 8705 section 3]).
//!
//! [RFC 8705 section 3]: https://www.rfc-editor.org/rfc/rfc8705#section-3
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::keys::signed_jwt::{Accepted, SignedJwt};
use crate::oidc::client::Client;
use crate::oidc::client_certificate::ClientCertificate;
use crate::oidc::confirmation::Confirmation;
use crate::oidc::dpop::{self, DpopError, NONCE_LIFETIME, ProvenRequest};
use crate::oidc::error::ErrorCode;
use crate::oidc::jws_algorithm::JwsAlgorithm;
use crate::oidc::profile::Profile;
use crate::oidc::secret::Digest;
use crate::oidc::timestamp::Timestamp;
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, dpop_proofs};

/// What a request shows of its sender, beside which client that is.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    /// The key that signed the DPoP proof of the request.
    pub proof: Option<Proof>,
    /// The certificate of the connection.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// A DPoP proof that fits its request, and that may have been used before.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The RFC 7638 thumbprint of the key that signed it.
    pub jkt: String,
    algorithm: JwsAlgorithm,
    digest: Digest,
    expires_at: Timestamp,
}

/// Why what a sender shows is not enough.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The proof is wrong.
    #[error(transparent)]
    Proof(#[from] DpopError),
    /// A client whose tokens are bound to a key sent no proof of one.
    #[error("the client's tokens are bound to a key, and it sent no proof of one")]
    ProofMissing,
    /// A client whose tokens are bound to its certificate showed none.
    #[error("the client's tokens are bound to its certificate, and it showed none")]
    CertificateMissing,
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl SenderError {
    /// The code that the client is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Proof(error) => error.code(),
            Self::ProofMissing => ErrorCode::InvalidDpopProof,
            Self::CertificateMissing => ErrorCode::InvalidRequest,
            Self::Internal(error) if error.is_temporary() => ErrorCode::TemporarilyUnavailable,
            Self::Internal(_) => ErrorCode::ServerError,
        }
    }
}

impl From<StoreError> for SenderError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl Sender {
    /// Whether it shows every key that `wanted` asks for.
    #[must_use]
    pub fn holds(&self, wanted: &Confirmation) -> bool {
        wanted.is_met_by(&self.keys(wanted.x5t_s256.is_some()))
    }

    /// Checks that its proof, if it shows one, is signed as `profile` has it.
    pub(super) fn keeps(&self, profile: Profile) -> Result<(), DpopError> {
        let allowed = profile.algorithms();
        match &self.proof {
            Some(proof) if !allowed.contains(&proof.algorithm) => Err(DpopError::Malformed),
            Some(_) | None => Ok(()),
        }
    }

    /// The keys that it shows; that of the certificate, which has to be hashed, if it
    /// counts.
    fn keys(&self, certificate_counts: bool) -> Confirmation {
        let certificate = self.certificate.as_ref().filter(|_| certificate_counts);
        Confirmation {
            jkt: self.proof.as_ref().map(|proof| proof.jkt.clone()),
            x5t_s256: certificate.map(|certificate| certificate.thumbprint()),
        }
    }
}

impl Provider {
    /// Reads the DPoP proof of a request with `method` to the endpoint at `path`, which carries
    /// `access_token` if it is a protected resource. Whether the proof was used before is found
    /// out when it is used: [`Self::bind`], [`Self::use_proof`].
    pub fn read_proof(
        &self,
        proof: &str,
        method: &str,
        path: &str,
        access_token: Option<&str>,
    ) -> Result<Proof, DpopError> {
        let accepted = Accepted {
            algorithms: JwsAlgorithm::ASYMMETRIC,
            types: &["dpop+jwt"],
            requires_type: true,
        };
        let jwt = SignedJwt::parse(proof, &accepted).map_err(|_| DpopError::Malformed)?;
        let verified = jwt.verify_with_embedded_key();
        let (key, claims) = verified.map_err(|_| DpopError::Malformed)?;
        let now = self.clock.now();
        let bases = [Some(&self.issuer), self.internal_base.as_ref()];
        let urls: Vec<_> = bases.iter().flatten().map(|base| base.join(path)).collect();
        let requires_nonce = self.policy.dpop_nonces;
        let request = ProvenRequest {
            method,
            urls: &urls,
            access_token,
            has_fresh_nonce: requires_nonce.then(|| {
                claims
                    .text("nonce")
                    .is_some_and(|it| self.is_fresh(it, now))
            }),
        };
        let (jti, expires_at) = dpop::check(&claims, &request, now)?;
        let jkt = key.thumbprint().to_owned();
        Ok(Proof {
            digest: Digest::of(&format!("{jkt} {jti}")),
            jkt,
            algorithm: jwt.algorithm(),
            expires_at,
        })
    }

    /// A nonce for the proofs of the next minutes; none where proofs need none
    /// ([RFC 9449 section 8]).
    ///
    /// [RFC 9449 section 8]: https://www.rfc-editor.org/rfc/rfc9449#section-8
    #[must_use]
    pub fn dpop_nonce(&self) -> Option<String> {
        let is_on = self.policy.dpop_nonces;
        is_on.then(|| self.nonce_of(window(self.clock.now())))
    }

    /// Every replica derives the same nonce from the master key, and nobody else can.
    fn nonce_of(&self, window: i64) -> String {
        let tag = self.dpop_nonce_key.tag(&[&window.to_be_bytes()]);
        URL_SAFE_NO_PAD.encode(&tag[..16])
    }

    fn is_fresh(&self, nonce: &str, now: Timestamp) -> bool {
        // The next window too: another replica's clock may be ahead.
        let now = window(now);
        (now - 1..=now + 1).any(|window| nonce == self.nonce_of(window))
    }

    /// What the tokens are bound to that `client` gets now, and the proof of it used up.
    ///
    /// Every access token is made with what this returns, so that no grant can forget it.
    pub(super) async fn bind(
        &self,
        client: &Client,
        sender: &Sender,
    ) -> Result<Confirmation, SenderError> {
        let metadata = &client.metadata;
        if metadata.dpop_bound_access_tokens && sender.proof.is_none() {
            return Err(SenderError::ProofMissing);
        }
        let binds_certificate = metadata.tls_client_certificate_bound_access_tokens;
        if binds_certificate && sender.certificate.is_none() {
            return Err(SenderError::CertificateMissing);
        }
        if sender.proof.is_some() {
            sender.keeps(metadata.profile)?;
            // Apart, so that requests without a proof do not carry the room for it.
            Box::pin(self.use_proof(sender)).await?;
        }
        Ok(sender.keys(binds_certificate))
    }

    /// Uses up the proof of a sender, if it showed one: it is good once, at whichever replica.
    pub(super) async fn use_proof(&self, sender: &Sender) -> Result<(), SenderError> {
        let Some(proof) = sender.proof.clone() else {
            return Ok(());
        };
        let is_first = self
            .store
            .write(move |db| {
                Box::pin(
                    async move { dpop_proofs::insert(db, &proof.digest, proof.expires_at).await },
                )
            })
            .await?;
        if is_first {
            Ok(())
        } else {
            Err(DpopError::Replayed.into())
        }
    }
}

/// The number of the time window in which a nonce is handed out.
fn window(now: Timestamp) -> i64 {
    let seconds = i64::try_from(NONCE_LIFETIME.as_secs()).unwrap_or(i64::MAX);
    now.0.div_euclid(seconds)
}
