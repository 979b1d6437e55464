//! The metadata document of a provider: made when it starts, and again when the response types that
//! its clients have are others.

use std::sync::{Arc, PoisonError, RwLock};

use crate::oidc::metadata::Metadata;
use crate::oidc::policy::Policy;
use crate::oidc::response_type::{ResponseType, ResponseTypes};
use crate::oidc::timestamp::Timestamp;
use crate::store::clients;

use super::{InternalError, Provider};

/// The document as it was made last.
#[derive(Debug)]
pub(super) struct Document {
    base: Metadata,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    front_channel: ResponseTypes,
    text: Arc<str>,
    looked_at: Option<Timestamp>,
}

impl Document {
    pub(super) fn new(base: Metadata, policy: &Policy) -> serde_json::Result<Self> {
        // Where clients may register themselves with them, all are on offer.
        let front_channel = if policy.registration.offers_implicit() {
            ResponseTypes(ResponseType::ALL.to_vec()).front_channel()
        } else {
            ResponseTypes(Vec::new())
        };
        let text = write(&base, &front_channel)?;
        let looked_at = None;
        Ok(Self {
            base,
            current: RwLock::new(Current {
                front_channel,
                text,
                looked_at,
            }),
        })
    }

    /// The document, and whether it is time to look whether it still holds. Only one caller is
    /// told so.
    fn read(&self, now: Timestamp) -> (Arc<str>, bool) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        if !current.is_due(now) {
            return (Arc::clone(&current.text), false);
        }
        drop(current);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_due = current.is_due(now);
        current.looked_at = Some(now);
        (Arc::clone(&current.text), is_due)
    }

    fn offer(&self, front_channel: ResponseTypes) -> serde_json::Result<Arc<str>> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.front_channel != front_channel {
            current.text = write(&self.base, &front_channel)?;
            current.front_channel = front_channel;
        }
        Ok(Arc::clone(&current.text))
    }
}

impl Current {
    fn is_due(&self, now: Timestamp) -> bool {
        let looked_at = self.looked_at;
        looked_at.is_none_or(|at| now.seconds_since(at).abs() >= LOOK_EVERY)
    }
}

impl Provider {
    /// Its metadata as JSON ([RFC 8414 section 3.2]). It follows a change of the clients within
    /// seconds; while the database is away it stays as it is.
    ///
    /// [RFC 8414 section 3.2]: https://www.rfc-editor.org/rfc/rfc8414#section-3.2
    pub async fn metadata(&self) -> Arc<str> {
        let (text, is_due) = self.document.read(self.clock.now());
        if !is_due || self.policy.registration.offers_implicit() {
            return text;
        }
        match self.derive_metadata().await {
            Ok(text) => text,
            Err(error) => {
                tracing::warn!(cause = %error, "the metadata could not be looked after");
                text
            }
        }
    }

    async fn derive_metadata(&self) -> Result<Arc<str>, InternalError> {
        let mut db = self.store.read().await?;
        let front_channel = clients::list_front_channel_response_types(&mut db).await?;
        Ok(self.document.offer(front_channel)?)
    }
}

fn write(base: &Metadata, front_channel: &ResponseTypes) -> serde_json::Result<Arc<str>> {
    let metadata = base.clone().offering(front_channel);
    serde_json::to_string(&metadata).map(Arc::from)
}

/// The seconds for which the document is answered without looking at the clients.
const LOOK_EVERY: i64 = 5;
