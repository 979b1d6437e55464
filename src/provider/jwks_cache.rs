//! The public keys of others that are fetched by their URI, kept for a while.
//!
//! However many ask for the keys at one URI, one request is on its way; the number of URIs is
//! bounded; and a JWT that names an unknown key makes the keys be fetched anew, at most once a
//! minute for each URI.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use super::outbound::{LONGEST, Outbound, OutboundError};
use crate::keys::public_keys::{PublicKeySet, PublicKeySetError};
use crate::oidc::timestamp::Timestamp;

/// Keys that were fetched, and when.
#[derive(Clone, Debug)]
pub struct FetchedKeys {
    /// The keys.
    pub keys: Arc<PublicKeySet>,
    fetched_at: Timestamp,
    fresh_until: Timestamp,
}

/// Why there are no keys.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JwksError {
    /// They could not be fetched.
    #[error("the keys could not be fetched: {0}")]
    Fetch(Arc<OutboundError>),
    /// What was fetched is not a set of public keys.
    #[error("what was fetched is no set of public keys: {0}")]
    Malformed(#[from] PublicKeySetError),
    /// The task that fetched them ended.
    #[error("fetching the keys was cancelled")]
    Cancelled,
}

/// Keys by their URI.
#[derive(Debug)]
pub struct JwksCache {
    outbound: Arc<Outbound>,
    entries: Arc<Mutex<HashMap<String, Entry>>>,
}

#[derive(Default)]
struct Entry {
    held: Option<FetchedKeys>,
    failed: Option<(Timestamp, JwksError)>,
    flight: Option<Flight>,
}

type Flight = Shared<BoxFuture<'static, Result<FetchedKeys, JwksError>>>;

impl JwksCache {
    /// An empty one, which fetches through `outbound`.
    #[must_use]
    pub fn new(outbound: Arc<Outbound>) -> Self {
        Self {
            outbound,
            entries: Arc::default(),
        }
    }

    /// The keys at `uri`.
    pub async fn find(&self, uri: &str, now: Timestamp) -> Result<FetchedKeys, JwksError> {
        self.ask(uri, now, None).await
    }

    /// The keys at `uri` because those in `held` have not the one that is wanted; the same again
    /// if they were fetched less than a minute ago.
    pub async fn find_newer(
        &self,
        uri: &str,
        held: &FetchedKeys,
        now: Timestamp,
    ) -> Result<FetchedKeys, JwksError> {
        self.ask(uri, now, Some(held.fetched_at)).await
    }

    async fn ask(
        &self,
        uri: &str,
        now: Timestamp,
        missed_at: Option<Timestamp>,
    ) -> Result<FetchedKeys, JwksError> {
        let flight = match self.held_or_flight(uri, now, missed_at) {
            Ok(known) => return known,
            Err(flight) => flight,
        };
        flight.await
    }

    /// What is known already, or else the request that is on its way or begins now.
    fn held_or_flight(
        &self,
        uri: &str,
        now: Timestamp,
        missed_at: Option<Timestamp>,
    ) -> Result<Result<FetchedKeys, JwksError>, Flight> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if !entries.contains_key(uri) {
            make_room(&mut entries);
        }
        let entry = entries.entry(uri.to_owned()).or_default();
        let fresh = entry.held.as_ref().filter(|held| now < held.fresh_until);
        if let Some(fresh) = fresh {
            let is_missed = missed_at == Some(fresh.fetched_at);
            let may_ask_again = fresh.fetched_at.after(BETWEEN_FETCHES) <= now;
            if !is_missed || !may_ask_again {
                return Ok(Ok(fresh.clone()));
            }
        }
        if let Some(flight) = &entry.flight {
            return Err(flight.clone());
        }
        if let Some((failed_at, error)) = &entry.failed
            && now < failed_at.after(AFTER_FAILURE)
        {
            // Of a host that is away, what is fresh stays good.
            return Ok(fresh.cloned().ok_or_else(|| error.clone()));
        }
        let flight = self.fetch(uri.to_owned(), now);
        entry.flight = Some(flight.clone());
        Err(flight)
    }

    /// Begins to fetch. It goes on whoever stops waiting.
    fn fetch(&self, uri: String, now: Timestamp) -> Flight {
        let outbound = Arc::clone(&self.outbound);
        let entries = Arc::clone(&self.entries);
        let task = tokio::spawn(async move {
            let fetched = fetch(&outbound, &uri, now).await;
            let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = entries.entry(uri).or_default();
            entry.flight = None;
            match &fetched {
                Ok(keys) => {
                    entry.held = Some(keys.clone());
                    entry.failed = None;
                }
                Err(error) => entry.failed = Some((now, error.clone())),
            }
            fetched
        });
        task.map(|ended| ended.unwrap_or(Err(JwksError::Cancelled)))
            .boxed()
            .shared()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({:?}, {:?})", self.held, self.failed)
    }
}

async fn fetch(outbound: &Outbound, uri: &str, now: Timestamp) -> Result<FetchedKeys, JwksError> {
    let accept = "application/jwk-set+json, application/json";
    let document = outbound.fetch(uri, accept, LONGEST).await;
    let document = document.map_err(|error| JwksError::Fetch(Arc::new(error)))?;
    let lifetime = document.max_age.unwrap_or(USUAL_LIFETIME);
    Ok(FetchedKeys {
        keys: Arc::new(PublicKeySet::parse(&document.content)?),
        fetched_at: now,
        fresh_until: now.after(lifetime.clamp(SHORTEST_LIFETIME, LONGEST_LIFETIME)),
    })
}

/// Forgets the keys that were fetched first, if there are as many as may be.
fn make_room(entries: &mut HashMap<String, Entry>) {
    if entries.len() < MOST_ENTRIES {
        return;
    }
    let idle = entries.iter().filter(|(_, entry)| entry.flight.is_none());
    let oldest = idle.min_by_key(|(_, entry)| entry.held.as_ref().map(|held| held.fetched_at));
    if let Some(uri) = oldest.map(|(uri, _)| uri.clone()) {
        entries.remove(&uri);
    }
}

/// How often a URI is asked anew because of unknown keys.
const BETWEEN_FETCHES: Duration = Duration::from_mins(1);

/// For how long a URI is left alone after it failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// For how long keys are used that do not say it, and the bounds for those that do.
const USUAL_LIFETIME: Duration = Duration::from_mins(10);
const SHORTEST_LIFETIME: Duration = Duration::from_mins(1);
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// How many URIs are remembered.
const MOST_ENTRIES: usize = 1000;
