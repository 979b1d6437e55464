//! The OpenID Provider: one value, one file a use case, grouped by who asks.
//!
//! A provider is made of its store, its keys, its clock, its randomness, its issuer and its
//! policy. Any number of them live in one process.

pub mod account;
pub mod browser;
pub mod client;
pub mod clock;
mod issuer_discovery;
pub mod jwks_cache;
mod keyring;
mod logout;
mod metadata;
pub mod operator;
pub mod outbound;
pub mod random;
mod subject;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::Notify;

use crate::keys::KeyError;
use crate::keys::certificate::{ClientAuthorities, ClientAuthoritiesError};
use crate::keys::jwt;
use crate::keys::master_key::{DerivedKey, MasterKey};
use crate::oidc::api::InvalidTarget;
use crate::oidc::issuer::Issuer;
use crate::oidc::metadata::Metadata;
use crate::oidc::policy::Policy;
use crate::store::{Store, StoreError};

use account::password_hasher::{HashError, PasswordHasher};
use client::client_id_metadata::MetadataDocuments;
use client::protected_response::EncryptionError;
use clock::Clock;
use issuer_discovery::DiscoveredIssuers;
use jwks_cache::JwksCache;
use keyring::Keyring;
use metadata::Document;
use outbound::Outbound;
use random::Random;

/// An OpenID Provider.
#[derive(Debug)]
pub struct Provider {
    store: Store,
    keyring: Keyring,
    clock: Clock,
    random: Random,
    issuer: Issuer,
    internal_base: Option<Issuer>,
    policy: Policy,
    hasher: PasswordHasher,
    document: Document,
    outbound: Arc<Outbound>,
    jwks_cache: JwksCache,
    discovered: DiscoveredIssuers,
    /// Who issues certificates to clients, if somebody does.
    client_authorities: Option<ClientAuthorities>,
    /// Whom a client assertion may be for: this issuer, and each endpoint where clients
    /// authenticate.
    assertion_audiences: Vec<String>,
    /// Until when documents of clients need not be read again.
    metadata_documents: MetadataDocuments,
    /// Derives the successor of a refresh token.
    succession_key: DerivedKey,
    /// Derives the nonces of DPoP proofs.
    dpop_nonce_key: DerivedKey,
    /// Binds the forms of pages to the browser they were shown in.
    form_key: DerivedKey,
    /// Makes the browser state that relying parties watch.
    browser_state_key: DerivedKey,
    /// Rings when logout tokens were queued.
    logouts: Notify,
    /// Makes the subjects of clients that have their own.
    pairwise_key: DerivedKey,
    /// Digests the codes that people type for a device, which are too short for a plain hash.
    user_code_key: DerivedKey,
}

/// What a provider is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// What the secrets in the store are encrypted under.
    pub master_key: Arc<MasterKey>,
    /// Where time comes from.
    pub clock: Clock,
    /// Where randomness comes from.
    pub random: Random,
    /// Who it is.
    pub issuer: Issuer,
    /// Where clients in the same network reach the endpoints that no browser visits.
    pub internal_base: Option<Issuer>,
    /// What the operator decided.
    pub policy: Policy,
    /// Whether the keys that are embedded for development may sign.
    pub allows_development_keys: bool,
}

impl Provider {
    /// Makes a provider, and its signing keys if its store has none.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let (store, master_key) = (&parts.store, &parts.master_key);
        keyring::adopt_master_key(store, master_key).await?;
        let pairwise_key = subject::pairwise_key(store, master_key, &parts.random).await?;
        let metadata = Metadata::new(&parts.issuer, parts.internal_base.as_ref(), &parts.policy);
        let assertion_audiences = metadata.assertion_audiences(&parts.issuer);
        let outbound = Arc::new(Outbound::new(parts.policy.outbound.clone()));
        let document = Document::new(metadata, &parts.policy).map_err(|_| StartError::Metadata)?;
        let provider = Self {
            keyring: Keyring::new(Arc::clone(&parts.master_key), parts.allows_development_keys),
            hasher: PasswordHasher::new(&parts.policy.passwords, parts.random.clone())?,
            metadata_documents: MetadataDocuments::default(),
            succession_key: parts.master_key.derive("refresh token succession"),
            dpop_nonce_key: parts.master_key.derive("DPoP nonces"),
            form_key: parts.master_key.derive("forms"),
            discovered: DiscoveredIssuers::default(),
            client_authorities: client_authorities(&parts.policy)?,
            jwks_cache: JwksCache::new(Arc::clone(&outbound)),
            outbound,
            assertion_audiences,
            browser_state_key: parts.master_key.derive("browser state"),
            logouts: Notify::new(),
            user_code_key: parts.master_key.derive("device user codes"),
            pairwise_key,
            store: parts.store,
            clock: parts.clock,
            random: parts.random,
            issuer: parts.issuer,
            internal_base: parts.internal_base,
            policy: parts.policy,
            document,
        };
        provider.prepare_keys().await?;
        Ok(provider)
    }

    /// Who it is.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// What the operator decided.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The one way to what clients and users name.
    #[must_use]
    pub fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// The clock it lives by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Its public keys as JSON ([RFC 7517 section 5]).
    ///
    /// [RFC 7517 section 5]: https://www.rfc-editor.org/rfc/rfc7517#section-5
    #[must_use]
    pub fn jwks(&self) -> Arc<str> {
        self.keyring.jwks()
    }

    /// A value that no page had before, for the Content-Security-Policy of one.
    #[must_use]
    pub fn nonce(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random.bytes::<16>())
    }

    /// A name for a request: 16 hexadecimal digits.
    #[must_use]
    pub fn request_id(&self) -> String {
        format!("{:016x}", u64::from_ne_bytes(self.random.bytes()))
    }

    /// Whether its database answers.
    pub async fn is_ready(&self) -> bool {
        self.store.ping().await.is_ok()
    }

    /// Lets everything that has been asked of the store finish, and closes it.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

fn client_authorities(policy: &Policy) -> Result<Option<ClientAuthorities>, StartError> {
    let certificates = &policy.client_certificates.authorities;
    if certificates.is_empty() {
        return Ok(None);
    }
    Ok(Some(ClientAuthorities::new(certificates)?))
}

/// Why a provider cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The policy's argon2 parameters are out of range.
    #[error("the password hashing parameters are out of argon2's range")]
    Hashing(#[from] HashError),
    /// The store holds keys that another master key encrypted.
    #[error(
        "the master key is not the one this database was made with; \
         start with that one, or with a new database"
    )]
    OtherMasterKey,
    /// The store holds keys that are public knowledge.
    #[error(
        "the database holds the development keys that everybody knows, so it was made by \
         `keyfob dev`; serve from another database"
    )]
    DevelopmentKeys,
    /// The certificates of the clients' authorities are none.
    #[error("client_certificates.ca_file: {0}")]
    ClientAuthorities(#[from] ClientAuthoritiesError),
    /// The metadata could not be written.
    #[error("the metadata could not be written")]
    Metadata,
    /// A failure below.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

/// A failure of Keyfob's own, or of what it stands on: never the peer's fault.
#[derive(Debug, thiserror::Error)]
pub enum InternalError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A key failed.
    #[error("a key failed")]
    Key(#[from] KeyError),
    /// A token could not be read though Keyfob itself made it.
    #[error("a token failed")]
    Token(#[from] jwt::JwtError),
    /// Hashing failed.
    #[error("hashing failed")]
    Hash(#[from] HashError),
    /// What a client wants encrypted could not be.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    /// A document could not be written as JSON.
    #[error("a document could not be written")]
    Document(#[from] serde_json::Error),
    /// An API that a request was admitted for is not there any more.
    #[error("an API is not there any more")]
    Target(#[from] InvalidTarget),
    /// A task was cancelled.
    #[error("a task was cancelled")]
    Cancelled,
}

impl InternalError {
    /// Whether trying again later may help: the database or the machine is busy or away.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Store(error) => error.is_temporary(),
            Self::Hash(error) => *error == HashError::Busy,
            Self::Encryption(error) => error.is_temporary(),
            Self::Key(_)
            | Self::Token(_)
            | Self::Document(_)
            | Self::Target(_)
            | Self::Cancelled => false,
        }
    }
}
