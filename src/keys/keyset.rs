//! The keys of a provider with their schedule: which signs, which verify, which are published.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::jwk::Jwks;
use super::signing_key::SigningKey;
use crate::oidc::signing_algorithm::SigningAlgorithm;
use crate::oidc::timestamp::Timestamp;

/// A key and when it is used. The instants are in this order.
#[derive(Clone, Debug)]
pub struct ScheduledKey {
    /// The key.
    pub key: Arc<SigningKey>,
    /// From when it is in the published JWKS.
    pub published_at: Timestamp,
    /// From when it signs; [`rotation::STAND_BY`] of a key that waits to be promoted.
    ///
    /// [`rotation::STAND_BY`]: super::rotation::STAND_BY
    pub activates_at: Timestamp,
    /// From when it no longer signs, once another has taken its place.
    pub retires_at: Option<Timestamp>,
    /// From when nothing that it signed is valid, so that it need not be published any more.
    pub expires_at: Option<Timestamp>,
}

impl ScheduledKey {
    /// Whether its time to sign has come, and may have passed.
    #[must_use]
    pub fn is_activated(&self, now: Timestamp) -> bool {
        self.activates_at <= now
    }

    /// Whether its time to sign has passed.
    #[must_use]
    pub fn is_retired(&self, now: Timestamp) -> bool {
        self.retires_at.is_some_and(|retires_at| retires_at <= now)
    }

    /// Whether nothing that it signed is valid any more.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// What a key is for at some instant; in the order of the JWKS.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum KeyState {
    /// It signs.
    Active,
    /// It will sign, and is published so that relying parties know it by then.
    Next,
    /// It has signed, and is published for as long as what it signed may be valid.
    Retired,
}

/// The keys of a provider: a value that is replaced, never changed.
///
/// A keyset has about ten keys, so looking through all of them is the quickest way to find one.
#[derive(Clone, Debug, Default)]
pub struct Keyset {
    keys: Vec<ScheduledKey>,
}

impl Keyset {
    /// The keyset of these keys. Of keys with the same `kid`, which are the same key, the first
    /// one counts.
    #[must_use]
    pub fn new(mut keys: Vec<ScheduledKey>) -> Self {
        let mut seen = BTreeSet::new();
        keys.retain(|scheduled| seen.insert(scheduled.key.kid().to_owned()));
        Self { keys }
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Every key with its schedule.
    #[must_use]
    pub fn keys(&self) -> &[ScheduledKey] {
        &self.keys
    }

    /// The key that signs with `algorithm` at `now`.
    ///
    /// That is the one activated last that has not retired. A schedule has no gaps, but clocks
    /// and operators do strange things, and a provider that cannot sign is down: if there is none,
    /// a key that has retired signs on until it expires, and failing that, the one that is to
    /// become active soonest signs early.
    #[must_use]
    pub fn active(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&Arc<SigningKey>> {
        self.scheduled_active(algorithm, now)
            .map(|scheduled| &scheduled.key)
    }

    /// The key with this `kid`, whatever its state: an expired token may still be a hint.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&Arc<SigningKey>> {
        let mut keys = self.keys.iter().map(|scheduled| &scheduled.key);
        keys.find(|key| key.kid() == kid)
    }

    /// What to publish at `now`: active keys first, then the next, then the retired.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> Jwks {
        let states = self.states(now).into_iter();
        Jwks {
            keys: states
                .map(|(scheduled, _)| scheduled.key.public_jwk().clone())
                .collect(),
        }
    }

    /// The keys that are published at `now` with their states, in the order of the JWKS. Of one
    /// state, they are in the order of the algorithms, then as they were published.
    #[must_use]
    pub fn states(&self, now: Timestamp) -> Vec<(&ScheduledKey, KeyState)> {
        let mut states: Vec<_> = self
            .keys
            .iter()
            .filter_map(|scheduled| Some((scheduled, self.state(scheduled, now)?)))
            .collect();
        states.sort_by_key(|(scheduled, state)| {
            let algorithm = scheduled.key.algorithm();
            let position = SigningAlgorithm::ALL.iter().position(|it| *it == algorithm);
            (*state, position, scheduled.published_at)
        });
        states
    }

    /// The state of a key of this keyset; `None` before it is published and once it has expired.
    fn state(&self, scheduled: &ScheduledKey, now: Timestamp) -> Option<KeyState> {
        // First of all: what signs is published, even if a replica's clock is behind that of the
        // one that made the key.
        let active = self.scheduled_active(scheduled.key.algorithm(), now);
        if active.is_some_and(|active| active.key.kid() == scheduled.key.kid()) {
            return Some(KeyState::Active);
        }
        if scheduled.published_at > now || scheduled.is_expired(now) {
            return None;
        }
        if scheduled.is_activated(now) {
            // Retired, or superseded by a key that was activated later.
            Some(KeyState::Retired)
        } else {
            Some(KeyState::Next)
        }
    }

    pub(super) fn scheduled_active(
        &self,
        algorithm: SigningAlgorithm,
        now: Timestamp,
    ) -> Option<&ScheduledKey> {
        // The kid breaks a tie, so that all replicas choose the same key.
        let order =
            |scheduled: &&ScheduledKey| (scheduled.activates_at, scheduled.key.kid().to_owned());
        let usable = || {
            let keys = self.keys.iter();
            keys.filter(move |it| it.key.algorithm() == algorithm && !it.is_expired(now))
        };
        let activated = || usable().filter(move |scheduled| scheduled.is_activated(now));
        activated()
            .filter(|scheduled| !scheduled.is_retired(now))
            .max_by_key(order)
            .or_else(|| activated().max_by_key(order))
            .or_else(|| usable().min_by_key(order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::dev_keys::dev_keys;
    use crate::keys::rotation::STAND_BY;
    use SigningAlgorithm::ES256;

    const NOW: Timestamp = Timestamp(1_000_000);

    /// Two ES256 keys, and one for each other algorithm.
    fn keys() -> [Arc<SigningKey>; 4] {
        let mut keys: Vec<_> = dev_keys().unwrap().into_iter().map(Arc::new).collect();
        let [rs256, es256, other_es256, ed_dsa] = [0, 2, 3, 4].map(|index| keys[index].clone());
        keys.clear();
        [es256, other_es256, rs256, ed_dsa]
    }

    /// A key with a schedule in seconds from [`NOW`].
    fn scheduled(
        key: &Arc<SigningKey>,
        [published, activates]: [i64; 2],
        ends: Option<[i64; 2]>,
    ) -> ScheduledKey {
        let at = |seconds: i64| Timestamp(NOW.0.saturating_add(seconds));
        ScheduledKey {
            key: key.clone(),
            published_at: at(published),
            activates_at: at(activates),
            retires_at: ends.map(|[retires, _]| at(retires)),
            expires_at: ends.map(|[_, expires]| at(expires)),
        }
    }

    /// Which of two keys is active, the first or the second one.
    fn active_of(first: ([i64; 2], Option<[i64; 2]>), second: ([i64; 2], Option<[i64; 2]>)) -> u8 {
        let [one, other, ..] = &keys();
        let mut schedule = vec![
            scheduled(one, first.0, first.1),
            scheduled(other, second.0, second.1),
        ];
        let kid = |keys: &[ScheduledKey]| {
            let keyset = Keyset::new(keys.to_vec());
            assert!(keyset.active(SigningAlgorithm::RS256, NOW).is_none());
            keyset.active(ES256, NOW).map(|key| key.kid().to_owned())
        };
        let active = kid(&schedule);
        schedule.reverse();
        assert_eq!(active, kid(&schedule), "the order does not matter");
        match active.as_deref() {
            Some(kid) if kid == one.kid() => 1,
            Some(_) => 2,
            None => 0,
        }
    }

    #[test]
    fn the_key_that_was_activated_last_and_has_not_retired_is_active() {
        let old = ([-9, -9], None);
        let table = [
            ("the later", ([-5, -1], None), 2),
            ("at its instant", ([-5, 0], None), 2),
            ("not before its instant", ([-5, 1], None), 1),
            ("never one that stands by", ([-5, STAND_BY.0], None), 1),
            ("retired", ([-5, -2], Some([0, 50])), 1),
            ("about to retire", ([-5, -2], Some([1, 50])), 2),
        ];
        for (case, new, expected) in table {
            assert_eq!(active_of(old, new), expected, "{case}");
        }
    }

    #[test]
    fn when_there_is_no_active_key_the_nearest_one_signs() {
        let retired = ([-9, -9], Some([-7, 50]));
        let expired = ([-9, -9], Some([-7, 0]));
        let table = [
            (
                "the one that retired last",
                retired,
                ([-5, -2], Some([-1, 50])),
                2,
            ),
            (
                "a retired one before an early one",
                retired,
                ([-5, 1], None),
                1,
            ),
            ("an early one after expiry", expired, ([-5, 1], None), 2),
            ("the one that is soonest", ([0, 2], None), ([0, 1], None), 2),
            (
                "none that has expired",
                expired,
                ([-9, -8], Some([-4, -1])),
                0,
            ),
        ];
        for (case, first, second, expected) in table {
            assert_eq!(active_of(first, second), expected, "{case}");
        }
    }

    #[test]
    fn of_two_keys_activated_at_once_every_replica_chooses_the_same() {
        let [first, second, ..] = &keys();
        let one = scheduled(first, [0, 0], None);
        let other = scheduled(second, [0, 0], None);
        let here = Keyset::new(vec![one.clone(), other.clone()]);
        let there = Keyset::new(vec![other, one]);
        let [here, there] = [here, there].map(|it| it.active(ES256, NOW).unwrap().kid().to_owned());
        assert_eq!(here, there);
    }

    #[test]
    fn the_jwks_has_active_keys_then_next_then_retired() {
        let [first, second, rs256, ed_dsa] = &keys();
        let keyset = Keyset::new(vec![
            scheduled(first, [-9, -9], Some([-4, 50])),
            scheduled(ed_dsa, [-2, STAND_BY.0], None),
            scheduled(second, [-8, -4], None),
            scheduled(rs256, [-8, -4], None),
        ]);
        let kids = |keyset: &Keyset, now| {
            let jwks = keyset.jwks(now);
            jwks.keys.into_iter().map(|jwk| jwk.kid).collect::<Vec<_>>()
        };
        // The EdDSA key is all there is of its algorithm, so it is active early.
        let expected = [rs256, second, ed_dsa, first].map(|key| key.kid().to_owned());
        assert_eq!(kids(&keyset, NOW), expected);
        let states = keyset.states(NOW).into_iter().map(|(_, state)| state);
        let expected = [
            KeyState::Active,
            KeyState::Active,
            KeyState::Active,
            KeyState::Retired,
        ];
        assert_eq!(states.collect::<Vec<_>>(), expected);
        assert!(!kids(&keyset, Timestamp(NOW.0 + 50)).contains(&first.kid().to_owned()));

        let with_next = Keyset::new(vec![
            scheduled(second, [-3, STAND_BY.0], None),
            scheduled(first, [-9, -9], None),
            scheduled(rs256, [1, STAND_BY.0], None),
        ]);
        let states: Vec<_> = with_next.states(NOW);
        let states: Vec<_> = states
            .iter()
            .map(|(it, state)| (it.key.kid(), *state))
            .collect();
        let expected = [
            (rs256.kid(), KeyState::Active),
            (first.kid(), KeyState::Active),
            (second.kid(), KeyState::Next),
        ];
        assert_eq!(states, expected);
    }

    #[test]
    fn a_key_is_published_from_its_instant_until_it_expires() {
        let [first, second, ..] = &keys();
        let active = scheduled(first, [-900, -900], None);
        for (schedule, is_published) in [
            (scheduled(second, [1, STAND_BY.0], None), false),
            (scheduled(second, [0, STAND_BY.0], None), true),
            (scheduled(second, [-950, -950], Some([-900, 1])), true),
            (scheduled(second, [-950, -950], Some([-900, 0])), false),
        ] {
            let jwks = Keyset::new(vec![active.clone(), schedule]).jwks(NOW);
            assert_eq!(
                jwks.keys.iter().any(|jwk| jwk.kid == second.kid()),
                is_published
            );
        }
    }

    #[test]
    fn no_two_published_keys_have_the_same_kid() {
        let [first, ..] = &keys();
        let twice = [[-9, -9], [-5, -5]].map(|from| scheduled(first, from, None));
        let keyset = Keyset::new(twice.to_vec());
        assert_eq!(keyset.jwks(NOW).keys.len(), 1);
        assert!(keyset.find(first.kid()).is_some());
        assert!(keyset.find("").is_none());
        assert!(!keyset.is_empty());
        assert!(Keyset::default().is_empty());
    }

    #[test]
    fn the_jwks_is_a_json_web_key_set() {
        let [first, ..] = &keys();
        let keyset = Keyset::new(vec![scheduled(first, [0, 0], None)]);
        let jwks = serde_json::to_value(keyset.jwks(NOW)).unwrap();
        assert_eq!(jwks["keys"][0]["kid"], first.kid());
        assert_eq!(jwks["keys"][0]["kty"], "EC");
        assert!(jwks["keys"][0].get("d").is_none());
    }
}
