//! What a user is called to a client ([OIDC Core section 8]).
//!
//! A pairwise subject is a tag of the sector and the user under a key of its own: nobody without
//! the key learns anything from it, and nothing is stored for each pair. The key is random and is
//! kept in the store, sealed, so that every replica has the same one, and so that it can outlive a
//! master key: an application that is told other subjects has lost its users.
//!
//! [OIDC Core section 8]: https://openid.net/specs/openid-connect-core-1_0.html#SubjectIDTypes

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::keys::master_key::{DerivedKey, MasterKey};
use crate::oidc::client::Client;
use crate::oidc::subject_type::{SubjectType, sector_identifier};
use crate::oidc::user::UserId;
use crate::store::{Store, settings};

use super::random::Random;
use super::{InternalError, Provider};

impl Provider {
    /// The subject identifier of a user, as `client` is told it.
    pub(super) fn subject(&self, client: &Client, user_id: UserId) -> String {
        match client.metadata.subject_type.unwrap_or_default() {
            SubjectType::Public => user_id.to_string(),
            SubjectType::Pairwise => {
                let sector = sector_identifier(&client.metadata);
                // None is registered without: it would be in a sector with nobody.
                let sector = sector.unwrap_or_else(|| client.id.to_string());
                let parts = [sector.as_bytes(), user_id.0.as_bytes()];
                URL_SAFE_NO_PAD.encode(self.pairwise_key.tag(&parts))
            }
        }
    }
}

/// The key of pairwise subjects that `store` has; a new one, if it has none.
pub(super) async fn pairwise_key(
    store: &Store,
    master_key: &MasterKey,
    random: &Random,
) -> Result<DerivedKey, InternalError> {
    let mut db = store.read().await?;
    let stored = settings::find(&mut db, PAIRWISE_KEY).await?;
    drop(db);
    let sealed = match stored {
        Some(stored) => stored,
        None => {
            let bytes = Zeroizing::new(random.bytes::<32>());
            let new = master_key.seal(&seal_context(), bytes.as_slice())?;
            // Of replicas that start at once, all take the key of the first.
            store
                .write(move |db| {
                    Box::pin(
                        async move { settings::insert_if_absent(db, PAIRWISE_KEY, &new).await },
                    )
                })
                .await?
        }
    };
    let bytes = master_key.open(&seal_context(), &sealed)?;
    Ok(DerivedKey::of_bytes(&bytes))
}

fn seal_context() -> String {
    format!("settings:{PAIRWISE_KEY}")
}

/// The setting that holds the sealed key.
const PAIRWISE_KEY: &str = "pairwise_key";
