//! The signing keys, as an operator sees them.

use std::sync::Arc;

use crate::keys::keyset::{KeyState, Keyset};
use crate::keys::master_key::MasterKey;
use crate::keys::rotation;
use crate::keys::signing_key::SigningKey;
use crate::oidc::signing_algorithm::SigningAlgorithm;
use crate::oidc::timestamp::Timestamp;
use crate::provider::keyring::{carry_out, load, longest_token_lifetime, record};
use crate::store::{StoreError, keyset, signing_keys};

use super::{Operator, OperatorError};

/// A signing key in a list.
#[derive(Clone, Debug)]
pub struct KeyLine {
    /// Its identifier.
    pub kid: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// `next`, `active` or `retired`.
    pub state: &'static str,
    /// From when it is published.
    pub published_at: Timestamp,
    /// From when it signs; none of a key that waits for its turn.
    pub activates_at: Option<Timestamp>,
    /// From when it no longer signs.
    pub retires_at: Option<Timestamp>,
    /// From when it is no longer published.
    pub expires_at: Option<Timestamp>,
}

impl Operator {
    /// Whether there are signing keys.
    pub async fn has_keys(&self) -> Result<bool, OperatorError> {
        let mut db = self.store.read().await?;
        Ok(!signing_keys::list(&mut db).await?.is_empty())
    }

    /// Stores keys that were made elsewhere, each with the instant from which it signs. They are
    /// published at once.
    pub async fn insert_keys(
        &self,
        master_key: &Arc<MasterKey>,
        keys: &[(SigningKey, Timestamp)],
        now: Timestamp,
    ) -> Result<(), OperatorError> {
        self.check_master_key(master_key).await?;
        let records = keys
            .iter()
            .map(|(key, activates_at)| record(master_key, key, now, *activates_at));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        self.store
            .write(move |db| {
                Box::pin(async move {
                    let version = keyset::version(db).await?;
                    if keyset::advance(db, version).await? {
                        for record in &records {
                            signing_keys::insert(db, record).await?;
                        }
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        Ok(())
    }

    /// The published signing keys with their states.
    pub async fn keys(&self, master_key: &Arc<MasterKey>) -> Result<Vec<KeyLine>, OperatorError> {
        self.check_master_key(master_key).await?;
        let mut db = self.store.read().await?;
        let keyset = load(&mut db, master_key, &Keyset::new(Vec::new())).await?;
        let states = keyset.states(self.clock.now());
        let lines = states.into_iter().map(|(scheduled, state)| KeyLine {
            kid: scheduled.key.kid().to_owned(),
            algorithm: scheduled.key.algorithm(),
            state: match state {
                KeyState::Next => "next",
                KeyState::Active => "active",
                KeyState::Retired => "retired",
            },
            published_at: scheduled.published_at,
            activates_at: Some(scheduled.activates_at).filter(|at| *at != rotation::STAND_BY),
            retires_at: scheduled.retires_at,
            expires_at: scheduled.expires_at,
        });
        Ok(lines.collect())
    }

    /// Lets every active key of `algorithms` give way to the next. Says whether anything changed:
    /// nothing does while a rotation is under way.
    pub async fn rotate_keys(
        &self,
        master_key: &Arc<MasterKey>,
        algorithms: &[SigningAlgorithm],
    ) -> Result<bool, OperatorError> {
        self.check_master_key(master_key).await?;
        let now = self.clock.now();
        let mut db = self.store.read().await?;
        let version = keyset::version(&mut db).await?;
        let keyset = load(&mut db, master_key, &Keyset::new(Vec::new())).await?;
        let longest = longest_token_lifetime(&mut db, &self.policy.lifetimes).await?;
        drop(db);
        let policy = &self.policy.key_rotation;
        let rotation = rotation::rotation_by_hand(&keyset, algorithms, policy, longest, now);
        let Some(rotation) = rotation else {
            return Ok(false);
        };
        if carry_out(&self.store, master_key, rotation, version).await? {
            Ok(true)
        } else {
            Err(OperatorError::ChangedMeanwhile)
        }
    }
}
