//! The signing keys of a provider: loaded from the store, kept parsed, rotated by one replica.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::keys::KeyError;
use crate::keys::dev_keys::is_dev_key;
use crate::keys::keyset::{Keyset, ScheduledKey};
use crate::keys::master_key::MasterKey;
use crate::keys::rotation::{self, Rotation};
use crate::keys::signing_key::SigningKey;
use crate::oidc::authorization_response::SIGNED_RESPONSE_LIFETIME;
use crate::oidc::signing_algorithm::SigningAlgorithm;
use crate::oidc::timestamp::Timestamp;
use crate::store::signing_keys::SigningKeyRecord;
use crate::store::{Store, StoreError, clients, keyset, settings, signing_keys};

use super::{InternalError, Provider, StartError};

/// The keys as they were loaded last.
#[derive(Debug)]
pub(super) struct Keyring {
    pub(super) master_key: Arc<MasterKey>,
    allows_development_keys: bool,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    version: i64,
    keyset: Arc<Keyset>,
    jwks: Arc<str>,
}

impl Keyring {
    pub(super) fn new(master_key: Arc<MasterKey>, allows_development_keys: bool) -> Self {
        Self {
            master_key,
            allows_development_keys,
            current: RwLock::new(Current {
                version: -1,
                keyset: Arc::new(Keyset::new(Vec::new())),
                jwks: Arc::from(""),
            }),
        }
    }

    pub(super) fn keyset(&self) -> Arc<Keyset> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current.keyset)
    }

    pub(super) fn jwks(&self) -> Arc<str> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current.jwks)
    }

    fn version(&self) -> i64 {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.version
    }

    fn replace(&self, version: i64, keyset: Arc<Keyset>, now: Timestamp) {
        // What cannot be written as JSON cannot have been read as a key either.
        let jwks = serde_json::to_string(&keyset.jwks(now)).unwrap_or_default();
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Current {
            version,
            keyset,
            jwks: Arc::from(jwks),
        };
    }
}

impl Provider {
    /// The key that signs with `algorithm` at `now`.
    pub(super) fn signing_key(
        &self,
        algorithm: SigningAlgorithm,
        now: Timestamp,
    ) -> Result<Arc<SigningKey>, KeyError> {
        let keyset = self.keyring.keyset();
        let active = keyset.active(algorithm, now);
        active.cloned().ok_or(KeyError::Signing(algorithm))
    }

    /// Makes this provider's master key the store's, or finds out that it is not.
    pub(super) async fn adopt_master_key(&self) -> Result<(), StartError> {
        adopt_master_key(&self.store, &self.keyring.master_key).await
    }

    /// Loads the keys, and makes those without which nothing can be signed.
    pub(super) async fn prepare_keys(&self) -> Result<(), StartError> {
        self.reload_keys().await?;
        let keyset = self.keyring.keyset();
        if !self.keyring.allows_development_keys
            && keyset
                .keys()
                .iter()
                .any(|scheduled| is_dev_key(scheduled.key.kid()))
        {
            return Err(StartError::DevelopmentKeys);
        }
        let now = self.clock.now();
        let lacks_one = self
            .policy
            .key_rotation
            .algorithms
            .iter()
            .any(|algorithm| keyset.active(*algorithm, now).is_none());
        if lacks_one {
            self.maintain_keys().await?;
        }
        Ok(())
    }

    /// Takes up what other replicas or an operator changed about the keys, and rotates those that
    /// are due. To be called every half minute.
    pub async fn maintain_keys(&self) -> Result<(), InternalError> {
        self.reload_keys().await?;
        let now = self.clock.now();
        let keyset = self.keyring.keyset();
        let policy = &self.policy.key_rotation;
        let longest = self.longest_token_lifetime().await?;
        let Some(rotation) = rotation::rotation_due(&keyset, policy, longest, now) else {
            return Ok(());
        };
        let version = self.keyring.version();
        if carry_out(&self.store, &self.keyring.master_key, rotation, version).await? {
            tracing::info!("the signing keys were rotated");
        }
        self.reload_keys().await
    }

    /// Deletes what has expired from the store.
    pub async fn sweep(&self) -> Result<(), InternalError> {
        let now = self.clock.now();
        self.store.purge_expired(now).await?;
        let unused = now.before(self.policy.registration.unused_lifetime);
        self.store.purge_unused_clients(unused).await?;
        Ok(())
    }

    async fn reload_keys(&self) -> Result<(), InternalError> {
        let now = self.clock.now();
        let mut db = self.store.read().await?;
        let version = keyset::version(&mut db).await?;
        if version == self.keyring.version() {
            drop(db);
            // The same keys, but which of them are published depends on the time.
            self.keyring.replace(version, self.keyring.keyset(), now);
            return Ok(());
        }
        let keyset = load(&mut db, &self.keyring.master_key, &self.keyring.keyset()).await?;
        drop(db);
        self.keyring.replace(version, Arc::new(keyset), now);
        Ok(())
    }

    async fn longest_token_lifetime(&self) -> Result<Duration, InternalError> {
        let mut db = self.store.read().await?;
        longest_token_lifetime(&mut db, &self.policy.lifetimes).await
    }
}

/// Reads the keys of the store; those that `known` has already are not parsed again.
pub(super) async fn load(
    db: &mut crate::store::Connection,
    master_key: &MasterKey,
    known: &Keyset,
) -> Result<Keyset, InternalError> {
    let mut keys = Vec::new();
    for record in signing_keys::list(db).await? {
        let key = if let Some(key) = known.find(&record.kid) {
            Arc::clone(key)
        } else {
            let pkcs8 = master_key.open(&seal_context(&record.kid), &record.sealed)?;
            Arc::new(SigningKey::from_pkcs8(record.algorithm, &pkcs8)?)
        };
        keys.push(ScheduledKey {
            key,
            published_at: record.published_at,
            activates_at: record.activates_at,
            retires_at: record.retires_at,
            expires_at: record.expires_at,
        });
    }
    Ok(Keyset::new(keys))
}

/// The longest that a token may live, by policy or by any client's own setting.
pub(super) async fn longest_token_lifetime(
    db: &mut crate::store::Connection,
    lifetimes: &crate::oidc::policy::Lifetimes,
) -> Result<Duration, InternalError> {
    let mut longest = lifetimes.access_token.max(lifetimes.id_token);
    longest = longest.max(SIGNED_RESPONSE_LIFETIME);
    for client in clients::list(db, None, u32::MAX).await? {
        let access_token = client.metadata.access_token_lifetime(longest);
        let id_token = client.metadata.id_token_lifetime(longest);
        longest = longest.max(access_token).max(id_token);
    }
    Ok(longest)
}

/// Makes the planned keys and writes a rotation down, unless the keyset is no longer the one of
/// `version` that it was decided for. Says whether it was.
pub(super) async fn carry_out(
    store: &Store,
    master_key: &Arc<MasterKey>,
    rotation: Rotation,
    version: i64,
) -> Result<bool, InternalError> {
    let planned = rotation.planned;
    let master_key = Arc::clone(master_key);
    // Making an RSA key blocks for a second or so.
    let made = tokio::task::spawn_blocking(move || {
        let records = planned.into_iter().map(|plan| {
            let key = SigningKey::generate(plan.algorithm)?;
            record(&master_key, &key, plan.published_at, plan.activates_at)
        });
        records.collect::<Result<Vec<_>, InternalError>>()
    });
    let made = made.await.map_err(|_| InternalError::Cancelled)??;
    let (promotions, retirements) = (rotation.promotions, rotation.retirements);
    let is_first = store
        .write(move |db| {
            Box::pin(async move {
                // Of all who decided for this version, one goes on.
                if !keyset::advance(db, version).await? {
                    return Ok(false);
                }
                for record in &made {
                    signing_keys::insert(db, record).await?;
                }
                for mut key in signing_keys::list(db).await? {
                    let promotion = promotions.iter().find(|it| it.kid == key.kid);
                    let retirement = retirements.iter().find(|it| it.kid == key.kid);
                    if let Some(promotion) = promotion {
                        key.activates_at = promotion.activates_at;
                    }
                    if let Some(retirement) = retirement {
                        key.retires_at = Some(retirement.retires_at);
                        key.expires_at = Some(retirement.expires_at);
                    }
                    if promotion.is_some() || retirement.is_some() {
                        signing_keys::update(db, &key).await?;
                    }
                }
                Ok::<_, StoreError>(true)
            })
        })
        .await?;
    Ok(is_first)
}

/// A key as it is stored.
pub(super) fn record(
    master_key: &MasterKey,
    key: &SigningKey,
    published_at: Timestamp,
    activates_at: Timestamp,
) -> Result<SigningKeyRecord, InternalError> {
    let public_jwk = serde_json::to_string(key.public_jwk());
    Ok(SigningKeyRecord {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm(),
        sealed: master_key.seal(&seal_context(key.kid()), key.to_pkcs8())?,
        public_jwk: public_jwk.map_err(|_| KeyError::Signing(key.algorithm()))?,
        published_at,
        activates_at,
        retires_at: None,
        expires_at: None,
    })
}

/// Makes `master_key` that of the store, or finds out that the store has another.
pub(super) async fn adopt_master_key(
    store: &Store,
    master_key: &MasterKey,
) -> Result<(), StartError> {
    let fingerprint = master_key.fingerprint();
    let mut db = store.read().await?;
    let stored = settings::find(&mut db, MASTER_KEY).await?;
    drop(db);
    let stored = match stored {
        Some(stored) => stored,
        None => {
            let own = fingerprint.clone();
            store
                .write(move |db| {
                    Box::pin(async move { settings::insert_if_absent(db, MASTER_KEY, &own).await })
                })
                .await?
        }
    };
    if stored == fingerprint {
        Ok(())
    } else {
        Err(StartError::OtherMasterKey)
    }
}

fn seal_context(kid: &str) -> String {
    format!("signing_keys {kid}")
}

/// The setting that says which master key the store was made with.
const MASTER_KEY: &str = "master_key_fingerprint";
