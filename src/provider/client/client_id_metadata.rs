//! Finding out who a client is whose `client_id` is the address of its metadata document.
//!
//! The document is fetched through the guarded way out when the client is first used, and again
//! when what it said has grown old. What it said is a row like that of a client that registered
//! itself: what is granted hangs on it, if it is disabled it stays so, and it is deleted if nobody
//! signs in to it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use crate::oidc::client::{Client, ClientId};
use crate::oidc::client_id_metadata::{
    LONGEST_DOCUMENT, is_allowed, is_document, is_json, lifetime, read,
};
use crate::oidc::client_metadata::ClientMetadata;
use crate::oidc::registration::MetadataError;
use crate::oidc::timestamp::Timestamp;
use crate::provider::client::registration_throttle::Counted;
use crate::provider::client::signed_by_client::check_keys;
use crate::provider::outbound::OutboundError;
use crate::provider::{InternalError, Provider};
use crate::store::{StoreError, clients};

/// Why a client is not what its document says, in the order of the checks.
#[derive(Debug, thiserror::Error)]
pub enum MetadataDocumentError {
    /// The operator allows no metadata documents, or those of other hosts alone.
    #[error("a metadata document of this host is not allowed")]
    NotAllowed,
    /// Too many documents that were not known before were asked for from one address.
    #[error("too many clients were new from this address")]
    TooMany,
    /// Too many documents are being fetched.
    #[error("too many metadata documents are being fetched")]
    Busy,
    /// The document could not be fetched.
    #[error("the metadata document could not be fetched: {0}")]
    Fetch(#[from] OutboundError),
    /// The document does not say that it is JSON.
    #[error("the metadata document is not of the media type of JSON")]
    MediaType,
    /// The document is not one of a client.
    #[error("the metadata document is wrong: {0}")]
    Metadata(#[from] MetadataError),
    /// A failure.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

impl From<StoreError> for MetadataDocumentError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

/// The documents that were read.
#[derive(Debug)]
pub(in crate::provider) struct MetadataDocuments {
    /// Until when each need not be read again.
    fresh_until: Mutex<HashMap<ClientId, Timestamp>>,
    /// How many may be fetched at once: slow ones must leave room for all else that is fetched.
    places: Semaphore,
}

impl Default for MetadataDocuments {
    fn default() -> Self {
        Self {
            fresh_until: Mutex::default(),
            places: Semaphore::new(MOST_AT_ONCE),
        }
    }
}

impl MetadataDocuments {
    fn is_fresh(&self, id: &ClientId, now: Timestamp) -> bool {
        let kept = self.fresh_until.lock();
        let kept = kept.unwrap_or_else(PoisonError::into_inner);
        kept.get(id).is_some_and(|until| now < *until)
    }

    fn keep(&self, id: ClientId, until: Timestamp, now: Timestamp) {
        let kept = self.fresh_until.lock();
        let mut kept = kept.unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, until| now < *until);
        }
        // What finds no place is fetched again.
        if kept.len() < MOST_KEPT {
            kept.insert(id, until);
        }
    }
}

impl Provider {
    /// Brings what is kept of the client up to date, if `client_id` is the address of a document
    /// that has grown old or was never read. Somebody at `address` asks.
    pub(in crate::provider) async fn read_metadata_document(
        &self,
        client_id: &str,
        address: Option<IpAddr>,
    ) -> Result<(), MetadataDocumentError> {
        if !is_document(client_id, self.policy.outbound.allows_loopback) {
            return Ok(());
        }
        let Ok(id) = client_id.parse::<ClientId>() else {
            return Ok(());
        };
        let mut db = self.store.read().await?;
        let known = clients::find(&mut db, &id).await?;
        drop(db);
        // An operator's own word on a client counts: its registration, and that it is disabled.
        let is_settled = |known: &Client| known.is_trusted() || !known.is_enabled();
        if known.as_ref().is_some_and(is_settled) {
            return Ok(());
        }
        if !is_allowed(client_id, &self.policy.registration.metadata_documents) {
            return Err(MetadataDocumentError::NotAllowed);
        }
        let now = self.clock.now();
        if known.is_some() && self.metadata_documents.is_fresh(&id, now) {
            return Ok(());
        }
        let counted = Counted::Registrations;
        if known.is_none() && self.count(counted, address).await?.is_some() {
            return Err(MetadataDocumentError::TooMany);
        }
        let (metadata, until) = self.fetch_metadata_document(client_id, now).await?;
        self.keep_described_client(id.clone(), known, metadata, now)
            .await?;
        self.metadata_documents.keep(id, until, now);
        Ok(())
    }

    /// What the document at `client_id` says, and until when that is good.
    async fn fetch_metadata_document(
        &self,
        client_id: &str,
        now: Timestamp,
    ) -> Result<(ClientMetadata, Timestamp), MetadataDocumentError> {
        let place = self.metadata_documents.places.try_acquire();
        let _place = place.map_err(|_| MetadataDocumentError::Busy)?;
        let document = self
            .outbound
            .fetch_json::<Map<String, Value>>(client_id, LONGEST_DOCUMENT)
            .await?;
        if !document.media_type.as_deref().is_some_and(is_json) {
            return Err(MetadataDocumentError::MediaType);
        }
        let policy = &self.policy;
        let metadata = read(&document.content, client_id, &policy.registration)?;
        check_keys(&metadata, policy)?;
        self.check_addresses(&metadata).await?;
        Ok((metadata, now.after(lifetime(document.max_age))))
    }

    /// Keeps what the document of a client says, if that is new.
    async fn keep_described_client(
        &self,
        id: ClientId,
        known: Option<Client>,
        metadata: ClientMetadata,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(known) = known else {
            tracing::info!(client.id = %id, "client described by its metadata document");
            let client = Client {
                id,
                metadata,
                secret: None,
                created_at: now,
                updated_at: now,
                disabled_at: None,
                self_registered_at: Some(now),
            };
            // Who reads the same document at the same time may be faster.
            let insert = self
                .store
                .write(move |db| Box::pin(async move { clients::insert(db, &client).await }));
            return insert.await.map(drop);
        };
        if json!(known.metadata) == json!(metadata) {
            return Ok(());
        }
        tracing::info!(client.id = %id, "client described anew by its metadata document");
        let read_at = known.updated_at;
        let update = self.store.write(move |db| {
            Box::pin(
                async move { clients::update_metadata(db, &id, read_at, &metadata, now).await },
            )
        });
        update.await.map(drop)
    }
}

/// How many documents are remembered as read: a few hundred bytes each.
const MOST_KEPT: usize = 10_000;

const MOST_AT_ONCE: usize = 16;
