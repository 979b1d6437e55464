//! When keys are made, promoted and retired ([OIDC Core section 10.1.1]).
//!
//! A key is published before it signs and stays published after it has signed, so that a relying
//! party with a cached JWKS can always verify:
//!
//! ```text
//! published ──────── at least the lead ────────▶ active ── interval ──▶ retired ── overlap ──▶ expired
//!      (stands by; cache + the longer of cache and 30 s)          (longest token lifetime + the same)
//! ```
//!
//! Replicas read the keyset anew at least every 30 seconds, so one may act on a keyset that is
//! [`STALE_VIEW`] old. That is safe. It may publish a new key that much later, and a relying party
//! may cache that answer for `cache`: the lead is at least the sum of both. It may sign with a key
//! that much after it retired: the overlap has at least that much to spare. And it verifies what
//! others sign with a promoted key, because it has known that key since it was published.
//!
//! **Invariant:** decisions are data, and pure. The caller makes the keys, which is slow, and
//! writes all of a [`Rotation`] in one transaction in which it decides once more, so that of two
//! replicas that rotate at once one finds nothing left to do.
//!
//! [OIDC Core section 10.1.1]: https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys

use std::time::Duration;

use super::keyset::{Keyset, ScheduledKey};
use crate::oidc::policy::KeyRotationPolicy;
use crate::oidc::signing_algorithm::SigningAlgorithm;
use crate::oidc::timestamp::Timestamp;

/// When a key becomes active that stands by until it is promoted. Only a [`Promotion`] sets
/// another instant: the policy may change as long as the key waits.
pub const STAND_BY: Timestamp = Timestamp(i64::MAX);

/// How old the keyset may be that a replica acts on.
pub const STALE_VIEW: Duration = Duration::from_secs(30);

/// For how long replicas may have different policies: while a new one is rolled out.
const DEPLOYMENT: Duration = Duration::from_hours(1);

/// What to change about the keys.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rotation {
    /// Keys to make.
    pub planned: Vec<PlannedKey>,
    /// Keys that shall become active.
    pub promotions: Vec<Promotion>,
    /// Keys that shall cease to sign.
    pub retirements: Vec<Retirement>,
}

/// A key to make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PlannedKey {
    /// Its algorithm.
    pub algorithm: SigningAlgorithm,
    /// From when it is published.
    pub published_at: Timestamp,
    /// From when it signs; [`STAND_BY`] of the next key.
    pub activates_at: Timestamp,
}

/// A key that shall become active.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Promotion {
    /// The key.
    pub kid: String,
    /// From when it signs.
    pub activates_at: Timestamp,
}

/// A key that shall cease to sign.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retirement {
    /// The key.
    pub kid: String,
    /// From when it no longer signs.
    pub retires_at: Timestamp,
    /// From when it is no longer published, and may be deleted.
    pub expires_at: Timestamp,
}

/// What is to be done at `now`, or `None`.
///
/// Each of the policy's algorithms shall have an active key and a next one; the keys of others
/// retire. An active key older than the policy's
/// interval gives way to the next, once that has been published for the lead.
/// `longest_token_lifetime` is that of any token that the keys sign, for any client.
#[must_use]
pub fn rotation_due(
    keyset: &Keyset,
    policy: &KeyRotationPolicy,
    longest_token_lifetime: Duration,
    now: Timestamp,
) -> Option<Rotation> {
    let schedule = Schedule::new(policy, longest_token_lifetime, now);
    schedule.decide(keyset, |active| {
        let interval = policy.interval;
        interval.is_some_and(|interval| now >= active.activates_at.after(interval))
    })
}

/// What is to be done at `now` for an operator who wants other keys: each active key of
/// `algorithms` gives way to the next, however young it is. `None` if that is under way already.
///
/// A next key that has not been published for the lead becomes active when it has, and the
/// active one signs until then.
#[must_use]
pub fn rotation_by_hand(
    keyset: &Keyset,
    algorithms: &[SigningAlgorithm],
    policy: &KeyRotationPolicy,
    longest_token_lifetime: Duration,
    now: Timestamp,
) -> Option<Rotation> {
    let mut schedule = Schedule::new(policy, longest_token_lifetime, now);
    schedule.waits_for_lead = false;
    schedule.decide(keyset, |active| {
        algorithms.contains(&active.key.algorithm())
    })
}

struct Schedule<'a> {
    now: Timestamp,
    /// The algorithms to have keys for.
    algorithms: &'a [SigningAlgorithm],
    /// How long a key is published before it signs.
    lead: Duration,
    /// How long a key is published after it signed.
    overlap: Duration,
    /// Whether a rotation waits until the next key can be active at once.
    waits_for_lead: bool,
}

impl<'a> Schedule<'a> {
    fn new(
        policy: &'a KeyRotationPolicy,
        longest_token_lifetime: Duration,
        now: Timestamp,
    ) -> Self {
        let slack = policy.cache.max(STALE_VIEW);
        Self {
            now,
            algorithms: &policy.algorithms,
            lead: policy.cache.saturating_add(slack),
            overlap: longest_token_lifetime.saturating_add(slack),
            waits_for_lead: true,
        }
    }

    fn decide(&self, keyset: &Keyset, is_due: impl Fn(&ScheduledKey) -> bool) -> Option<Rotation> {
        let mut rotation = Rotation::default();
        for &algorithm in self.algorithms {
            let keys = Standing::of(keyset, algorithm, self.now);
            self.retire_superseded(&keys, &mut rotation);
            match keys.active {
                None => self.replace_missing(algorithm, &keys, &mut rotation),
                Some(active) if is_due(active) && keys.pending.is_none() => {
                    self.replace(active, &keys, &mut rotation);
                }
                Some(_) if keys.next.is_none() => rotation.planned.push(self.next(algorithm)),
                Some(_) => {}
            }
        }
        self.retire_withdrawn(keyset, &mut rotation);
        (rotation != Rotation::default()).then_some(rotation)
    }

    /// Keys of algorithms that are not the policy's any more cease to sign. Young ones may be those
    /// of a replica that has the new policy already, or the old one still: they are left alone, or
    /// the two would make and retire keys by turns.
    fn retire_withdrawn(&self, keyset: &Keyset, rotation: &mut Rotation) {
        let is_withdrawn = |it: &&ScheduledKey| {
            !self.algorithms.contains(&it.key.algorithm())
                && it.retires_at.is_none()
                && it.published_at.after(DEPLOYMENT) <= self.now
        };
        let withdrawn = keyset.keys().iter().filter(is_withdrawn);
        let retirements = withdrawn.map(|key| self.retirement(key, self.now));
        rotation.retirements.extend(retirements);
    }

    /// Two replicas that started at once may both have made an active key; and who promoted a key
    /// by other means may have retired none.
    fn retire_superseded(&self, keys: &Standing<'_>, rotation: &mut Rotation) {
        let retirements = keys
            .superseded
            .iter()
            .map(|key| self.retirement(key, self.now));
        rotation.retirements.extend(retirements);
    }

    /// Nothing can sign, so whatever is there signs at once: to wait would help nobody.
    fn replace_missing(
        &self,
        algorithm: SigningAlgorithm,
        keys: &Standing<'_>,
        rotation: &mut Rotation,
    ) {
        match (keys.pending, keys.next) {
            (Some(_), Some(_)) => return,
            (Some(_), None) => {}
            (None, Some(next)) => rotation.promotions.push(promotion(next, self.now)),
            (None, None) => rotation.planned.push(PlannedKey {
                algorithm,
                published_at: self.now,
                activates_at: self.now,
            }),
        }
        rotation.planned.push(self.next(algorithm));
    }

    fn replace(&self, active: &ScheduledKey, keys: &Standing<'_>, rotation: &mut Rotation) {
        let algorithm = active.key.algorithm();
        let published_at = keys.next.map_or(self.now, |next| next.published_at);
        let ready_at = published_at.after(self.lead);
        let activates_at = ready_at.max(self.now);
        match keys.next {
            Some(_) if self.waits_for_lead && ready_at > self.now => return,
            Some(next) => rotation.promotions.push(promotion(next, activates_at)),
            None if self.waits_for_lead => return rotation.planned.push(self.next(algorithm)),
            None => rotation.planned.push(PlannedKey {
                algorithm,
                published_at,
                activates_at,
            }),
        }
        let retirement = self.retirement(active, activates_at);
        rotation.retirements.push(retirement);
        rotation.planned.push(self.next(algorithm));
    }

    fn next(&self, algorithm: SigningAlgorithm) -> PlannedKey {
        PlannedKey {
            algorithm,
            published_at: self.now,
            activates_at: STAND_BY,
        }
    }

    fn retirement(&self, scheduled: &ScheduledKey, retires_at: Timestamp) -> Retirement {
        Retirement {
            kid: scheduled.key.kid().to_owned(),
            retires_at,
            expires_at: retires_at.after(self.overlap),
        }
    }
}

/// How things stand with the keys of one algorithm.
struct Standing<'a> {
    /// The key that signs, and whose time that is.
    active: Option<&'a ScheduledKey>,
    /// A key that was promoted and becomes active later.
    pending: Option<&'a ScheduledKey>,
    /// The key that has stood by the longest.
    next: Option<&'a ScheduledKey>,
    /// Keys that were active before the active one and have not been retired.
    superseded: Vec<&'a ScheduledKey>,
}

impl<'a> Standing<'a> {
    fn of(keyset: &'a Keyset, algorithm: SigningAlgorithm, now: Timestamp) -> Self {
        let keys = || {
            let keys = keyset.keys().iter();
            keys.filter(move |it| it.key.algorithm() == algorithm && !it.is_expired(now))
        };
        // Beside the key whose time it is, a keyset has a substitute in need; that one is to be
        // replaced.
        let active = keyset
            .scheduled_active(algorithm, now)
            .filter(|active| active.is_activated(now) && !active.is_retired(now));
        let is_active = |it: &ScheduledKey| active.is_some_and(|key| key.key.kid() == it.key.kid());
        let stands_by = |it: &&ScheduledKey| it.activates_at == STAND_BY;
        Self {
            active,
            pending: keys().find(|it| !it.is_activated(now) && !stands_by(it)),
            next: keys()
                .filter(|it| stands_by(it) && it.retires_at.is_none())
                .min_by_key(|it| (it.published_at, it.key.kid())),
            superseded: keys()
                .filter(|it| it.is_activated(now) && it.retires_at.is_none() && !is_active(it))
                .collect(),
        }
    }
}

fn promotion(scheduled: &ScheduledKey, activates_at: Timestamp) -> Promotion {
    Promotion {
        kid: scheduled.key.kid().to_owned(),
        activates_at,
    }
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
